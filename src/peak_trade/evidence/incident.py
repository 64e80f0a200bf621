"""An incident pack: what a run's journal tells of an incident, and what is needed to run it again.

It can be made of any run whose journal can be read at all: killed, torn, or not yet over. Nothing is judged here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from peak_trade.evidence.bag import Content, write
from peak_trade.evidence.exhibit import STATEMENT
from peak_trade.evidence.facts import Facts
from peak_trade.evidence.pack import contents, dumped, expect_moment, expect_tag, info
from peak_trade.evidence.paper import SEVERITIES, incident_page
from peak_trade.evidence.statement import statement
from peak_trade.evidence.timeline import Row, timeline
from peak_trade.journal.record import Record, encode

PAGE: Final = "incident.md"
AUDIT: Final = "audit.jsonl"
GIT: Final = "git.json"


def incident_name(at: str, tag: str) -> str:
    """Return the id of an incident pack; `at` is YYYYMMDD-HHMM.

    Raises:
        ValueError: moment or tag is not of the track's form.
    """
    return f"INC-{expect_moment(at, '%Y%m%d-%H%M', 'YYYYMMDD-HHMM')}-{expect_tag(tag)}"


def make(facts: Facts, severity: str, changes: Iterable[str], out: Path, records: Iterable[Record]) -> tuple[Path, str]:
    """Write the incident pack of `facts` into a new folder in `out`; return the folder and the pack's digest.

    `changes` are the lines of `git status`; `records` those of the run's journal.

    Raises:
        FileExistsError: a pack of this id is there.
        ValueError: the severity is none.
    """
    if severity not in SEVERITIES:
        raise ValueError(f"expected a severity of {', '.join(SEVERITIES)}, was {severity!r}; give --severity S2")
    shown, at = facts.exhibit, facts.exhibit.name[4:17]
    kept = list(records)
    rows = timeline(kept)
    payload = contents(facts)
    payload[AUDIT] = _audit(rows, kept)
    payload[GIT] = dumped({"commit": shown.origin.commit, "dirty": shown.origin.dirty, "status": sorted(changes)})
    payload[PAGE] = incident_page(facts, rows, severity, at).encode()
    configuration = [name for name in payload if name.startswith("spec/")] + ["run/config_snapshot.json"]
    payload[STATEMENT] = statement(shown, payload, configuration).encode()
    about = f"Incident {severity}: {SEVERITIES[severity]}"
    return out / shown.name, write(out / shown.name, payload, info(shown, at, about))


def _audit(rows: Iterable[Row], records: list[Record]) -> Content:
    """Return the timeline's records as JSON lines; each as it stands in the journal."""
    return b"".join(encode(records[row.seq]) + b"\n" for row in rows)
