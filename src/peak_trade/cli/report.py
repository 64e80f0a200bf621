"""`peak report`: the page of a run, made from its journal, its verdicts and its diagrams."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor
from peak_trade.backends.legend import legend
from peak_trade.backends.overlay import Overlay
from peak_trade.backends.svg import svg
from peak_trade.cli.job import JOURNAL_FILE, collected, snapshot_in
from peak_trade.cli.prove import Timed, judge, why, word
from peak_trade.cli.specs import machine_named
from peak_trade.evidence.artifacts import FIVE
from peak_trade.evidence.collect import Collected, write
from peak_trade.evidence.page import Claim, Contents, Drawing, page
from peak_trade.evidence.story import Story
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.verify import Intact, verify
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.session.assembly import JOURNAL

PAGE = "report.html"


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--proofs/--no-proofs", default=True, show_default=True, help="Prove the specifications for the page.")
def command(run: Path, *, proofs: bool) -> None:
    """Write report.html into the folder of RUN and say where it is."""
    try:
        click.echo(str(report(run, prove_all() if proofs else ())))
    except (FileNotFoundError, JournalRefusal, ValueError) as error:
        raise click.UsageError(f"{run}: {error}") from error


def prove_all() -> list[Timed]:
    """Return the results on every claim of the session and the order machine."""
    return [item for name in ("session", "order") for item in judge(machine_named(name))]


def report(run: Path, results: Sequence[Timed]) -> Path:
    """Write the page of the run in folder `run` and return its path."""
    snapshot = snapshot_in(run)
    data_name = "the shipped daily bars" if snapshot.bars == "builtin" else Path(snapshot.bars).name
    found = collected(run, snapshot, data_name)
    text = page(_contents(run, found, results, data_name))
    write(run, {PAGE: text})
    return run / PAGE


def _contents(run: Path, found: Collected, results: Sequence[Timed], data_name: str) -> Contents:
    story, snapshot = found.story, snapshot_in(run)
    verdict = verify(run / JOURNAL)
    intact = isinstance(verdict, Intact)
    head = f"{verdict.head.records:,} records, root {verdict.head.root[:16]}…"
    proved = {item.machine.name: fingerprint(item.machine) for item in results}
    return Contents(
        story=story,
        session=_drawing(machine_named("session"), story),
        order=_drawing(machine_named("order"), story),
        claims=[claim(item) for item in results],
        claims_stale=any(story.run.get(f"{name}_spec") != digest for name, digest in proved.items()),
        tick=float(snapshot.config["market"]["tick"]),
        journal_text=f"{'intact' if intact else type(verdict).__name__.lower()}: {head}",
        files={name: _digest(run / name) for name in (*FIVE, f"{JOURNAL}/{JOURNAL_FILE}")},
        data_name=data_name,
        verify_command=f"peak run --verify {run.name}",
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def _drawing(machine: Machine, story: Story) -> Drawing:
    return Drawing(machine, svg(dot(machine, overlay(machine, story))), legend(machine).splitlines())


def overlay(machine: Machine, story: Story) -> Overlay:
    """Return how often the run entered each state and took each transition of `machine`."""
    states = Counter(story.entered[machine.name])
    started = 1 if machine.name == "session" else len(story.lines)
    states[machine.initial.name] += started
    taken = story.taken[machine.name].items()
    known = {item.name: item for item in machine.transitions}
    arcs = {anchor(known[name], source): count for (source, name), count in taken if name in known}
    return Overlay(dict(states), arcs, story.state if machine.name == "session" else None)


def claim(item: Timed) -> Claim:
    """Return a result as the pages show it."""
    result = item.result
    clauses = {claim.name: claim.answers for claim in item.machine.properties}.get(result.property, ())
    verdict = word(result.verdict)
    return Claim(item.machine.name, result.property, result.kind, result.says, verdict, why(result.verdict), clauses)
