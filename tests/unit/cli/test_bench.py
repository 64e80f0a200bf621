"""`peak bench`: what it counts as a promise, and that it measures the real thing; no test looks at a clock."""

import json
from dataclasses import replace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from peak_trade.cli import bench, stress
from peak_trade.cli.stress import Bench, Scan, Teller, compared_ns, filled, filling, fills_of, kept, reconciling
from peak_trade.market.bars import Bar
from peak_trade.market.strategy import View
from peak_trade.market.terms import Side

GOOD: dict[str, Any] = {
    "slowest_fills_per_second": stress.FILLS_PER_SECOND_MIN,
    "flatness": stress.FLATNESS_MAX,
    "reconcile_ms": stress.RECONCILE_MS_MAX,
    "reconcile_growth": stress.GROWTH_MAX,
}


@pytest.fixture(scope="module")
def machines() -> Bench:
    """The bench of the specifications."""
    return Bench.of()


def test_each_promise_is_kept_at_its_limit_and_broken_beyond_it() -> None:
    """A figure at its limit is kept; one beyond it breaks the promise, whatever the others are."""
    assert kept(GOOD)
    for name, limit in GOOD.items():
        worse = limit - 1 if name == "slowest_fills_per_second" else limit + 0.001
        assert not kept({**GOOD, name: worse}), name


@pytest.mark.parametrize(("growth", "code"), [(10.0, 0), (12.5, 1)])
def test_the_command_prints_all_figures_and_fails_iff_a_promise_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, growth: float, code: int
) -> None:
    """The document holds figures and limits; a failure says what to run next, apart from the document."""
    monkeypatch.setattr(stress, "filling", lambda *_: {"slowest_fills_per_second": 300_000, "flatness": 1.0})
    monkeypatch.setattr(stress, "reconciling", lambda *_: {"reconcile_ms": 30.0, "reconcile_growth": growth})
    done = CliRunner().invoke(bench.command, ["book", "--rounds", "1", "--format", "json"])
    assert done.exit_code == code
    document = json.loads(done.stdout)
    assert (document["schema_version"], document["kept"], document["rounds"]) == (1, code == 0, 1)
    assert {"fills_per_second_min", "flatness_max", "reconcile_ms_max", "reconcile_growth_max"} < document.keys()
    assert done.stderr.startswith("next: peak bench book") is (code == 1)
    assert "reconcile_growth " in CliRunner().invoke(bench.command, ["book"]).stdout


def test_fills_are_measured_on_the_way_into_the_book(machines: Bench) -> None:
    """The order is filled at the end; reports that do not fill it are no measurement."""
    assert machines.fill_ns(fills_of(5)) > 0
    with pytest.raises(click.ClickException, match="filled by 4 fills"):
        machines.fill_ns([*fills_of(5)[:3], replace(fills_of(5)[3], last_lots=2)])
    assert machines.peer_ns() > 0


def test_a_comparison_is_measured_only_if_everything_agrees(machines: Bench) -> None:
    """The venue's words are its own, not our reports; one that tells less ends the measurement."""
    desk = machines.filled_desk(3)
    assert isinstance(desk.broker, Teller)
    assert desk.broker.reports == tuple(desk.reconciler.executions) == filled(3)
    assert not any(one is other for one, other in zip(desk.broker.reports, desk.reconciler.executions, strict=True))
    assert compared_ns(desk) > 0
    desk.broker.reports = filled(2)
    with pytest.raises(click.ClickException, match="phantom_fill"):
        compared_ns(desk)


def test_the_list_scan_counts_each_execution_once() -> None:
    """The peer does what it is there for: a fill that comes again changes nothing."""
    scan = Scan()
    for told in [*fills_of(4), *fills_of(4)]:
        scan.take(told)
    assert (scan.cum_lots, len(scan.names)) == (4, 4)
    assert scan.cost_ticks == 4 * stress.PRICE_TICKS


def test_flatness_and_ratios_are_of_the_least_costs(monkeypatch: pytest.MonkeyPatch, machines: Bench) -> None:
    """Given costs lead to known figures: the middle size against the smallest, the peers against ours."""
    costs = {2: [500, 400], 4: [700, 600], 8: [300, 350]}

    def fill_ns(_: Bench, reports: list[Any]) -> float:
        left = costs[len(reports)]
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(Bench, "fill_ns", fill_ns)
    monkeypatch.setattr(Bench, "peer_ns", lambda _: 6_000)
    monkeypatch.setattr(stress, "_ns", lambda _, items: len(items) * 1_200)
    facts = filling(machines, (2, 4, 8), 2)
    assert facts["flatness"] == 1.5
    assert facts["slowest_fills_per_second"] == 1_666_667
    assert facts["ratio_to_python_statemachine"] == 10.0
    assert facts["list_scan_flatness"] == 1.0
    assert [facts["fills"][size]["ratio_to_list_scan"] for size in ("2", "4", "8")] == [3.0, 2.0, 4.0]


def test_growth_is_the_larger_against_the_smaller(monkeypatch: pytest.MonkeyPatch, machines: Bench) -> None:
    """Given times lead to known figures; the least of the rounds counts."""
    times = iter([2_000_000, 30_000_000, 3_000_000, 25_000_000])
    monkeypatch.setattr(stress, "compared_ns", lambda _: next(times))
    facts = reconciling(machines, (2, 20), 2)
    assert (facts["reconcile_growth"], facts["reconcile_ms"]) == (12.5, 25.0)
    assert facts["reconciled"]["2"] == {"ms": 2.0, "orders_per_second": 1_000}


def test_a_small_run_gives_every_figure(machines: Bench) -> None:
    """Nothing is made up: the real measurement, on small sizes, gives the document that `kept` judges."""
    facts = filling(machines, (2, 4, 8), 1) | reconciling(machines, (2, 20), 1)
    assert facts.keys() > GOOD.keys()
    assert isinstance(kept(facts), bool)


def test_turnover_buys_what_is_flat_and_sells_what_is_held() -> None:
    """One order for each symbol without one; when the run winds down only what is held is sold."""
    bars = {name: Bar(name, "2026-01-02", 10, 10, 10, 10, 5) for name in ("A", "B", "C")}
    view = View(1, "", bars, {"B": 7}, {"C": 1}, 0, winding_down=False)
    wanted = [(item.symbol, item.side, item.qty_lots) for item in bench.Turnover().decide(view)]
    assert wanted == [("A", Side.BUY, bench.LOTS), ("B", Side.SELL, 7)]
    assert [item.symbol for item in bench.Turnover().decide(replace(view, winding_down=True))] == ["B"]
