"""Nothing goes on from a value outside the invariant: the session stops for the operator, and no order leaves.

A second look, made by another text than the kernel's own checks: at the session's value before and after each step of
its machine, and at every order that works or has moved before each bounded step and before orders leave. What it finds
is the tripwire `value_outside_invariant`, on the tape with the clause that is broken and the order, if it is one's.

What the session writes is a third look: `session.trace` walks its own trace, and the first record that the
specifications do not allow is the tripwire `trace_not_allowed`.

What is outside is put back to the last value that its machine gave: from there the way to the operator is proved, what
is open can be canceled, and the run can be told again. It is not forgotten: a person must look.

Limits: what a value was changed into is seen only if it lies outside; see `proof.warrant.inside`. An order whose known
value is outside as well trips once and stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from peak_trade.backends.kernel import Running
from peak_trade.backends.statemachine import Driver
from peak_trade.lang.machine import Machine
from peak_trade.proof.warrant.inside import Inside, declared, predicate
from peak_trade.rails.tripwires import Tripwire
from peak_trade.session.book import Order
from peak_trade.session.desk import Desk
from peak_trade.session.recording import TRIP
from peak_trade.session.trace import Traced

NOBODY: Mapping[str, Order] = {}
MACHINES_MAX: Final = 16


@dataclass(slots=True)
class Guard:
    """The two invariants as compiled predicates, the session's last value inside, and the orders found outside."""

    session: Inside
    order: Inside
    good: Running
    trace: Traced | None = None
    found: set[str] = field(default_factory=set)
    deviated: bool = False

    @classmethod
    def of(cls, session: Machine, order: Machine, start: Running, trace: Traced | None = None) -> "Guard":
        """Return the guard over two machines; it holds every claim that they declare, proved here or not."""
        return cls(_inside(session), _inside(order), start, trace)

    def look(self, driver: Driver, desk: Desk, orders: Mapping[str, Order] = NOBODY) -> bool:
        """Return true iff the session's value and those of `orders` lie inside; each that does not trips the wire.

        What an earlier process found is found again while its tape is replayed.
        """
        told = self._deviates(desk)
        while (broken := self._outside(driver, desk, orders)) is not None:
            order, clause = broken
            if not order:
                driver.restore(driver.kernel.dump(self.good))
            elif order in orders:
                orders[order].value = orders[order].known
                self.found.add(order)
            desk.trip(Tripwire.VALUE_OUTSIDE_INVARIANT, order, clause)
            told = True
        self.good = driver.value
        return not told

    def _outside(self, driver: Driver, desk: Desk, orders: Mapping[str, Order]) -> tuple[str, str] | None:
        recorded = _recorded(desk, Tripwire.VALUE_OUTSIDE_INVARIANT)
        return recorded or self._session(driver) or self._orders(orders)

    def _session(self, driver: Driver) -> tuple[str, str] | None:
        clause = self.session(driver.value)
        return None if clause is None else ("", clause)

    def _orders(self, orders: Mapping[str, Order]) -> tuple[str, str] | None:
        inside = self.order
        for name, order in orders.items():
            clause = inside(order.value)
            if clause is not None and name not in self.found:
                return name, clause
        return None

    def _deviates(self, desk: Desk) -> bool:
        """Return true iff what was written is no trace any more, which trips once."""
        if self.deviated:
            return False
        recorded = _recorded(desk, Tripwire.TRACE_NOT_ALLOWED)
        subject = recorded[0] if recorded else None if self.trace is None else self.trace.subject
        if subject is None:
            return False
        self.deviated = True
        desk.trip(Tripwire.TRACE_NOT_ALLOWED, subject)
        return True


def _recorded(desk: Desk, wire: Tripwire) -> tuple[str, str] | None:
    """Return order and clause of what an earlier process found here, if it is this wire."""
    record = desk.tape.peek()
    if record is None or record.kind != TRIP or record.body.get("wire") != wire.value:
        return None
    return str(record.body.get("order") or ""), str(record.body.get("clause") or "")


@lru_cache(maxsize=MACHINES_MAX)
def _inside(machine: Machine) -> Inside:
    """Return the look at values of `machine`; equal machines share one, as compiling it takes its time."""
    return predicate(declared(machine))
