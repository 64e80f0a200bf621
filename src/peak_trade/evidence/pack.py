"""An evidence pack: what one phase claims, with all that a reviewer needs to check it and to run it again.

Everything that the program can know is filled in; sign-off slots are left empty. The same facts give the same bytes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from peak_trade.evidence import exhibit as place
from peak_trade.evidence.artifacts import CONFIG, json_text
from peak_trade.evidence.bag import Content, write
from peak_trade.evidence.checklist import PHASES, rows_of
from peak_trade.evidence.exhibit import Exhibit
from peak_trade.evidence.facts import Facts
from peak_trade.evidence.judge import judge
from peak_trade.evidence.paper import evidence_page
from peak_trade.evidence.slice import LABEL, SLICE
from peak_trade.evidence.statement import statement
from peak_trade.evidence.story import Story

TAG: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,39}", re.ASCII)
CHECKPOINT_FORM: Final = '{{"bytes":{0},"hash":"{1}","records":{2}}}\n'
PAGE: Final = "evidence.md"


def evidence_name(phase: str, date: str, tag: str) -> str:
    """Return the id of an evidence pack.

    Raises:
        ValueError: phase, date or tag is not of the track's form.
    """
    if phase not in PHASES:
        raise ValueError(f"expected a phase of {', '.join(PHASES)}, was {phase!r}; give --phase C3")
    expect_moment(date, "%Y%m%d", "YYYYMMDD")
    return f"EV-{date}-FINISH_{phase}-{expect_tag(tag)}"


def expect_tag(tag: str) -> str:
    """Return `tag`; ValueError unless it is capital letters, digits and hyphens."""
    if TAG.fullmatch(tag) is None:
        hint = re.sub(r"[^A-Z0-9]+", "-", tag.upper()).strip("-")[:40] or "ORCH-DRYRUN"
        raise ValueError(f"expected a tag of at most 40 capital letters, digits and hyphens, was {tag!r}; try {hint}")
    return tag


def expect_moment(text: str, form: str, shown: str) -> str:
    """Return `text`; ValueError unless it is a moment of the calendar in `form`, which a person knows as `shown`."""
    try:
        good = datetime.strptime(text, form).replace(tzinfo=UTC).strftime(form) == text
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"expected {shown}, a moment of the calendar, was {text!r}; give it or leave the option out")
    return text


def make(facts: Facts, date: str, out: Path) -> tuple[Path, str]:
    """Write the evidence pack of `facts` into a new folder in `out`; return the folder and the pack's digest.

    Raises:
        FileExistsError: a pack of this id is there.
    """
    shown = facts.exhibit
    payload = contents(facts)
    judged = [(row, [(need, judge(need, shown)) for need in row.needs]) for row in rows_of(shown.phase)]
    payload[PAGE] = evidence_page(facts, judged, date, files=len(payload) + 2).encode()
    configuration = [name for name in payload if name.startswith(f"{place.SPEC}/")] + [f"{place.RUN}/{CONFIG}"]
    payload[place.STATEMENT] = statement(shown, payload, configuration).encode()
    return out / shown.name, write(out / shown.name, payload, info(shown, date, PHASES[shown.phase]))


def info(shown: Exhibit, date: str, about: str) -> dict[str, str]:
    """Return the labels of the bag."""
    return {
        "External-Identifier": shown.name,
        "External-Description": about,
        "Bagging-Date": f"{date[:4]}-{date[4:6]}-{date[6:8]}",
        "Bag-Software-Agent": f"peak-trade {shown.origin.versions.peak_trade}",
        "Source-Commit": shown.origin.commit,
    }


def contents(facts: Facts) -> dict[str, Content]:
    """Return what every pack of a run holds, by its place in the pack."""
    shown, run = facts.exhibit, facts.run
    found: dict[str, Content] = {f"{place.SPEC}/{name}.yaml": text.encode() for name, text in facts.specs.items()}
    found |= {f"{place.RUN}/{name}": text.encode() for name, text in shown.texts.items()}
    found |= {f"{place.RUN}/{name}": run / name for name in shown.snapshots}
    found |= {f"{place.ATTACHED}/{name}.json": dumped(data) for name, data in shown.attached.items()}
    found |= _journal(facts)
    found[place.STATE] = dumped(state(facts.story))
    found[place.ORIGIN] = json_text(shown.origin).encode()
    found[place.VERIFIED] = dumped(shown.journal)
    found["bars.json"] = dumped({"name": facts.bars.name, "sha256": facts.bars.sha256, "where": facts.bars.where})
    if facts.bars.path is not None:
        found[f"{place.BARS}/{facts.bars.name}"] = facts.bars.path
    if shown.proofs is not None:
        found[place.PROOFS] = dumped(shown.proofs)
    if shown.replay is not None:
        found[place.REPLAY] = dumped(shown.replay)
    if shown.tests:
        found[place.TESTS] = dumped({"schema_version": 1, "tests": dict(shown.tests)})
    return found


def _journal(facts: Facts) -> dict[str, Content]:
    """Return the journal and what vouches for its end, or the slice of it with its heads."""
    part, folder = facts.slice, facts.run / place.JOURNAL
    if part is None:
        names = [
            "journal.jsonl",
            "journal.checkpoint.json",
            *sorted(item.name for item in folder.glob("quarantine-*.bin")),
        ]
        return {f"{place.JOURNAL}/{name}": folder / name for name in names if (folder / name).is_file()}
    label: dict[str, Content] = {f"{place.JOURNAL}/{LABEL}": dumped(part.label())}
    if not part.prefix:
        return label | {f"{place.JOURNAL}/{SLICE}": part.data}
    head = CHECKPOINT_FORM.format(part.after.size_bytes, part.after.root, part.after.records).encode()
    return label | {place.JOURNAL_FILE: part.data, f"{place.JOURNAL}/journal.checkpoint.json": head}


def dumped(data: Mapping[str, Any]) -> bytes:
    """Return plain data as JSON with sorted keys."""
    return (json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def state(story: Story) -> dict[str, Any]:
    """Return where the run stood at the end of its journal, as plain data."""
    orders: dict[str, int] = {}
    for line in story.lines.values():
        orders[line.state] = orders.get(line.state, 0) + 1
    return {
        "schema_version": 1,
        "run": story.run,
        "session": story.state,
        "why": story.why,
        "ended": story.ended,
        "steps": story.steps,
        "records": story.records,
        "recoveries": story.recoveries,
        "orders_by_state": orders,
        "open_orders": [asdict(line) for line in story.lines.values() if line.leaves],
        "positions_lots": {symbol: lots for symbol, lots in story.positions.items() if lots},
        "account": asdict(story.accounts[-1]) if story.accounts else None,
        "trips": dict(story.trips),
        "refusals": {name: dict(found) for name, found in story.refused.items()},
        "reconciled": story.reconciled,
        "differences": story.differences,
    }
