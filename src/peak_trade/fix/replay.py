"""A log is replayed iff each message of it is applied whole or not at all, and each report is held against our book.

Our requests are offered to the order's machine as we sent them; what it refuses there was sent all the same, and is
shown, not judged. Each report is offered, and then its OrdStatus, OrderQty, CumQty and LeavesQty are compared with
ours. A report of an order that nobody here sent is adopted as an external order. A report that was told before (the
same ExecID) is applied once; another one under its ExecID is refused, and so is a bust or correction whose CumQty does
not follow from the execution that it names.

Limits: those of `reader`; cash, prices and positions are not replayed; a ClOrdID names one order in the whole log.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from peak_trade.fix.engine import Engine
from peak_trade.fix.events import Event, adoption_of, events_of, is_unknown, refusal_of
from peak_trade.fix.executions import Executions
from peak_trade.fix.ids import Crossed, Ids
from peak_trade.fix.malformed import Fault, Malformed
from peak_trade.fix.reader import Message
from peak_trade.fix.report import (
    KINDS,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelRequest,
    OrderReplaceRequest,
    OrderStatusRequest,
    Request,
    SessionMessage,
)
from peak_trade.fix.row import Answer, Ended, Replayed, Row, differences, held, told
from peak_trade.fix.tags import ExecType, Tag
from peak_trade.fix.typed import typed
from peak_trade.lang.step import Broken, Ignored, Outcome, Refused, Taken, Value

REFUSED = "refused"
"""What `Row.differs` calls a report that our machine does not take."""


@dataclass(slots=True)
class Order:
    """One order of the log: its machine, the executions told of it, and how its reports fared."""

    key: str
    engine: Engine
    external: bool = False
    executions: Executions = field(default_factory=Executions)
    reports: int = 0
    differing: int = 0


@dataclass(slots=True)
class Book:
    """The orders of a log as it is replayed; `make` gives each its machine."""

    make: Callable[[], Engine]
    orders: dict[str, Order] = field(default_factory=dict)
    ids: Ids = field(default_factory=Ids)
    requests: dict[str, str] = field(default_factory=dict)
    refusals: set[tuple[str, str]] = field(default_factory=set)

    def take(self, message: Message) -> Row | None:
        """Apply one message and return its row, None of a message of the session.

        Malformed iff it is not what FIX 4.4 says; then nothing has changed.
        """
        found = typed(message)
        if isinstance(found, SessionMessage):
            return None
        if isinstance(found, ExecutionReport | OrderCancelReject):
            row = self._report(found)
            order = self.orders.get(row.order)
            if order is not None:
                order.reports += 1
                order.differing += bool(row.differs)
            return row
        return self._request(found)

    def _request(self, request: Request) -> Row:
        """Offer one of our requests to its order."""
        if isinstance(request, OrderStatusRequest):
            return _asked(request, self.ids.ours.get(request.cl_ord_id, ""), "", "none")
        if isinstance(request, NewOrderSingle):
            return self._single(request)
        return self._change(request)

    def _single(self, request: NewOrderSingle) -> Row:
        key = self.ids.ours.get(request.cl_ord_id)
        lots = request.order_lots
        event: Event = ("submit_cash", ()) if lots is None else ("submit", (lots,))
        if key is not None and request.possible_resend:
            return _asked(request, key, "", "ignored", "possible_resend")
        order = Order(request.cl_ord_id, self.make()) if key is None else self.orders[key]
        outcome = order.engine.send(*event)
        if key is None and isinstance(outcome, Taken):
            self.orders[order.key] = order
            self.ids.learn(order.key, request.cl_ord_id)
        return _asked(request, order.key, _shown((event,)), *_answer(outcome))

    def _change(self, request: OrderCancelRequest | OrderReplaceRequest) -> Row:
        key = self.ids.ours.get(request.orig_id)
        lots = request.order_lots if isinstance(request, OrderReplaceRequest) else 0
        event: Event = ("replace", (lots,)) if lots else ("cancel", ())
        before = self.requests.get(request.cl_ord_id)
        if before is not None or request.cl_ord_id in self.ids.ours:
            again = request.possible_resend and before == _shown((event,))
            how: tuple[Answer, str] = ("ignored", "possible_resend") if again else ("refused", "duplicate_id")
            return _asked(request, key or "", "", *how)
        if key is None:
            return _asked(request, "", "", "none", "unknown_order")
        self.ids.learn(key, request.cl_ord_id)
        self.requests[request.cl_ord_id] = _shown((event,))
        return _asked(request, key, _shown((event,)), *_answer(self.orders[key].engine.send(*event)))

    def _report(self, report: ExecutionReport | OrderCancelReject) -> Row:
        """Hold one report against the order that its ids lead to."""
        try:
            key = self.ids.find(report.cl_ord_id, report.orig_id, report.order_id)
        except Crossed:
            return _unplaced(report, "refused", "crossed_ids")
        self._expect_id(report, key)
        if key is None:
            if is_unknown(report):
                return _unplaced(report, "none", "unknown_order")
            return self._adopt(report)
        order = self.orders[key]
        row = self._refusal(order, report) if isinstance(report, OrderCancelReject) else _executed(order, report)
        self.ids.learn(key, report.cl_ord_id, report.order_id)
        return row

    def _expect_id(self, report: ExecutionReport | OrderCancelReject, key: str | None) -> None:
        """Raise Malformed unless the report has a ClOrdID, or its order is one that never had any."""
        if report.cl_ord_id:
            return
        told_first = isinstance(report, ExecutionReport) and report.exec_type is ExecType.NEW
        if told_first if key is None else self.orders[key].external:
            return
        expected, remedy = "the id of the order", "an order without one is known by its OrderID from ExecType New on"
        raise Malformed(Fault(report.place, Tag.CL_ORD_ID, expected, "missing", remedy))

    def _adopt(self, report: ExecutionReport | OrderCancelReject) -> Row:
        """Enter an order that nobody here sent, as its first report says that it is."""
        if isinstance(report, OrderCancelReject) or not report.order_lots:
            return _unplaced(report, "refused", "unknown_order")
        order = Order(report.cl_ord_id or report.order_id, self.make(), external=True)
        events = adoption_of(report, report.order_lots)
        outcome = _offer(order.engine, events)
        if not isinstance(outcome, Taken):
            return _unplaced(report, *_answer(outcome))
        self.orders[order.key] = order
        self.ids.learn(order.key, report.cl_ord_id, report.order_id)
        order.executions.enter(report, report.cum_lots)
        return _compared(order, report, events, outcome)

    def _refusal(self, order: Order, refusal: OrderCancelReject) -> Row:
        told_before = (refusal.cl_ord_id, refusal.asked)
        if refusal.possible_resend and told_before in self.refusals:
            return _repeat(order, refusal)
        self.refusals.add(told_before)
        events = (refusal_of(refusal),)
        return _compared(order, refusal, events, _offer(order.engine, events))


def replay(messages: Iterable[Message | Fault], make: Callable[[], Engine]) -> Replayed:
    """Return what becomes of `messages`, each order driven by a machine of `make`."""
    book, rows, faults, session_messages = Book(make), [], [], 0
    for message in messages:
        if isinstance(message, Fault):
            faults.append(message)
            continue
        try:
            row = book.take(message)
        except Malformed as wrong:
            faults.append(wrong.fault)
            continue
        if row is None:
            session_messages += 1
        else:
            rows.append(row)
    ended = (
        Ended(order.key, order.external, held(order.engine.value), order.reports, order.differing)
        for order in book.orders.values()
    )
    return Replayed(tuple(rows), tuple(ended), tuple(faults), session_messages)


def _executed(order: Order, report: ExecutionReport) -> Row:
    """Apply an execution report to its order, once."""
    value = order.engine.value
    repeated = order.executions.repeated(report)
    if repeated:
        return _repeat(order, report)
    events = events_of(report, value[0], value[1])
    if repeated is None:
        return _compared(order, report, events, Refused("exec_id_reused", report.exec_id))
    expected = order.executions.expected_lots(report, value[2])
    if expected is not None and expected != report.cum_lots:
        return _compared(order, report, events, Refused("executions_disagree", f"CumQty {expected}"))
    outcome = _offer(order.engine, events)
    if isinstance(outcome, Taken | Ignored):
        order.executions.enter(report, value[2])
    return _compared(order, report, events, outcome)


def _offer(engine: Engine, events: tuple[Event, ...]) -> Outcome:
    """Return the outcome of the last of `events`; all are taken, or the machine is where it was."""
    before = engine.value
    outcome: Outcome = Refused("nothing_offered")
    for number, event in enumerate(events):
        outcome = engine.send(*event)
        if not isinstance(outcome, Taken):
            if number:
                engine.restore(Value(before[0], tuple(before[1:])))
            break
    return outcome


def _compared(
    order: Order, report: ExecutionReport | OrderCancelReject, events: tuple[Event, ...], outcome: Outcome
) -> Row:
    """Return the row of a report that was offered; one that the venue does not know the order has no figures."""
    printed, ours = told(report), held(order.engine.value)
    not_found = isinstance(report, ExecutionReport) and is_unknown(report) and isinstance(outcome, Taken)
    differs = () if not_found else differences(printed, ours)
    answer, reason = _answer(outcome)
    if answer == "refused":
        differs = (REFUSED, *differs)
    note = "external" if order.external else ""
    return Row(
        report.place, KINDS[type(report)], report.cl_ord_id, order.key, _shown(events), answer, reason, printed, ours,
        differs, note,
    )  # fmt: skip


def _repeat(order: Order, report: ExecutionReport | OrderCancelReject) -> Row:
    """Return the row of a report that was told before: its figures were compared then."""
    ours, kind = held(order.engine.value), KINDS[type(report)]
    note = "possible resend" if report.possible_resend else "repeated"
    return Row(
        report.place, kind, report.cl_ord_id, order.key, "", "ignored", "told_before", told(report), ours, (), note
    )  # fmt: skip


def _unplaced(report: ExecutionReport | OrderCancelReject, answer: Answer, reason: str) -> Row:
    """Return the row of a report that moves no order of ours."""
    differs = (REFUSED,) if answer != "none" else ()
    kind = KINDS[type(report)]
    return Row(report.place, kind, report.cl_ord_id, "", "", answer, reason, told(report), None, differs, "no order")


def _asked(request: Request, key: str, event: str, answer: Answer, reason: str = "") -> Row:
    """Return the row of one of our requests."""
    return Row(request.place, KINDS[type(request)], request.cl_ord_id, key, event, answer, reason, None, None, ())


def _answer(outcome: Outcome) -> tuple[Answer, str]:
    match outcome:
        case Taken():
            return "taken", ""
        case Broken(property=name):
            return "refused", name
        case Refused(reason, detail):
            return "refused", f"{reason}: {detail}" if detail else reason
        case _:
            return "ignored", outcome.reason


def _shown(events: tuple[Event, ...]) -> str:
    """Return events as a reader writes them, such as `restate(9000, 0)`."""
    return ", ".join(f"{name}({', '.join(map(str, payload)).lower()})" if payload else name for name, payload in events)
