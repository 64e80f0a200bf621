"""`peak report`: the page of a run, or with `--site` the whole review of the specifications and of a run."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor
from peak_trade.backends.legend import legend
from peak_trade.backends.overlay import Overlay
from peak_trade.backends.svg import RenderError, svg
from peak_trade.cli.effort import CACHE, Effort, complain
from peak_trade.cli.job import JOURNAL_FILE
from peak_trade.cli.prove import INCONCLUSIVE, Timed, judge_all, why, word
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

PAGE = "report.html"
DRIVING = ("session", "order")
"""The specifications that drive a run."""

JOBS = 2


class NoRun(click.UsageError):
    """A folder in which no run can be seen."""

    def __init__(self, run: Path, problems: Sequence[str]) -> None:
        super().__init__(f"{run}: {'; '.join(problems)}\nnext: peak run --out {run}")
        self.run, self.problems = run, problems


@click.command("report")
@click.argument("run", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--proofs/--no-proofs", default=True, show_default=True, help="Prove the specifications for the page.")
@click.option("--site", type=click.Path(path_type=Path, file_okay=False), help="Write the whole review there.")
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use verdicts that are known, and keep new.")
def command(run: Path | None, site: Path | None, *, proofs: bool, cache: bool) -> None:
    """Write report.html into the folder of RUN and say where it is.

    With --site write the review of the specifications instead: machines, proofs, contract, threats, models, simulators,
    and RUN if it is given. Exits 3 if something of the run could not be read; what could be is shown.
    """
    if run is None and site is None:
        raise click.UsageError("expected a run, or --site DIR for the review of the specifications; see `peak run`")
    found = None if run is None else seen_in(run)
    names = (*spec_names(), *system_names()) if site is not None else DRIVING
    results = prove_all(names, Effort(jobs=JOBS, cache=Cache(CACHE, complain) if cache else None)) if proofs else []
    if site is not None:
        from peak_trade.cli.site import build  # noqa: PLC0415 - only a site needs the simulators and the contract

        click.echo(str(build(site, results, run)))
    elif run is not None:
        click.echo(str(report(run, results)))
    if found is not None and found.problems:
        click.echo("\n".join((*found.problems, f"next: peak journal verify {run}")), err=True)
        raise Exit(INCONCLUSIVE)


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
