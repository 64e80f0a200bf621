"""What is true at the venue, whatever it told: for tests and the failure matrix, never for a session."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from peak_trade.broker.messages import OrderStatus
from peak_trade.market.terms import Side


@dataclass(frozen=True, slots=True)
class Truth:
    """The venue's orders by id, positions by symbol (none that are 0), cash flow in ticks, and last cursor."""

    orders: Mapping[str, OrderStatus]
    positions_lots: Mapping[str, int]
    cash_ticks: int
    head_cursor: int


@dataclass(slots=True)
class Tally:
    """The sum of all executions that stand: signed lots by symbol, and the cash that they moved, fees included."""

    lots: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    cash_ticks: int = 0

    def add(self, symbol: str, side: Side, lots: int, ticks: int, fee_ticks: int) -> None:
        """Enter an execution; with negative lots and fee, take one back."""
        signed = lots if side is Side.BUY else -lots
        self.lots[symbol] += signed
        self.cash_ticks -= signed * ticks + fee_ticks

    def positions_lots(self) -> dict[str, int]:
        """Return the positions that are not 0, by symbol."""
        return {symbol: lots for symbol, lots in sorted(self.lots.items()) if lots}
