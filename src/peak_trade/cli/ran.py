"""A run and what was proved, as the pages show them: read from the journal alone, verdicts from the prover."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import rich_click as click

from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor
from peak_trade.backends.legend import legend
from peak_trade.backends.overlay import Overlay
from peak_trade.backends.svg import RenderError, svg
from peak_trade.cli.effort import CACHE, Effort, complain
from peak_trade.cli.job import JOURNAL_FILE
from peak_trade.cli.prove import Timed, judge_all, why, word
from peak_trade.cli.specs import machine_named, spec_names, system_names
from peak_trade.evidence.artifacts import FIVE
from peak_trade.evidence.collect import write
from peak_trade.evidence.page import Claim, Contents, Drawing, page
from peak_trade.evidence.story import Story
from peak_trade.journal.verify import Corrupt, RolledBack, Torn
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.cache import Cache
from peak_trade.session.assembly import JOURNAL
from peak_trade.watch.seen import Seen, look, verdict_text

PAGE: Final = "report.html"
DRIVING: Final = ("session", "order")
"""The specifications that drive a run."""

JOBS: Final = 2


class NoRun(click.UsageError):
    """A folder in which no run can be seen."""

    def __init__(self, run: Path, problems: Sequence[str]) -> None:
        super().__init__(f"{run}: {'; '.join(problems)}\nnext: peak run --out {run}")
        self.run, self.problems = run, problems


def seen_in(run: Path) -> Seen:
    """Return what can be read of the run in folder `run`; NoRun iff nothing of a run is there."""
    found = look(run, [machine_named(name) for name in DRIVING])
    if found.verdict is None or not found.tally.records:
        raise NoRun(run, found.problems)
    if isinstance(found.verdict, Torn | RolledBack | Corrupt):
        found.problems.append(f"the journal is {': '.join(verdict_text(found.verdict))}; shown is what stands there")
    return found


def prove_all(names: Sequence[str] = DRIVING, effort: Effort | None = None) -> list[Timed]:
    """Return the results on every claim of `names`, by default of what drives a run, all proved anew."""
    return [item for group in judge_all(names, None, effort or Effort()) for item in group]


def prove_whole(*, known: bool = True) -> list[Timed]:
    """Return the results on every claim of every shipped specification; those that are `known` are not proved anew."""
    names = (*spec_names(), *system_names())
    return prove_all(names, Effort(jobs=JOBS, cache=Cache(CACHE, complain) if known else None))


def driving(results: Sequence[Timed]) -> list[Timed]:
    """Return the results on the specifications that drive a run."""
    return [item for item in results if item.place in DRIVING]


def report(run: Path, results: Sequence[Timed]) -> Path:
    """Write the page of the run in folder `run` and return its path."""
    write(run, {PAGE: text(run, results)})
    return run / PAGE


def text(run: Path, results: Sequence[Timed], home: str = "") -> str:
    """Return the page of the run in folder `run`, with a link to `home` if given."""
    return page(_contents(run, seen_in(run), driving(results), home))


def _contents(run: Path, found: Seen, results: Sequence[Timed], home: str) -> Contents:
    story, snapshot = found.story, found.snapshot
    proved = {item.machine.name: fingerprint(item.machine) for item in results}
    bars = "" if snapshot is None else snapshot.bars
    return Contents(
        story=story,
        session=_drawing(machine_named("session"), story),
        order=_drawing(machine_named("order"), story),
        claims=[claim(item) for item in results],
        claims_stale=any(story.run.get(f"{name}_spec") != digest for name, digest in proved.items()),
        tick=float(snapshot.config["market"]["tick"]) if snapshot else 1.0,
        journal_text=": ".join(verdict_text(found.verdict)),
        files={name: _digest(run / name) for name in (*FIVE, f"{JOURNAL}/{JOURNAL_FILE}")},
        data_name={"": "unknown bars", "builtin": "the shipped daily bars"}.get(bars, Path(bars).name),
        verify_command=f"peak run --verify {run.name}",
        problems=found.problems,
        home=home,
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def _drawing(machine: Machine, story: Story) -> Drawing:
    lines = legend(machine).splitlines()
    try:
        return Drawing(machine, svg(dot(machine, overlay(machine, story))), lines)
    except RenderError as error:
        return Drawing(machine, "", lines, str(error))


def overlay(machine: Machine, story: Story) -> Overlay:
    """Return how often the run entered each state and took each transition of `machine`.

    What the machine does not have is left out, so that a run of another version is drawn too.
    """
    names = {state.name for state in machine.states}
    states = Counter({name: count for name, count in story.entered[machine.name].items() if name in names})
    started = 1 if machine.name == "session" else len(story.lines)
    states[machine.initial.name] += started
    known = {(source, item.name): item for item in machine.transitions for source in item.sources}
    taken = story.taken[machine.name].items()
    arcs = {anchor(known[key], key[0]): count for key, count in taken if key in known}
    here = story.state if machine.name == "session" and story.state in names else None
    return Overlay(dict(states), arcs, here)


def claim(item: Timed) -> Claim:
    """Return a result as the pages show it."""
    result = item.result
    clauses = {claim.name: claim.answers for claim in item.machine.properties}.get(result.property, ())
    verdict = word(result.verdict)
    return Claim(item.machine.name, result.property, result.kind, result.says, verdict, why(result.verdict), clauses)
