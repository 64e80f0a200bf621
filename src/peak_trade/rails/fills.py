"""What was executed, by both sides' reports, busts and corrections applied; and where they differ, one by one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from peak_trade.broker.messages import Report, ReportKind
from peak_trade.rails.differences import RULES, Code, Difference

Leg: TypeAlias = tuple[str, str]
"""An execution: its order's id and its own. A venue may use one execution id for two orders: both are real."""


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution as it stands now: lots, price and fee in ticks."""

    lots: int
    price_ticks: int
    fee_ticks: int


@dataclass(slots=True)
class Fills:
    """Executions as they stand, and the lots of those that came again under the same id."""

    standing: dict[Leg, Fill] = field(default_factory=dict)
    again_lots: Counter[Leg] = field(default_factory=Counter)
    _seen: set[Leg] = field(default_factory=set)
    _first: dict[Leg, Leg] = field(default_factory=dict)

    def take(self, report: Report) -> None:
        """Apply one report; a bust or correction goes to the execution that it names, through earlier corrections."""
        leg = (report.client_order_id, report.exec_id)
        fill = Fill(report.last_lots, report.last_ticks, report.fee_ticks)
        if report.kind is ReportKind.TRADE:
            if leg in self._seen:
                self.again_lots[leg] += report.last_lots
            else:
                self._seen.add(leg)
                self.standing[leg] = fill
            return
        named = (report.client_order_id, report.ref_id)
        first = self._first.get(named, named)
        if report.kind is ReportKind.TRADE_CANCEL:
            self.standing.pop(first, None)
        elif report.kind is ReportKind.TRADE_CORRECT:
            self._first[leg] = first
            self.standing[first] = fill


def fold(reports: Iterable[Report]) -> Fills:
    """Return what the executions among `reports`, in cursor order, come to."""
    fills = Fills()
    for report in reports:
        fills.take(report)
    return fills


def compare(book: Fills, venue: Fills, ours: Mapping[str, object]) -> Iterator[tuple[Difference, str, int]]:
    """Yield each difference between single executions of our orders, with the order and the lots that it explains.

    Lots are what the venue's CumQty has more than ours because of it. Executions that differ in lots alone are left to
    CumQty. Those of an order that is not ours are no business of this function.
    """
    for leg, fill in venue.standing.items():
        if leg[0] not in ours:
            continue
        mine = book.standing.get(leg)
        if mine is None:
            yield _difference(Code.LOST_FILL, leg, 0, fill.lots), leg[0], fill.lots
        elif (mine.price_ticks, mine.fee_ticks) != (fill.price_ticks, fill.fee_ticks):
            pairs = ((mine.price_ticks, fill.price_ticks), (mine.fee_ticks, fill.fee_ticks))
            one, other = next(pair for pair in pairs if pair[0] != pair[1])
            yield _difference(Code.PRICE, leg, one, other), leg[0], 0
    for leg, fill in book.standing.items():
        if leg not in venue.standing:
            yield _difference(Code.PHANTOM_FILL, leg, fill.lots, 0), leg[0], -fill.lots
    for leg, lots in book.again_lots.items():
        once = book.standing[leg].lots if leg in book.standing else 0
        yield _difference(Code.DUPLICATE_FILL, leg, once + lots, once), leg[0], -lots


def _difference(code: Code, leg: Leg, book: int, venue: int) -> Difference:
    return Difference(code, "/".join(leg), book, venue, RULES[code].action)
