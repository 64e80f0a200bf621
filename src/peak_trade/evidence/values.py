"""The values of a run's machines, after each of its records: what the journal holds, and what follows from it.

A record holds its event, payload and outcome, and some variables. The others are rebuilt by stepping the machine over
the recorded events; what a record holds wins over what was rebuilt. A value is doubtful from the first record on that
the machine does not give for the recorded event, because then what was rebuilt is a guess.

Limits: in a slice that does not begin with the first record only orders whose beginning is in it are known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from peak_trade.backends.kernel import Kernel, Running
from peak_trade.journal.record import Body, Record
from peak_trade.lang.machine import Machine
from peak_trade.lang.step import Broken, Ignored, Outcome, Refused, Taken

SESSION: Final = "session"
ORDER: Final = "order"
WIRE: Final = "value_outside_invariant"
"""The tripwire by which a session says that it found a value outside; its record names the clause."""


@dataclass(frozen=True, slots=True)
class Known:
    """The value of one machine after the record `seq`; `subject` is the order, empty for the session.

    `value` is None iff nothing of it is known. `doubt` says why it is not known or not sure, empty if it is sure.
    `found` is the clause that the session itself found broken here.
    """

    seq: int
    machine: str
    subject: str
    value: Running | None
    doubt: str = ""
    found: str = ""


@dataclass(slots=True)
class Rebuilder:
    """Rebuilds the values of one machine's subjects, record by record."""

    kernel: Kernel
    whole: bool
    last: dict[str, Known] = field(default_factory=dict)

    def take(self, record: Record, subject: str) -> Known:
        """Return what is known of `subject` after `record`."""
        before, doubt = self._before(record.body, subject)
        if before is None:
            known = Known(record.seq, self.kernel.machine.name, subject, None, doubt)
        else:
            event = str(record.body["event"])
            outcome, stepped = self.kernel.offer(before, event, _payload(self.kernel.machine, event, record.body))
            value = _recorded(self.kernel.machine, event, record.body, stepped)
            doubt = doubt or _doubt(record, outcome, stepped, value)
            known = Known(record.seq, self.kernel.machine.name, subject, value, doubt)
        self.last[subject] = known
        return known

    def _before(self, body: Body, subject: str) -> tuple[Running | None, str]:
        known = self.last.get(subject)
        if known is not None and known.value is not None:
            return known.value, known.doubt
        if (known is None and self.whole) or body.get("by") in _beginnings(self.kernel.machine):
            return self.kernel.initial, ""
        return None, "its beginning is not in this slice of the journal"


def valued(records: Iterable[Record], session: Kernel, order: Kernel) -> Iterator[Known]:
    """Yield what is known after each record of a step, and each value that the session itself found outside."""
    rebuilders: dict[str, Rebuilder] = {}
    for record in records:
        if not rebuilders:
            whole = record.seq == 0
            rebuilders = {SESSION: Rebuilder(session, whole), ORDER: Rebuilder(order, whole)}
        subject = str(record.body.get("order") or "")
        if record.kind in rebuilders:
            yield rebuilders[record.kind].take(record, subject)
        elif record.kind == "trip" and record.body.get("wire") == WIRE:
            machine = order.machine if subject else session.machine
            yield Known(record.seq, machine.name, subject, None, "", str(record.body.get("clause") or ""))


def _beginnings(machine: Machine) -> frozenset[str]:
    """Return the transitions that can only be taken from the initial value: nothing leads to its state or stays."""
    initial = machine.initial.name
    for row in machine.transitions:
        if row.target == initial or (row.target is None and initial in row.sources):
            return frozenset()
    return frozenset(row.name for row in machine.transitions if row.sources == (initial,))


def _payload(machine: Machine, event: str, body: Body) -> dict[str, bool | int | str]:
    names = {field.name for item in machine.events if item.name == event for field in item.payload}
    return {name: value for name, value in body.items() if name in names and value is not None}


def _recorded(machine: Machine, event: str, body: Body, stepped: Running) -> Running:
    """Return `stepped` with what the record itself holds of the value."""
    payload = _payload(machine, event, body)
    held = {name: value for name, value in body.items() if name not in payload}
    context = (held.get(item.name, part) for item, part in zip(machine.variables, stepped[1:], strict=True))
    return (held.get("state", stepped[0]), *context)


def _doubt(record: Record, outcome: Outcome, stepped: Running, value: Running) -> str:
    """Return why the record is none that this machine writes from the value before it, or nothing."""
    body, (word, by) = record.body, _said(outcome)
    if (body.get("outcome"), body.get("by")) != (word, by):
        return f"record {record.seq}: expected {body.get('event')} {word} ({by}), was {body['outcome']} ({body['by']})"
    if value != stepped:
        return f"record {record.seq}: expected the value {stepped} after {body.get('event')}, was {value}"
    return ""


def _said(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Taken(transition):
            return "taken", transition
        case Ignored(reason):
            return "ignored", reason
        case Refused(reason):
            return "refused", reason
        case Broken(name):
            return "broken", name
