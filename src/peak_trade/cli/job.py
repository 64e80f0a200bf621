"""One run from its options to its artifacts: what `peak run` and `peak demo` share."""

import gc
import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import rich_click as click

from peak_trade.cli.specs import machine_named
from peak_trade.evidence import artifacts
from peak_trade.evidence.artifacts import Snapshot
from peak_trade.evidence.collect import Collected, collect, write
from peak_trade.evidence.provenance import installed
from peak_trade.journal.scan import read
from peak_trade.market.bars import Bars, PriceMode
from peak_trade.market.reader import read_bars
from peak_trade.market.sheet import BarSettings
from peak_trade.market.strategy import Strategy, load
from peak_trade.session.assembly import JOURNAL, Session, Setup, expect_folder, open_session
from peak_trade.session.config import Config
from peak_trade.session.fence import FenceRefused, up
from peak_trade.session.inputs import FileDrift, Input, no_drift

BUILTIN: Final = "builtin"
JOURNAL_FILE: Final = "journal.jsonl"
GARBAGE_OBJECTS_MIN: Final = 50_000
"""After how many more new objects than freed ones the collector looks for cycles among the new ones."""
Progress = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What one run is asked to do; `snapshot` says all of it, so a resumed or verified run needs nothing else."""

    folder: Path
    snapshot: Snapshot
    resume: bool = False
    rearm: str = ""
    kill_switch: Path | None = None
    drift: Callable[[], Input | None] = no_drift


@dataclass(frozen=True, slots=True)
class Done:
    """How a run ended."""

    state: str
    why: str
    problem: str
    collected: Collected | None


def bars_of(snapshot: Snapshot) -> Bars:
    """Return the bars that the snapshot names: the shipped ones, or a file.

    Raises:
        MalformedBars: rows that are no bars.
        OSError: the file cannot be read.
    """
    config = Config.model_validate(snapshot.config)
    mode = None if config.market.prices == "auto" else PriceMode(config.market.prices)
    settings = BarSettings(Decimal(config.market.tick), mode)
    if snapshot.bars != BUILTIN:
        return read_bars(Path(snapshot.bars), settings)
    with importlib.resources.as_file(importlib.resources.files("peak_trade") / "data" / "stocks.csv.gz") as path:
        return read_bars(path, settings)


def strategy_of(config: Config) -> Strategy:
    """Return a fresh strategy of the configured name and parameters."""
    return load(config.strategy.factory, config.strategy.params)


def setup_of(job: Job, bars: Bars) -> Setup:
    """Return the setup of `job` over `bars`, with the shipped specifications."""
    config = Config.model_validate(job.snapshot.config)
    return Setup(
        folder=job.folder,
        session=machine_named("session"),
        order=machine_named("order"),
        breaker=machine_named("breaker"),
        config=config,
        bars=bars,
        strategy=strategy_of(config),
        steps_max=job.snapshot.steps_max,
        version=installed("peak-trade"),
        rearm=job.rearm,
        kill_switch=job.kill_switch,
        drift=job.drift,
    )


def fenced() -> None:
    """Fence this process off from every network, or end the command; before a strategy is imported."""
    try:
        up()
    except FenceRefused as error:
        raise click.UsageError(f"{error}\nnext: peak doctor --network") from error


def steady() -> None:
    """Look for cyclic garbage seldom: a session keeps nearly all that it makes, so it would look in vain."""
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS_MIN, 20, 100)


def run(job: Job, progress: Progress | None = None) -> Done:
    """Run `job` to its end and write its artifacts; a session that fails its preflight leaves its journal."""
    fenced()
    bars = bars_of(job.snapshot)
    setup = setup_of(job, bars)
    expect_folder(job.folder, resume=job.resume)
    if not job.resume:
        job.folder.mkdir(parents=True, exist_ok=True)
        write(job.folder, {artifacts.CONFIG: artifacts.json_text(job.snapshot)})
    session = open_session(setup, resume=job.resume)
    steady()
    try:
        session.start()
        session.run(job.snapshot.steps_max + session.setup.config.wind_down_steps + 200, progress)
    finally:
        session.close()
    return _done(job, session, bars)


def _done(job: Job, session: Session, bars: Bars) -> Done:
    orchestrator = session.orchestrator
    if session.journal is None:
        return Done(orchestrator.state, orchestrator.why, session.problem, None)
    found = collected(job.folder, job.snapshot, bars.name)
    write(job.folder, found.texts)
    return Done(orchestrator.state, orchestrator.why, session.problem or orchestrator.problem, found)


def collected(folder: Path, snapshot: Snapshot, data_name: str) -> Collected:
    """Return the story and artifacts of the run in `folder`, from its journal alone."""
    return collect(read(folder / JOURNAL / JOURNAL_FILE), snapshot, data_name)


def snapshot_in(folder: Path) -> Snapshot:
    """Return the configuration snapshot that a run left in `folder`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is not one of this version.
    """
    text = (folder / artifacts.CONFIG).read_text(encoding="utf-8")
    return Snapshot.model_validate_json(text)


def differences(folder: Path, texts: dict[str, str]) -> list[str]:
    """Return where the artifacts in `folder` first differ from `texts`, one line for each file that does."""
    found = []
    for name in artifacts.FIVE:
        path = folder / name
        kept = path.read_text(encoding="utf-8") if path.is_file() else ""
        difference = artifacts.first_difference(name, kept, texts[name])
        if difference:
            found.append(difference)
    return found


def drift_of(kept: Snapshot) -> Callable[[], Input | None]:
    """Return what watches the configuration file of a run, if it had one."""
    return FileDrift(Path(kept.config_file), kept.config_file_sha256) if kept.config_file else no_drift


def snapshot(bars: str, steps_max: int, config: Config) -> Snapshot:
    """Return the snapshot of a new run."""
    plain: dict[str, Any] = config.snapshot()
    return Snapshot(bars=bars, steps_max=steps_max, config=plain)
