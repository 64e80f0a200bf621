"""`peak bench prove`: a proof for any number and any size beside two explorers, ours and SPIN, on growing instances."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.backends.domains import Bounds
from peak_trade.cli.specs import spec_folder, system_at
from peak_trade.lang.compose import instance
from peak_trade.lang.system import System
from peak_trade.proof.explore import explore
from peak_trade.proof.parametric import Task, prove_system
from peak_trade.proof.solve import GaveUp
from peak_trade.session.clock import wall_ns

MODEL: Final = Path("docs/models/ptref")
"""The reference model, from the folder that has `spec/` in it."""
SIZES: Final = ((1, 3), (1, 10), (2, 3), (2, 5), (3, 3))
LONG: Final = ((2, 10), (3, 5))
"""Numbers of orders and largest quantities; SPIN needs minutes for the last."""
VALUES_MAX: Final = 3_000_000
SPIN_SECONDS_MAX: Final = 900
SPIN_DEPTH_MAX: Final = 1_000_000
MISSING: Final = "not installed"
TOOLS: Final = ("spin", "gcc")


@dataclass(frozen=True, slots=True)
class Spin:
    """What SPIN counted, and how long it took to compile its checker and to run it; `why` iff it did not."""

    states: int | None = None
    compile_s: float | None = None
    run_s: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Race:
    """One instance: `orders` and quantities up to `quantity`; `why` iff our explorer did not finish.

    `ratio` is SPIN's time, its compiler included, to that of our proof, which is for every instance at once.
    """

    orders: int
    quantity: int
    states: int | None
    explore_s: float
    states_per_s: int | None
    why: str
    spin: Spin
    ratio: float | None


@click.command("prove")
@click.option("--long", is_flag=True, help="Also instances that take minutes.")
@click.option("--rows", type=click.IntRange(1, len(SIZES)), default=len(SIZES), help="Only the first so many.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(rows: int, style: str, *, long: bool) -> None:
    """Prove the reference model for any number of orders of any size; explore and SPIN instances of it in the same run.

    Exits 1 if a claim is not proved, or the two explorers count differently.
    """
    folder = spec_folder().parent / MODEL
    if not folder.is_dir():
        raise click.UsageError(f"expected the reference model in {MODEL.as_posix()}; run this in a checkout")
    system = system_at(str(folder / "system.yaml"))
    begin = wall_ns()
    report = prove_system(Task(system))
    took = wall_ns() - begin
    found = [_race(system, folder, size, took) for size in (*SIZES[:rows], *(LONG if long else ()))]
    agreed = all(None in (item.states, item.spin.states) or item.states == item.spin.states for item in found)
    facts = {
        "proved": report.passed,
        "claims": len(report.results),
        "prove_s": _seconds(took),
        "rows": [asdict(item) for item in found],
        "agreed": agreed,
    }
    click.echo(_json(facts) if style == "json" else _text(facts, found))
    if not (report.passed and agreed):
        raise Exit(1)


def _race(system: System, folder: Path, size: tuple[int, int], proof_ns: int) -> Race:
    orders, quantity = size
    machine = instance(system, orders)
    begin = wall_ns()
    graph = explore(machine, VALUES_MAX, Bounds({"x": (1, quantity)}, quantity))
    took = wall_ns() - begin
    states = None if isinstance(graph, GaveUp) else len(graph.values)
    spun = _spin(folder, orders, quantity)
    ratio = None
    if spun.compile_s is not None and spun.run_s is not None:
        ratio = round((spun.compile_s + spun.run_s) / (proof_ns / 1e9), 2)
    rate = None if states is None else states * 1_000_000_000 // max(1, took)
    why = graph.reason if isinstance(graph, GaveUp) else ""
    return Race(orders, quantity, states, _seconds(took), rate, why, spun, ratio)


def _spin(folder: Path, orders: int, quantity: int) -> Spin:
    """Return what SPIN says of one instance; its one state before the quantities are chosen is not counted."""
    tools = [shutil.which(name) for name in TOOLS]
    if None in tools:
        return Spin(why=MISSING)
    spin, gcc = map(str, tools)
    make = [spin, f"-DN={orders}", f"-DQ={quantity}", "-a", str((folder / "ptref.pml").resolve())]
    packed = ["-DCOLLAPSE"] if (orders, quantity) in LONG else []  # slower, but the last instance has 34 million states
    build = [gcc, *packed, "-O2", "-DSAFETY", "-DNOREDUCE", "-DNOCLAIM", "-o", "pan", "pan.c"]
    with tempfile.TemporaryDirectory(prefix="peak-spin-") as place:
        begin = wall_ns()
        for words in (make, build):
            if _run(words, place) is None:
                return Spin(why=f"{Path(words[0]).name} failed")
        middle = wall_ns()
        said = _run([str(Path(place) / "pan"), f"-m{SPIN_DEPTH_MAX}"], place)
        end = wall_ns()
    counted = [line.split()[0] for line in (said or "").splitlines() if line.endswith("states, stored")]
    if not counted or "errors: 0" not in (said or ""):
        return Spin(why="no count, or an error")
    return Spin(int(counted[0]) - 1, _seconds(middle - begin), _seconds(end - middle))


def _run(words: list[str], place: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - a tool that was found on the path, with our own words
            words, cwd=place, capture_output=True, text=True, timeout=SPIN_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def _seconds(took_ns: int) -> float:
    return round(took_ns / 1e9, 3)


def _json(facts: dict[str, Any]) -> str:
    return json.dumps({"schema_version": 1, **facts}, sort_keys=True, indent=2)


def _text(facts: dict[str, Any], found: list[Race]) -> str:
    word = "proved" if facts["proved"] else "NOT proved"
    heads = ("orders", "qty", "states", "ours", "states/s", "SPIN states", "compile", "run", "SPIN/proof")
    lines = [
        f"{facts['claims']} claims {word} for any number of orders of any size in {facts['prove_s']:.2f} s",
        "{:>6} {:>4} {:>10} {:>9} {:>9} {:>11} {:>8} {:>9} {:>10}".format(*heads),
    ]
    for item in found:
        spin = item.spin
        lines.append(
            f"{item.orders:>6} {item.quantity:>4} {_number(item.states):>10} {item.explore_s:>7.2f} s "
            f"{_number(item.states_per_s):>9} "
            f"{_number(spin.states) if not spin.why else spin.why:>11} {_time(spin.compile_s):>8} "
            f"{_time(spin.run_s):>9} {'' if item.ratio is None else format(item.ratio, '.1f') + 'x':>10}".rstrip()
        )
        lines += [f"       ours: {item.why}"] if item.why else []
    return "\n".join(lines)


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _time(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"
