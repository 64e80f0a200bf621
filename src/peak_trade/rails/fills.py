"""What was executed, by both sides' reports, busts and corrections applied; and where they differ, one by one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, eq
from typing import Final, TypeAlias

from peak_trade.broker.messages import Report, ReportKind
from peak_trade.rails.differences import RULES, Code, Difference

Leg: TypeAlias = tuple[str, str]
"""An execution: its order's id and its own. A venue may use one execution id for two orders: both are real."""


@dataclass(slots=True)
class Fills:
    """Executions by the report that says how they stand now, and the lots of those that came again under their id."""

    standing: dict[Leg, Report] = field(default_factory=dict)
    again_lots: Counter[Leg] = field(default_factory=Counter)
    _undone: set[Leg] = field(default_factory=set)
    _first: dict[Leg, Leg] = field(default_factory=dict)

    def take(self, report: Report) -> None:
        """Apply one report; a bust or correction goes to the execution that it names, through earlier corrections."""
        leg = (report.client_order_id, report.exec_id)
        if report.kind is ReportKind.TRADE:
            if leg in self.standing or leg in self._undone:
                self.again_lots[leg] += report.last_lots
            else:
                self.standing[leg] = report
            return
        named = (report.client_order_id, report.ref_id)
        first = self._first.get(named, named)
        if report.kind is ReportKind.TRADE_CANCEL:
            self._undone.add(first)
            self.standing.pop(first, None)
        elif report.kind is ReportKind.TRADE_CORRECT:
            self._first[leg] = first
            self.standing[first] = report


_facts: Final = attrgetter("client_order_id", "exec_id", "kind", "last_ticks", "fee_ticks")
_kind: Final = attrgetter("kind")
_name: Final = attrgetter("exec_id")


def alike(mine: Sequence[Report], theirs: Sequence[Report]) -> bool:
    """Return true if both plainly tell the same executions, so that `compare` would find nothing.

    That is nearly always: trades only, each with an id of its own, pair by pair of the same order, price and fee.
    """
    return (
        len(mine) == len(theirs) == len(set(map(_name, mine)))
        and all(map(eq, map(_facts, mine), map(_facts, theirs)))
        and set(map(_kind, mine)) <= {ReportKind.TRADE}
    )


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
            yield _difference(Code.LOST_FILL, leg, 0, fill.last_lots), leg[0], fill.last_lots
        elif mine.last_ticks != fill.last_ticks:
            yield _difference(Code.PRICE, leg, mine.last_ticks, fill.last_ticks), leg[0], 0
        elif mine.fee_ticks != fill.fee_ticks:
            yield _difference(Code.PRICE, leg, mine.fee_ticks, fill.fee_ticks), leg[0], 0
    for leg, fill in book.standing.items():
        if leg not in venue.standing:
            yield _difference(Code.PHANTOM_FILL, leg, fill.last_lots, 0), leg[0], -fill.last_lots
    for leg, lots in book.again_lots.items():
        once = book.standing[leg].last_lots if leg in book.standing else 0
        yield _difference(Code.DUPLICATE_FILL, leg, once + lots, once), leg[0], -lots


def _difference(code: Code, leg: Leg, book: int, venue: int) -> Difference:
    return Difference(code, "/".join(leg), book, venue, RULES[code].action)
