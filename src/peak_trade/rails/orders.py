"""One order on both sides: what differs between our machine's value and what the venue said of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from peak_trade.broker.messages import OrderStatus, Report, Status
from peak_trade.rails.differences import RULES, Action, Code, Difference
from peak_trade.rails.sides import CLOSED, UNANSWERED, Known, Request

WORKING = frozenset({"pending_new", "new", "partially_filled", "pending_cancel", "pending_replace"})
"""States that a request or a fill tells apart; both sides may see them at different moments."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the venue says of one of our orders.

    `status` is what it told when asked or listed, at its head; `asked` with no status: it does not know the order.
    `report` is its last one up to our cursor, `nothing`: it never reported on it so far; `unread` is its newest one
    beyond our cursor. `settled`: it told its head, so nothing can be under way. `explained_lots` is what executions
    explain of CumQty, `waited`: the order has not moved for longer than patience.
    """

    status: OrderStatus | None
    asked: bool
    report: Report | None
    unread: Report | None
    nothing: bool
    settled: bool
    limit_ticks: int | None
    explained_lots: int
    waited: bool


def contradiction(status: OrderStatus) -> bool:
    """True iff what the venue told contradicts itself: OrdStatus against OrderQty, CumQty and LeavesQty."""
    qty, cum, leaves = status.qty_lots, status.cum_lots, status.leaves_lots
    match status.status:
        case Status.FILLED:
            return cum != qty or leaves != 0
        case Status.CANCELED | Status.EXPIRED | Status.REJECTED:
            return leaves != 0 or cum > qty or (status.status is Status.REJECTED and cum != 0)
        case Status.PARTIALLY_FILLED:
            return cum == 0 or cum + leaves > qty
        case _:
            return cum + leaves > qty


def order_differences(order: Known, venue: Figures) -> Iterator[Difference]:
    """Yield what differs in one order that left us, the root alone."""
    status = venue.status
    if status is not None and contradiction(status):
        yield _hard(order, Code.STATUS, order.state, f"{status.status.value} {status.cum_lots} of {status.qty_lots}")
        return
    if order.state == "unknown":
        told = "not told" if status is None else status.status.value
        yield _planned(order, Code.UNKNOWN_OUTCOME, order.state, told)
    elif order.awaiting is Request.CANCEL and (ahead := _ahead_lots(venue)) > order.cum_lots + venue.explained_lots:
        yield _planned(order, Code.CANCEL_RACE, order.cum_lots, ahead)
        return
    elif order.awaiting is not Request.NONE and venue.waited:
        yield _stuck(order, status)
    if venue.unread is None and status is not None:
        yield from _told(order, status, venue)
    else:
        yield from _reported(order, venue)


def _ahead_lots(venue: Figures) -> int:
    """Return the CumQty that the venue tells beyond what we have read; 0 if nothing can be beyond it."""
    if venue.unread is not None:
        return venue.unread.cum_lots
    return 0 if venue.settled or venue.status is None else venue.status.cum_lots


def _told(order: Known, status: OrderStatus, venue: Figures) -> Iterator[Difference]:
    """Yield what differs from the order's status at the venue's head, which no report can explain any more."""
    waiting = order.state in UNANSWERED and status.status is not Status.FILLED
    if not waiting and not venue.explained_lots and _shape(order.state) != _shape(status.status.value):
        yield _planned_or_read(order, Code.STATUS, (order.state, status.status.value), settled=venue.settled)
        return
    figures = (status.qty_lots, status.cum_lots, status.leaves_lots)
    yield from _quantities(order, figures, venue, waiting=waiting)
    if venue.limit_ticks != order.limit_ticks and order.limit_ticks is not None and venue.limit_ticks is not None:
        both = (order.limit_ticks, venue.limit_ticks)
        yield _planned_or_read(order, Code.PRICE, both, settled=venue.settled)


def _reported(order: Known, venue: Figures) -> Iterator[Difference]:
    """Yield what differs from the venue's last report at our cursor, and whether the venue shows the order at all."""
    report = venue.report
    closed = report is not None and report.leaves_lots == 0
    if report is not None and venue.settled:
        figures = (report.order_lots or order.qty_lots, report.cum_lots, report.leaves_lots)
        yield from _quantities(order, figures, venue, waiting=order.state in UNANSWERED)
    elif report is not None or venue.nothing:
        # Without a head only the executions are sure to be there: what came after the last one is not known.
        cum = 0 if report is None else report.cum_lots
        if cum != order.cum_lots + venue.explained_lots:
            yield _planned_or_read(order, Code.CUM, (order.cum_lots, cum), settled=venue.settled)
    if venue.unread is not None or closed or order.state in UNANSWERED | CLOSED or not order.leaves_lots:
        return
    if venue.asked and venue.settled:
        yield _hard(order, Code.MISSING, order.leaves_lots, 0)
    else:
        yield _planned(order, Code.MISSING, order.leaves_lots, 0)


def _quantities(order: Known, figures: tuple[int, int, int], venue: Figures, *, waiting: bool) -> Iterator[Difference]:
    """Yield where OrderQty, CumQty or, those being equal, LeavesQty differ."""
    qty, cum, leaves = figures
    if qty != order.qty_lots:
        yield _planned_or_read(order, Code.QTY, (order.qty_lots, qty), settled=venue.settled)
    if cum != order.cum_lots + venue.explained_lots:
        yield _planned_or_read(order, Code.CUM, (order.cum_lots, cum), settled=venue.settled)
    elif qty == order.qty_lots and not venue.explained_lots and not waiting and leaves != order.leaves_lots:
        yield _planned_or_read(order, Code.LEAVES, (order.leaves_lots, leaves), settled=venue.settled)


def _shape(state: str) -> str:
    return "working" if state in WORKING else state


def _stuck(order: Known, status: OrderStatus | None) -> Difference:
    action = Action.CANCEL_AGAIN if order.awaiting is Request.CANCEL else RULES[Code.STUCK_PENDING].action
    told = "not told" if status is None else status.status.value
    return Difference(Code.STUCK_PENDING, order.order, f"{order.awaiting.value} unanswered", told, action)


def _planned(order: Known, code: Code, book: int | str, venue: int | str) -> Difference:
    return Difference(code, order.order, book, venue, RULES[code].action)


def _planned_or_read(order: Known, code: Code, both: tuple[int | str, int | str], *, settled: bool) -> Difference:
    """Return the difference; unless the venue told its head, a report that is under way may explain it."""
    book, venue = both
    return Difference(code, order.order, book, venue, RULES[code].action if settled else Action.READ_ON)


def _hard(order: Known, code: Code, book: int | str, venue: int | str) -> Difference:
    return Difference(code, order.order, book, venue, Action.STOP_FOR_OPERATOR)
