"""What a replay says of one message: what it was to our book, and the venue's figures beside ours."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from peak_trade.backends.kernel import Running
from peak_trade.fix.malformed import Fault, Place
from peak_trade.fix.report import ExecutionReport, OrderCancelReject

Answer: TypeAlias = Literal["taken", "ignored", "refused", "none"]
"""What our machine made of the message; `none` if it was no event of an order of ours."""

Verdict: TypeAlias = Literal["agrees", "differs", "malformed", "nothing"]


@dataclass(frozen=True, slots=True)
class Facts:
    """An order's four figures, in lots; None is one that the message does not have."""

    status: str
    order_lots: int | None
    cum_lots: int | None
    leaves_lots: int | None


LABELS: Final = (
    ("OrdStatus", "status"),
    ("OrderQty", "order_lots"),
    ("CumQty", "cum_lots"),
    ("LeavesQty", "leaves_lots"),
)
"""The standard's names of the figures of `Facts`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message of the log. `printed` is None of our own requests, `ours` if no order of ours is meant.

    `differs` names the figures that differ, and `refused` if our machine does not take what the venue says.
    """

    place: Place
    kind: str
    cl_ord_id: str
    order: str
    event: str
    answer: Answer
    reason: str
    printed: Facts | None
    ours: Facts | None
    differs: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """One order at the end of the log; `external` iff nobody here sent it."""

    order: str
    external: bool
    facts: Facts
    reports: int
    differing: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """A whole log: its rows, its orders by their first message, its faults, and how many messages the session had."""

    rows: tuple[Row, ...]
    orders: tuple[Ended, ...]
    faults: tuple[Fault, ...]
    session_messages: int

    @property
    def judged(self) -> int:
        """How many reports were held against our book."""
        return sum(row.printed is not None for row in self.rows)

    @property
    def differing(self) -> int:
        """How many of them differ."""
        return sum(bool(row.differs) for row in self.rows)

    @property
    def verdict(self) -> Verdict:
        """Malformed iff any message was refused as such, nothing iff there was no report, else whether all agree."""
        if self.faults:
            return "malformed"
        if not self.judged:
            return "nothing"
        return "differs" if self.differing else "agrees"


def told(message: ExecutionReport | OrderCancelReject) -> Facts:
    """Return the figures that the venue prints."""
    if isinstance(message, OrderCancelReject):
        return Facts(str(message.status), None, None, None)
    return Facts(str(message.status), message.order_lots, message.cum_lots, message.leaves_lots)


def held(value: Running) -> Facts:
    """Return the figures of an order's running value."""
    return Facts(value[0], value[1], value[2], value[3])


def differences(printed: Facts, ours: Facts) -> tuple[str, ...]:
    """Return the names of the figures that the venue prints and our book has otherwise."""
    pairs = ((label, getattr(printed, name), getattr(ours, name)) for label, name in LABELS)
    return tuple(label for label, there, here in pairs if there is not None and there != here)
