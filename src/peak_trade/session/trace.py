"""What a session writes is held to the specifications as it writes it, by the monitor that reads any journal.

The first record that they do not allow trips `trace_not_allowed` before anything else leaves: the session stops for the
operator. The monitor sees what the kernel cannot: counts between machines, cursors, steps, position, cash and fees.

Limits: those of `conform.walk`; annotations of a single process are not judged.
"""

from collections.abc import Callable
from dataclasses import dataclass

from peak_trade.conform.walk import Walk
from peak_trade.journal.record import Body, Record
from peak_trade.session.recording import Recorder


@dataclass(slots=True)
class Traced:
    """A recorder that walks along what is written; otherwise it is the tape below it."""

    tape: Recorder
    walk: Walk
    records: int = 0

    @property
    def replaying(self) -> bool:
        """True iff an earlier process's records are left."""
        return self.tape.replaying

    @property
    def subject(self) -> str | None:
        """The order of the first record that is not allowed, empty if it is of none; None iff all are allowed."""
        found = self.walk.deviation
        return None if found is None else str(found.record.body.get("order") or "")

    def peek(self) -> Record | None:
        """Return the next of those records, or None."""
        return self.tape.peek()

    def append(self, kind: str, body: Body) -> None:
        """Write a record of the run, or compare it with the one that is there; then walk it."""
        self.tape.append(kind, body)
        self._take(kind, body)

    def note(self, kind: str, body: Body) -> None:
        """Write an annotation, unless replaying."""
        self.tape.note(kind, body)

    def outcome(self, kind: str, perform: Callable[[], Body]) -> Body:
        """Return what `perform` gives and write it, or what is there instead of performing; then walk it."""
        body = self.tape.outcome(kind, perform)
        self._take(kind, body)
        return body

    def commit(self) -> object:
        """Make durable what was written."""
        return self.tape.commit()

    def _take(self, kind: str, body: Body) -> None:
        self.walk.take(Record(self.records, kind, body))
        self.records += 1
