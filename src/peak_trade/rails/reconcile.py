"""Our book against the venue's truth: a pure function from both to the differences and what to do about each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from peak_trade.broker.messages import OrderStatus, Report


class Code(StrEnum):
    """The kind of a difference."""

    GHOST = "ghost"
    MISSING = "missing"
    CUM = "cum"
    LEAVES = "leaves"
    UNKNOWN_OUTCOME = "unknown_outcome"
    POSITION = "position"


ACTIONS: Mapping[Code, str] = {
    Code.GHOST: "the venue works an order that we do not: stop, ask the operator",
    Code.MISSING: "we work an order that the venue does not: ask for its reports from the cursor, then the operator",
    Code.CUM: "ask for the reports from the cursor; if it stays, stop for the operator",
    Code.LEAVES: "ask for the reports from the cursor; if it stays, stop for the operator",
    Code.UNKNOWN_OUTCOME: "ask the venue by the order's id",
    Code.POSITION: "stop for the operator; no fill is ever invented to make it agree",
}
assert ACTIONS.keys() == set(Code)


@dataclass(frozen=True, slots=True)
class Known:
    """One of our orders: signed so that a buy adds; `open` iff we think the venue still works it."""

    order: str
    symbol: str
    sign: int
    cum_lots: int
    leaves_lots: int
    open: bool
    unknown: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its code, the order or symbol it is about, and both sides' figure in lots."""

    code: Code
    subject: str
    book_lots: int
    venue_lots: int

    @property
    def action(self) -> str:
        """What is to be done about it."""
        return ACTIONS[self.code]


def reconcile(
    ours: Mapping[str, Known],
    positions_lots: Mapping[str, int],
    venue_open: Iterable[OrderStatus],
    venue_fills: Iterable[Report],
) -> tuple[Difference, ...]:
    """Return every difference between book and venue; none iff open orders, fills and positions agree.

    Cost is linear in orders and fills. A fill of an order that is not ours counts for the ghost, not for a position.
    """
    found: list[Difference] = []
    working = {status.client_order_id: status for status in venue_open}
    for name, status in working.items():
        if name not in ours:
            found.append(Difference(Code.GHOST, name, 0, status.leaves_lots))
    filled: defaultdict[str, int] = defaultdict(int)
    for report in venue_fills:
        filled[report.client_order_id] += report.last_lots
    for name, order in ours.items():
        found += _order(order, filled.get(name, 0), working.get(name))
    held: defaultdict[str, int] = defaultdict(int)
    for name, lots in filled.items():
        known = ours.get(name)
        if known is None:
            found.append(Difference(Code.GHOST, name, 0, lots))
        else:
            held[known.symbol] += known.sign * lots
    for symbol in sorted(held.keys() | positions_lots.keys()):
        book, venue = positions_lots.get(symbol, 0), held.get(symbol, 0)
        if book != venue:
            found.append(Difference(Code.POSITION, symbol, book, venue))
    return tuple(found)


def _order(order: Known, filled_lots: int, status: OrderStatus | None) -> list[Difference]:
    found = []
    if order.unknown:
        found.append(
            Difference(Code.UNKNOWN_OUTCOME, order.order, order.leaves_lots, status.leaves_lots if status else 0)
        )
    elif order.open and status is None:
        found.append(Difference(Code.MISSING, order.order, order.leaves_lots, 0))
    elif status is not None and status.leaves_lots != order.leaves_lots:
        found.append(Difference(Code.LEAVES, order.order, order.leaves_lots, status.leaves_lots))
    if order.cum_lots != filled_lots:
        found.append(Difference(Code.CUM, order.order, order.cum_lots, filled_lots))
    return found
