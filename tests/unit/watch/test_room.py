"""How near each rail came to its limit is what a second look at the run finds."""

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.room import Gauge, gauges
from peak_trade.watch.seen import Seen, look


def found(folder: Path, words: Lexicon) -> tuple[Seen, dict[str, Gauge]]:
    """The run in `folder` and its gauges by rail."""
    seen = look(folder, (words.session, words.order))
    return seen, {gauge.rail: gauge for gauge in gauges(seen, words.rails)}


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_bar_is_full_exactly_when_the_limit_is_reached(limit: int, nearest: int) -> None:
    """1000 thousandths or more iff the nearest measure reaches the limit; never 0 for anything but 0."""
    used = Gauge("x", "lots", limit, 0, nearest, 0).used_permille
    assert used is not None
    assert (used > 1000) == (nearest > limit > 0)
    assert (used == 0) == (nearest == 0)
    if limit and nearest == limit:
        assert used == 1000


def test_every_rail_has_a_gauge_in_declared_order(runs: dict[str, Path], words: Lexicon) -> None:
    """Each declared rail is shown: with measure and limit, or with a note that says why not."""
    _, by_rail = found(runs["plain"], words)
    assert tuple(by_rail) == words.rails
    assert all(gauge.used_permille is not None or gauge.note for gauge in by_rail.values())
    assert {rail for rail, gauge in by_rail.items() if gauge.used_permille is None} == {
        "price_collar",
        "no_price",
        "short",
        "stale_price",
        "trading_halted",
        "only_reducing",
        "duplicate_order",
        "self_cross",
    }


def test_windows_count_what_left_within_them(runs: dict[str, Path], words: Lexicon) -> None:
    """The largest number of orders within each window is that of a naive recount over all windows."""
    seen, by_rail = found(runs["plain"], words)
    assert seen.snapshot is not None
    limits = seen.snapshot.config["limits"]
    lines = [(line.step, line.symbol) for line in seen.story.lines.values() if not line.rail]

    def most(window: int, symbol: str | None) -> int:
        ends = range(1, max(step for step, _ in lines) + 1)
        return max(sum(end - window < step <= end and symbol in (None, one) for step, one in lines) for end in ends)

    assert by_rail["order_rate"].nearest == most(limits["rate_window_steps"], None)
    symbols = {symbol for _, symbol in lines}
    assert by_rail["repeated_execution"].nearest == max(most(limits["repeat_window_steps"], one) for one in symbols)
    assert by_rail["gross_exposure"].nearest == max(row.equity_ticks - row.cash_ticks for row in seen.story.accounts)


def test_measures_are_those_of_the_run(runs: dict[str, Path], words: Lexicon) -> None:
    """Largest order, value, position, number open and number in one step, recounted from trades and lines."""
    seen, by_rail = found(runs["plain"], words)
    lines = list(seen.story.lines.values())
    assert by_rail["order_quantity"].nearest == max(line.qty for line in lines)
    assert by_rail["order_notional"].nearest == max(line.qty * line.limit_ticks for line in lines)
    assert by_rail["position"].nearest == max(abs(trade.position_lots) for trade in seen.story.trades)
    assert by_rail["position"].now == 0
    assert by_rail["open_orders"].nearest == max(row.open_orders for row in seen.story.accounts)
    steps = [line.step for line in lines]
    assert by_rail["step_orders"].nearest == max(steps.count(step) for step in steps)


def test_the_daily_loss_is_against_the_day_before(runs: dict[str, Path], words: Lexicon) -> None:
    """With one bar a day the loss of the day is what equity fell since the step before."""
    seen, by_rail = found(runs["plain"], words)
    series = [row.equity_ticks for row in seen.story.accounts]
    falls = [max(0, before - after) for before, after in itertools.pairwise(series)]
    assert by_rail["daily_loss"].nearest == max(falls) > 0
    assert by_rail["daily_loss"].limit == 2_000_000_000


def test_denials_are_counted_at_their_rail(runs: dict[str, Path], words: Lexicon) -> None:
    """Of four resting orders with room for two, the others are denied in each step by the rail on open orders."""
    seen, by_rail = found(runs["denied"], words)
    assert by_rail["open_orders"].limit == by_rail["open_orders"].nearest == 2
    assert by_rail["open_orders"].used_permille == 1000
    assert by_rail["open_orders"].denied == sum(line.rail == "open_orders" for line in seen.story.lines.values()) > 0


def test_without_a_configuration_no_limit_is_claimed(troubled: Path, words: Lexicon) -> None:
    """A run without its configuration shows measures, no limits, and says so."""
    _, by_rail = found(troubled, words)
    assert by_rail["order_quantity"].nearest == 7
    assert by_rail["order_quantity"].limit is None
    assert by_rail["order_quantity"].used_permille is None
    assert "no configuration" in by_rail["order_quantity"].note
