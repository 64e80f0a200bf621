"""What a message is to the order machine: events of `spec/order.yaml`, each with its payload in declared order.

Three reports are more than their ExecType. Rejected with a living OrdStatus speaks of a second order for one id (FIX
4.4, F.1.a), so it only informs. An order sent with a sum of money is converted by the first report that has an
OrderQty. FIX 4.4 has no ExecType for the end of a halt: a suspended order that is reported at work again is resumed.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from peak_trade.broker.messages import Status
from peak_trade.fix.report import ExecutionReport, OrderCancelReject
from peak_trade.fix.tags import UNKNOWN_ORDER, UNKNOWN_ORDER_CXL, Asked, ExecType

Event: TypeAlias = tuple[str, tuple[int | bool, ...]]
"""An event's name and its payload, in declared order."""

UNANSWERED: Final = frozenset({"pending_new", "unknown"})
"""The states of an order that the venue has not answered."""

_AT_WORK: Final = frozenset({Status.NEW, Status.PARTIALLY_FILLED})
_RESUMING: Final = frozenset({ExecType.NEW, ExecType.RESTATED, ExecType.TRADE})


def events_of(report: ExecutionReport, state: str, known_lots: int) -> tuple[Event, ...]:
    """Return what `report` is to an order in `state` whose OrderQty we know as `known_lots`, 0 for money."""
    kind = report.exec_type
    event = _EVENTS[kind](report, known_lots)
    if kind is ExecType.REJECTED and report.status is not Status.REJECTED:
        return (_inform(report, known_lots),)
    if kind is ExecType.ORDER_STATUS and is_unknown(report):
        return (("not_found", ()),)
    if report.order_lots and not known_lots and state in UNANSWERED and kind is not ExecType.REJECTED:
        return (("convert", (report.order_lots,)), event)
    if state == Status.SUSPENDED and kind in _RESUMING and report.status in _AT_WORK:
        return (_RESUME,) if kind is ExecType.NEW else (_RESUME, event)
    return (event,)


def refusal_of(refusal: OrderCancelReject) -> Event:
    """Return the event that a refused request is."""
    return ("cancel_reject" if refusal.asked is Asked.CANCEL else "replace_reject"), ()


def adoption_of(report: ExecutionReport, order_lots: int) -> tuple[Event, ...]:
    """Return how an order that nobody here sent comes to what `report`, the first about it, says.

    What was filled before is taken over as it is stated: nothing of it is an execution that we saw.
    """
    sent, accepted = ("submit", (order_lots,)), ("accept", ())
    kind = report.exec_type
    if kind in _FIRST:
        return (sent, *events_of(report, "pending_new", order_lots))
    before = report.cum_lots - report.last_lots if kind is ExecType.TRADE else report.cum_lots
    stated: tuple[Event, ...] = (("restate", (order_lots, max(0, before))),) if before else ()
    if kind in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
        return (sent, accepted, *stated)
    return (sent, accepted, *stated, *events_of(report, "new", order_lots))


def is_unknown(message: ExecutionReport | OrderCancelReject) -> bool:
    """Return whether the venue says that it does not know the order."""
    if message.status is not Status.REJECTED:
        return False
    if isinstance(message, OrderCancelReject):
        return message.reason == UNKNOWN_ORDER_CXL
    return message.exec_type is ExecType.ORDER_STATUS and message.reason == UNKNOWN_ORDER


def _inform(report: ExecutionReport, known_lots: int) -> Event:
    return "inform", (_lots(report, known_lots), report.cum_lots)


def _lots(report: ExecutionReport, known_lots: int) -> int:
    """Return the OrderQty that the report says, or the one that we know if it says none."""
    return known_lots if report.order_lots is None else report.order_lots


def _plain(name: str) -> Callable[[ExecutionReport, int], Event]:
    event: Event = (name, ())
    return lambda _report, _known: event


_RESUME: Final[Event] = ("resume", ())
_FIRST: Final = frozenset({ExecType.NEW, ExecType.PENDING_NEW, ExecType.REJECTED})
_EVENTS: Final[Mapping[ExecType, Callable[[ExecutionReport, int], Event]]] = {
    ExecType.NEW: _plain("accept"),
    ExecType.CANCELED: _plain("cancel_accept"),
    ExecType.PENDING_CANCEL: _plain("pend_cancel"),
    ExecType.STOPPED: _plain("guarantee"),
    ExecType.REJECTED: _plain("reject"),
    ExecType.SUSPENDED: _plain("suspend"),
    ExecType.EXPIRED: _plain("expire"),
    ExecType.PENDING_REPLACE: _plain("pend_replace"),
    ExecType.TRADE: lambda report, _: ("fill", (report.last_lots,)),
    ExecType.TRADE_CANCEL: lambda report, _: ("bust", (report.cum_lots,)),
    ExecType.TRADE_CORRECT: lambda report, _: ("correct", (report.cum_lots,)),
    ExecType.REPLACED: lambda report, known: ("replaced", (_lots(report, known),)),
    ExecType.RESTATED: lambda report, known: ("restate", (_lots(report, known), report.cum_lots)),
    ExecType.DONE_FOR_DAY: lambda report, _: ("finish_day", (report.leaves_lots > 0,)),
    ExecType.PENDING_NEW: _inform,
    ExecType.ORDER_STATUS: _inform,
    ExecType.TRIGGERED: _inform,
}
