"""The moving-average crossover on series made by hand, and on random ones against its definition."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.market.bars import Bar
from peak_trade.market.crossover import Crossover, crossover
from peak_trade.market.strategy import Intent, View
from peak_trade.market.terms import Kind, Side, Tif


def view(step: int, closes: dict[str, int], held: tuple[dict[str, int], dict[str, int]], winding: bool = False) -> View:
    """What a strategy sees: closes, positions and working lots by symbol."""
    shown = {name: Bar(name, f"{step:04}", close, close, close, close, 1) for name, close in closes.items()}
    return View(step, f"{step:04}", shown, held[0], held[1], 0, winding)


def play(strategy: Crossover, closes: Sequence[int], fill: Callable[[int], int] = lambda lots: lots) -> list[list[int]]:
    """The signed lots asked for in each step, when each intent is filled as far as `fill` says before the next."""
    position, asked = 0, []
    for step, close in enumerate(closes, 1):
        signed = [
            intent.qty_lots if intent.side is Side.BUY else -intent.qty_lots
            for intent in strategy.decide(view(step, {"A": close}, ({"A": position}, {})))
        ]
        asked.append(signed)
        position += sum(fill(abs(lots)) * (1 if lots > 0 else -1) for lots in signed)
    return asked


def test_it_buys_on_the_crossing_up_and_sells_out_on_the_crossing_down() -> None:
    """Windows 2 and 4: nothing before the slow one is full, 1000 ticks buy 76 lots at 13, all are sold at 9."""
    closes = [10, 10, 10, 10, 13, 14, 12, 9, 8]
    assert play(crossover(2, 4, 1000), closes) == [[], [], [], [], [76], [], [], [-76], []]


def test_it_asks_again_for_what_was_not_filled() -> None:
    """A target is set on a crossing only; the rest of it is asked for until it is held."""
    asked = play(crossover(1, 2, 1000), [10, 20, 21, 22, 23], lambda lots: min(lots, 20))
    assert asked == [[], [50], [30], [10], []]


def test_it_waits_while_an_order_is_working() -> None:
    """Nothing is sent for a symbol with working lots, other symbols are not held up."""
    strategy = crossover(1, 2, 100)
    strategy.decide(view(1, {"A": 10, "B": 10}, ({}, {})))
    asked = strategy.decide(view(2, {"A": 20, "B": 20}, ({}, {"A": 3})))
    assert [intent.symbol for intent in asked] == ["B"]


def test_winding_down_sells_everything_until_it_is_flat() -> None:
    """Also what it never bought and what has no bar; bars that would cross up change nothing."""
    strategy = crossover(1, 2, 100)
    strategy.decide(view(1, {"A": 10}, ({}, {})))
    for step in (2, 3):
        asked = strategy.decide(view(step, {"A": 10 * step}, ({"A": 7, "Z": -2}, {}), winding=True))
        assert asked == (Intent("A", Side.SELL, 7), Intent("Z", Side.BUY, 2))
    assert strategy.decide(view(4, {"A": 50}, ({}, {}), winding=True)) == ()


def test_limits_are_set_at_the_close() -> None:
    """By parameter the orders are limits at the last close, with the time in force asked for."""
    strategy = crossover(1, 2, 100, "limit", "ioc")
    strategy.decide(view(1, {"A": 10}, ({}, {})))
    assert strategy.decide(view(2, {"A": 20}, ({}, {}))) == (Intent("A", Side.BUY, 5, Kind.LIMIT, 20, Tif.IOC),)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60), st.integers(1, 6), st.integers(1, 6))
def test_it_holds_its_budget_iff_the_fast_mean_is_above_the_slow(closes: list[int], fast: int, more: int) -> None:
    """Filled at once, it is long after each step iff the exact means say so, and flat else."""
    slow, held, asked = fast + more, 0, play(crossover(fast, fast + more, 10_000), closes)
    for step, lots in enumerate(asked, 1):
        held += sum(lots)
        seen = closes[:step]
        above = len(seen) >= slow and Fraction(sum(seen[-fast:]), fast) > Fraction(sum(seen[-slow:]), slow)
        assert (held > 0) == above
        assert held >= 0


@given(st.lists(st.integers(1, 60), max_size=40))
def test_the_same_views_give_the_same_intents(closes: list[int]) -> None:
    """Two instances agree on everything."""
    assert play(crossover(2, 5, 500), closes) == play(crossover(2, 5, 500), closes)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ((0, 5, 100), "fast_bars: expected a whole number, 1 to"),
        ((5, 5, 100), "slow_bars: expected a whole number, 6 to"),
        ((1, 10_001, 100), "slow_bars: expected a whole number, 2 to 10000, was 10001"),
        ((1, 2, 0), "budget_ticks: expected a whole number, at least 1, was 0"),
        ((1.0, 2, 100), "fast_bars: .* was 1.0"),
        ((1, 2, 100, "stop"), "kind: expected market or limit, was 'stop'"),
        ((1, 2, 100, "limit", "never"), "tif: expected day or gtc or ioc, was 'never'"),
        ((1, 2, 100, "limit", "gtc"), "tif: expected day or ioc, was gtc"),
    ],
)
def test_a_wrong_parameter_is_named(params: tuple[object, ...], message: str) -> None:
    """The message names the parameter, what was expected and what was found."""
    with pytest.raises(ValueError, match=f"^{message}"):
        crossover(*params)
