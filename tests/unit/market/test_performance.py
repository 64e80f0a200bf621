"""The measures against values worked out by hand and against the definitions in floats."""

import math
import statistics
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.market import performance as p

SERIES = st.lists(st.integers(10**6, 10**7), min_size=3, max_size=60)


def test_a_series_worked_out_by_hand() -> None:
    """100, 110, 99, 99, 121: returns 1/10, -1/10, 0, 2/9; mean 1/18."""
    equity = [100, 110, 99, 99, 121]
    mean = 1 / 18
    deviation = math.sqrt(((0.1 - mean) ** 2 + (0.1 + mean) ** 2 + mean**2 + (2 / 9 - mean) ** 2) / 3)
    assert p.total_return(equity) == Decimal("0.210000000")
    assert p.drawdown(equity) == p.Drawdown(Decimal("0.100000000"), 2)
    assert float(p.volatility(equity)) == pytest.approx(deviation * math.sqrt(252), abs=1e-9)
    assert float(p.sharpe(equity)) == pytest.approx(mean / deviation * math.sqrt(252), abs=1e-9)
    assert float(p.sortino(equity)) == pytest.approx(mean / 0.05 * math.sqrt(252), abs=1e-9)


def test_closed_trades_worked_out_by_hand() -> None:
    """Two of five won; a trade without profit is no win; 30 earned and 20 lost."""
    profits = [10, -15, 20, 0, -5]
    assert (p.win_rate(profits), p.profit_factor(profits)) == (Decimal("0.400000000"), Decimal("1.500000000"))
    assert p.exposure([0, 3, 3, 0]) == Decimal("0.500000000")


def test_a_drawdown_is_the_deepest_not_the_last_and_the_longest_counts() -> None:
    """Depth and length may come from different falls; a new high ends one, an equal high too."""
    assert p.drawdown([100, 50, 100, 99, 99, 99, 120]) == p.Drawdown(Decimal("0.500000000"), 3)
    assert p.drawdown([1, 2, 2, 3]) == p.Drawdown(Decimal("0.000000000"), 0)


@pytest.mark.parametrize("equity", [[], [5], [0, 5, 5], [-5, 5, 5], [5, 0, 5]])
def test_returns_that_do_not_exist_have_no_measure(equity: list[int]) -> None:
    """Too few values, or an equity that nothing can be divided by: None, never NaN and no exception."""
    assert p.volatility(equity) is None
    assert p.sharpe(equity) is None
    assert p.sortino(equity) is None


def test_a_zero_denominator_has_no_measure() -> None:
    """Equal returns have no Sharpe ratio, no losses no Sortino and no profit factor, no trades no win rate."""
    assert p.sharpe([7, 7, 7]) is None
    assert p.sharpe([3**7 * 10, 3**6 * 40, 3**5 * 160, 3**4 * 640, 3**3 * 2560]) is None  # each step times 4/3
    assert p.sortino([1, 2, 3]) is None
    assert (p.profit_factor([5]), p.win_rate([]), p.exposure([]), p.total_return([1])) == (None, None, None, None)
    assert p.drawdown([]) is None
    assert p.measure([], [], []) == p.Performance(*(None,) * 9)


@given(SERIES)
def test_the_measures_agree_with_their_definitions(equity: list[int]) -> None:
    """Computed in floats from the textbook formulas they are the same to float accuracy, with nine decimals."""
    returns = [after / before - 1 for before, after in pairwise(equity)]
    spread = statistics.stdev(returns)
    found = p.measure(equity, [], [])
    assert float(found.volatility) == pytest.approx(spread * math.sqrt(252), abs=1e-8)
    deepest = max(1 - low / max(equity[: at + 1]) for at, low in enumerate(equity))
    assert float(found.max_drawdown) == pytest.approx(deepest, abs=1e-8)
    if spread > 1e-6:
        assert float(found.sharpe) == pytest.approx(statistics.mean(returns) / spread * math.sqrt(252), abs=1e-6)
    down = math.sqrt(sum(value**2 for value in returns if value < 0) / len(returns))
    assert (found.sortino is None) == (down == 0)
    values = (found.total_return, found.max_drawdown, found.volatility, found.sharpe, found.sortino)
    assert all(value.as_tuple().exponent == -9 for value in values if value is not None)
