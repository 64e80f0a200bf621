"""`peak bench`: how fast it is, as ratios against a peer in the same run or as rates over sizes."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import rich_click as click

from peak_trade.cli.job import steady
from peak_trade.cli.measured import report
from peak_trade.cli.race import command as race
from peak_trade.cli.rates import command as fuzz
from peak_trade.cli.specs import machine_named
from peak_trade.cli.stress import command as book
from peak_trade.evidence.speed import kernel_speed
from peak_trade.market.bars import Bars
from peak_trade.market.strategy import Intent, View
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.assembly import Setup, open_session
from peak_trade.session.clock import cpu_ns, wall_ns
from peak_trade.session.config import Config, LimitsPart

SYMBOLS: Final = 100
LOTS: Final = 100
SIZES: Final = (1_000, 10_000, 100_000)
KERNEL_RATIO_MIN: Final = 250
ORDER_RATIO_MIN: Final = 300
INSTANCE_BYTES_MAX: Final = 200
ORDERS_PER_SECOND_MIN: Final = 10_000
FLATNESS_MIN: Final = 0.75
MONITORED: Final = 10_000
"""The number of orders with which the monitor's cost is measured."""


@dataclass(slots=True)
class Turnover:
    """A strategy that buys when flat and sells when long: one order for each symbol and step, the busiest there is."""

    def decide(self, view: View) -> Sequence[Intent]:
        """Return one order for each symbol that has nothing working."""
        intents = []
        for symbol in view.bars:
            if view.working_lots.get(symbol):
                continue
            held = view.positions_lots.get(symbol, 0)
            if held or not view.winding_down:
                side = Side.SELL if held > 0 else Side.BUY
                intents.append(Intent(symbol, side, abs(held) or LOTS, Kind.MARKET, None, Tif.DAY))
        return intents


@click.group("bench")
def command() -> None:
    """Measure speed; exits 1 if a promise is not kept."""


command.add_command(race)
command.add_command(book)
command.add_command(fuzz)


@command.command("kernel")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def kernel(style: str) -> None:
    """Measure the checked step against python-statemachine in the same process, in CPU time."""
    facts = kernel_speed(machine_named("order"), cpu_ns)
    kept = (
        facts["step_ratio"] >= KERNEL_RATIO_MIN
        and facts["order_ratio"] >= ORDER_RATIO_MIN
        and facts["instance_bytes"] <= INSTANCE_BYTES_MAX
    )
    promises = {"step_ratio_min": KERNEL_RATIO_MIN, "order_ratio_min": ORDER_RATIO_MIN}
    report({**facts, **promises, "instance_bytes_max": INSTANCE_BYTES_MAX, "kept": kept}, style, "peak bench kernel")


@command.command("run")
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="Rounds; the median counts.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def run(rounds: int, style: str) -> None:
    """Measure whole orders a second: strategy, rails, journal with group commit, mock venue, fills and book.

    Promised without the monitor of the session's own trace; what that costs is measured beside it.
    """
    sizes: dict[str, Any] = {}
    beside: list[float] = []
    for orders in SIZES:
        bars = walk(7, SYMBOLS, orders // SYMBOLS + 25)
        rates = [_rate(bars, orders) for _ in range(rounds if orders < SIZES[-1] else 1)]
        if orders == MONITORED:
            beside = [_rate(bars, orders, monitor=True)[2] for _ in range(rounds)]
        sizes[str(orders)] = {
            "orders": rates[0][0],
            "orders_per_second_wall": round(statistics.median(rate for _, rate, _ in rates)),
            "orders_per_second_cpu": round(statistics.median(rate for _, _, rate in rates)),
        }
    slow = min(item["orders_per_second_wall"] for item in sizes.values())
    flat = sizes[str(SIZES[-1])]["orders_per_second_cpu"] / sizes[str(SIZES[0])]["orders_per_second_cpu"]
    share = statistics.median(beside) / sizes[str(MONITORED)]["orders_per_second_cpu"]
    facts = {
        "sizes": sizes,
        "slowest_orders_per_second": slow,
        "flatness": round(flat, 3),
        "with_monitor_orders_per_second_cpu": round(statistics.median(beside)),
        "with_monitor_share": round(share, 3),
    }
    promises = {"orders_per_second_min": ORDERS_PER_SECOND_MIN, "flatness_min": FLATNESS_MIN}
    kept = slow >= ORDERS_PER_SECOND_MIN and flat >= FLATNESS_MIN
    report({**facts, **promises, "kept": kept}, style, "peak bench run --rounds 5")


def _rate(bars: Bars, orders: int, *, monitor: bool = False) -> tuple[int, float, float]:
    """Return how many orders a run of about `orders` placed, and orders a second in wall and in CPU time."""
    limits = LimitsPart(order_lots_max=LOTS, position_lots_max=LOTS, open_orders_max=SYMBOLS)
    config = Config(cash_ticks=10**12, limits=limits, wind_down_steps=10, monitor=monitor)
    with tempfile.TemporaryDirectory(prefix="peak-bench-") as folder:
        steps = orders // SYMBOLS + 20
        setup = Setup(
            folder=Path(folder) / "run",
            session=machine_named("session"),
            order=machine_named("order"),
            breaker=machine_named("breaker"),
            config=config,
            bars=bars,
            strategy=Turnover(),
            steps_max=steps,
            version="bench",
        )
        session = open_session(setup, resume=False)
        steady()
        session.start()
        placed, wall, cpu = _timed(lambda: session.run(steps + 100), session.orchestrator.desk.book.orders)
        session.close()
    if session.orchestrator.state != "STOPPED":
        raise click.ClickException(
            f"expected the benchmark's session to end in STOPPED, was {session.orchestrator.state}"
        )
    return placed, placed / (wall / 1e9), placed / (cpu / 1e9)


def _timed(work: Callable[[], object], orders: dict[str, Any]) -> tuple[int, int, int]:
    wall, cpu = wall_ns(), cpu_ns()
    work()
    return len(orders), wall_ns() - wall, cpu_ns() - cpu
