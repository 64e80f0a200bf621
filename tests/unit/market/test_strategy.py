"""Intents, views and the loader."""

import sys
from pathlib import Path

import pytest

from peak_trade.market.bars import Bar
from peak_trade.market.crossover import Crossover
from peak_trade.market.strategy import Intent, StrategyError, View, load
from peak_trade.market.terms import Kind, Side

CROSSOVER = "peak_trade.market.crossover:crossover"


def test_a_strategy_is_loaded_by_name() -> None:
    """The factory gets the parameters and its strategy comes back."""
    assert isinstance(load(CROSSOVER, {"fast_bars": 2, "slow_bars": 3, "budget_ticks": 9}), Crossover)


@pytest.mark.parametrize(
    ("reference", "params", "reason"),
    [
        ("crossover", {}, "expected module:factory"),
        ("../x:y", {}, "expected module:factory"),
        ("x" * 300, {}, "expected module:factory"),
        ("no_such_module_here:build", {}, "cannot be imported: ModuleNotFoundError"),
        ("peak_trade.market.crossover:nobody", {}, "no such name"),
        ("peak_trade.market.crossover:WINDOW_BARS_MAX", {}, "was int"),
        (CROSSOVER, {}, "parameters do not fit: missing a required argument: 'fast_bars'"),
        (CROSSOVER, {"fast_bars": 9, "slow_bars": 3, "budget_ticks": 9}, "the factory refused: ValueError: slow_bars"),
        ("builtins:dict", {}, "decide"),
    ],
)
def test_what_cannot_be_loaded_says_why(reference: str, params: dict[str, object], reason: str) -> None:
    """One class of error, with the reference and the reason as attributes."""
    with pytest.raises(StrategyError) as caught:
        load(reference, params)
    assert caught.value.reference == reference[:200]
    assert reason in str(caught.value)


def test_a_module_that_breaks_on_import_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a user's module raises is told with its class, and chained."""
    (tmp_path / "broken_desk_module.py").write_text("1 / 0\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(StrategyError, match="ZeroDivisionError") as caught:
        load("broken_desk_module:build", {})
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_view_cannot_be_changed() -> None:
    """Neither by the strategy nor afterwards through the mapping that it was made from."""
    held = {"A": 1}
    seen = View(1, "2024-01-02", {"A": Bar("A", "2024-01-02", 1, 1, 1, 1, 0)}, held, {}, 0)
    held["A"] = 2
    assert seen.positions_lots["A"] == 1
    with pytest.raises(TypeError):
        seen.positions_lots["A"] = 3
    with pytest.raises(AttributeError):
        seen.cash_ticks = 5


@pytest.mark.parametrize(
    "wrong", [(0, Kind.MARKET, None), (1, Kind.MARKET, 5), (1, Kind.LIMIT, None), (1, Kind.LIMIT, 0)]
)
def test_an_intent_is_sane_from_its_construction(wrong: tuple[int, Kind, int | None]) -> None:
    """It trades something, and has a limit iff it is a limit order."""
    with pytest.raises(ValueError, match="expected"):
        Intent("A", Side.BUY, *wrong)
