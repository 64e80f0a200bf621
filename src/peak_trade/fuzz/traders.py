"""Strategies to break things with: one that trades by a script, and one that keeps orders of every sort at work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from peak_trade.broker.swarm import drawn
from peak_trade.market.strategy import Intent, View
from peak_trade.market.terms import Kind, Side, Tif

REST_PERMILLE: Final = 40
"""How far from the last price a limit may be: far enough to rest, well within the collar."""
LOTS_MAX: Final = 60
CHANCE: Final = 3
"""Of so many chances to trade all but one are taken."""


@dataclass(frozen=True, slots=True)
class Line:
    """One order of a script: at `step`, a market order, or a limit that is `off_permille` from the last price.

    A `symbol` that is empty is the first one. `raises` is what the strategy raises there instead of deciding.
    """

    step: int
    side: Side = Side.BUY
    lots: int = 0
    off_permille: int | None = None
    tif: Tif = Tif.DAY
    symbol: str = ""
    raises: str = ""


@dataclass(frozen=True, slots=True)
class Scripted:
    """A strategy that asks for exactly what its lines say."""

    lines: tuple[Line, ...]

    def decide(self, view: View) -> Sequence[Intent]:
        """Return the orders of this step.

        Raises:
            ArithmeticError: the script says so.
        """
        due = [line for line in self.lines if line.step == view.step]
        for line in due:
            if line.raises:
                raise ArithmeticError(line.raises)
        return [_intent(line, view) for line in due]


def _intent(line: Line, view: View) -> Intent:
    symbol = line.symbol or min(view.bars)
    if line.off_permille is None:
        return Intent(symbol, line.side, line.lots, tif=line.tif)
    limit = view.bars[symbol].close_ticks * (1000 + line.off_permille) // 1000
    return Intent(symbol, line.side, line.lots, Kind.LIMIT, limit, line.tif)


@dataclass(frozen=True, slots=True)
class Busy:
    """A strategy that at most steps asks for an order in most symbols, of any sort, and sells what it has.

    A function of the seed and the view, so that it needs no memory.
    """

    seed: int

    def decide(self, view: View) -> Sequence[Intent]:
        """Return the orders of this step; winding down, sales of what is held and not yet on sale."""
        return list(self._intents(view))

    def _intents(self, view: View) -> Iterable[Intent]:
        for symbol, bar in view.bars.items():
            draw = drawn(self.seed, "intent", view.step, symbol)
            held, working = view.positions_lots.get(symbol, 0), view.working_lots.get(symbol, 0)
            if view.winding_down:
                if held > 0 and not working:
                    yield Intent(symbol, Side.SELL, held)
                continue
            if draw % CHANCE == 0:
                continue
            sells = held > 0 and draw // 8 % 2 == 1
            lots = 1 + draw // 16 % LOTS_MAX
            tif = tuple(Tif)[draw // 1024 % len(Tif)]
            side, lots = (Side.SELL, min(lots, held)) if sells else (Side.BUY, lots)
            if draw // 4096 % 2:
                yield Intent(symbol, side, lots, tif=tif)
                continue
            off = draw // 8192 % REST_PERMILLE
            limit = bar.close_ticks * (1000 + (off if sells else -off)) // 1000
            yield Intent(symbol, side, lots, Kind.LIMIT, max(1, limit), tif)
