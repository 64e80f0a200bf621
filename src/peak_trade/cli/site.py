"""The review site of `peak report --site`: gathers verdicts, evidence, pictures and pages, and writes the folder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import rich_click as click

from peak_trade.backends.chart import chart
from peak_trade.backends.dot import dot
from peak_trade.backends.label import ident
from peak_trade.backends.legend import legend
from peak_trade.backends.overlay import Weight, Weights
from peak_trade.backends.parts import parts as system_dot
from peak_trade.backends.rulebook import rulebook
from peak_trade.backends.sequence import sequence
from peak_trade.backends.svg import RenderError, svg
from peak_trade.backends.table import table
from peak_trade.cli.pages import MUTATION, agreed, known
from peak_trade.cli.prove import Timed, trace_of, word
from peak_trade.cli.ran import DRIVING, claim, driving, seen_in
from peak_trade.cli.ran import text as report_text
from peak_trade.cli.specs import machine_named, spec_folder, spec_names, system_at, system_names
from peak_trade.cli.status import seen, verdicts
from peak_trade.evidence import claims, simulator
from peak_trade.evidence.claims import Evidence
from peak_trade.evidence.clauses import answers_of, contract_page, status, threats_page
from peak_trade.evidence.collect import write
from peak_trade.evidence.contract import ContractRefusal
from peak_trade.evidence.review import RUN, Agreed, Drawn, Known, Measured, Part, Ran, Review, Shown
from peak_trade.evidence.site import INDEX, OPERATOR, site
from peak_trade.evidence.site import simulator as simulator_page
from peak_trade.lang.compose import COUNT_MARK, instance
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import expression
from peak_trade.lang.trace import text as steps
from peak_trade.proof.verdict import Proved
from peak_trade.watch.page import page as operator_page

MODELS: Final = Path("docs/models")
FAILURES: Final = Path("docs/failure-matrix.md")
SIDE_BY_SIDE: Final = 2
"""How many of its many the simulator of a system steps, if no run of it is shown."""


def build(out: Path, results: Sequence[Timed], run: Path | None) -> Path:
    """Write the site with `results` and the run in folder `run` into `out`, and return its first page.

    A folder that holds anything but an earlier site is left alone: click's usage error.
    """
    texts = pages(results, run)
    _expect_ours(out, texts)
    out.mkdir(parents=True, exist_ok=True)
    write(out, texts)
    return out / INDEX


def pages(results: Sequence[Timed], run: Path | None) -> dict[str, str]:
    """Return the text of each page of the site by its file name."""
    found = known()
    proved = {
        name: [item for item in results if item.place.partition(COUNT_MARK)[0] == name]
        for name in (*spec_names(), *system_names())
    }
    pictures = {name: _drawn(machine_named(name)) for name in spec_names()}
    review = Review(
        parts=[_part(item, proved[item.name], pictures) for item in found],
        agreed=_agreed(found),
        run=None if run is None else _ran(run),
        models=_models(),
        failures=_failures(),
        sources=_sources(),
    )
    texts = site(review) | dict(_simulators(proved, pictures))
    return texts if run is None else texts | _of_run(run, results)


def _expect_ours(out: Path, texts: Mapping[str, str]) -> None:
    strange = sorted(path.name for path in out.iterdir() if path.name not in texts) if out.is_dir() else []
    left = [name for name in strange if not name.endswith(".html") or not (out / INDEX).is_file()]
    if left:
        raise click.UsageError(f"expected a new folder or an earlier site, was {out}, which holds {left[0]}")


def _part(item: Evidence, results: Sequence[Timed], pictures: Mapping[str, Drawn]) -> Part:
    system = item.name in system_names()
    measured, weights = _measured(item.name, item.fingerprint)
    if system:
        declared = system_at(item.name)
        drawn, text = _picture(system_dot(declared)), rulebook(declared)
        summary, version = declared.summary, declared.version
    else:
        machine = machine_named(item.name)
        drawn = pictures[item.name] if weights is None else _drawn(machine, weights)
        text, summary, version = table(machine, weights=weights), machine.summary, machine.version
    return Part(
        name=item.name,
        summary=summary,
        version=version,
        fingerprint=item.fingerprint,
        system=system,
        drawn=drawn,
        text=text,
        claims=[_known(item, one) for one in results],
        shown=list(_shown(results)),
        measured=measured,
        measure=f"peak mutate {' '.join((*spec_names(), *system_names()))} --write {MUTATION.as_posix()}",
        simulator=simulator_page(item.name),
    )


def _known(item: Evidence, one: Timed) -> Known:
    result, told = one.result, item.told(one.result.property)
    invented = {lemma.name: expression(lemma.holds) for lemma in result.inferred}
    cells = claims.row(item, result.property, result.says, result.kind)
    return Known(
        claim=claim(one),
        lemmas=[name for name in result.lemmas if name not in invented],
        invented=list(invented.values()),
        certificate=cells[4],
        witness=cells[5],
        roles=cells[6],
        mutants=cells[7],
        accepted=told is not None and told.proved and told.accepted,
        path=trace_of(one.machine, result.verdict) is not None,
    )


def _shown(results: Sequence[Timed]) -> Iterator[Shown]:
    """Yield every run that a verdict carries, as a picture and as steps."""
    for one in results:
        result, machine = one.result, one.machine
        trace = trace_of(machine, result.verdict)
        if trace is None:
            continue
        bad = not isinstance(result.verdict, Proved)
        verdict, title = word(result.verdict) if bad else "reached", f"{machine.name} · {result.property}"
        shows = f"{result.property} {verdict}: {result.says}"
        drawn = chart(sequence(machine, trace, title, shows, bad))
        yield Shown(
            ident(result.property),
            result.property,
            f"{verdict.capitalize()}: {result.says}",
            drawn,
            steps(machine, trace),
        )


def _drawn(machine: Machine, weights: Weights | None = None) -> Drawn:
    found = _picture(dot(machine, weights=weights))
    return Drawn(found.svg, legend(machine, weights).splitlines(), found.missing)


def _picture(text: str) -> Drawn:
    try:
        return Drawn(svg(text))
    except RenderError as error:
        return Drawn(missing=str(error))


def _measured(name: str, fingerprint: str) -> tuple[Measured | None, Weights | None]:
    """Return what the committed mutation evidence says of this very specification, if it says anything."""
    try:
        data: Any = json.loads((spec_folder().parent / MUTATION).read_text(encoding="utf-8"))["machines"][name]
        if data["fingerprint"] != fingerprint:
            return None, None
        parts = {key: (one["kind"], one["text"], Weight(one["role"])) for key, one in data.get("parts", {}).items()}
        survivors = [(one["mutant"], one["says"], one["because"]) for one in data["survivors"]]
        rows = [(key, kind, text, weight.value) for key, (kind, text, weight) in parts.items()]
        found = Measured(int(data["noticed"]), int(data["real"]), rows, survivors)
    except (OSError, KeyError, TypeError, ValueError):
        return None, None
    return found, Weights({key: weight for key, (_, _, weight) in parts.items()}) if parts else None


def _agreed(found: Sequence[Evidence]) -> Agreed:
    try:
        declared = agreed(found)
    except (ContractRefusal, OSError) as error:
        return Agreed(missing=str(error))
    answers = answers_of(found)
    return Agreed(
        contract_page(declared, found),
        threats_page(declared, found),
        {item.id: status(item, answers) for item in declared.of("clause")},
        {item.id: status(item, answers) for item in declared.of("hazard")},
    )


def _models() -> str:
    path = spec_folder().parent / MODELS / "README.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _failures() -> str:
    """Return the failure matrix as it was executed last and committed."""
    path = spec_folder().parent / FAILURES
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _sources() -> dict[str, str]:
    folder = spec_folder().parent / MODELS
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}


def _simulators(proved: Mapping[str, Sequence[Timed]], pictures: Mapping[str, Drawn]) -> Iterator[tuple[str, str]]:
    for name in spec_names():
        drawn, told = pictures[name], list(_told(proved[name], ""))
        yield simulator_page(name), simulator.page(machine_named(name), drawn.svg, told, drawn.missing, INDEX)
    for name in system_names():
        machine = _side_by_side(name, proved[name])
        why = f"a picture with {len(machine.transitions)} transitions of one state is not legible"
        told = list(_told(proved[name], machine.name))
        yield simulator_page(name), simulator.page(machine, "", told, why, INDEX)


def _side_by_side(name: str, results: Sequence[Timed]) -> Machine:
    """Return the machine that a system's simulator steps: the one that its shown runs are of, else SIDE_BY_SIDE."""
    ran = (one.machine for one in results if trace_of(one.machine, one.result.verdict) is not None)
    return next(ran, None) or instance(system_at(name), SIDE_BY_SIDE)


def _told(results: Sequence[Timed], only: str) -> Iterator[simulator.Shown]:
    """Yield the runs among `results` for a simulator: of the machine called `only`, if that is not empty."""
    for one in results:
        trace = trace_of(one.machine, one.result.verdict)
        if trace is not None and only in ("", one.machine.name):
            title = f"{one.result.property}: {word(one.result.verdict)}, {len(trace.links)} steps"
            yield simulator.Shown(title, f"{one.result.property}: {one.result.says}", trace)


def _ran(run: Path) -> Ran:
    found = seen_in(run)
    story = found.story
    specs = {name: str(story.run.get(f"{name}_spec", "none is recorded")) for name in DRIVING}
    return Ran(found.run, story.state, found.problems, specs)


def _of_run(run: Path, results: Sequence[Timed]) -> dict[str, str]:
    """Return the run's own pages, with a way back."""
    return {
        RUN: report_text(run, results, INDEX),
        OPERATOR: operator_page(seen(run), verdicts(driving(results)), INDEX),
    }
