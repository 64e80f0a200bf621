"""Our book against the venue's truth: a pure function from both to the differences and what to do about each.

Each difference is told once, at its root: a lost fill is no second difference in CumQty, LeavesQty or position, and
what reports that we have not read yet explain is lag. Nothing is corrected here, and no fill is ever invented.

Limits: linear in orders and reports, if reports come in cursor order; memory holds both sides' executions.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter, lt
from typing import Final

from peak_trade.broker.messages import Report
from peak_trade.market.terms import Side
from peak_trade.rails.differences import OPERATOR, RULES, Action, Code, Difference
from peak_trade.rails.fills import alike, compare, fold
from peak_trade.rails.orders import Figures, order_differences
from peak_trade.rails.sides import CLOSED, EXECUTIONS, UNSENT, Known, Ours, Request, Snapshot

CURSOR: Final = "cursor"
EVER: Final = 10**18
"""Beyond every cursor."""
_cursor: Final = attrgetter("cursor")
_kind: Final = attrgetter("kind")
_place: Final = attrgetter("cursor", "client_order_id", "exec_id", "kind")


def reconcile(ours: Ours, venue: Snapshot, patience_steps: int) -> tuple[Difference, ...]:
    """Return every difference between `ours` and `venue`, sorted; none iff orders, fills and positions agree both ways.

    A difference whose action has not healed it for more than `patience_steps` is the operator's. Whatever order the
    inputs are in, the result is the same.
    """
    found = _Comparison.of(ours, venue, patience_steps).differences()
    waited = (_impatient(item, ours, venue.step, patience_steps) for item in found)
    return tuple(sorted(waited, key=lambda item: (item.subject, item.code.value)))


def _impatient(item: Difference, ours: Ours, step: int, patience_steps: int) -> Difference:
    first = ours.seen.get((item.code, item.subject), step)
    if item.action in OPERATOR or step - first <= patience_steps:
        return item
    return replace(item, action=Action.ASK_OPERATOR)


def _in_order(reports: Sequence[Report]) -> Sequence[Report]:
    """Return the reports by cursor; those that come so, as they usually do, are only looked at."""
    given = reports if isinstance(reports, list | tuple) else list(reports)
    cursors = list(map(_cursor, given))
    if all(map(lt, cursors, islice(cursors, 1, None))):
        return given
    return sorted(given, key=_place)


def _executed(reports: Sequence[Report], since: int, until: int) -> Sequence[Report]:
    """Return the executions among reports in cursor order, after `since` up to `until`; usually all of them are."""
    inside = not reports or (since < reports[0].cursor and reports[-1].cursor <= until)
    if inside and EXECUTIONS.issuperset(map(_kind, reports)):
        return reports
    return [item for item in reports if since < item.cursor <= until and item.kind in EXECUTIONS]


@dataclass(slots=True)
class _Comparison:
    """Both sides and what was found out about them.

    `last` and `newest` are the last report of each order up to our cursor and of all; `unread` the orders with reports
    beyond it; `explained_lots` what the venue's CumQty has more than ours because of single executions.
    """

    ours: Ours
    venue: Snapshot
    patience_steps: int
    reports: Sequence[Report]
    last: dict[str, Report] = field(default_factory=dict)
    newest: dict[str, Report] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    explained_lots: Counter[str] = field(default_factory=Counter)
    sent: dict[str, Known] = field(default_factory=dict)

    @classmethod
    def of(cls, ours: Ours, venue: Snapshot, patience_steps: int) -> "_Comparison":
        """Return the comparison with its reports in order and looked through once."""
        self = cls(ours, venue, patience_steps, _in_order(venue.reports))
        self.sent = {name: order for name, order in ours.orders.items() if order.state not in UNSENT}
        read = bisect_right(self.reports, ours.cursor, key=_cursor)
        self.last = {report.client_order_id: report for report in islice(self.reports, read)}
        later = {report.client_order_id: report for report in self.reports[read:]}
        self.newest = self.last | later if later else self.last
        self.unread = set(later)
        return self

    def differences(self) -> Iterator[Difference]:
        """Yield all differences, in no particular order."""
        yield from self._fills()
        yield from self._ghosts()
        raced = set()
        for name, order in self.sent.items():
            if self._plain(name, order):
                continue
            for item in order_differences(order, self._figures(name, order)):
                raced |= {name} if item.code is Code.CANCEL_RACE else set()
                yield item
        yield from self._cursors(raced)
        yield from self._positions()

    def _fills(self) -> Iterator[Difference]:
        mine = _executed(_in_order(self.ours.executions), self.venue.since, EVER)
        theirs = _executed(self.reports, -EVER, self.ours.cursor)
        if alike(mine, theirs):
            return
        for item, order, lots in compare(fold(mine), fold(theirs), self.sent):
            self.explained_lots[order] += lots
            yield item

    def _ghosts(self) -> Iterator[Difference]:
        told = {name: status for name, status in self.venue.orders.items() if status is not None}
        for name in {name for names in (told, self.newest) for name in names if name not in self.sent}:
            mine, status = self.ours.orders.get(name), told.get(name)
            book = 0 if mine is None else mine.state
            venue = self.newest[name].kind.value if status is None else status.status.value
            yield Difference(Code.GHOST, name, book, venue, RULES[Code.GHOST].action)

    def _plain(self, name: str, order: Known) -> bool:
        """Return true iff an order is closed and all that was told of it are reports that we have read and that agree.

        Nothing can differ in it then; nearly all orders of a long run are so.
        """
        report = self.last.get(name)
        return (
            report is not None
            and order.state in CLOSED
            and report.cum_lots == order.cum_lots
            and report.leaves_lots == order.leaves_lots
            and report.order_lots == order.qty_lots
            and order.awaiting is Request.NONE
            and name not in self.venue.orders
            and name not in self.unread
            and not self.explained_lots.get(name)
        )

    def _figures(self, name: str, order: Known) -> Figures:
        report, orders = self.last.get(name), self.venue.orders
        return Figures(
            status=orders.get(name),
            asked=name in orders,
            report=report,
            unread=self.newest[name] if name in self.unread else None,
            nothing=report is None and not self.venue.since,
            settled=self.venue.head is not None,
            limit_ticks=self.venue.limits_ticks.get(name, order.limit_ticks),
            explained_lots=self.explained_lots[name],
            waited=self.venue.step - order.moved_step > self.patience_steps,
        )

    def _cursors(self, raced: set[str]) -> Iterator[Difference]:
        cursor, head = self.ours.cursor, self.venue.head
        if head is not None and cursor > head:
            yield Difference(Code.CURSOR_AHEAD, CURSOR, cursor, head, RULES[Code.CURSOR_AHEAD].action)
        known = max((report.cursor for report in self.reports[-1:]), default=0)
        end = known if head is None else head
        if end > cursor and not (raced and self.unread <= raced):
            yield Difference(Code.LAGGING, CURSOR, cursor, end, RULES[Code.LAGGING].action)

    def _positions(self) -> Iterator[Difference]:
        """Yield where a position is not its orders' sum; each side's sums are its own, so that no fill counts here."""
        if self.venue.since:
            return
        mine: defaultdict[str, int] = defaultdict(int)
        theirs: defaultdict[str, int] = defaultdict(int)
        for name, order in self.sent.items():
            symbol, sign, report = order.symbol, order.sign, self.newest.get(name)
            mine[symbol] += sign * order.cum_lots
            theirs[symbol] += sign * (self._told_lots(name) if report is None else report.cum_lots)
        for name, status in self.venue.orders.items():
            if status is not None and name not in self.sent:
                theirs[status.symbol] += status.cum_lots * (1 if status.side is Side.BUY else -1)
        held, told = self.ours.positions_lots, self.venue.positions_lots
        for symbol in mine.keys() | theirs.keys() | held.keys() | (told or {}).keys():
            venue = theirs[symbol] if told is None else told.get(symbol, 0)
            if held.get(symbol, 0) != mine[symbol]:
                yield Difference(Code.POSITION, symbol, held.get(symbol, 0), venue, RULES[Code.POSITION].action)
            elif venue != theirs[symbol]:
                yield Difference(Code.POSITION, symbol, theirs[symbol], venue, RULES[Code.POSITION].action)

    def _told_lots(self, name: str) -> int:
        """Return what the venue says that it has filled of an order on which it never reported."""
        status = self.venue.orders.get(name)
        return 0 if status is None else status.cum_lots
