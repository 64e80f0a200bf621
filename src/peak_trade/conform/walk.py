"""A journal conforms iff its records, all of them and in their order, are a trace that the specifications allow.

Each record is offered to its machine's monitor: the session's, the order's (each order has its own), the breaker's;
and to the laws between machines (`conform.counts`, `conform.money`). The first that is not allowed is the verdict.
A trace may begin anywhere: what came before is then any value that the declared invariants allow.

Deviates: nothing that could be hidden explains the record. Conforms: something does, to the end. Inconclusive: neither
could be shown, or a record is of a kind that no specification speaks of.

Limits: those of the monitors. A record about an order that redaction left without its name ends the judging of orders.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from peak_trade.backends.kernel import Kernel
from peak_trade.conform.breach import REDACTED, Breach
from peak_trade.conform.counts import Counts
from peak_trade.conform.hidden import Far, Hidden, Kept
from peak_trade.conform.money import Money
from peak_trade.conform.monitor import Crowd, Missed, Monitor, Moved, Values
from peak_trade.conform.symbolic import Shadow
from peak_trade.conform.terms import World
from peak_trade.journal.record import Record

KINDS: Final = frozenset(
    {"run", "session", "order", "account", "trip", "reconciled", "difference", "end", "breaker", "recovered", "resumed"}
)
"""Every kind of record that a session writes."""
NOTES: Final = frozenset({"recovered", "resumed"})
"""What may follow the end."""
CONTEXT_RECORDS: Final = 2
FIGURES: Final = ("failures", "waited", "opened")
"""What is kept of a breaker; that no call is on its way goes without saying."""

Word: TypeAlias = Literal["conforms", "deviates", "inconclusive"]


class OtherSpec(ValueError):  # noqa: N818 - said of a journal
    """The journal was written under another specification; the fingerprints say which."""

    def __init__(self, machine: str, expected: str, was: str) -> None:
        self.machine, self.expected, self.was = machine, expected, was
        super().__init__(
            f"expected a journal written under {machine} {expected[:16]}, was one under {was[:16]}; "
            f"walk it with the specification that it was written under"
        )


@dataclass(frozen=True, slots=True)
class Deviation:
    """The first record that is not allowed: what it says, what is allowed, and the row or law that says so.

    `line` is that of the row in `spec/MACHINE.yaml`, 0 iff there is none; `enabled` are the events that could be taken
    there; `context` are the records before it.
    """

    record: Record
    machine: str
    was: str
    expected: tuple[str, ...]
    row: str = ""
    line: int = 0
    enabled: tuple[str, ...] = ()
    context: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Conformance:
    """What came of a walk; `complete` iff it began with the run, `doubts` are why nothing could be shown."""

    kinds: Mapping[str, int]
    orders: int
    complete: bool
    deviation: Deviation | None
    doubts: tuple[str, ...]

    @property
    def verdict(self) -> Word:
        """The verdict in one word."""
        if self.deviation is not None:
            return "deviates"
        return "inconclusive" if self.doubts else "conforms"

    @property
    def records(self) -> int:
        """How many records there were, all of them walked."""
        return sum(self.kinds.values())


@dataclass(slots=True)
class Walk:
    """A walk over a journal, record by record; `deviation` is set once, and nothing is judged after it."""

    kernels: Mapping[str, Kernel]
    deviation: Deviation | None = None
    doubts: dict[str, None] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    orders: dict[str, Values] = field(default_factory=dict)
    complete: bool = False
    _session: Values | None = None
    _monitors: dict[str, Monitor] = field(default_factory=dict)
    _hidden: Hidden = field(init=False)
    _counts: Counts = field(init=False)
    _money: Money = field(init=False)
    _last: deque[Record] = field(default_factory=lambda: deque(maxlen=CONTEXT_RECORDS))
    _lost: set[str] = field(default_factory=set)
    _ended: bool = False

    def take(self, record: Record) -> None:
        """Walk one record.

        Raises:
            OtherSpec: the run was written under another specification.
        """
        if not self.kinds:
            self._begin(record)
        self.kinds[record.kind] += 1
        if self.deviation is None:
            self._judge(record)
        if self.deviation is None:
            self._last.append(record)

    def close(self) -> Conformance:
        """Return what came of it."""
        for values in (self._session or (), *self.orders.values()):
            if values and not any(not isinstance(value, World) or value.witness() for value in values):
                self._doubt("no starting values were found for what is hidden, and none were excluded")
        return Conformance(
            dict(sorted(self.kinds.items())), len(self.orders), self.complete, self.deviation, tuple(self.doubts)
        )

    def _begin(self, record: Record) -> None:
        self.complete = record.seq == 0
        session, order = self.kernels["session"], self.kernels["order"]
        self._monitors = {"session": Monitor.of(session), "order": Monitor.of(order, ("cum", "leaves"))}
        self._hidden = Hidden(Shadow.of(self.kernels["breaker"].machine), FIGURES[-1])
        self._counts = Counts(session.machine, order.machine, self.complete)
        self._money = Money(self.complete)
        if self.complete:
            self._session = (session.initial,)
            self._hidden.begin()

    def _judge(self, record: Record) -> None:
        first = not self._last and self.kinds.total() == 1
        if not first and self._last and record.seq != self._last[-1].seq + 1:
            self._deviates(record, "run", Breach("", f"record {self._last[-1].seq + 1}", f"record {record.seq}"))
        elif self._ended and record.kind not in NOTES:
            self._deviates(record, "run", Breach("", "nothing after the end", record.kind))
        elif (record.kind == "run") is not (first and self.complete):
            wanted = "the record of the run" if first and self.complete else "one record of the run, at the beginning"
            self._deviates(record, "run", Breach("", wanted, record.kind))
        elif record.kind == "run":
            self._run(record)
        elif record.kind not in KINDS:
            self._doubt(f"no specification speaks of records of kind {record.kind}")
        else:
            self._walk(record)
        self._ended |= record.kind == "end"

    def _run(self, record: Record) -> None:
        for name, kernel in sorted(self.kernels.items()):
            was = record.body.get(f"{name}_spec")
            if was != kernel.fingerprint:
                raise OtherSpec(name, kernel.fingerprint, str(was))

    def _walk(self, record: Record) -> None:
        moved: Moved | None = None
        if record.kind in self._monitors and record.kind not in self._lost:
            found = self._moved(record)
            if isinstance(found, Deviation):
                self.deviation = found
                return
            moved = found
        elif record.kind == "breaker":
            self._breaker(record)
        if "event" not in record.body and record.kind in self._monitors:
            self._lose(
                "laws", f"the event of record {record.seq} is redacted: laws between machines are not judged after it"
            )
        if "laws" in self._lost or self.deviation is not None:
            return
        breach = self._counts.judge(record, moved) or self._money.judge(record, moved)
        if self._counts.orders is not None:
            self._counts.orders = len(self.orders)
        if breach is not None:
            self._deviates(record, "system", breach)

    def _moved(self, record: Record) -> Moved | Deviation | None:
        """Return what the record did to its machine, or why it could not; None iff it cannot be said."""
        monitor = self._monitors[record.kind]
        values = self._values(record)
        found = None if values is None else monitor.quick(values, record.body)
        if found is None:
            return self._searched(record, monitor)
        return self._kept(record, found)

    def _values(self, record: Record) -> Values | None:
        """Return the values that are possible before the record; None iff nothing is known of them."""
        if record.kind == "session":
            return self._session
        name = record.body.get("order")
        if not isinstance(name, str):
            return None
        found = self.orders.get(name)
        return (self.kernels["order"].initial,) if found is None and self.complete else found

    def _kept(self, record: Record, moved: Moved) -> Moved:
        if record.kind == "session":
            self._session = moved.values
        else:
            self.orders[str(record.body.get("order"))] = moved.values
        return moved

    def _searched(self, record: Record, monitor: Monitor) -> Moved | Deviation | None:
        """Return what the record did, where something of it is hidden, or where it is not what one value gives."""
        told = monitor.told(record)
        missing = monitor.absent(told, record)
        if missing is None and record.kind == "order" and not isinstance(record.body.get("order"), str):
            if REDACTED in record.body:
                self._lose("order", f"the order of record {record.seq} is redacted: orders are not judged after it")
                self._lose("laws", "laws between machines are not judged after it")
                return None
            missing = "order"
        if missing is not None:
            return self._deviation(record, record.kind, Breach("", f"the field {missing}", "none"))
        values = self._values(record)
        found = monitor.take(monitor.start(told) if values is None else values, told)
        if isinstance(found, Crowd):
            self._lose(record.kind, f"too many values of the {record.kind} are possible from record {record.seq} on")
            self._lose("laws", "laws between machines are not judged after it")
            return None
        return self._missed(record, found) if isinstance(found, Missed) else self._kept(record, found)

    def _missed(self, record: Record, missed: Missed) -> Deviation:
        body = record.body
        parts = [str(body.get("outcome")), "by", str(body.get("by"))]
        parts += [f"({body['detail']})"] if body.get("detail") else []
        parts += ["to", str(body.get("state"))]
        parts += [f"{name} {body.get(name)}" for name in self._monitors[record.kind].watched]
        facts = (missed.row, missed.line, missed.enabled)
        return Deviation(record, record.kind, " ".join(parts), missed.expected, *facts, tuple(self._last))

    def _breaker(self, record: Record) -> None:
        body = record.body
        missing = [name for name in ("state", *FIGURES) if body.get(name) is None]
        if missing and REDACTED in body:
            self._hidden.last = None  # what was kept there is unknown; the next one is judged by itself
            return
        kept = Kept(str(body.get("state")), {name: body.get(name) or 0 for name in FIGURES} | {"calling": False})
        try:
            if missing or not self._hidden.take(kept):
                before = self._hidden.last
                wanted = (
                    "a first value" if before is None else f"one that follows {before.state} {_listed(before.values)}"
                )
                was = f"{kept.state} {_listed(kept.values)}"
                self._deviates(record, "breaker", Breach("", f"the fields {missing}" if missing else wanted, was))
        except Far:
            self._doubt(f"no way was found to the breaker of record {record.seq}, and not all were looked at")

    def _deviates(self, record: Record, machine: str, breach: Breach) -> None:
        self.deviation = self._deviation(record, machine, breach)

    def _deviation(self, record: Record, machine: str, breach: Breach) -> Deviation:
        return Deviation(record, machine, breach.was, (breach.expected,), breach.law, context=tuple(self._last))

    def _lose(self, what: str, why: str) -> None:
        if what not in self._lost:
            self._lost.add(what)
            self._doubt(why)

    def _doubt(self, why: str) -> None:
        self.doubts[why] = None


def conform(records: Iterable[Record], kernels: Mapping[str, Kernel]) -> Conformance:
    """Return whether `records` conform to the machines of `kernels`: session, order and breaker, by these names.

    Raises:
        OtherSpec: they were written under another specification.
    """
    walk = Walk(kernels)
    for record in records:
        walk.take(record)
    return walk.close()


def _listed(values: Mapping[str, object]) -> str:
    return " ".join(f"{name} {values[name]}" for name in FIGURES)
