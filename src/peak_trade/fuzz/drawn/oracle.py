"""What a journal says, record by record, judged twice: it conforms, and `lang.step` makes the same values of it.

Limits: those of `conform.walk`; of a journal that begins with its run that is one value of each machine.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.conform.walk import Walk
from peak_trade.fuzz.world import Machines
from peak_trade.journal.chain import Chain
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.lang.step import Stepper, Value, initial
from peak_trade.session.assembly import Session
from peak_trade.session.recording import ORDER, SESSION, said


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The definition and the kernel of each machine, made once for many journals."""

    steppers: dict[str, Stepper]
    kernels: dict[str, Kernel]

    @classmethod
    def of(cls, machines: Machines) -> "Rulebook":
        """Return the rulebook of the machines that a session runs on."""
        named = {"session": machines.session, "order": machines.order, "breaker": machines.breaker}
        steppers = {name: Stepper.of(machine) for name, machine in named.items()}
        return cls(steppers, {name: compile_kernel(machine) for name, machine in named.items()})


@dataclass(slots=True)
class Oracle:
    """One journal as far as it was read; `values` has the value of each order, and the session's under ''."""

    book: Rulebook
    chain: Chain = field(default_factory=Chain)
    values: dict[str, Value] = field(default_factory=dict)
    walk: Walk = field(init=False)

    def __post_init__(self) -> None:
        self.walk = Walk(self.book.kernels)

    def follow(self, path: Path) -> tuple[str, str] | None:
        """Take the records that are new; return what was expected of the first wrong one and what it is, or None."""
        for record in read(path, self.chain):
            self.walk.take(record)
            found = self.walk.deviation
            if found is not None:
                expected = f"{found.row or found.machine}: {' or '.join(found.expected)}"
                return expected, f"{found.was} at record {found.record.seq}"
            wrong = self._step(record) if record.kind in (SESSION, ORDER) else None
            if wrong is not None:
                return wrong
        return None

    def _step(self, record: Record) -> tuple[str, str] | None:
        """Step the record's machine as it is defined."""
        body, stepper = record.body, self.book.steppers[record.kind]
        name, event = str(body.get("order") or ""), str(body["event"])
        payload: dict[str, Any] = {item.name: body.get(item.name) for item in stepper.machine.event(event).payload}
        outcome, after = stepper.step(self.values.get(name) or initial(stepper.machine), event, payload)
        self.values[name] = after
        by, kind, _ = said(outcome)
        wanted, was = f"{kind} by {by} to {after.state}", f"{body['outcome']} by {body['by']} to {body['state']}"
        return None if wanted == was else (wanted, f"{was} at record {record.seq}")

    def compare(self, session: Session) -> tuple[str, str] | None:
        """Return where session and desk hold another value than the journal makes, or None."""
        orchestrator = session.orchestrator
        held = {name: order.value for name, order in orchestrator.desk.book.orders.items()}
        held[""] = orchestrator.driver.value
        for name in sorted(held.keys() | self.values.keys()):
            value = self.values.get(name)
            wanted = None if value is None else (value.state, *value.context)
            if held.get(name) != wanted:
                return f"{name or 'session'} {wanted}, as its journal says", str(held.get(name))
        return None
