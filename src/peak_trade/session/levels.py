"""The best limit of our open orders in each symbol, kept as they come and go: no step walks over all of them."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Levels:
    """The limits of one side's open orders; `best_ticks` is the highest of each symbol, or the lowest.

    Limits: an order that comes costs constant time; one that goes as well, unless it was the last at the best limit of
    its symbol: then one look at each other limit there.
    """

    highest: bool
    best_ticks: dict[str, int] = field(default_factory=dict)
    _orders: dict[str, Counter[int]] = field(default_factory=dict)

    def enter(self, symbol: str, limit_ticks: int) -> None:
        """Count an order that begins to work."""
        limits = self._orders.get(symbol)
        if limits is None:
            self._orders[symbol] = Counter((limit_ticks,))
            self.best_ticks[symbol] = limit_ticks
            return
        limits[limit_ticks] += 1
        best = self.best_ticks[symbol]
        if limit_ticks > best if self.highest else limit_ticks < best:
            self.best_ticks[symbol] = limit_ticks

    def leave(self, symbol: str, limit_ticks: int) -> None:
        """Forget an order that works no more; it was counted."""
        limits = self._orders[symbol]
        limits[limit_ticks] -= 1
        if limits[limit_ticks]:
            return
        del limits[limit_ticks]
        if not limits:
            del self._orders[symbol], self.best_ticks[symbol]
        elif limit_ticks == self.best_ticks[symbol]:
            self.best_ticks[symbol] = max(limits) if self.highest else min(limits)
