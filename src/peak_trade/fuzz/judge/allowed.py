"""Every order that left kept its session's limits, at the moment at which it left: recomputed from journal and bars.

The rails are not asked: what was open, held and free is added up from the records, as anybody could who reads them.

Limits: rates, repeats, duplicates, gross exposure and the loss of the day are not recomputed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from peak_trade.fuzz.world import World
from peak_trade.journal.record import Record
from peak_trade.session.recording import ACCOUNT, ORDER


@dataclass(slots=True)
class _Order:
    """An order that left: +1 buys and -1 sells, its limit and what a lot may cost, in ticks, and what is open of it."""

    symbol: str
    sign: int
    limit_ticks: int
    lot_ticks: int
    leaves_lots: int = 0


@dataclass(slots=True)
class _Ledger:
    """What the records so far come to."""

    world: World
    cash_ticks: int
    orders: dict[str, _Order] = field(default_factory=dict)
    held_lots: Counter[str] = field(default_factory=Counter)

    def open(self, symbol: str, sign: int) -> list[_Order]:
        """Return the open orders of one side of a symbol."""
        return [
            item for item in self.orders.values() if item.leaves_lots and (item.symbol, item.sign) == (symbol, sign)
        ]

    def take(self, record: Record) -> Iterator[str]:
        """Take one record; yield the limits that an order which leaves there breaks."""
        body = record.body
        if record.kind == ACCOUNT:
            self.cash_ticks = int(body["cash_ticks"] or 0)
        if record.kind != ORDER or body["outcome"] != "taken":
            return
        name = str(body["order"])
        if body["event"] == "submit":
            order = self._made(record)
            lots = int(body["order_qty"] or 0)
            yield from (f"{name}: it left beyond the limit {limit}" for limit in self._broken(order, lots, record))
            self.orders[name] = order
        if name in self.orders:
            self.orders[name].leaves_lots = int(body["leaves"] or 0)
            if body.get("position_lots") is not None:
                self.held_lots[self.orders[name].symbol] = int(body["position_lots"] or 0)

    def _made(self, record: Record) -> _Order:
        body, fee = record.body, self.world.config.venue.fee_permille
        limit = int(body["limit_ticks"] or 0)
        cost = limit + -(-limit * fee // 1000) + (fee > 0)
        return _Order(str(body["symbol"]), 1 if body["side"] == "buy" else -1, limit, cost)

    def _broken(self, order: _Order, lots: int, record: Record) -> Iterator[str]:
        limits, price = self.world.config.limits, order.limit_ticks
        bars = self.world.bars.steps[int(record.body["step"] or 0) - 1].by_symbol()
        last = bars[order.symbol].close_ticks
        if lots > limits.order_lots_max:
            yield f"order_lots_max: {lots}"
        if lots * price > limits.order_notional_ticks_max:
            yield f"order_notional_ticks_max: {lots * price}"
        if abs(price - last) * 1000 > limits.collar_permille_max * last:
            yield f"collar_permille_max: {price} at {last}"
        if (working := sum(item.leaves_lots > 0 for item in self.orders.values())) >= limits.open_orders_max:
            yield f"open_orders_max: {working} before it"
        after = self._after(order, lots)
        if order.sign * after > limits.position_lots_max:
            yield f"position_lots_max: {after}"
        if order.sign < 0 and after < 0 and not limits.short_allowed:
            yield f"short_allowed: {after}"
        if order.sign > 0 and after > 0 and lots * order.lot_ticks > (free := self._free_ticks()):
            yield f"free cash: {lots * order.lot_ticks} of {free}"
        if not limits.self_cross_allowed and self._crosses(order):
            yield f"self_cross_allowed: {price}"

    def _after(self, order: _Order, lots: int) -> int:
        """Return the position if all that is open on the order's side fills, and the order as well."""
        working = sum(item.leaves_lots for item in self.open(order.symbol, order.sign))
        return self.held_lots[order.symbol] + order.sign * (working + lots)

    def _free_ticks(self) -> int:
        buys = (item for item in self.orders.values() if item.sign > 0)
        return self.cash_ticks - sum(item.leaves_lots * item.lot_ticks for item in buys)

    def _crosses(self, order: _Order) -> bool:
        others = self.open(order.symbol, -order.sign)
        return any(order.sign * (order.limit_ticks - item.limit_ticks) >= 0 for item in others)


def broken(world: World, records: Iterable[Record]) -> Iterator[str]:
    """Yield each limit of `world` that an order broke when it left, by the records of its journal."""
    ledger = _Ledger(world, world.config.cash_ticks)
    for record in records:
        yield from ledger.take(record)
