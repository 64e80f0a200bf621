"""`peak fuzz`: whole sessions in seeded worlds where anything goes wrong."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.broker.faults import KINDS, FaultKind
from peak_trade.broker.script import dump
from peak_trade.cli.job import fenced
from peak_trade.cli.progress import bar
from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.campaign import Figures, Outcome, campaign, session_of
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.world import Machines

PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
COUNT_MAX: Final = 1_000_000
SEED_MAX: Final = 2**62
SHOWN_MAX: Final = 5


@click.group("fuzz")
def command() -> None:
    """Run many seeded sessions in which anything goes wrong, and judge how each ended."""


def machines() -> Machines:
    """Return the machines that sessions run on."""
    return Machines(machine_named("session"), machine_named("order"), machine_named("breaker"))


@contextmanager
def pool(jobs: int) -> Iterator[ProcessPoolExecutor | None]:
    """Give an executor of so many processes; None for one job, which is done here."""
    if jobs == 1:
        yield None
        return
    with ProcessPoolExecutor(jobs) as executor:
        yield executor


@command.command("sessions")
@click.option("--count", type=click.IntRange(1, COUNT_MAX), default=200, show_default=True, help="How many sessions.")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), default=1, show_default=True, help="Seed of the first one.")
@click.option("--jobs", type=click.IntRange(1, 64), default=lambda: os.cpu_count() or 1, help="Processes; all cores.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def sessions(count: int, seed: int, jobs: int, style: str) -> None:
    """Play COUNT sessions, each in the world of its seed: bars, strategy, limits, faults of any kind, deaths.

    Exits 0 if each ends stopped or with the operator, its book equal to the venue's or the difference reported by the
    session itself; 1 if one does not, or hangs; 3 if a class of faults never took effect. The result is the same bytes
    for any number of jobs.
    """
    fenced()
    figures, failed = Figures(), list[Outcome]()
    with pool(min(jobs, count)) as executor, bar(count, "sessions") as show:
        for item in campaign(range(seed, seed + count), _session, executor):
            figures.add(item)
            failed += [item] if item.problems else []
            show(figures.sessions)
    code = VIOLATION if failed else INCONCLUSIVE if figures.silent else PASS
    if style == "json":
        click.echo(json.dumps(_plain(figures, failed, (seed, code)), sort_keys=True, indent=2))
    else:
        click.echo("\n".join(_lines(figures, failed, code)))
    if failed:
        click.echo(f"next: {_again(failed[0].seed)}", err=True)
    elif code == INCONCLUSIVE:
        click.echo(f"next: peak fuzz sessions --count {min(COUNT_MAX, 10 * count)} --seed {seed}", err=True)
    raise Exit(code)


def _session(seed: int) -> Outcome:
    """Play one session in the process that this is called in, on machines that it reads once."""
    return session_of(seed, machines())


def _again(seed: int) -> str:
    return f"peak fuzz sessions --count 1 --seed {seed}"


def _plain(figures: Figures, failed: list[Outcome], facts: tuple[int, int]) -> dict[str, Any]:
    seed, code = facts
    return {
        "schema_version": 1,
        "exit_code": code,
        "seed": seed,
        "sessions": figures.sessions,
        "ends": dict(figures.ends),
        "sums": dict(figures.sums),
        "faults": {kind.value: figures.fired[kind.value] for kind in FaultKind},
        "never_fired": list(figures.silent),
        "tripwires": dict(figures.wires),
        "failed": [
            {"seed": item.seed, "state": item.state, "problems": list(item.problems), "plan": _plan(item.seed)}
            for item in failed
        ],
    }


def _plan(seed: int) -> list[dict[str, int | str]]:
    return seeded_world(seed).config.faults


def _lines(figures: Figures, failed: list[Outcome], code: int) -> Iterator[str]:
    yield from (f"{name:<38} {count:>9,}" for name, count in sorted(figures.ends.items()))
    yield from (f"{name:<38} {count:>9,}" for name, count in sorted(figures.sums.items()))
    yield "faults that took effect, by class"
    for phase in dict.fromkeys(about.phase for about in KINDS.values()):
        counts = [f"{kind} {figures.fired[kind.value]:,}" for kind in FaultKind if KINDS[kind].phase is phase]
        yield f"  {phase:<10} {', '.join(counts)}"
    yield "tripwires, by sessions"
    yield from (f"  {name:<36} {count:>9,}" for name, count in sorted(figures.wires.items()))
    for item in failed[:SHOWN_MAX]:
        yield f"✗ seed {item.seed}: {item.state} after {item.steps} steps"
        yield from (f"    {problem}" for problem in item.problems[:SHOWN_MAX])
        yield from (f"  {line}" for line in dump(seeded_world(item.seed).config.plan()).splitlines())
    yield from (f"? {kind}: never took effect, so nothing is known of it" for kind in figures.silent)
    words = {PASS: "PASS", VIOLATION: "FAIL", INCONCLUSIVE: "INCONCLUSIVE"}
    yield f"{words[code]}: {figures.sessions:,} sessions, {len(failed):,} failed"
