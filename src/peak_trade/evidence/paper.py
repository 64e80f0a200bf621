"""The written pages of packs and of readiness: templates filled with facts, sign-off slots left empty."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from peak_trade.evidence.checklist import PHASES, SIGN_OFF, Need, Row
from peak_trade.evidence.facts import Facts
from peak_trade.evidence.judge import FACTS, Judged, Status
from peak_trade.evidence.policy import sealed
from peak_trade.evidence.readiness import Readiness
from peak_trade.evidence.timeline import Row as Line
from peak_trade.evidence.timeline import detection, shortened

MARKS: Final = {Status.PASSED: "✓", Status.OPEN: "○", Status.SUSPECT: "?", Status.FAILED: "✗"}
ROLES: Final = ("governance", "risk", "operations", "engineering")
SEVERITIES: Final = {
    "S0": "harm is done or cannot be ruled out: an effect outside the dry run, a leaked secret, a stray order",
    "S1": "a control failed: a rail, tripwire, kill switch, journal or reconciliation did not do its work",
    "S2": "the controls held and the session was stopped, killed or lost",
    "S3": "no effect on a session: a wrong figure, page or document",
}

Claims = Sequence[tuple[Row, Sequence[tuple[Need, Judged]]]]


def evidence_page(facts: Facts, claims: Claims, date: str, files: int) -> str:
    """Return evidence.md; `claims` are the rows of the phase with what this pack says about each need."""
    shown = facts.exhibit
    proofs: Mapping[str, Any] = shown.proofs or {"results": [], "locks": []}
    day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC).date().isoformat()
    return _filled(
        "evidence.md",
        _common(facts)
        | {
            "title": PHASES[shown.phase],
            "day": day,
            "claims": [row for row in claims if row[0].area != SIGN_OFF],
            "not_shown": [row for row, needs in claims if any(item.status is not Status.PASSED for _, item in needs)],
            "proofs": proofs,
            "proved": sum(item["verdict"] == "proved" for item in proofs["results"]),
            "files": files,
        },
    )


def incident_page(facts: Facts, rows: list[Line], severity: str, at: str) -> str:
    """Return incident.md; `at` is YYYYMMDD-HHMM in UTC, `rows` the timeline."""
    kept, left_out = shortened(rows)
    moment = datetime.strptime(at, "%Y%m%d-%H%M").replace(tzinfo=UTC)
    first = next((number for number, row in enumerate(rows) if row.alarm), len(rows))
    context = {
        "severity": severity,
        "meaning": SEVERITIES[severity],
        "severities": SEVERITIES,
        "at": moment.strftime("%Y-%m-%d %H:%M UTC"),
        "rows": kept,
        "left_out": left_out,
        "detection": detection(rows, ended=facts.story.ended),
        "mitigation": [row for row in rows[first + 1 :] if "→" in row.what],
    }
    return _filled("incident.md", _common(facts) | context)


def readiness_page(found: Readiness, style: str) -> str:
    """Return the checklist as `md` or `html`."""
    counts = {status.value: sum(item.status is status for item in found.rows) for status in Status}
    areas = list(dict.fromkeys(item.row.area for item in found.rows))
    context = {"found": found, "counts": counts, "areas": areas, "marks": MARKS, "verdict": headline(found)}
    text = _filled(f"readiness.{style}", context)
    return sealed(text) if style == "html" else text


def headline(found: Readiness) -> str:
    """Return the first line: what stands in the way, or that nothing does; never that anything is enabled."""
    broken = sum(bool(pack.problem) for pack in found.packs)
    words = [
        f"{sum(item.status is status for item in found.rows)} {status}"
        for status in (Status.FAILED, Status.SUSPECT, Status.OPEN)
    ]
    if found.exit_code == 0:
        return "READY FOR A DECISION: every row has current evidence and every role has signed. Live stays off."
    return f"NOT READY: {', '.join(words)}" + (f", {broken} packs not intact" if broken else "") + ". Live stays off."


def _common(facts: Facts) -> dict[str, Any]:
    shown, story = facts.exhibit, facts.story
    safety = {name: FACTS[name](shown) for name in ("no_live", "mock_only", "journal", "reconciled", "fills_once")}
    return {
        "name": shown.name,
        "shown": shown,
        "story": story,
        "bars": facts.bars,
        "specs": list(facts.specs),
        "slice": facts.slice,
        "head": shown.journal,
        "risks": _risks(facts),
        "safety": safety,
        "marks": MARKS,
        "roles": ROLES,
    }


def _risks(facts: Facts) -> list[str]:
    """Return what a reader must know before believing the pack."""
    shown, found = facts.exhibit, []
    if shown.origin.dirty is not False:
        found.append("The code has changes that no commit names; readiness counts this pack as suspect.")
    if shown.proofs is None:
        found.append("Nothing was proved for this pack.")
    if shown.replay is None:
        found.append("The run was not replayed for this pack.")
    elif shown.replay["verdict"] != "PASS":
        found.append(f"The replay differs at record {shown.replay['seq']}.")
    elif shown.replay["compared"] == "records":
        found.append(
            "The run was killed and resumed; its replay is compared without notes of recovery and lost answers."
        )
    if facts.slice is not None:
        found.append(
            "The journal is cut to the steps that were asked for; facts of the whole run cannot be judged from it."
        )
    if facts.bars.where == "by hash":
        found.append("The bars are not in the pack; whoever replays it needs the file with the hash in bars.json.")
    if shown.tests or shown.attached:
        found.append(
            "Test outcomes and attached results were made before this pack; nothing in them says of which code."
        )
    found.append("Proofs are of the specifications; that the code follows them is tested, not proved.")
    found.append("The venue is a mock: nothing here says how a real one would answer.")
    return found


def _filled(template: str, context: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(template).render(context)


def _cell(value: object) -> str:
    """Return a text that stays in its cell of a Markdown table and is taken for no markup."""
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return "".join(f"\\{char}" if char in "\\`*|<>[]" else char for char in text)
