"""The mock venue: deterministic, seeded, with a fault plan, and with a memory that outlives the session's process.

Every operation is durable before it is answered, and what was drawn stands in the ledger: opened again, the venue goes
on as if it had never been closed. With an empty plan nothing goes wrong.

Limits: orders and reports are kept for as long as the venue lives, in memory and in its ledger. A step costs what
happens in it: neither orders that are closed nor orders that rest away from the market are visited.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from peak_trade.broker.answers import REFUSED_BY_PLAN, WHERE, StepError, again, irreplaceable, unheard
from peak_trade.broker.deeds import FORGOTTEN, Item, Scene, decided, matched
from peak_trade.broker.delivery import delivered
from peak_trade.broker.errors import DuplicateId, InvalidRequest, VenueRejected, VenueTimeout, VenueUnavailable
from peak_trade.broker.faults import Fault, FaultKind, Phase
from peak_trade.broker.floor import Floor
from peak_trade.broker.held import Held, listed
from peak_trade.broker.ledger import Entry, Ledger, LedgerDamaged
from peak_trade.broker.lies import lied_list, lied_status
from peak_trade.broker.matching import Settings as Settings  # noqa: PLC0414 - the venue is opened with them
from peak_trade.broker.matching import capacity_lots
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report, ReportKind, Status
from peak_trade.broker.schedule import Schedule
from peak_trade.broker.truth import Truth
from peak_trade.market.bars import Bar

REFUSED_FIRST: Final = frozenset({FaultKind.TIMEOUT_BEFORE, FaultKind.UNAVAILABLE, FaultKind.RATE_LIMITED})
"""Faults that strike before acceptance, at the first attempt only."""
EXECUTIONS: Final = frozenset({ReportKind.TRADE, ReportKind.TRADE_CANCEL, ReportKind.TRADE_CORRECT})
FORGETTABLE: Final = frozenset({FaultKind.CANCEL_RACE, FaultKind.REPLACE_RACE})


class MockVenue:
    """A venue behind the port. Its truth is its ledger; memory only indexes it."""

    def __init__(self, path: Path, seed: int, settings: Settings, faults: Iterable[Fault]) -> None:
        self._seed, self._settings, self._plan = seed, settings, Schedule(faults)
        self._floor = Floor(self._plan, settings.fee_permille)
        self._ledger = Ledger(path)
        for number, entry in enumerate(self._ledger.entries, 1):
            try:
                self._floor.apply(entry)
            except (KeyError, ValueError, TypeError, IndexError) as error:
                raise LedgerDamaged(path, number, str(entry)) from error
        self._ledger.entries.clear()
        self._floor.begin()

    @classmethod
    def open(cls, path: Path, seed: int, settings: Settings, faults: Iterable[Fault] = ()) -> Self:
        """Open the venue whose ledger is at `path`, with everything that it did before.

        Raises:
            LedgerDamaged: the ledger cannot be read, or was written under another plan.
            PlanError: the plan has two faults in one phase of an order, or windows that overlap.
        """
        return cls(path, seed, settings, faults)

    def close(self) -> None:
        """Close the ledger; nothing is pending."""
        self._ledger.close()

    # the port

    def place_order(self, request: OrderRequest) -> Accepted:
        """Accept `request`, as the port says, with the plan's faults."""
        self._reach("place_order")
        identity, floor = request.client_order_id, self._floor
        known = floor.orders.get(identity)
        if known is not None:
            return again(known, request)
        if identity in floor.replaces:
            raise DuplicateId(identity)
        lost = floor.lost.get(identity)
        ordinal = lost or floor.ordinal + 1
        fault = self._plan.of(ordinal).get(Phase.PLACING)
        if fault is not None and lost is None:
            self._fire(fault, ordinal)
        if fault in REFUSED_FIRST and lost is None:
            self._do(["seen", identity, ordinal])
            raise unheard(fault, identity)
        refusal = self._refusal(request, fault)
        self._ledger.write(["place", *listed(request), ordinal, refusal])
        floor.enter(request, ordinal, refusal)
        if refusal:
            raise VenueRejected(identity, refusal)
        if fault is FaultKind.TIMEOUT_AFTER:
            raise VenueTimeout(identity)
        return Accepted(identity, f"v{ordinal}")

    def cancel_order(self, client_order_id: str) -> None:
        """Cancel what is left of the order; the report follows in the stream, at once or when it was pending."""
        self._reach("cancel_order")
        held = self._floor.orders.get(client_order_id)
        if held is None:
            raise VenueRejected(client_order_id, "unknown order")
        if held.closed is Status.CANCELED or held.canceling:
            return
        if not held.leaves_lots:
            raise VenueRejected(client_order_id, f"too late to cancel: {held.status.value}")
        fault = held.fault(Phase.CANCELING)
        if fault is FaultKind.CANCEL_REJECTED and held.asked_step == self._floor.step:
            raise VenueRejected(client_order_id, REFUSED_BY_PLAN)
        if fault is None or held.asked_step >= 0:
            self._do(["cancel", held.arrival, *self._leaving()])
            return
        self._fire_on(held, fault)
        self._do(["cancel", held.arrival, fault])
        if fault is FaultKind.CANCEL_REJECTED:
            raise VenueRejected(client_order_id, REFUSED_BY_PLAN)
        if fault in (FaultKind.CANCEL_TIMEOUT_BEFORE, FaultKind.CANCEL_TIMEOUT_AFTER):
            raise VenueTimeout(client_order_id)

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Take the replacement, as the port says; at once, or in the next step if the plan has it pending."""
        self._reach("replace_order")
        identity, floor = request.client_order_id, self._floor
        first, refusal = floor.replaces.get(request.replace_id, (None, ""))
        if first not in (None, request) or request.replace_id in floor.orders:
            raise DuplicateId(request.replace_id)
        held = floor.orders.get(identity)
        if first is None:
            fault = None if held is None or held.replaced else held.fault(Phase.REPLACING)
            refusal = irreplaceable(held, request) or (REFUSED_BY_PLAN if fault is FaultKind.REPLACE_REJECTED else "")
            pends = fault is FaultKind.REPLACE_RACE or (held is not None and bool(held.wanted)) or bool(self._leaving())
            if held is not None and fault is not None and refusal in ("", REFUSED_BY_PLAN):
                self._fire_on(held, fault)
            facts = [request.replace_id, identity, request.qty_lots, request.limit_ticks]
            self._do(["replace", *facts, refusal, pends])
        if refusal or held is None:
            raise VenueRejected(identity, refusal)
        return Accepted(identity, held.venue_order_id)

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Return what the venue knows of the order, or None iff it never received it; the plan may make it lie."""
        self._reach("query_order")
        held = self._floor.orders.get(client_order_id)
        told = None if held is None else held.told()
        window = self._plan.window(FaultKind.WRONG_SNAPSHOT, self._floor.step)
        if window is None or window.how is None:
            return told
        oldest = next((held.request.client_order_id for held in self._open()), "")
        lied = lied_status(window.how, told, client_order_id, oldest, self._floor.step)
        if lied != told:
            self._fire(window.kind, window.step)
        return lied

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return every order that may still trade, in order of arrival; the plan may make it lie."""
        self._reach("list_open_orders")
        told = tuple(held.told() for held in self._open())
        window = self._plan.window(FaultKind.WRONG_SNAPSHOT, self._floor.step)
        if window is None or window.how is None:
            return told
        lied = lied_list(window.how, told, self._floor.step)
        if lied != told:
            self._fire(window.kind, window.step)
        return lied

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Yield the reports after the cursor as they reach us: `peak_trade.broker.delivery` says what is on the way."""
        self._reach("iter_reports")
        reports = self._since(since_cursor)
        if not self._plan.reporting:
            return iter(reports)
        return delivered(self._floor.log.sent(since_cursor), self._floor.step)

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield executions, busts and corrections after the cursor, each once; nothing is held back from a snapshot."""
        self._reach("iter_fills")
        return (report for report in self._since(since_cursor) if report.kind in EXECUTIONS)

    # for tests and the failure matrix

    @property
    def fired(self) -> Mapping[FaultKind, int]:
        """How many faults of each planned kind took effect; 0 is a kind that was planned and never did."""
        return self._plan.counts()

    def unfired(self) -> tuple[Fault, ...]:
        """Return the planned faults that never took effect."""
        return tuple(fault for fault in self._plan.faults if fault not in self._plan.fired)

    def truth(self) -> Truth:
        """Return what is true here, whatever was told."""
        floor = self._floor
        orders = {identity: held.told() for identity, held in floor.orders.items()}
        return Truth(orders, floor.tally.positions_lots(), floor.tally.cash_ticks, len(floor.log.reports))

    # the market

    @property
    def now(self) -> int:
        """The step that it has reached, if only in part."""
        return self._floor.log.now

    def advance(self, step: int, bars: Sequence[Bar]) -> None:
        """Do what the plan has in store, then match what rests against the bars; a step that is past is a no-op.

        Raises:
            StepError: a step was left out.
            ValueError: two bars are of one symbol.
        """
        floor = self._floor
        if step <= floor.step:
            return
        if step != floor.step + 1:
            raise StepError(floor.step + 1, step)
        if len({bar.symbol for bar in bars}) != len(bars):
            raise ValueError(f"expected one bar a symbol, was {[bar.symbol for bar in bars]}; merge them")
        if floor.agenda and floor.log.now < step:  # else this was done before the process died
            self._strike(step, {bar.symbol: bar for bar in bars})
        made: list[Item] = []
        for bar in bars:
            queue = floor.queues.get(bar.symbol)
            if queue is not None:
                free = capacity_lots(self._seed, self._settings, bar, step)
                items = queue.match(bar, free, self._settings.slippage_ticks)
                made += self._reshaped(items) if self._plan.faults else items
        self._do(["advance", step, made])

    def _strike(self, step: int, bars: Mapping[str, Bar]) -> None:
        """Decide each matter of the agenda, at most one an order, and do them; the rest waits for the next step."""
        floor, made, waiting = self._floor, list[Item](), list[tuple[int, FaultKind]]()
        restart, busy = self._plan.window(FaultKind.RESTART, step), set[int]()
        for arrival, kind in floor.agenda:
            held = floor.held[arrival]
            items: list[Item] | None
            if restart is not None and kind in FORGETTABLE and (held.canceling or held.wanted):
                self._fire(restart.kind, restart.step)
                items = [[arrival, FORGOTTEN]]
            elif arrival in busy:
                items = None
            else:
                bar = bars.get(held.request.symbol)
                items = decided(held, kind, Scene(self._seed, self._settings.slippage_ticks, bar, floor.log.reports))
            if items is None:
                waiting.append((arrival, kind))
            elif items:
                busy.add(arrival)
                made += items
            if items and items[0][1] != FORGOTTEN and kind in held.struck.values():
                self._fire_on(held, kind)
        self._do(["strike", step, made, waiting])

    def _reshaped(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield what the plan makes of what was matched."""
        for item in items:
            held = self._floor.held[item[0]]
            if not held.struck:
                yield item
                continue
            made, kind = matched(held, item, self._seed)
            if kind is not None:
                self._fire_on(held, kind)
            yield from made

    # the ledger

    def _do(self, entry: Entry) -> None:
        """Make an operation durable, then make it so."""
        self._ledger.write(entry)
        self._floor.apply(entry)

    def _fire(self, kind: FaultKind, place: int) -> None:
        """Note, durably and once, that a planned fault takes effect."""
        if self._plan.named(kind, place) not in self._plan.fired:
            self._do(["fired", kind, place])

    def _fire_on(self, held: Held, kind: FaultKind) -> None:
        self._fire(kind, held.ordinal)

    def _leaving(self) -> tuple[FaultKind, ...]:
        """Return why requests stay pending: the venue restarts in the next step."""
        return () if self._plan.window(FaultKind.RESTART, self._floor.step + 1) is None else (FaultKind.RESTART,)

    def _reach(self, call: str) -> None:
        """Raise VenueUnavailable iff the plan has an outage now."""
        window = self._plan.window(FaultKind.OUTAGE, self._floor.step) if self._plan.faults else None
        if window is not None:
            self._fire(window.kind, window.step)
            raise VenueUnavailable(WHERE, call)

    def _since(self, cursor: int) -> list[Report]:
        reports = self._floor.log.reports
        if not 0 <= cursor <= len(reports):  # a negative one would silently count from the end
            raise InvalidRequest("since_cursor", f"expected 0 to {len(reports)}, was {cursor}")
        return reports[cursor:]

    def _open(self) -> list[Held]:
        return sorted(self._floor.open.values(), key=lambda held: held.arrival)

    def _refusal(self, request: OrderRequest, fault: FaultKind | None) -> str:
        if fault is FaultKind.REJECT:
            return REFUSED_BY_PLAN
        symbols = self._settings.symbols
        return f"unknown symbol {request.symbol}" if symbols is not None and request.symbol not in symbols else ""
