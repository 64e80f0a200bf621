"""Moving-average crossover: long a fixed budget while the fast mean of closes is above the slow one, else flat.

Position sizes are set only on a crossing: budget_ticks // close lots up, 0 down; until that target is reached the rest
is asked for again each step, never while a quantity of the symbol is working. Winding down targets 0 everywhere.
Means are compared as running sums of integers (fast_sum * slow_bars > slow_sum * fast_bars): nothing is rounded.
Source: the dual moving average crossover of Murphy, Technical Analysis of the Financial Markets (1999), ch. 9.

Limits: `WINDOW_BARS_MAX`; memory is slow_bars closes a symbol.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from peak_trade.market.strategy import Intent, View
from peak_trade.market.terms import Kind, Side, Tif

WINDOW_BARS_MAX: Final = 10_000
_Words = TypeVar("_Words", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Windows:
    """What the crossover is made with; constructed iff 1 <= fast < slow <= `WINDOW_BARS_MAX` and 1 <= budget.

    `budget_ticks` is lots times ticks a symbol. A limit order's limit is the last close. A gtc order would rest and
    block the symbol while the price runs away, so day or ioc.

    Raises:
        ValueError: names the parameter, what was expected and what was found.
    """

    fast_bars: int
    slow_bars: int
    budget_ticks: int
    kind: Kind = Kind.MARKET
    tif: Tif = Tif.DAY

    def __post_init__(self) -> None:
        _whole("fast_bars", self.fast_bars, 1, WINDOW_BARS_MAX - 1)
        _whole("slow_bars", self.slow_bars, self.fast_bars + 1, WINDOW_BARS_MAX)
        _whole("budget_ticks", self.budget_ticks, 1, None)
        if self.tif is Tif.GTC:
            raise ValueError("tif: expected day or ioc, was gtc; a resting order would block the symbol")


def crossover(fast_bars: int, slow_bars: int, budget_ticks: int, kind: str = "market", tif: str = "day") -> "Crossover":
    """The strategy with these parameters.

    Raises:
        ValueError: a parameter is out of its range or an unknown word.
    """
    return Crossover(Windows(fast_bars, slow_bars, budget_ticks, _word("kind", kind, Kind), _word("tif", tif, Tif)))


class Crossover:
    """The strategy; one instance a session, as it remembers the closes that it has seen."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._trends: dict[str, _Trend] = {}
        self._targets: dict[str, int] = {}

    def decide(self, view: View) -> Sequence[Intent]:
        """The orders towards the targets, by symbol."""
        for symbol, bar in view.bars.items():
            trend = self._trends.setdefault(symbol, _Trend(self._windows))
            if trend.crosses(bar.close_ticks):
                self._targets[symbol] = self._windows.budget_ticks // bar.close_ticks if trend.up else 0
        if view.winding_down:
            self._targets = dict.fromkeys((*self._trends, *view.positions_lots), 0)
            concerned = sorted(self._targets)
        else:
            concerned = sorted(self._targets.keys() & view.bars.keys())
        intents = (self._towards(symbol, view) for symbol in concerned if not view.working_lots.get(symbol))
        return tuple(intent for intent in intents if intent is not None)

    def _towards(self, symbol: str, view: View) -> Intent | None:
        """The order for what is missing to the target; a market order where no close was ever seen."""
        missing = self._targets[symbol] - view.positions_lots.get(symbol, 0)
        if not missing:
            return None
        side = Side.BUY if missing > 0 else Side.SELL
        trend = self._trends.get(symbol)
        if self._windows.kind is Kind.MARKET or trend is None:
            return Intent(symbol, side, abs(missing), Kind.MARKET, None, self._windows.tif)
        return Intent(symbol, side, abs(missing), Kind.LIMIT, trend.close_ticks, self._windows.tif)


class _Trend:
    """One symbol's running sums; `up` iff the slow window is full and the fast mean is above the slow one."""

    __slots__ = ("_closes", "_fast_sum", "_slow_sum", "_windows", "close_ticks", "up")

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._closes: deque[int] = deque()
        self._fast_sum = 0
        self._slow_sum = 0
        self.close_ticks = 0
        self.up = False

    def crosses(self, close_ticks: int) -> bool:
        """Take the close; True iff it changed `up`."""
        fast, slow, closes = self._windows.fast_bars, self._windows.slow_bars, self._closes
        self.close_ticks = close_ticks
        self._fast_sum += close_ticks - (closes[-fast] if len(closes) >= fast else 0)
        self._slow_sum += close_ticks
        closes.append(close_ticks)
        if len(closes) > slow:
            self._slow_sum -= closes.popleft()
        was = self.up
        self.up = len(closes) == slow and self._fast_sum * slow > self._slow_sum * fast
        return self.up != was


def _whole(name: str, value: int, least: int, most: int | None) -> None:
    if type(value) is int and value >= least and (most is None or value <= most):
        return
    expected = f"at least {least}" if most is None else f"{least} to {most}"
    raise ValueError(f"{name}: expected a whole number, {expected}, was {value!r}; correct the parameter")


def _word(name: str, value: str, words: type[_Words]) -> _Words:
    try:
        return words(value)
    except ValueError:
        expected = " or ".join(words)
        raise ValueError(f"{name}: expected {expected}, was {value!r}; correct the parameter") from None
