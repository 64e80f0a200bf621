"""The desk: moves orders through the order machine, keeps the book, and writes each step to the tape."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from peak_trade.backends.kernel import Kernel
from peak_trade.broker.errors import BrokerError, VenueRejected
from peak_trade.broker.messages import Report
from peak_trade.broker.port import Broker
from peak_trade.lang.step import Ignored, Outcome, Taken
from peak_trade.rails.sides import EXECUTIONS
from peak_trade.rails.tripwires import Tripwire
from peak_trade.session.book import Book, Order
from peak_trade.session.decide import Decision
from peak_trade.session.hearing import EVENTS, UNDOING, Execution, fits, payload, recorded
from peak_trade.session.perform import Sender
from peak_trade.session.reconciler import Asking, Reconciler
from peak_trade.session.recording import ORDER, TRIP, Recorder, said, terms

UNANSWERED = frozenset({"pending_new", "unknown"})
"""States in which the outcome of sending is open."""
EXECUTING = frozenset({"fill", "bust", "correct", "restate"})
"""Events that may change CumQty."""
CANCEL_ASKED = 4
"""Where the order machine's value says that a cancel is on its way; see `context` in spec/order.yaml."""


@dataclass(slots=True)
class Desk:
    """All orders of one session and how they got there.

    `closed` and `reopened` are how many orders closed and were opened again since they were last read; `wires` is what
    tripped since then. `moved` are the orders that moved since the guard last looked. `gaps` counts the reports that
    did not follow the one before; `executions` are those that stand, by their id.
    """

    kernel: Kernel
    book: Book
    tape: Recorder
    broker: Broker
    sender: Sender
    step: int = 0
    cursor: int = 0
    closed: int = 0
    reopened: int = 0
    gaps: int = 0
    wires: list[Tripwire] = field(default_factory=list)
    moved: dict[str, Order] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    reconciler: Reconciler = field(default_factory=Reconciler)
    reached_step: int = 0
    """The step that the venue had reached when this process began; what it says of earlier ones is hindsight."""
    fields: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        events = self.kernel.machine.events
        self.fields = {event.name: tuple(item.name for item in event.payload) for event in events}

    def enter(self, decisions: Sequence[Decision]) -> list[tuple[Order, bool]]:
        """Write every decision to the tape; return the orders to send, and whether an earlier process may have."""
        sending, recorded = [], self.tape.replaying
        for decision in decisions:
            order = self.book.add(decision.request, self.kernel.initial)
            replayed = recorded and self.tape.replaying
            facts = terms(decision.request)
            if decision.rail is not None:
                self.apply(order, "deny", (), facts | {"rail": decision.rail.value})
            elif isinstance(self.apply(order, "submit", (decision.request.qty_lots,), facts), Taken):
                sending.append((order, replayed))
        return sending

    def send(self, sending: Iterable[tuple[Order, bool]]) -> None:
        """Bring each order to the venue; its intent is durable already."""
        recorded = self.tape.replaying
        for order, doubtful in sending:
            if not (recorded and self._recorded_answers(order)):
                unknown = order.value[0] == "unknown"
                for answer in self.sender.answers(order.request, doubtful=doubtful, unknown=unknown):
                    self._answer(order, answer.event, answer.venue_order_id)
            if order.value[0] in UNANSWERED and self._is_foreign(order):
                order.foreign = True
                self.trip(Tripwire.OUTCOME_UNRESOLVED, order.request.client_order_id)

    def _is_foreign(self, order: Order) -> bool:
        """Return true iff the venue has another order under this id: asking by it would tell of that one."""
        name, record = order.request.client_order_id, self.tape.peek()
        if record is None:
            return name in self.sender.foreign
        return record.body.get("wire") == Tripwire.OUTCOME_UNRESOLVED.value and record.body.get("order") == name

    def resolve(self, *, closing: bool) -> None:
        """Ask for the outcome of each order of an earlier step that is still open; nothing is sent.

        An order that the venue does not know is given up: what was decided in an earlier step is not sent any more, and
        with `closing` one of a foreign id neither. One that stays in doubt trips the wire, when the patience is over.
        """
        for order in tuple(self.book.working.values()):
            if order.value[0] not in UNANSWERED:
                continue
            if order.foreign:
                if closing:
                    self.apply(order, "give_up", (), {})
            elif not self._recorded_answers(order):
                for answer in self.sender.asked(order.request, unknown=order.value[0] == "unknown"):
                    self._answer(order, answer.event, answer.venue_order_id)
            if order.value[0] in UNANSWERED and self.step - order.moved_step == self.reconciler.patience_steps:
                self.trip(Tripwire.OUTCOME_UNRESOLVED, order.request.client_order_id)

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
            body = record.body
            order = self.book.orders.get(str(body["order"]))
            if record.kind == ORDER and order is not None:
                self._hear(order, recorded(body, order.value[1], self.step))
            else:
                self._doubt(int(body["cursor"] or 0), str(body["order"]))
        if self.tape.replaying:
            return
        try:
            for report in self.broker.iter_reports(self.cursor):
                if report.cursor > self.cursor + 1:
                    self.gaps += 1
                    break  # what follows is asked for again from the cursor
                self.take(report)
        except BrokerError:
            return  # nothing is lost: the next step asks again from the cursor

    def take(self, report: Report) -> None:
        """Apply one report, unless the book has it already; each execution moves it exactly once.

        A report that does not fit the book, or is about an order that is not ours, is not applied: it trips the wire.
        """
        if report.cursor <= self.cursor:
            return
        order = self.book.orders.get(report.client_order_id)
        undone = self.executions.get(report.ref_id) if report.kind in UNDOING else None
        if order is None or not fits(report, order.value, undone):
            self._doubt(report.cursor, report.client_order_id)
        else:
            self._hear(order, report)

    def _hear(self, order: Order, report: Report) -> None:
        """Offer a report that fits to the order's machine; one that it refuses trips the wire."""
        self.cursor = report.cursor
        kind = report.kind
        executes = kind in EXECUTIONS
        facts: dict[str, Any] = {"cursor": report.cursor, "exec_id": report.exec_id}
        if executes:
            facts["price_ticks"], facts["fee_ticks"] = report.last_ticks, report.fee_ticks
        if kind in UNDOING:
            facts["ref_id"], facts["last_qty"] = report.ref_id, report.last_lots
        outcome = self.apply(order, EVENTS[kind], payload(report), facts)
        if not isinstance(outcome, Taken):
            if not isinstance(outcome, Ignored):
                self.trip(Tripwire.REPORT_REFUSED, report.client_order_id)
        elif executes:
            self.reconciler.executions.append(report)

    def _doubt(self, cursor: int, order: str) -> None:
        """Note a report that is not applied; the book stays as it is."""
        self.cursor = cursor
        self.wires.append(Tripwire.REPORT_REFUSED)
        wire = Tripwire.REPORT_REFUSED.value
        self.tape.append(TRIP, {"step": self.step, "wire": wire, "order": order, "cursor": cursor})

    def cancel_working(self) -> None:
        """Ask the venue to cancel every answered order of which something is left, again if it has not decided."""
        for order in tuple(self.book.working.values()):
            if order.value[0] not in UNANSWERED and not order.value[CANCEL_ASKED]:
                self.apply(order, "cancel", (), {})
        self.tape.commit()
        while (record := self.tape.peek()) is not None and record.body.get("event") == "cancel_reject":
            self.apply(self.book.orders[str(record.body["order"])], "cancel_reject", (), {})
        if self.tape.replaying:
            return
        for order in tuple(self.book.working.values()):
            if order.value[CANCEL_ASKED]:
                self._cancel(order)

    def _cancel(self, order: Order) -> None:
        try:
            self.broker.cancel_order(order.request.client_order_id)
        except VenueRejected:
            if self.step < self.reached_step:
                return  # an earlier process has asked; what the venue did since then stands in its reports
            self.apply(order, "cancel_reject", (), {})
        except BrokerError:
            return  # the cancel stays pending; the next step of the drain asks again

    def apply(self, order: Order, event: str, payload: tuple[int, ...], facts: dict[str, Any]) -> Outcome:
        """Step `order`'s machine, keep the book in step, and write the step to the tape."""
        before = order.value
        outcome, value = self.kernel.step(before, event, payload)
        identity = order.request.client_order_id
        by, kind, detail = said(outcome)
        if isinstance(outcome, Taken):
            order.value = order.known = value
            self.moved[identity] = order
            self._keep(order, before, value)
            if event in EXECUTING:
                self._executed(order, event, value[2] - before[2], facts)
        body = {
            "order": identity,
            "event": event,
            "outcome": kind,
            "by": by,
            "state": value[0],
            "cum": value[2],
            "leaves": value[3],
            "step": self.step,
        }
        for at, name in enumerate(self.fields[event]):  # every step comes here, and a strict `zip` costs twice as much
            body[name] = payload[at]
        body |= facts
        if detail:
            body["detail"] = detail
        self.tape.append(ORDER, body)
        return outcome

    def _keep(self, order: Order, before: tuple[Any, ...], value: tuple[Any, ...]) -> None:
        """Keep the book's sums in step with an order that moved."""
        order.moved_step = self.step
        book, leaves, was = self.book, value[3], order.resting_lots
        book.filled_lots += order.sign * (value[2] - before[2])
        if leaves != was:
            book.rest(order, leaves)
            self.closed += not leaves
            self.reopened += not was and before[0] != "initialized"

    def _executed(self, order: Order, event: str, change: int, facts: dict[str, Any]) -> None:
        """Enter in the book what an execution, its bust or its correction did; add to `facts` what came of it."""
        book, request, realized = self.book, order.request, 0
        if event in ("bust", "correct"):
            undone = self.executions.pop(facts["ref_id"])
            realized += book.fill(order, -undone.lots, undone.ticks, -undone.fee_ticks)
            change += undone.lots
        if event == "restate":
            book.split(order, change)
        elif change:
            ticks, fee_ticks = facts["price_ticks"], facts["fee_ticks"]
            self.executions[facts["exec_id"]] = Execution(request.client_order_id, change, ticks, fee_ticks)
            realized += book.fill(order, change, ticks, fee_ticks)
        facts["realized_ticks"], facts["position_lots"] = realized, book.positions[request.symbol].lots

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
        """Compare the whole book with the venue's orders and fills, and write down every difference.

        Return true iff the venue answered and there is none: no answer is no agreement.
        """
        found = self.reconciler.compare(self._asking(), self.tape, closing=True)
        return found.asked and not found.found

    def recheck(self, *, due: bool) -> None:
        """Compare book and venue in the middle of the run, if it is time for it; what is the operator's trips."""
        if self.reconciler.recheck(self._asking(), self.tape, self.gaps, due=due):
            self.trip(Tripwire.BOOK_DIFFERS_FROM_VENUE)

    def compare_resumed(self) -> bool:
        """Compare once a resumed run comes to the end of its tape, past the adapter; return true iff that tripped."""
        differs = self.reconciler.resumed(replace(self._asking(), broker=self.sender.adapter.broker), self.tape)
        if differs:
            self.trip(Tripwire.BOOK_DIFFERS_FROM_VENUE)
        return differs

    def _asking(self) -> Asking:
        return Asking(self.kernel, self.book, self.broker, self.step, self.cursor)

    def take_closed(self) -> tuple[int, int]:
        """Return how many orders closed and how many were opened again since the last call."""
        counts, self.closed, self.reopened = (self.closed, self.reopened), 0, 0
        return counts
