"""The mock venue: deterministic, seeded, with a fault plan, and with a memory that outlives the session's process."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from peak_trade.broker.errors import DuplicateId, RateLimited, VenueRejected, VenueTimeout, VenueUnavailable
from peak_trade.broker.faults import Fault, FaultKind
from peak_trade.broker.ledger import Entry, Ledger, LedgerDamaged
from peak_trade.broker.matching import Settings, capacity_lots, fee_ticks, price_ticks
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, Report, ReportKind, Status
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side, Tif

REFUSED_FIRST = {FaultKind.TIMEOUT_BEFORE, FaultKind.UNAVAILABLE, FaultKind.RATE_LIMITED}
"""Faults that strike before acceptance, at the first attempt only."""

CLOSED = {
    ReportKind.CANCELED: Status.CANCELED,
    ReportKind.EXPIRED: Status.EXPIRED,
    ReportKind.REJECTED: Status.REJECTED,
}


class StepError(ValueError):
    """The market was moved to a step that does not follow the last one."""

    def __init__(self, expected: int, was: int) -> None:
        self.expected, self.was = expected, was
        super().__init__(f"expected step {expected} or one that is past, was {was}; advance one step at a time")


@dataclass(slots=True)
class Held:
    """An order as the venue holds it; `since` is the step in which it arrived."""

    request: OrderRequest
    venue_order_id: str
    since: int
    ordinal: int
    status: Status = Status.NEW
    cum_lots: int = 0

    @property
    def leaves_lots(self) -> int:
        """What may still be filled: nothing once the order is closed."""
        open_ = self.status in (Status.NEW, Status.PARTIALLY_FILLED)
        return self.request.qty_lots - self.cum_lots if open_ else 0


class MockVenue:
    """A venue behind the port. Its truth is its ledger; memory only indexes it.

    Cost of a step is proportional to the orders that rest in the symbols of its bars, not to all orders ever.
    """

    def __init__(self, ledger: Ledger, seed: int, settings: Settings, faults: Iterable[Fault]) -> None:
        self._ledger, self._seed, self._settings = ledger, seed, settings
        self._faults = {fault.order: fault.kind for fault in faults}
        self._orders: dict[str, Held] = {}
        self._ordinals: dict[str, int] = {}
        self._resting: dict[str, dict[str, Held]] = {}
        self._reports: list[Report] = []
        self._step = 0
        for number, entry in enumerate(ledger.entries, 1):
            self._restore(number, entry)
        ledger.entries.clear()

    @classmethod
    def open(cls, path: Path, seed: int, settings: Settings, faults: Iterable[Fault] = ()) -> Self:
        """Open the venue whose ledger is at `path`, with everything that it did before.

        Raises:
            LedgerDamaged: the ledger cannot be read.
        """
        return cls(Ledger(path), seed, settings, faults)

    def close(self) -> None:
        """Close the ledger; nothing is pending."""
        self._ledger.close()

    # the port

    def place_order(self, request: OrderRequest) -> Accepted:
        """Accept `request`, as the port says, with the plan's faults."""
        known = self._orders.get(request.client_order_id)
        if known is not None:
            return _again(known, request)
        identity = request.client_order_id
        seen = identity in self._ordinals
        ordinal = self._ordinals.get(identity) or len(self._ordinals) + 1
        fault = self._faults.get(ordinal)
        if fault in REFUSED_FIRST and not seen:
            self._do(["seen", identity, ordinal])
            raise _before(fault, identity)
        refusal = self._refusal(request, fault)
        self._do(["place", *_fields(request), ordinal, refusal])
        if refusal:
            raise VenueRejected(identity, refusal)
        if fault is FaultKind.TIMEOUT_AFTER:
            raise VenueTimeout(identity)
        return Accepted(identity, self._orders[identity].venue_order_id)

    def cancel_order(self, client_order_id: str) -> None:
        """Cancel what is left of the order; the report follows in the stream."""
        held = self._orders.get(client_order_id)
        if held is None:
            raise VenueRejected(client_order_id, "unknown order")
        if held.status is Status.CANCELED:
            return
        if not held.leaves_lots:
            raise VenueRejected(client_order_id, f"too late to cancel: {held.status.value}")
        self._do(["cancel", client_order_id])

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Return what the venue knows of the order, or None iff it never received it."""
        held = self._orders.get(client_order_id)
        return None if held is None else _status(held)

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return every order that rests, in order of arrival."""
        resting = [held for orders in self._resting.values() for held in orders.values()]
        return tuple(_status(held) for held in sorted(resting, key=lambda held: held.ordinal))

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Yield the reports after the cursor; a late one holds back everything after it until the next step."""
        for report in self._reports[since_cursor:]:
            fault = self._faults.get(self._ordinals[report.client_order_id])
            if fault is FaultKind.LATE_REPORT and report.step >= self._step:
                return
            yield report
            if fault is FaultKind.DUPLICATE_REPORT:
                yield report

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield the executions after the cursor, each once."""
        return (report for report in self._reports[since_cursor:] if report.kind is ReportKind.TRADE)

    # the market

    def advance(self, step: int, bars: Sequence[Bar]) -> None:
        """Match what rests against the bars of `step`; a step that is past is a no-op.

        Raises:
            StepError: a step was left out.
        """
        if step <= self._step:
            return
        if step != self._step + 1:
            raise StepError(self._step + 1, step)
        made: list[Entry] = []
        for bar in bars:
            resting = self._resting.get(bar.symbol)
            if resting:
                made += self._match(bar, tuple(resting.values()), step)
        self._do(["advance", step, made])

    def _match(self, bar: Bar, resting: tuple[Held, ...], step: int) -> Iterator[Entry]:
        """Yield what happens to the orders of one symbol, in order of arrival: [id, kind, lots, price]."""
        free = capacity_lots(self._seed, self._settings, bar, step)
        for held in resting:
            if held.since >= step:
                continue
            request, lots = held.request, 0
            price = price_ticks(request, bar, self._settings.slippage_ticks)
            if price is not None and free:
                lots = min(free, held.leaves_lots)
                free -= lots
                yield [request.client_order_id, ReportKind.TRADE.value, lots, price]
            if request.tif is not Tif.GTC and lots < held.leaves_lots:
                yield [request.client_order_id, ReportKind.EXPIRED.value, 0, 0]

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
            case ["seen", str(identity), int(ordinal)]:
                self._ordinals[identity] = ordinal
            case ["place", *fields, int(ordinal), str(refusal)]:
                self._enter(_request(fields), ordinal, refusal)
            case ["cancel", str(identity)]:
                self._report([identity, ReportKind.CANCELED.value, 0, 0])
            case ["advance", int(step), list(made)]:
                self._step = step
                for item in made:
                    self._report(item)
            case _:
                raise ValueError(f"expected an operation of the venue, was {entry!r:.60}")

    def _enter(self, request: OrderRequest, ordinal: int, refusal: str) -> None:
        identity = request.client_order_id
        held = Held(request, f"v{ordinal}", self._step, ordinal)
        self._ordinals[identity] = ordinal
        self._orders[identity] = held
        if refusal:
            held.status = Status.REJECTED
        else:
            self._resting.setdefault(request.symbol, {})[identity] = held

    def _report(self, item: Entry) -> None:
        identity, word, lots, price = item
        held, kind = self._orders[identity], ReportKind(word)
        if kind is ReportKind.TRADE:
            held.cum_lots += lots
            held.status = Status.FILLED if held.cum_lots == held.request.qty_lots else Status.PARTIALLY_FILLED
        else:
            held.status = CLOSED[kind]
        if not held.leaves_lots:
            self._resting[held.request.symbol].pop(identity, None)
        cursor = len(self._reports) + 1
        fee = fee_ticks(lots, price, self._settings.fee_permille)
        self._reports.append(
            Report(
                cursor=cursor,
                client_order_id=identity,
                venue_order_id=held.venue_order_id,
                exec_id=f"e{cursor}",
                kind=kind,
                last_lots=lots,
                last_ticks=price,
                fee_ticks=fee,
                cum_lots=held.cum_lots,
                leaves_lots=held.leaves_lots,
                step=self._step,
            )
        )

    def _refusal(self, request: OrderRequest, fault: FaultKind | None) -> str:
        if fault is FaultKind.REJECT:
            return "refused by the fault plan"
        symbols = self._settings.symbols
        return f"unknown symbol {request.symbol}" if symbols is not None and request.symbol not in symbols else ""


def _before(fault: FaultKind, identity: str) -> VenueTimeout | VenueUnavailable | RateLimited:
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


def _status(held: Held) -> OrderStatus:
    request = held.request
    return OrderStatus(
        client_order_id=request.client_order_id,
        venue_order_id=held.venue_order_id,
        symbol=request.symbol,
        side=request.side,
        status=held.status,
        qty_lots=request.qty_lots,
        cum_lots=held.cum_lots,
        leaves_lots=held.leaves_lots,
    )


def _fields(request: OrderRequest) -> list[Any]:
    return [
        request.client_order_id,
        request.symbol,
        request.side.value,
        request.qty_lots,
        request.kind.value,
        request.limit_ticks,
        request.tif.value,
    ]


def _request(fields: list[Any]) -> OrderRequest:
    identity, symbol, side, qty, kind, limit, tif = fields
    return OrderRequest(identity, symbol, Side(side), qty, Kind(kind), limit, Tif(tif))
