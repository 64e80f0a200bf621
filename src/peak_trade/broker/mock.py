"""The mock venue: deterministic, seeded, with a fault plan, and with a memory that outlives the session's process.

Limits: orders and reports are kept for as long as the venue lives, in memory and in its ledger. A step costs what
happens in it: neither orders that are closed nor orders that rest away from the market are visited.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from peak_trade.broker.errors import (
    DuplicateId,
    InvalidRequest,
    RateLimited,
    VenueRejected,
    VenueTimeout,
    VenueUnavailable,
)
from peak_trade.broker.faults import Fault, FaultKind, by_order
from peak_trade.broker.held import Held, listed, unlisted
from peak_trade.broker.ledger import Entry, Ledger, LedgerDamaged
from peak_trade.broker.matching import Settings as Settings  # noqa: PLC0414 - the venue is opened with them
from peak_trade.broker.matching import capacity_lots, fee_ticks
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, Report, ReportKind, Status
from peak_trade.broker.queue import Queue
from peak_trade.market.bars import Bar

REFUSED_FIRST: Final = frozenset({FaultKind.TIMEOUT_BEFORE, FaultKind.UNAVAILABLE, FaultKind.RATE_LIMITED})
"""Faults that strike before acceptance, at the first attempt only."""


class StepError(ValueError):
    """The market was moved to a step that does not follow the last one."""

    def __init__(self, expected: int, was: int) -> None:
        super().__init__(expected, was)
        self.expected, self.was = expected, was

    def __str__(self) -> str:
        return f"expected step {self.expected} or one that is past, was {self.was}; advance one step at a time"


class MockVenue:
    """A venue behind the port. Its truth is its ledger; memory only indexes it."""

    def __init__(self, path: Path, seed: int, settings: Settings, faults: Iterable[Fault]) -> None:
        self._seed, self._settings, self._faults = seed, settings, by_order(faults)
        self._held: list[Held] = []
        self._orders: dict[str, Held] = {}
        self._open: dict[str, Held] = {}
        self._lost: dict[str, int] = {}
        self._ordinal = 0
        self._queues: dict[str, Queue] = {}
        self._reports: list[Report] = []
        self._step = 0
        self._ledger = Ledger(path)
        for number, entry in enumerate(self._ledger.entries, 1):
            self._restore(number, entry)
        self._ledger.entries.clear()
        for held in self._open.values():
            self._queue(held)

    @classmethod
    def open(cls, path: Path, seed: int, settings: Settings, faults: Iterable[Fault] = ()) -> Self:
        """Open the venue whose ledger is at `path`, with everything that it did before.

        Raises:
            LedgerDamaged: the ledger cannot be read.
            ValueError: the plan has two faults for one order.
        """
        return cls(path, seed, settings, faults)

    def close(self) -> None:
        """Close the ledger; nothing is pending."""
        self._ledger.close()

    # the port

    def place_order(self, request: OrderRequest) -> Accepted:
        """Accept `request`, as the port says, with the plan's faults."""
        identity = request.client_order_id
        known = self._orders.get(identity)
        if known is not None:
            return _again(known, request)
        lost = self._lost.get(identity)
        ordinal = lost or self._ordinal + 1
        fault = self._faults.get(ordinal)
        if fault in REFUSED_FIRST and lost is None:
            self._do(["seen", identity, ordinal])
            raise _before(fault, identity)
        refusal = self._refusal(request, fault)
        self._ledger.write(["place", *listed(request), ordinal, refusal])
        held = self._enter(request, ordinal, refusal)
        if refusal:
            raise VenueRejected(identity, refusal)
        self._queue(held)
        if fault is FaultKind.TIMEOUT_AFTER:
            raise VenueTimeout(identity)
        return Accepted(identity, held.venue_order_id)

    def cancel_order(self, client_order_id: str) -> None:
        """Cancel what is left of the order; the report follows in the stream."""
        held = self._orders.get(client_order_id)
        if held is None:
            raise VenueRejected(client_order_id, "unknown order")
        if held.status is Status.CANCELED:
            return
        if not held.leaves_lots:
            raise VenueRejected(client_order_id, f"too late to cancel: {held.status.value}")
        self._do(["cancel", held.arrival])

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Return what the venue knows of the order, or None iff it never received it."""
        held = self._orders.get(client_order_id)
        return None if held is None else held.told()

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return every order that may still trade, in order of arrival."""
        return tuple(held.told() for held in self._open.values())

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Yield the reports after the cursor; a late one holds back everything after it until the next step."""
        reports = self._since(since_cursor)
        return self._delivered(reports) if self._faults else iter(reports)

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield the executions after the cursor, each once."""
        return (report for report in self._since(since_cursor) if report.kind is ReportKind.TRADE)

    def _since(self, cursor: int) -> list[Report]:
        if not 0 <= cursor <= len(self._reports):  # a negative one would silently count from the end
            raise InvalidRequest("since_cursor", f"expected 0 to {len(self._reports)}, was {cursor}")
        return self._reports[cursor:]

    def _delivered(self, reports: list[Report]) -> Iterator[Report]:
        for report in reports:
            fault = self._orders[report.client_order_id].fault
            if fault is FaultKind.LATE_REPORT and report.step >= self._step:
                return
            yield report
            if fault is FaultKind.DUPLICATE_REPORT:
                yield report

    # the market

    def advance(self, step: int, bars: Sequence[Bar]) -> None:
        """Match what rests against the bars of `step`; a step that is past is a no-op.

        Raises:
            StepError: a step was left out.
            ValueError: two bars are of one symbol.
        """
        if step <= self._step:
            return
        if step != self._step + 1:
            raise StepError(self._step + 1, step)
        if len({bar.symbol for bar in bars}) != len(bars):
            raise ValueError(f"expected one bar a symbol, was {[bar.symbol for bar in bars]}; merge them")
        made: list[list[int]] = []
        for bar in bars:
            queue = self._queues.get(bar.symbol)
            if queue is not None:
                free = capacity_lots(self._seed, self._settings, bar, step)
                made += queue.match(bar, free, self._settings.slippage_ticks)
        self._do(["advance", step, made])

    # the ledger

    def _do(self, entry: Entry) -> None:
        """Make an operation durable, then make it so."""
        self._ledger.write(entry)
        self._apply(entry)

    def _restore(self, number: int, entry: Entry) -> None:
        try:
            self._apply(entry)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise LedgerDamaged(self._ledger.path, number, str(entry)) from error

    def _apply(self, entry: Entry) -> None:
        match entry:
            case ["advance", int(step), list(made)]:
                self._step = step
                for item in made:
                    self._happen(*item)
            case ["place", *request, int(ordinal), str(refusal)]:
                self._enter(unlisted(request), ordinal, refusal)
            case ["cancel", int(arrival)]:
                self._close(self._held[arrival], ReportKind.CANCELED, Status.CANCELED)
            case ["seen", str(identity), int(ordinal)]:
                self._ordinal = max(self._ordinal, ordinal)
                self._lost[identity] = ordinal
            case _:
                raise ValueError(f"expected an operation of the venue, was {entry!r:.60}")

    def _enter(self, request: OrderRequest, ordinal: int, refusal: str) -> Held:
        fault, identity = self._faults.get(ordinal), request.client_order_id
        held = Held(request, f"v{ordinal}", len(self._held), fault, 0 if refusal else request.qty_lots)
        self._ordinal = max(self._ordinal, ordinal)
        self._lost.pop(identity, None)
        self._held.append(held)
        self._orders[identity] = held
        if refusal:
            held.status = Status.REJECTED
        else:
            self._open[identity] = held
        return held

    def _queue(self, held: Held) -> None:
        queue = self._queues.get(held.request.symbol)
        if queue is None:
            queue = self._queues[held.request.symbol] = Queue()
        queue.add(held)

    def _happen(self, arrival: int, lots: int = 0, ticks: int = 0) -> None:
        """Take one item of a step: a trade, or an expiry if no lots are given."""
        held = self._held[arrival]
        if not lots:
            self._close(held, ReportKind.EXPIRED, Status.EXPIRED)
            return
        held.trade(lots)
        if not held.leaves_lots:
            del self._open[held.request.client_order_id]
        self._report(held, ReportKind.TRADE, lots, ticks)

    def _close(self, held: Held, kind: ReportKind, status: Status) -> None:
        held.close(status)
        del self._open[held.request.client_order_id]
        self._report(held, kind, 0, 0)

    def _report(self, held: Held, kind: ReportKind, lots: int, ticks: int) -> None:
        cursor = len(self._reports) + 1
        self._reports.append(
            Report(
                cursor=cursor,
                client_order_id=held.request.client_order_id,
                venue_order_id=held.venue_order_id,
                exec_id=f"e{cursor}",
                kind=kind,
                last_lots=lots,
                last_ticks=ticks,
                fee_ticks=fee_ticks(lots, ticks, self._settings.fee_permille),
                cum_lots=held.cum_lots,
                leaves_lots=held.leaves_lots,
                step=self._step,
                order_lots=held.request.qty_lots,
            )
        )

    def _refusal(self, request: OrderRequest, fault: FaultKind | None) -> str:
        if fault is FaultKind.REJECT:
            return "refused by the fault plan"
        symbols = self._settings.symbols
        return f"unknown symbol {request.symbol}" if symbols is not None and request.symbol not in symbols else ""


def _before(fault: FaultKind | None, identity: str) -> VenueTimeout | VenueUnavailable | RateLimited:
    match fault:
        case FaultKind.TIMEOUT_BEFORE:
            return VenueTimeout(identity)
        case FaultKind.RATE_LIMITED:
            return RateLimited(identity)
        case _:
            return VenueUnavailable("the mock venue", "place_order")


def _again(held: Held, request: OrderRequest) -> Accepted:
    if held.request != request:
        raise DuplicateId(request.client_order_id)
    if held.status is Status.REJECTED:
        raise VenueRejected(request.client_order_id, "rejected the first time")
    return Accepted(request.client_order_id, held.venue_order_id)
