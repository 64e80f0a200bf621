"""What the machines of a run owe each other: counts, cursors, steps, and that orders leave an active session only.

The laws are those of `spec/system.yaml`, read off the records: SYS-9, SYS-11, SYS-17, SYS-22, SYS-28. A law that is
about something before a cut is not judged until the trace says enough: None stands for what is not known yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from peak_trade.conform.breach import REDACTED, Breach, same, whole
from peak_trade.conform.monitor import Moved
from peak_trade.conform.terms import Range
from peak_trade.journal.record import Record
from peak_trade.lang.machine import Machine

ASIDE: Final = frozenset({"run", "breaker", "difference", "recovered", "resumed"})
"""Kinds without a step, or with that of a process."""
ENDING: Final = frozenset({"tick", "end"})
"""What ends a step."""
PLACING: Final = frozenset({"submit", "submit_cash"})
STEPS: Final = "step_no"
"""The session's variable that counts its steps."""


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened, at least and at most."""

    low: int = 0
    high: int = 0

    def plus(self, low: int, high: int) -> "Count":
        """Return the count after some more."""
        return Count(self.low + low, self.high + high)


@dataclass(slots=True)
class Counts:
    """What is owed at this place of a trace; a `complete` one began at its first record."""

    session: Machine
    order: Machine
    complete: bool
    state: str | None = None
    owed: int | None = None
    closed: Count | None = None
    reopened: Count | None = None
    open_orders: int | None = None
    orders: int | None = None
    cursor: int | None = None
    differences: int | None = None
    step: int | None = None
    due: int | None = None
    valued: int | None = None
    doubted: bool = False
    active: frozenset[str] = field(init=False)
    sent: frozenset[str] = field(init=False)
    stepping: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.active, self.sent = frozenset(self.session.tagged("active")), frozenset(self.order.tagged("sent"))
        rows = self.session.transitions
        self.stepping = frozenset(row.name for row in rows if any(one.variable == STEPS for one in row.updates))
        if self.complete:
            self.state, self.closed, self.reopened = self.session.initial.name, Count(), Count()
            self.owed = self.open_orders = self.orders = self.cursor = self.differences = 0
            self.step = self.due = self.valued = 0

    def judge(self, record: Record, moved: Moved | None) -> Breach | None:
        """Return the first law that the record breaks, or None; `moved` is what it did to its machine."""
        breach = self._step(record) or self._cursor(record) or self._differences(record)
        if breach is not None:
            return breach
        match record.kind:
            case "session":
                return self._batch(record) or next(filter(None, self._session(record)), None)
            case "order":
                return None if moved is None else self._order(record, moved)
            case "account" | "end" | "reconciled":
                return self._batch(record) or next(filter(None, self._settled(record)), None)
            case "trip":
                self.doubted |= "cursor" in record.body or record.body.get("wire") == "report_refused"
        return None

    def _step(self, record: Record) -> Breach | None:
        """Judge that a record is of the step that the session's ticks have reached; each step is valued once."""
        step = record.body.get("step")
        if record.kind in ASIDE:
            return None
        if type(step) is not int:
            self.step = self.due = None
            return None if REDACTED in record.body else Breach("", "a step", "none")
        last, due = (step, step) if self.step is None or self.due is None else (self.step, self.due)
        self.step, self.due = step, max(step, due)
        event = record.body.get("event") if record.kind == "session" else record.kind
        if event == "account":
            expected, self.valued, again = {due}, step, self.valued == due
        else:
            expected, again = {last} if event in ENDING else {last, due}, False
        if step not in expected or again:
            return Breach("", f"a record of step {' or '.join(map(str, sorted(expected)))}", f"{event} of step {step}")
        if event in ENDING and self.valued is not None and self.valued != due:
            return Breach("", f"the account of step {due} before this", f"{event}")
        if event == "tick" and record.body.get("outcome") == "taken" and record.body.get("by") in self.stepping:
            self.due = step + 1
        return None

    def _cursor(self, record: Record) -> Breach | None:
        cursor, last = record.body.get("cursor"), self.cursor
        if type(cursor) is not int:
            self.cursor = None if REDACTED in record.body and record.kind in ("order", "trip") else last
            return None
        self.cursor = cursor
        if last is not None and cursor != last + 1:
            return Breach("SYS-28", f"report {last + 1}, the one after the last that was read", f"report {cursor}")
        return None

    def _differences(self, record: Record) -> Breach | None:
        """Judge that a comparison is followed by as many differences as it counts."""
        left, self.differences = self.differences, 0
        if record.kind == "difference":
            self.differences = None if left is None else left - 1
            return Breach("", "no difference that the comparison did not count", "one more") if left == 0 else None
        if record.kind == "reconciled":
            self.differences = whole(record, "differences")
        if record.kind == "breaker":
            self.differences = left
            return None
        return Breach("", f"{left} more differences of the comparison", "none") if left else None

    def _batch(self, record: Record) -> Breach | None:
        owed, self.owed = self.owed, 0
        if record.kind == "session" and record.body.get("event") == "order_batch" and not owed:
            taken = record.body.get("outcome") == "taken"
            self.owed = whole(record, "sent") if taken else 0
            adding = whole(record, "adding") or 0
            if taken and self.owed is not None and adding > self.owed:
                return Breach("", f"at most {self.owed} orders of the batch that add", f"{adding}")
        return Breach("SYS-11", f"{owed} more orders of the batch", record.kind) if owed else None

    def _session(self, record: Record) -> Iterator[Breach | None]:
        event, before = record.body.get("event"), self.state
        if event == "orders_reopened":
            yield self._told(record, "reopened", self.reopened)
            self.reopened = Count()
        elif event == "orders_closed":
            yield self._told(record, "closed", self.closed)
            self.closed = Count()
        if event == "tick":
            yield from self._settled(record)
            if self.doubted and before in self.active:
                yield Breach("SYS-17", "no further step after a report that does not fit", f"a tick in {before}")
        state = record.body.get("state")
        self.state = state if isinstance(state, str) else None
        self.doubted &= self.state in self.active

    def _told(self, record: Record, field_name: str, counted: Count | None) -> Breach | None:
        told = whole(record, field_name)
        if told is None or counted is None or counted.low <= told <= counted.high:
            return None
        return Breach("SYS-11", f"{field_name} {counted.low}, as the orders moved", f"{field_name} {told}")

    def _settled(self, record: Record) -> Iterator[Breach | None]:
        """Judge that the session was told of every order that closed or opened again, and what else is counted."""
        for name in ("reopened", "closed"):
            counted: Count | None = getattr(self, name)
            if counted is not None and counted.low > 0:
                yield Breach("SYS-11", f"orders_{name} with {counted.low} before this", "none")
        self.reopened, self.closed = Count(), Count()
        if record.kind == "account":
            yield same("SYS-11", "open_orders", self.open_orders, record)
        if record.kind == "reconciled":
            yield same("", "orders", self.orders, record)
        if record.kind == "end" and self.state is not None:
            yield same("", "state", self.state, record)
            if not {"terminal", "operator"} & set(self.session.state(self.state).tags):
                yield Breach("", "the end of a session that is over", f"in {self.state}")

    def _order(self, record: Record, moved: Moved) -> Breach | None:
        event, taken = record.body.get("event"), record.body.get("outcome") == "taken"
        placed = taken and event in PLACING
        if placed:
            breach = self._placed()
        else:
            breach = (
                Breach("SYS-11", f"{self.owed} more orders of the batch", f"{event}") if self._owes(event) else None
            )
        if event == "cancel" and taken and moved.before and moved.before <= self.sent:
            breach = breach or Breach("SYS-22", "no cancel before the venue answered", f"one in {min(moved.before)}")
        self._count(moved, new=placed)
        return breach

    def _owes(self, event: object) -> bool:
        return bool(self.owed) and event != "deny"

    def _placed(self) -> Breach | None:
        owed = self.owed
        self.owed = owed if owed is None else owed - 1
        if self.state is not None and self.state not in self.active:
            return Breach("SYS-9", "no order outside an active session", f"one in {self.state}")
        return (
            Breach("SYS-11", "no order that the session did not count in an order_batch", "one more")
            if owed == 0
            else None
        )

    def _count(self, moved: Moved, *, new: bool) -> None:
        before, after = moved.ranges["leaves"]
        if before == after and before[0] == before[1]:
            return
        shut = (int(_open(before)[0] and not _open(after)[1]), int(_open(before)[1] and not _open(after)[0]))
        opened = (int(not _open(before)[1] and _open(after)[0]), int(not _open(before)[0] and _open(after)[1]))
        if self.closed is not None:
            self.closed = self.closed.plus(*shut)
        if self.reopened is not None and not new:
            self.reopened = self.reopened.plus(*opened)
        if self.open_orders is not None:
            certain = shut[0] == shut[1] and opened[0] == opened[1]
            self.open_orders = self.open_orders + opened[0] - shut[0] if certain else None


def _open(leaves: Range) -> tuple[bool, bool]:
    """Return whether something is left for certain, and whether something may be."""
    low, high = leaves
    return low is not None and low > 0, high is None or high > 0
