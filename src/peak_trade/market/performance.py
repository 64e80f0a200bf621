"""Textbook measures of an equity series and of closed trades; None exactly where a measure is undefined, never NaN.

Money is integers in ticks; results are Decimals rounded half-even to `DECIMALS` places from `PRECISION_DIGITS` digits,
so equal input gives equal bytes on every platform. Returns are simple returns from step to step, with a risk-free rate
of 0; annualised with `STEPS_PER_YEAR` trading days. Undefined: too few values, a zero denominator, and every measure of
returns when an equity but the last is not above 0.

Limits: linear time and memory in the series.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise
from typing import Final

DECIMALS: Final = 9
PRECISION_DIGITS: Final = 60
STEPS_PER_YEAR: Final = 252
_UNIT: Final = Decimal(1).scaleb(-DECIMALS)
_ZERO: Final = Decimal(0)
_NOISE: Final = Decimal(1).scaleb(-PRECISION_DIGITS // 2)  # below this a deviation is rounding of equal returns


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a peak: `depth` as a ratio of that peak, `length_steps` the longest time below a peak."""

    depth: Decimal
    length_steps: int


@dataclass(frozen=True, slots=True)
class Performance:
    """All measures of one run."""

    total_return: Decimal | None
    max_drawdown: Decimal | None
    max_drawdown_steps: int | None
    volatility: Decimal | None
    sharpe: Decimal | None
    sortino: Decimal | None
    win_rate: Decimal | None
    profit_factor: Decimal | None
    exposure: Decimal | None


def measure(equity_ticks: Sequence[int], profits_ticks: Sequence[int], positions_lots: Sequence[int]) -> Performance:
    """All measures: equity after each step, profit of each closed trade after fees, gross position after each step."""
    fall = drawdown(equity_ticks)
    return Performance(
        total_return=total_return(equity_ticks),
        max_drawdown=fall.depth if fall else None,
        max_drawdown_steps=fall.length_steps if fall else None,
        volatility=volatility(equity_ticks),
        sharpe=sharpe(equity_ticks),
        sortino=sortino(equity_ticks),
        win_rate=win_rate(profits_ticks),
        profit_factor=profit_factor(profits_ticks),
        exposure=exposure(positions_lots),
    )


def total_return(equity_ticks: Sequence[int]) -> Decimal | None:
    """Last equity / first equity - 1, a ratio (Bacon, Practical Portfolio Performance Measurement, 2008, ch. 2)."""
    if len(equity_ticks) < 2 or equity_ticks[0] <= 0:
        return None
    context = _context()
    return _rounded(context.divide(Decimal(equity_ticks[-1] - equity_ticks[0]), Decimal(equity_ticks[0])))


def drawdown(equity_ticks: Sequence[int]) -> Drawdown | None:
    """Largest (peak - equity) / peak, a ratio, and longest stretch of steps below a peak (Bacon 2008, ch. 4)."""
    if not equity_ticks or equity_ticks[0] <= 0:
        return None
    peak, since, longest = equity_ticks[0], 0, 0
    fall, of = 0, 1
    for equity in equity_ticks:
        if equity >= peak:
            peak, since = equity, 0
            continue
        since += 1
        longest = max(longest, since)
        if (peak - equity) * of > fall * peak:  # compared as fractions: exact
            fall, of = peak - equity, peak
    return Drawdown(_rounded(_context().divide(Decimal(fall), Decimal(of))), longest)


def volatility(equity_ticks: Sequence[int]) -> Decimal | None:
    """Sample standard deviation of returns x sqrt(252), a ratio a year (Hull, Options, Futures, 2018, ch. 15)."""
    moments = _moments(equity_ticks)
    return _rounded(_context().multiply(moments.deviation, _year())) if moments else None


def sharpe(equity_ticks: Sequence[int]) -> Decimal | None:
    """Mean return / sample standard deviation x sqrt(252), no unit (Sharpe, The Sharpe Ratio, 1994)."""
    moments = _moments(equity_ticks)
    return _ratio(moments.mean, moments.deviation) if moments else None


def sortino(equity_ticks: Sequence[int]) -> Decimal | None:
    """Mean return / root mean square of negative returns over all steps x sqrt(252), no unit.

    Source: Sortino and Price, Performance Measurement in a Downside Risk Framework, 1994; target return 0.
    """
    moments = _moments(equity_ticks)
    return _ratio(moments.mean, moments.downside) if moments else None


def win_rate(profits_ticks: Sequence[int]) -> Decimal | None:
    """Closed trades with a profit above 0 / closed trades, a ratio (Pardo, Evaluation of Trading Strategies, 2008)."""
    wins = sum(profit > 0 for profit in profits_ticks)
    return _rounded(_context().divide(Decimal(wins), Decimal(len(profits_ticks)))) if profits_ticks else None


def profit_factor(profits_ticks: Sequence[int]) -> Decimal | None:
    """Sum of profits / sum of losses, no unit; undefined without a loss (Pardo 2008, ch. 14)."""
    lost = -sum(profit for profit in profits_ticks if profit < 0)
    won = sum(profit for profit in profits_ticks if profit > 0)
    return _rounded(_context().divide(Decimal(won), Decimal(lost))) if lost else None


def exposure(positions_lots: Sequence[int]) -> Decimal | None:
    """Steps with a position / steps, a ratio (time in the market; Pardo 2008, ch. 14)."""
    invested = sum(position != 0 for position in positions_lots)
    return _rounded(_context().divide(Decimal(invested), Decimal(len(positions_lots)))) if positions_lots else None


@dataclass(frozen=True, slots=True)
class _Moments:
    """Of the returns, a step: mean, sample standard deviation, downside deviation from 0."""

    mean: Decimal
    deviation: Decimal
    downside: Decimal


def _moments(equity_ticks: Sequence[int]) -> _Moments | None:
    if len(equity_ticks) < 3 or min(equity_ticks[:-1]) <= 0:
        return None
    context = _context()
    returns = [context.divide(Decimal(after - before), Decimal(before)) for before, after in pairwise(equity_ticks)]
    count = Decimal(len(returns))
    mean = context.divide(_sum(returns), count)
    spread = _sum([_square(context.subtract(value, mean)) for value in returns])
    downside = _sum([_square(value) for value in returns if value < 0])
    return _Moments(
        mean,
        context.sqrt(context.divide(spread, count - 1)),
        context.sqrt(context.divide(downside, count)),
    )


def _ratio(mean: Decimal, deviation: Decimal) -> Decimal | None:
    """A year's ratio, iff the deviation is above rounding noise."""
    context = _context()
    if deviation < _NOISE:
        return None
    return _rounded(context.multiply(context.divide(mean, deviation), _year()))


def _sum(values: Sequence[Decimal]) -> Decimal:
    context, total = _context(), _ZERO
    for value in values:
        total = context.add(total, value)
    return total


def _square(value: Decimal) -> Decimal:
    return _context().multiply(value, value)


def _year() -> Decimal:
    return _context().sqrt(Decimal(STEPS_PER_YEAR))


def _rounded(value: Decimal) -> Decimal:
    result = value.quantize(_UNIT, context=_context())
    return result or _ZERO.quantize(_UNIT)  # no negative zero in a report


def _context() -> Context:
    return Context(prec=PRECISION_DIGITS, rounding=ROUND_HALF_EVEN)
