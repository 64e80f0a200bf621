"""The desk: moves orders through the order machine, keeps the book, and writes each step to the tape."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from peak_trade.backends.kernel import Kernel
from peak_trade.broker.errors import BrokerError, VenueRejected
from peak_trade.broker.messages import OrderRequest, Report, ReportKind
from peak_trade.broker.port import Broker
from peak_trade.journal.record import Body
from peak_trade.lang.step import Broken, Outcome, Refused, Taken
from peak_trade.rails.reconcile import Difference, Known, reconcile
from peak_trade.rails.tripwires import Tripwire
from peak_trade.session.book import Book, Order
from peak_trade.session.decide import Decision
from peak_trade.session.perform import Sender
from peak_trade.session.recording import DIFFERENCE, ORDER, RECONCILED, TRIP, Recorder, said

EVENTS = {
    ReportKind.TRADE: "fill",
    ReportKind.CANCELED: "cancel_accept",
    ReportKind.EXPIRED: "expire",
    ReportKind.REJECTED: "reject",
}
"""The order machine's event for each kind of report."""

UNANSWERED = frozenset({"pending_new", "unknown"})
"""States in which the outcome of sending is open."""

assert EVENTS.keys() == set(ReportKind)


@dataclass(slots=True)
class Desk:
    """All orders of one session and how they got there.

    `closed` is how many orders closed since it was last read; `wires` is what tripped since then. `moved` are the
    orders that moved since the guard last looked.
    """

    kernel: Kernel
    book: Book
    tape: Recorder
    broker: Broker
    sender: Sender
    step: int = 0
    cursor: int = 0
    closed: int = 0
    wires: list[Tripwire] = field(default_factory=list)
    moved: dict[str, Order] = field(default_factory=dict)

    def enter(self, decisions: Sequence[Decision]) -> list[tuple[Order, bool]]:
        """Write every decision to the tape; return the orders to send, and whether an earlier process may have."""
        sending = []
        for decision in decisions:
            order = self.book.add(decision.request, self.kernel.initial)
            replayed = self.tape.replaying
            facts = _facts(decision.request)
            if decision.rail is not None:
                self.apply(order, "deny", (), facts | {"rail": decision.rail.value})
            elif isinstance(self.apply(order, "submit", (decision.request.qty_lots,), facts), Taken):
                sending.append((order, replayed))
        return sending

    def send(self, sending: Iterable[tuple[Order, bool]]) -> None:
        """Bring each order to the venue; its intent is durable already."""
        for order, doubtful in sending:
            if not self._recorded_answers(order):
                unknown = order.value[0] == "unknown"
                for answer in self.sender.answers(order.request, doubtful=doubtful, unknown=unknown):
                    self._answer(order, answer.event, answer.venue_order_id)
            if order.value[0] in UNANSWERED:
                self.trip(Tripwire.OUTCOME_UNRESOLVED, order.request.client_order_id)

    def resolve(self, *, closing: bool) -> None:
        """Ask for the outcome of each order that is still open; nothing is sent.

        With `closing`, an order that the venue does not know is given up: it will not be sent again.
        """
        for order in tuple(self.book.working.values()):
            if order.value[0] not in UNANSWERED or self._recorded_answers(order):
                continue
            for answer in self.sender.asked(order.request, unknown=order.value[0] == "unknown", closing=closing):
                self._answer(order, answer.event, answer.venue_order_id)

    def _recorded_answers(self, order: Order) -> bool:
        """Apply the answers that the tape holds for `order`; return true iff they decide its outcome."""
        while (record := self.tape.peek()) is not None:
            body = record.body
            if record.kind != ORDER or body.get("order") != order.request.client_order_id or "cursor" in body:
                return True
            self._answer(order, str(body["event"]), str(body.get("venue_order") or ""))
            if order.value[0] not in UNANSWERED:
                return True
        return False

    def _answer(self, order: Order, event: str, venue_order_id: str) -> None:
        if venue_order_id:
            order.venue_order_id = venue_order_id
        self.apply(order, event, (), {"venue_order": venue_order_id} if venue_order_id else {})

    def listen(self) -> None:
        """Take the reports of this step: those on the tape first, then the venue's, in cursor order."""
        while (record := self.tape.peek()) is not None and "cursor" in record.body:
            if record.kind == ORDER:
                self._take_recorded(record.body)
            else:
                self._ghost(int(record.body["cursor"] or 0), str(record.body["order"]))
        if self.tape.replaying:
            return
        try:
            for report in self.broker.iter_reports(self.cursor):
                if report.cursor > self.cursor + 1:
                    break  # a gap: what follows is asked for again from the cursor
                self.take(report)
        except BrokerError:
            return  # nothing is lost: the next step asks again from the cursor

    def _take_recorded(self, body: Mapping[str, Any]) -> None:
        event = str(body["event"])
        kind = next(kind for kind, name in EVENTS.items() if name == event)
        self.take(
            Report(
                cursor=int(body["cursor"]),
                client_order_id=str(body["order"]),
                venue_order_id=str(body.get("venue_order") or ""),
                exec_id=str(body.get("exec_id") or ""),
                kind=kind,
                last_lots=int(body.get("last_qty") or 0),
                last_ticks=int(body.get("price_ticks") or 0),
                fee_ticks=int(body.get("fee_ticks") or 0),
                cum_lots=0,
                leaves_lots=0,
                step=self.step,
            )
        )

    def take(self, report: Report) -> None:
        """Apply one report, unless the book has it already; each fill moves it exactly once."""
        if report.cursor <= self.cursor:
            return
        order = self.book.orders.get(report.client_order_id)
        if order is None:
            self._ghost(report.cursor, report.client_order_id)
            return
        self.cursor = report.cursor
        facts: dict[str, Any] = {"cursor": report.cursor, "exec_id": report.exec_id}
        fill = report.kind is ReportKind.TRADE
        if fill:
            facts |= {"price_ticks": report.last_ticks, "fee_ticks": report.fee_ticks}
        outcome = self.apply(order, EVENTS[report.kind], (report.last_lots,) if fill else (), facts)
        if isinstance(outcome, Refused | Broken):
            self.trip(Tripwire.REPORT_REFUSED, report.client_order_id)

    def _ghost(self, cursor: int, order: str) -> None:
        """Note a report about an order that is not ours; the book stays as it is."""
        self.cursor = cursor
        self.wires.append(Tripwire.REPORT_REFUSED)
        wire = Tripwire.REPORT_REFUSED.value
        self.tape.append(TRIP, {"step": self.step, "wire": wire, "order": order, "cursor": cursor})

    def cancel_working(self) -> None:
        """Ask the venue to cancel every order that is working and has no cancel pending."""
        for order in tuple(self.book.working.values()):
            if order.value[0] in ("new", "partially_filled"):
                self.apply(order, "cancel", (), {})
        self.tape.commit()
        while (record := self.tape.peek()) is not None and record.body.get("event") == "cancel_reject":
            self.apply(self.book.orders[str(record.body["order"])], "cancel_reject", (), {})
        if self.tape.replaying:
            return
        for order in tuple(self.book.working.values()):
            if order.value[0] == "pending_cancel":
                self._cancel(order)

    def _cancel(self, order: Order) -> None:
        try:
            self.broker.cancel_order(order.request.client_order_id)
        except VenueRejected:
            self.apply(order, "cancel_reject", (), {})
        except BrokerError:
            return  # the cancel stays pending; the next step of the drain asks again

    def apply(self, order: Order, event: str, payload: tuple[int, ...], facts: dict[str, Any]) -> Outcome:
        """Step `order`'s machine, keep the book in step, and write the step to the tape."""
        before = order.value
        outcome, value = self.kernel.step(before, event, payload)
        identity = order.request.client_order_id
        by, kind, detail = said(outcome)
        if kind == "taken":
            order.value = order.known = value
            self.moved[identity] = order
            self.book.filled_lots += order.sign * (value[2] - before[2])
            if value[3] != order.resting_lots:
                self.book.rest(order, value[3])
                self.closed += value[3] == 0
            if event == "fill":
                facts |= self._filled(order, payload[0], facts)
        body = {
            "order": identity,
            "event": event,
            "outcome": kind,
            "by": by,
            "state": value[0],
            "cum": value[2],
            "leaves": value[3],
            "step": self.step,
            **facts,
        }
        if payload:
            body["last_qty" if event == "fill" else "order_qty"] = payload[0]
        if detail:
            body["detail"] = detail
        self.tape.append(ORDER, body)
        return outcome

    def _filled(self, order: Order, lots: int, facts: Mapping[str, Any]) -> dict[str, int]:
        """Enter one execution in the book; return what it made of the position."""
        realized = self.book.fill(order, lots, facts["price_ticks"], facts["fee_ticks"])
        return {"realized_ticks": realized, "position_lots": self.book.positions[order.request.symbol].lots}

    def trip(self, wire: Tripwire, order: str = "", clause: str = "") -> None:
        """Record that `wire` tripped, on which order and for which broken clause, if it is about one."""
        self.wires.append(wire)
        about = {name: text for name, text in (("order", order), ("clause", clause)) if text}
        self.tape.append(TRIP, {"step": self.step, "wire": wire.value, **about})

    def to_look_at(self) -> dict[str, Order]:
        """Return the orders that work and those that moved since the last call."""
        moved, self.moved = self.moved, {}
        return self.book.working | moved

    def reconcile(self) -> bool:
        """Compare the book with the venue's orders and fills, and write down every difference.

        Return true iff the venue answered and there is none: no answer is no agreement.
        """
        found: tuple[Difference, ...] = ()

        def ask() -> Body:
            """Compare, and return what the tape keeps of it."""
            nonlocal found
            found, asked = self._compare()
            return {"step": self.step, "orders": len(self.book.orders), "differences": len(found), "asked": asked}

        found_out = self.tape.outcome(RECONCILED, ask)
        while (record := self.tape.peek()) is not None and record.kind == DIFFERENCE:
            self.tape.append(DIFFERENCE, record.body)
        for item in found:
            words: Body = {"code": item.code.value, "subject": item.subject}
            self.tape.append(DIFFERENCE, {**words, "book_lots": item.book_lots, "venue_lots": item.venue_lots})
        return found_out["asked"] is True and found_out["differences"] == 0

    def _compare(self) -> tuple[tuple[Difference, ...], bool]:
        """Return the differences, and whether the venue answered at all: no answer is no agreement."""
        ours = {name: _known(order) for name, order in self.book.orders.items() if order.value[0] != "denied"}
        held = {symbol: item.lots for symbol, item in self.book.positions.items()}
        try:
            return reconcile(ours, held, self.broker.list_open_orders(), self.broker.iter_fills(0)), True
        except BrokerError:
            return (), False

    def take_closed(self) -> int:
        """Return how many orders closed since the last call."""
        closed, self.closed = self.closed, 0
        return closed


def _known(order: Order) -> Known:
    state, cum, leaves = order.value[0], order.value[2], order.value[3]
    is_open = state in ("new", "partially_filled", "pending_cancel")
    request = order.request
    return Known(request.client_order_id, request.symbol, order.sign, cum, leaves, is_open, state in UNANSWERED)


def _facts(request: OrderRequest) -> dict[str, Any]:
    return {
        "symbol": request.symbol,
        "side": request.side.value,
        "limit_ticks": request.limit_ticks,
        "tif": request.tif.value,
    }
