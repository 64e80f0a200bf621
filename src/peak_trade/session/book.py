"""Our book: what we sent, what was filled, what we hold. Moved only by intents and by the venue's reports."""

from dataclasses import dataclass, field
from typing import Any

from peak_trade.broker.messages import OrderRequest
from peak_trade.market.terms import Side
from peak_trade.session.decide import Account, Past, with_fee
from peak_trade.session.levels import Levels


@dataclass(slots=True)
class Order:
    """One order: its request, its running value in the order machine, and what it may still cost.

    `value` is the kernel's tuple (state, *context), and `known` the last one that the kernel gave. `sign` is +1 for a
    buy and -1 for a sell, `lot_ticks` what one lot may cost at the limit, fees included. `resting` counts the lots that
    may still be filled, in step with the machine's leaves; `moved_step` is the last step in which the machine moved;
    `foreign` iff the venue has another order of its id.
    """

    request: OrderRequest
    value: tuple[Any, ...]
    sign: int
    lot_ticks: int
    venue_order_id: str = ""
    resting_lots: int = 0
    known: tuple[Any, ...] = ()
    moved_step: int = 0
    foreign: bool = False


@dataclass(slots=True)
class Position:
    """What is held in one symbol: signed lots, what they cost, what was realised; last price seen, in ticks."""

    lots: int = 0
    cost_ticks: int = 0
    realized_ticks: int = 0
    last_ticks: int = 0

    def fill(self, signed_lots: int, price_ticks: int) -> int:
        """Apply one execution at average cost; return the profit that it realised, in ticks, fees aside."""
        held, realized = self.lots, 0
        if held * signed_lots < 0:
            closing = min(abs(signed_lots), abs(held)) * (1 if held > 0 else -1)
            cost = self.cost_ticks * closing // held
            realized = closing * price_ticks - cost
            self.cost_ticks -= cost
            held -= closing
            signed_lots += closing
        self.lots = held + signed_lots
        self.cost_ticks += signed_lots * price_ticks
        self.realized_ticks += realized
        return realized


@dataclass(slots=True)
class Book:
    """Positions, cash and orders of one session; sums are kept, never recomputed over all orders.

    `filled_lots` is the signed sum of the orders' CumQty, `held_lots` of the positions: they are kept by different
    paths, and the tripwire compares them. `reserved_ticks` is what open buys may still cost, fees included.
    """

    cash_ticks: int
    fee_permille: int
    orders: dict[str, Order] = field(default_factory=dict)
    working: dict[str, Order] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    buying_lots: dict[str, int] = field(default_factory=dict)
    selling_lots: dict[str, int] = field(default_factory=dict)
    bids: Levels = field(default_factory=lambda: Levels(highest=True))
    asks: Levels = field(default_factory=lambda: Levels(highest=False))
    reserved_ticks: int = 0
    filled_lots: int = 0
    held_lots: int = 0
    fees_ticks: int = 0

    def position(self, symbol: str) -> Position:
        """Return the position in `symbol`, made on first use."""
        found = self.positions.get(symbol)
        if found is None:
            found = self.positions[symbol] = Position()
        return found

    def add(self, request: OrderRequest, value: tuple[Any, ...]) -> Order:
        """Enter a new order, not yet working."""
        sign = 1 if request.side is Side.BUY else -1
        order = Order(request, value, sign, with_fee(request.limit_ticks or 0, self.fee_permille))
        self.orders[request.client_order_id] = order
        return order

    def rest(self, order: Order, leaves_lots: int) -> None:
        """Set what `order` may still fill, and with it the working lots and the reserved cash."""
        was, request = order.resting_lots, order.request
        change = leaves_lots - was
        if not change:
            return
        side, levels = self.selling_lots, self.asks
        if order.sign > 0:
            side, levels = self.buying_lots, self.bids
            self.reserved_ticks += change * order.lot_ticks
        symbol = request.symbol
        side[symbol] = side.get(symbol, 0) + change
        order.resting_lots = leaves_lots
        if not leaves_lots:
            del self.working[request.client_order_id]
            levels.leave(symbol, request.limit_ticks or 0)
        elif not was:
            self.working[request.client_order_id] = order
            levels.enter(symbol, request.limit_ticks or 0)

    def fill(self, order: Order, lots: int, price_ticks: int, fee_ticks: int) -> int:
        """Apply one execution to cash and position; return the profit it realised, in ticks, fees aside."""
        signed = order.sign * lots
        self.cash_ticks -= signed * price_ticks + fee_ticks
        self.fees_ticks += fee_ticks
        self.held_lots += signed
        return self.position(order.request.symbol).fill(signed, price_ticks)

    def split(self, order: Order, lots: int) -> None:
        """Add `lots` (less than 0: take) to what `order` filled, at no cost: the venue restated it, nothing traded."""
        signed = order.sign * lots
        self.held_lots += signed
        self.position(order.request.symbol).lots += signed

    def working_lots(self) -> dict[str, int]:
        """Return the signed open quantity of each symbol that has any: buys less sells."""
        symbols = self.buying_lots.keys() | self.selling_lots.keys()
        net = {symbol: self.buying_lots.get(symbol, 0) - self.selling_lots.get(symbol, 0) for symbol in sorted(symbols)}
        return {symbol: lots for symbol, lots in net.items() if lots}

    def equity_ticks(self) -> int:
        """Return cash plus the positions at the last prices seen."""
        return self.cash_ticks + sum(item.lots * item.last_ticks for item in self.positions.values())

    def free_cash_ticks(self) -> int:
        """Return the cash that no open buy may still need."""
        return self.cash_ticks - self.reserved_ticks

    def account(self, day_loss_ticks: int, past: Past) -> Account:
        """Return what the rails look at: the book now, and what they remember."""
        return Account(
            positions_lots={symbol: item.lots for symbol, item in self.positions.items()},
            buying_lots=self.buying_lots,
            selling_lots=self.selling_lots,
            bids_ticks=self.bids.best_ticks,
            asks_ticks=self.asks.best_ticks,
            reference_ticks={symbol: item.last_ticks for symbol, item in self.positions.items()},
            open_orders=len(self.working),
            free_cash_ticks=self.free_cash_ticks(),
            day_loss_ticks=day_loss_ticks,
            fee_permille=self.fee_permille,
            past=past,
        )
