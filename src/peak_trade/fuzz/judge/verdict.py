"""Does the book agree with the venue, and if not, did the session say so itself?

The venue's side is what its ledger tells, whatever the fault plan let it say. What differs is explained iff the session
reported it: a tripwire or a reconciler's code that names the order, or that it had no answer when it compared at last.
An execution that was counted twice is never explained.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from peak_trade.journal.record import Record
from peak_trade.market.terms import Side
from peak_trade.rails.fills import Leg
from peak_trade.rails.sides import EXECUTIONS
from peak_trade.rails.told import OrderPart, ReportPart, Told
from peak_trade.session.book import Book, Order
from peak_trade.session.desk import Desk
from peak_trade.session.recording import DIFFERENCE, ORDER, RECONCILED, RESUMED, TRIP

NEVER_LEFT: Final = frozenset({"initialized", "denied"})
COUNTED: Final = frozenset({"fill", "bust", "correct"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a session's book stands to its venue: what is wrong and nobody said, and what the session reported itself."""

    unexplained: tuple[str, ...]
    reported: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """True iff book and venue are equal."""
        return not self.unexplained and not self.reported


NOTHING: Final = Verdict((), ())
"""Of a session that never had a venue: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a session reported of itself: orders that it named, symbols and `cursor` too; `silent` iff nobody answered.

    `silent`: its last comparison got no answer from the venue, and no answer is no agreement.
    """

    named: frozenset[str]
    silent: bool

    def explains(self, *names: str) -> bool:
        """Return true iff it said so of one of the names, or of everything."""
        return self.silent or not self.named.isdisjoint(names)


def said(records: Iterable[Record]) -> Said:
    """Return what the records of a session's journal report."""
    named: set[str] = set()
    silent = False
    for record in records:
        body = record.body
        if record.kind in (DIFFERENCE, RESUMED) and body.get("subject"):
            named.add(str(body["subject"]).partition("/")[0])
        elif record.kind == TRIP and body.get("order"):
            named.add(str(body["order"]))
        elif record.kind == RECONCILED and body.get("closing"):
            silent = not body.get("asked")
    return Said(frozenset(named), silent)


def judge(desk: Desk, cash_ticks: int, told: Told, records: Sequence[Record]) -> Verdict:
    """Return how the book of `desk`, which began with `cash_ticks`, stands to what the venue `told`."""
    heard = said(records)
    unread = {report.client_order_id for report in told.reports if report.cursor > desk.cursor}
    unexplained, reported = [*_twice(records)], list[str]()
    for order, what in (*_orders(desk.book, told), *_executions(desk, told)):
        late = ("cursor",) if order in unread else ()
        (reported if heard.explains(order, *late) else unexplained).append(f"{order}: {what}")
    unexplained += _sums(desk, cash_ticks, told)
    return Verdict(tuple(unexplained), tuple(reported))


def _twice(records: Iterable[Record]) -> Iterable[str]:
    """Yield the executions that the book took more than once."""
    taken = Counter(
        (str(record.body["order"]), str(record.body.get("exec_id")))
        for record in records
        if record.kind == ORDER and record.body["outcome"] == "taken" and record.body["event"] in COUNTED
    )
    for (order, execution), count in taken.items():
        if count > 1:
            yield f"{order}: execution {execution} was counted {count} times"


def _orders(book: Book, told: Told) -> Iterable[tuple[str, str]]:
    """Yield each order that is not the same on both sides, and how."""
    venue = {item.client_order_id: item for item in told.orders}
    for name in sorted(book.orders.keys() | venue.keys()):
        mine, theirs = book.orders.get(name), venue.get(name)
        if mine is None:
            assert theirs is not None
            if theirs.leaves_lots or theirs.cum_lots:  # somebody else's that came to nothing is nobody's concern
                yield name, "the venue has it, the book has not"
        elif theirs is None:
            if not _absent(mine):
                yield name, f"the book has it {mine.value[0]}, the venue has not"
        elif (ours := _figures(mine)) != (them := _told(theirs)):
            yield name, f"the book has {ours}, the venue {them}"


def _absent(order: Order) -> bool:
    """Return true iff nothing of the order can be at the venue: it never left, or was given up unfilled."""
    state, _, cum = order.value[:3]
    return state in NEVER_LEFT or (state in ("canceled", "rejected") and cum == 0 and not order.venue_order_id)


def _figures(order: Order) -> tuple[Any, ...]:
    state, qty, cum, leaves = order.value[:4]
    return state, qty, cum, leaves


def _told(item: OrderPart) -> tuple[Any, ...]:
    return item.status.value, item.qty_lots, item.cum_lots, item.leaves_lots


def _executions(desk: Desk, told: Told) -> Iterable[tuple[str, str]]:
    """Yield each execution that stands on one side only, or not at the same quantity, price and fee."""
    mine = {(item.order, name): (item.lots, item.ticks, item.fee_ticks) for name, item in desk.executions.items()}
    theirs = _standing(told.reports)
    for leg in sorted(mine.keys() | theirs.keys()):
        if mine.get(leg) != theirs.get(leg):
            yield leg[0], f"execution {leg[1]} is {mine.get(leg)} in the book and {theirs.get(leg)} at the venue"


def _standing(reports: Iterable[ReportPart]) -> dict[Leg, tuple[int, int, int]]:
    """Return the executions that stand: busted ones are gone, corrected ones are under the correction's id."""
    standing: dict[Leg, tuple[int, int, int]] = {}
    for report in reports:
        if report.kind not in EXECUTIONS:
            continue
        order = report.client_order_id
        if report.ref_id:
            standing.pop((order, report.ref_id), None)
        if report.last_lots:
            standing[order, report.exec_id] = (report.last_lots, report.last_ticks, report.fee_ticks)
    return standing


def _sums(desk: Desk, cash_ticks: int, told: Told) -> Iterable[str]:
    """Yield where a position or the cash of one side is not the sum of that side's own executions."""
    symbols = {item.client_order_id: (item.symbol, 1 if Side(item.side) is Side.BUY else -1) for item in told.orders}
    theirs: Counter[str] = Counter()
    for (order, _), (lots, _, _) in _standing(told.reports).items():
        symbol, sign = symbols[order]
        theirs[symbol] += sign * lots
    if _nonzero(theirs) != (told.positions_lots or {}):
        yield f"the venue's positions are {told.positions_lots}, its executions come to {_nonzero(theirs)}"
    mine: Counter[str] = Counter()
    cash = cash_ticks
    for item in desk.executions.values():
        made = desk.book.orders[item.order]
        signed = made.sign * item.lots
        mine[made.request.symbol] += signed
        cash -= signed * item.ticks + item.fee_ticks
    held = {symbol: item.lots for symbol, item in desk.book.positions.items()}
    if _nonzero(held) != _nonzero(mine):
        yield f"the book's positions are {_nonzero(held)}, its executions come to {_nonzero(mine)}"
    if cash != desk.book.cash_ticks:
        yield f"the book's cash is {desk.book.cash_ticks}, its executions come to {cash}"


def _nonzero(lots: Mapping[str, int]) -> dict[str, int]:
    return {symbol: count for symbol, count in sorted(lots.items()) if count}
