"""One small run with faults over bars of its own, and ways to kill it, stop it and pack it."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli import gather, job
from peak_trade.cli.app import command
from peak_trade.cli.gather import Asked
from peak_trade.cli.job import Job
from peak_trade.evidence.artifacts import Snapshot
from peak_trade.evidence.facts import Facts
from peak_trade.evidence.provenance import Provenance
from peak_trade.market.bars import Bars
from peak_trade.market.synthetic import walk
from peak_trade.session.config import Config, StrategyPart, VenuePart
from peak_trade.session.inputs import Input

SYMBOLS, STEPS, SEED = 5, 45, 11
DATE = "20260118"
CONFIG = Config(
    seed=SEED,
    cash_ticks=10**10,
    fault_permille=250,
    wind_down_steps=8,
    strategy=StrategyPart(params={"fast_bars": 2, "slow_bars": 5, "budget_ticks": 200_000_000}),
    venue=VenuePart(participation_permille_min=5, participation_permille_max=40),
)

Invoke = Callable[..., Result]
Die = Callable[[Path, int], bool]


def csv(bars: Bars) -> str:
    """Write bars as a file that `read_bars` reads."""
    lines = ["date,symbol,open,high,low,close,volume"]
    for step in bars.steps:
        for bar in step.bars:
            prices = (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)
            text = ",".join(f"{price // 10_000}.{price % 10_000:04d}" for price in prices)
            lines.append(f"{bar.ts},{bar.symbol},{text},{bar.volume_lots}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The one configuration of these tests, over a file of bars."""
    path = tmp_path_factory.mktemp("bars") / "walk.csv"
    path.write_text(csv(walk(SEED, SYMBOLS, STEPS, volume_lots=40_000)))
    return job.snapshot(str(path), STEPS, CONFIG)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot) -> Path:
    """The folder of the run that nobody disturbed; tests read it and change nothing in it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = job.run(Job(folder, snapshot))
    assert done.state == "STOPPED"
    assert done.collected is not None
    assert done.collected.story.events["time_out"] > 0
    return folder


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot) -> Callable[[str, int], Path]:
    """Give the maker of a run into which an event comes from outside before a step."""

    def make(event: str, step: int) -> Path:
        folder, count = tmp_path_factory.mktemp(event) / "run", 0

        def drift() -> Input | None:
            nonlocal count
            count += 1
            payload = {"drifted_flag": False} if event == "config_drift" else {}
            return (event, payload) if count == step else None

        job.run(Job(folder, snapshot, drift=drift))
        return folder

    return make


@pytest.fixture(scope="session")
def die(snapshot: Snapshot) -> Die:
    """Give a way to run in a child that is killed in its n-th write to disk; true iff it was."""

    def run_and_die(folder: Path, point: int) -> bool:
        child = os.fork()
        if child == 0:
            _die_at(point)
            job.run(Job(folder, snapshot))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status)

    return run_and_die


def _die_at(point: int) -> None:
    count, write = 0, os.write

    def counted(handle: int, data: bytes) -> int:
        nonlocal count
        count += 1
        if count == point:
            write(handle, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(handle, data)

    os.write = counted


@pytest.fixture
def invoke() -> Invoke:
    """Give a way to call `peak` in this process."""

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(command, [str(argument) for argument in arguments])

    return call


@pytest.fixture(scope="session")
def proofs(proved: Path) -> dict[str, object]:
    """The verdicts on the shipped specifications as they are packed, proved once."""
    found: dict[str, object] = json.loads((proved.parent / "proofs.json").read_text())
    return found


@pytest.fixture(scope="session")
def facts(run: Path, proofs: dict[str, object]) -> Callable[..., Facts]:
    """Give the facts of an evidence pack of one phase, replayed, from a clean checkout; each is collected once."""
    known: dict[str, Facts] = {}

    def make(phase: str, *, anew: bool = False) -> Facts:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gather, "proofs", lambda: proofs)
            patch.setattr(gather, "provenance", lambda: Provenance("c0ffee" * 6 + "c0ff", dirty=False))
            if phase not in known or anew:
                known[phase] = gather.gather(run, Asked(f"EV-{DATE}-FINISH_{phase}-TRY", phase, strict=True))
        return known[phase]

    return make
