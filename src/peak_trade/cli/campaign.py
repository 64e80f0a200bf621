"""One campaign from what is asked to what it comes to: jobs on a fleet, then shrinking, proofs and the page here."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import rich_click as click

from peak_trade.cli.fleets import fleet_of
from peak_trade.cli.job import fenced
from peak_trade.cli.progress import bar
from peak_trade.cli.specs import machine_at
from peak_trade.cli.spread import machines
from peak_trade.fuzz.campaign.digest import Told, canary, digest
from peak_trade.fuzz.campaign.night import ENGINES, Night, Plan
from peak_trade.fuzz.campaign.report import Picture, Story, page
from peak_trade.fuzz.campaign.sessions import sessions
from peak_trade.fuzz.campaign.summary import Summary, plain, summary
from peak_trade.fuzz.cover.coverage import Goal
from peak_trade.fuzz.cover.gate import Requirement
from peak_trade.fuzz.cover.heat import heat
from peak_trade.fuzz.cover.unreached import Unreachable, explained
from peak_trade.fuzz.engines.exhaust import exhauster
from peak_trade.fuzz.engines.lanes import laner
from peak_trade.fuzz.engines.walk import walker
from peak_trade.fuzz.fleet.fleet import Partial, run
from peak_trade.fuzz.fleet.shifts import Shard, interruptible, until
from peak_trade.fuzz.jobs import Engine, Result, perform
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.session.clock import wall_ns

SUBJECTS: Final = {
    "walk": ("order", "session", "breaker", "venue", "system@2"),
    "lanes": ("order", "session", "breaker"),
    "exhaustive": ("order", "session", "breaker"),
}
"""Which machines each engine walks; maps are beyond `lanes`."""
REPORT, RESULT = "report.html", "result.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a campaign is asked to do; `minutes` 0 means until `sessions` are played."""

    plan: Plan
    shard: Shard
    minutes: float
    sessions: int
    executor: str
    jobs: int
    out: Path
    required: tuple[Requirement, ...]
    canary: bool

    def texts(self, clock_ms: Callable[[], int]) -> Iterable[str]:
        """Return the jobs of this shard, as texts; a list iff their number is known."""
        part = self.shard.part(job.model_dump_json() for job in self.plan.jobs(None if self.minutes else self.sessions))
        return until(part, clock_ms, clock_ms() + round(self.minutes * 60_000)) if self.minutes else list(part)


def work(text: str) -> str:
    """Do a job of a campaign: JSON in, JSON out."""
    return perform(text, engines(), fingerprints())


def engines() -> dict[str, Engine]:
    """Return the engines by name, over the machines of this package."""
    return {
        "sessions": lambda job: sessions(machines(), job),
        "walk": walker(machine_at),
        "lanes": laner(machine_at),
        "exhaustive": exhauster(machine_at),
    }


def fingerprints() -> dict[str, str]:
    """Return the fingerprint of each machine that is judged."""
    return {machine.name: fingerprint(machine) for machine in judged()}


def judged() -> tuple[Machine, ...]:
    """Return the machines whose coverage is judged."""
    ours = machines()
    return ours.session, ours.order, ours.breaker


def played(asked: Asked) -> Summary:
    """Play the campaign; return what it comes to.

    Raises:
        CanaryLives: a claim that is false was not refuted, so that nothing else counts.
    """
    died = _canary(asked) if asked.canary else None
    night, partial = Night(), ""
    with fleet_of(asked.executor, asked.jobs) as fleet, interruptible() as stopped, _shown(asked) as show:
        try:
            for text in run(asked.texts(_clock_ms), work, fleet, stopped):
                night.add(Result.model_validate_json(text))
                show(night)
        except Partial as error:
            partial = f"partial: {error.done} of {error.total or error.handed} jobs were done, {error.why}"
    fenced()
    return replace(judge(night, asked.required, asked.out), canary=died, partial=partial)


