"""The venue's floor: orders, queues and the log of reports, moved by the ledger's entries and by nothing else.

Applying the same entries gives the same floor; what was drawn or decided stands in the entry. So a venue that is opened
again is the one that was closed.

Limits: orders and reports are kept in memory for as long as the venue lives.
"""

from typing import Any, Final

from peak_trade.broker.deeds import FORGOTTEN, STRIKE_ON_ARRIVAL
from peak_trade.broker.faults import FaultKind, Phase
from peak_trade.broker.held import Held, Mark, unlisted
from peak_trade.broker.ledger import Entry
from peak_trade.broker.log import Log
from peak_trade.broker.matching import fee_ticks
from peak_trade.broker.messages import OrderRequest, ReplaceRequest, ReportKind, Status
from peak_trade.broker.queue import Queue
from peak_trade.broker.schedule import Schedule
from peak_trade.broker.truth import Tally
from peak_trade.market.terms import Tif

UNDONE_LATER: Final = frozenset({FaultKind.BUST, FaultKind.CORRECTION})
ENDS: Final = {ReportKind.CANCELED: Status.CANCELED, ReportKind.EXPIRED: Status.EXPIRED}


class Floor:
    """All that the venue knows; `step` is the last one that was advanced to.

    `agenda` is what the plan has in store for the next step, by arrival and kind.
    """

    def __init__(self, schedule: Schedule, fee_permille: int) -> None:
        self.schedule, self._fee_permille = schedule, fee_permille
        self.held: list[Held] = []
        self.orders: dict[str, Held] = {}
        self.open: dict[str, Held] = {}
        self.lost: dict[str, int] = {}
        self.replaces: dict[str, tuple[ReplaceRequest, str]] = {}
        self.ordinal = self.step = 0
        self.queues: dict[str, Queue] = {}
        self.log = Log(schedule)
        self.agenda: list[tuple[int, FaultKind]] = []
        self.tally = Tally()
        self.live = False

    def begin(self) -> None:
        """Fill the queues after the last entry of the past; from now on they follow."""
        self.live = True
        for held in sorted(self.open.values(), key=lambda held: held.arrival):
            held.queued = False
            self._place(held)

    def apply(self, entry: Entry) -> None:
        """Make an operation so.

        Raises:
            ValueError, KeyError, IndexError, TypeError: it is none, or not one that can follow here.
        """
        match entry:
            case ["advance", int(step), list(made)]:
                self.step = self.log.now = step
                for item in made:
                    self.happen(*item)
            case ["strike", int(step), list(made), list(waiting)]:
                self.log.now = step
                self.agenda = [(arrival, FaultKind(kind)) for arrival, kind in waiting]
                for item in made:
                    self.happen(*item)
            case ["place", *request, int(ordinal), str(refusal)]:
                self.enter(unlisted(request), ordinal, refusal)
            case ["cancel", int(arrival), *why]:
                self._cancel(self.held[arrival], *why)
            case ["replace", *request, str(refusal), bool(pends)]:
                self._replace(ReplaceRequest(*request), refusal, pends=pends)
            case ["seen", str(identity), int(ordinal)]:
                self.ordinal = max(self.ordinal, ordinal)
                self.lost[identity] = ordinal
            case ["fired", str(kind), int(place)]:
                self.schedule.strike(FaultKind(kind), place)
            case _:
                raise ValueError(f"expected an operation of the venue, was {entry!r:.60}")

    # requests

    def enter(self, request: OrderRequest, ordinal: int, refusal: str) -> Held:
        """Take an order in, or keep that it was refused."""
        struck = self.schedule.of(ordinal)
        held = Held(request, f"v{ordinal}", len(self.held), request, 0 if refusal else request.qty_lots, struck)
        identity = request.client_order_id
        self.ordinal = max(self.ordinal, ordinal)
        self.lost.pop(identity, None)
        self.held.append(held)
        self.orders[identity] = held
        if refusal:
            held.closed = Status.REJECTED
            return held
        self.open[identity] = held
        self._place(held)
        if struck:
            due = struck.get(Phase.EXECUTING)
            if due in STRIKE_ON_ARRIVAL and (due is not FaultKind.DONE_FOR_DAY or request.tif is Tif.GTC):
                self.agenda.append((held.arrival, due))
        return held

    def _cancel(self, held: Held, why: str = "") -> None:
        if held.asked_step < 0:
            held.asked_step = self.step
        match why:
            case FaultKind.CANCEL_TIMEOUT_BEFORE | FaultKind.CANCEL_REJECTED:
                return
            case FaultKind.CANCEL_RACE | FaultKind.RESTART:
                self.happen(held.arrival, ReportKind.PENDING_CANCEL)
                self.agenda.append((held.arrival, FaultKind.CANCEL_RACE))
            case _:
                self.happen(held.arrival, ReportKind.CANCELED)
                if why == FaultKind.LATE_FILL:
                    self.agenda.append((held.arrival, FaultKind.LATE_FILL))

    def _replace(self, request: ReplaceRequest, refusal: str, *, pends: bool) -> None:
        self.replaces[request.replace_id] = (request, refusal)
        held = self.orders.get(request.client_order_id)
        if held is None:
            return
        held.replaced = True
        if refusal:
            return
        if pends:
            if not held.wanted:
                self.agenda.append((held.arrival, FaultKind.REPLACE_RACE))
            held.wanted += (request,)
            self.log.write(held, ReportKind.PENDING_REPLACE)
        else:
            qty = max(request.qty_lots, held.cum_lots)
            self.happen(held.arrival, ReportKind.REPLACED, qty, request.limit_ticks)

    # what happens to an order

    def happen(self, arrival: int, *facts: Any) -> None:  # noqa: ANN401 - an item of the ledger
        """Take one item: a trade [arrival, lots, ticks], an expiry [arrival], or [arrival, word, …]."""
        held = self.held[arrival]
        if len(facts) == 2 and type(facts[0]) is int:  # nearly all are trades
            self._trade(held, *facts)
            return
        match facts:
            case []:
                self._end(held, ReportKind.EXPIRED)
            case [ReportKind.CANCELED]:
                self._end(held, ReportKind.CANCELED)
            case [ReportKind.PENDING_CANCEL | ReportKind.CANCEL_REJECTED as kind]:
                held.canceling = kind == ReportKind.PENDING_CANCEL
                self.log.write(held, ReportKind(kind))
            case [ReportKind.TRADE_CANCEL | ReportKind.TRADE_CORRECT, int(ref), *right]:
                self._undo(held, ref, *right)
            case [ReportKind.RESTATED, int(qty)]:
                self._restate(held, qty)
            case [ReportKind.REPLACED, int(qty), int(limit)]:
                self._amend(held, qty, limit)
            case _:
                self._set(held, *facts)

    def _set(self, held: Held, word: str) -> None:
        """Mark the order, or unmark it; what was marked for a step comes up again in the next one."""
        due: FaultKind | None = None
        match word:
            case ReportKind.SUSPENDED:
                held.mark, due = Mark.HALTED, FaultKind.SUSPENSION
            case ReportKind.STOPPED:
                held.mark, due = Mark.STOP_GIVEN, FaultKind.STOPPED
            case ReportKind.DONE_FOR_DAY:
                rests = held.request.tif is Tif.GTC
                held.mark = Mark.RESTING if rests else Mark.FINISHED
                due = FaultKind.DONE_FOR_DAY if rests else None
            case ReportKind.RESUMED:
                held.mark = Mark.PLAIN
            case _ if word == FORGOTTEN:
                held.canceling, held.wanted = False, ()
                return
            case _:
                raise ValueError(f"expected what can happen to an order, was {word!r:.40}")
        held.settle()
        self._place(held)
        self.log.write(held, ReportKind(word))
        if due is not None:
            self.agenda.append((held.arrival, due))

    def _trade(self, held: Held, lots: int, ticks: int) -> None:
        held.trade(lots)
        self._place(held)
        fee = fee_ticks(lots, ticks, self._fee_permille)
        self.tally.add(held.request.symbol, held.request.side, lots, ticks, fee)
        self.log.write(held, ReportKind.TRADE, (lots, ticks, fee))
        if held.struck and not held.first_trade:
            held.first_trade = len(self.log.reports)
            fault = held.struck.get(Phase.EXECUTING)
            if fault in UNDONE_LATER:
                self.agenda.append((held.arrival, fault))

    def _undo(self, held: Held, ref: int, lots: int = 0, ticks: int = 0) -> None:
        """Bust an execution, or correct it if there are lots; unless it is closed, the order is open for the rest."""
        wrong, request = self.log.reports[ref - 1], held.request
        fee = fee_ticks(lots, ticks, self._fee_permille)
        self.tally.add(request.symbol, request.side, -wrong.last_lots, wrong.last_ticks, -wrong.fee_ticks)
        self.tally.add(request.symbol, request.side, lots, ticks, fee)
        held.cum_lots += lots - wrong.last_lots
        held.settle()
        self._place(held)
        kind = ReportKind.TRADE_CORRECT if lots else ReportKind.TRADE_CANCEL
        self.log.write(held, kind, (lots, ticks, fee), wrong.exec_id)

    def _end(self, held: Held, kind: ReportKind) -> None:
        """Close the order; replacements that are pending are refused before it."""
        while held.wanted:
            held.wanted = held.wanted[1:]
            self.log.write(held, ReportKind.REPLACE_REJECTED)
        held.close(ENDS[kind])
        self._place(held)
        self.log.write(held, kind)

    def _restate(self, held: Held, qty_lots: int) -> None:
        if held.mark in (Mark.RESTING, Mark.FINISHED):
            held.mark = Mark.PLAIN
        held.amend(qty_lots, held.terms.limit_ticks)
        self._place(held)
        self.log.write(held, ReportKind.RESTATED)

    def _amend(self, held: Held, qty_lots: int, limit_ticks: int) -> None:
        held.wanted = held.wanted[1:]
        held.amend(qty_lots, limit_ticks)
        held.queued = False  # its place is for another price
        self._place(held)
        self.log.write(held, ReportKind.REPLACED)

    def _place(self, held: Held) -> None:
        """List the order as open iff something is left, and queue it iff it is worked."""
        if not held.leaves_lots:
            held.queued = False
            self.open.pop(held.request.client_order_id, None)
            return
        self.open.setdefault(held.request.client_order_id, held)
        works = held.mark is Mark.PLAIN
        if works is held.queued or not self.live:
            return
        held.queued = works
        if not works:
            held.ticket += 1
            return
        queue = self.queues.get(held.request.symbol)
        if queue is None:
            queue = self.queues[held.request.symbol] = Queue()
        queue.add(held)
