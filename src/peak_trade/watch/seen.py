"""What can be read of a run folder: everything that is there, and in words what is not. Reading never fails on a run.

Limits: a journal is held in memory, about 1 kB for each order and each step.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from peak_trade.evidence.artifacts import CONFIG, Snapshot, sha256
from peak_trade.evidence.story import HEALING, QUIET, UNDOING, Story, tell
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.journal.verify import JOURNAL, Corrupt, Intact, RolledBack, Torn, Unanchored, Verdict, verify
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.watch.tally import Tally

FOLDER: Final = "journal"
NOTES_MAX: Final = 10_000
CONFIG_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the timeline: what an operator wants to see of a record."""

    seq: int
    step: int
    ts: str
    kind: str
    what: str
    state: str
    alarm: bool


@dataclass(slots=True)
class Seen:
    """A run folder as read: `problems` says what could not be, each with what to do about it."""

    story: Story = field(default_factory=Story)
    tally: Tally = field(default_factory=Tally)
    verdict: Verdict | None = None
    snapshot: Snapshot | None = None
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=NOTES_MAX))
    problems: list[str] = field(default_factory=list)

    @property
    def run(self) -> str:
        """The id of the run, or a dash."""
        return str(self.story.run.get("run") or "–")


def look(folder: Path, machines: Iterable[Machine]) -> Seen:
    """Return what the run in `folder` left there; `machines` are the specifications that the reader knows."""
    seen = Seen()
    seen.snapshot = _snapshot(folder / CONFIG, seen.problems)
    try:
        seen.verdict = verify(folder / FOLDER)
    except OSError as error:
        seen.problems.append(
            f"expected a journal in {FOLDER}/, was none ({error.strerror}); nothing of the run is known"
        )
        return seen
    _fold(folder / FOLDER / JOURNAL, seen)
    _foreign(seen, machines)
    return seen


def verdict_text(verdict: Verdict | None) -> tuple[str, str]:
    """Return the journal verdict's word and its facts, in plain text without a path."""
    match verdict:
        case None:
            return "missing", "there is no journal"
        case Intact(head, anchored):
            return "intact", f"{head.records:,} records, {anchored:,} held by the checkpoint, root {head.root[:16]}…"
        case Unanchored(head):
            return "unanchored", f"{head.records:,} records verify; no checkpoint vouches for the end"
        case Torn(head, fault, _):
            return (
                "torn",
                f"{head.records:,} records verify, then {fault.tail_bytes:,} bytes of a write that was cut off",
            )
        case RolledBack(head, _, mark):
            return "rolled back", f"{head.records:,} records stand there, the checkpoint knew {mark.records:,}"
        case Corrupt(head, file, fault):
            return "corrupt", f"{head.records:,} records verify, then {file.name} line {fault.line} does not"


def _snapshot(path: Path, problems: list[str]) -> Snapshot | None:
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_BYTES_MAX)
        return Snapshot.model_validate_json(data)
    except FileNotFoundError:
        problems.append(f"expected {CONFIG}, was none; limits and guards cannot be shown")
    except OSError as error:
        problems.append(f"cannot read {CONFIG} ({error.strerror}); limits and guards cannot be shown")
    except ValidationError as error:
        faults = error.error_count()
        problems.append(
            f"expected a {CONFIG} of this version, was one with {faults} faults; limits and guards cannot be shown"
        )
    return None


def _fold(path: Path, seen: Seen) -> None:
    """Tell the records that verify and that this version can read; the rest becomes a problem."""
    try:
        seen.story = tell(_watched(_records(path, seen.problems), seen))
    except (KeyError, ValueError, TypeError) as error:
        good = sum(seen.tally.records.values()) - 1
        seen.problems.append(
            f"expected records of this version, record {good} is none ({error}); shown is what came before it"
        )
        seen.tally = Tally()
        seen.notes.clear()
        seen.story = tell(_watched(islice(read(path), good), seen))


def _records(path: Path, problems: list[str]) -> Iterator[Record]:
    """Yield the records of the longest valid prefix; what ends it is a problem and not an error."""
    try:
        yield from read(path)
    except FileNotFoundError:
        problems.append(f"expected {JOURNAL}, was none; nothing of the run is known")
    except JournalRefusal:
        problems.append("the journal does not verify to its end; shown is what stands before the damage")


def _watched(records: Iterable[Record], seen: Seen) -> Iterator[Record]:
    for record in records:
        before = seen.tally.state
        seen.tally.count(record)
        note = _note(record, before, seen.tally)
        if note is not None:
            seen.notes.append(note)
        yield record


def _note(record: Record, before: str, tally: Tally) -> Note | None:
    """Return the line of the timeline that `record` gives; none for what goes as it should in every step."""
    body = record.body
    match record.kind:
        case "session":
            quiet = body["event"] in QUIET and body["outcome"] == "taken"
            if quiet and before == body["state"]:
                return None
            alarm = body["outcome"] in ("refused", "broken")
            by = f" in the name of {body['operator']}" if body.get("operator") else ""
            text = f"{body['event']} {body['outcome']} by {body['by']}{by}"
        case "order" if body["outcome"] in ("refused", "broken") or body["event"] in ("deny", *UNDOING):
            by = str(body.get("rail") or body["by"])
            text, alarm = f"{body['order']}: {body['event']} {body['outcome']} by {by}", True
        case "trip":
            about = f" on {body['order']}" if body.get("order") else ""
            text, alarm = f"{body['wire']} tripped{about}", True
        case "reconciled" | "difference" | "breaker":
            text, alarm = _beside(record)
        case "recovered":
            text, alarm = f"resumed after {body['records']:,} records", False
        case "run" | "end":
            text, alarm = {"run": "the run begins", "end": "the run is over"}[record.kind], False
        case _:
            return None
    if not text:
        return None
    step = int(body.get("step", tally.step) or 0)
    return Note(record.seq, step, tally.last_ts, record.kind, text, tally.state, alarm)


def _beside(record: Record) -> tuple[str, bool]:
    """Return what a comparison with the venue, a difference or the breaker says, and whether a person should look.

    A comparison in the middle of the run that agrees says nothing.
    """
    body = record.body
    if record.kind == "breaker":
        return f"the circuit breaker is {body['state']}, {body['failures']} failures in a row", body["state"] == "open"
    if record.kind == "difference":
        planned = f"; planned: {body['action']}" if body.get("action") else ""
        return f"{body['code']} of {body['subject']}{planned}", body.get("action") not in HEALING
    if not body["asked"]:
        return "the venue gave no answer to be compared with", True
    if not body["differences"] and body.get("closing") is False:
        return "", False
    return f"{body['orders']:,} orders compared with the venue, {body['differences']:,} differences", bool(
        body["differences"]
    )


def _foreign(seen: Seen, machines: Iterable[Machine]) -> None:
    """Add a problem for each specification of the run that is not the reader's, and for a changed configuration."""
    run: dict[str, Any] = seen.story.run
    if not run:
        seen.problems.append("expected a journal that begins with its run, was one that does not; the run has no id")
        return
    for machine in machines:
        if run.get(f"{machine.name}_spec") != fingerprint(machine):
            seen.problems.append(
                f"the run was made by another {machine.name} specification than this one; pictures show this one"
            )
    if seen.snapshot is not None:
        canonical = json.dumps(seen.snapshot.config, sort_keys=True, separators=(",", ":"))
        if sha256(canonical) != run.get("config"):
            seen.problems.append(f"{CONFIG} is not the configuration that the run was started with")