def _canary(asked: Asked) -> Told:
    """Return how the canary died, in a process of its own: a session fences its own, and this may need a cluster."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(canary, machines(), asked.plan.seed, asked.out / "canary").result()


def judge(night: Night, required: tuple[Requirement, ...], out: Path) -> Summary:
    """Return what a night comes to: each kind of finding is shrunk, and what was not reached goes to the prover."""
    told = tuple(digest(night.findings, machines(), out / "findings"))
    return summary(night, judged(), required, told, _unreachable(night, required))


def merged(files: Iterable[Path]) -> Night:
    """Return the night whose parts the result files of its shards are.

    Raises:
        UsageError: a file is no such result.
    """
    night = Night()
    for file in files:
        try:
            night.merge(json.loads(file.read_text(encoding="utf-8"))["night"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            was = f"{type(error).__name__}: {error}"
            raise click.UsageError(f"{file}: expected the {RESULT} of a campaign, was {was}") from error
    return night


def _clock_ms() -> int:
    return wall_ns() // 1_000_000


@contextmanager
def _shown(asked: Asked) -> Iterator[Callable[[Night], None]]:
    """Show how far the campaign is: by its time, or by its jobs."""
    if asked.minutes:
        begun, total = _clock_ms(), round(asked.minutes * 60)
        with bar(total, "seconds") as show:
            yield lambda night: show(min(total, (_clock_ms() - begun) // 1000), _now(night))
        return
    texts = asked.texts(_clock_ms)
    with bar(len(list(texts)), "jobs") as show:
        yield lambda night: show(night.jobs, _now(night))


def _now(night: Night) -> str:
    return f"{night.played:,} sessions, {len(night.coverage.goals):,} goals, {len(night.findings)} findings"


def _unreachable(night: Night, required: tuple[Requirement, ...]) -> dict[Goal, str]:
    """Return what is required, was not seen and is proved unreachable, each goal with the engine of its proof."""
    found: dict[Goal, str] = {}
    for machine in judged():
        made = summary(night, (machine,), required, (), {})
        missed = [goal for row in made.rows for goal in row.misses if goal.machine == machine.name]
        proofs = explained(machine, dict.fromkeys(missed)) if missed else ()
        found |= {item.goal: item.engine for item in proofs if isinstance(item, Unreachable)}
    return found


def written(out: Path, made: Summary, seed: int, command: str) -> None:
    """Write result and page; each appears whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    result = json.dumps(plain(made), sort_keys=True, indent=1) + "\n"
    pictures = {
        machine.name: Picture.of(heat(machine, made.night.coverage, made.unreachable.keys())) for machine in judged()
    }
    figures = made.night.figures
    facts = {
        "sessions": f"{made.night.played:,}",
        "jobs": f"{made.night.jobs:,}",
        "goals seen": f"{len(made.night.coverage.goals):,}",
        "findings": str(len(made.told)),
    }
    story = Story(
        seed=seed,
        verdict=made.verdict,
        why=made.why,
        partial=made.partial,
        command=command,
        facts=facts,
        rows=made.rows,
        told=made.told,
        canary=made.canary,
        figures={name: dict(sorted(sums.items())) for name, sums in sorted(figures.items())},
        tables=made.tables,
        pictures=pictures,
    )
    for name, text in ((RESULT, result), (REPORT, page(story))):
        fresh = out / f".{name}"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(out / name)


def line(asked: Asked) -> str:
    """Return the command that plays this campaign again."""
    size = f"--minutes {asked.minutes:g}" if asked.minutes else f"--sessions {asked.sessions}"
    chosen = "".join(f" --engine {name}" for name in asked.plan.engines if asked.plan.engines != ENGINES)
    shard = f" --shard {asked.shard.number}/{asked.shard.count}" if asked.shard.count > 1 else ""
    return f"peak fuzz {size} --seed {asked.plan.seed}{chosen}{shard}"
