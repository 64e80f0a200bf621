"""`peak prove`: what the specifications claim, proved or refuted."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, assert_never

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli import certify
from peak_trade.cli.effort import Effort, effort, spending
from peak_trade.cli.exhibits import shelve
from peak_trade.cli.inside import Answering, recorded
from peak_trade.cli.progress import bar
from peak_trade.cli.specs import is_system, machine_at, spec_names, system_at, system_names
from peak_trade.lang.compose import COUNT_MARK, instance
from peak_trade.lang.machine import Machine
from peak_trade.lang.system import System
from peak_trade.lang.trace import Trace, plain, text
from peak_trade.lang.track import tracked
from peak_trade.proof import parametric
from peak_trade.proof.gates import Backed, Needed, NotNeeded, Undecided, gates
from peak_trade.proof.many import Job, prove_job
from peak_trade.proof.prove import LIMITS, NoSuchClaim, claims
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Result, Unknown, Verdict
from peak_trade.session.clock import wall_ns

MARKS: Final = {"proved": "✓", "refuted": "✗", "not inductive": "?", "unknown": "?"}
PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
EFFORT: Final = Effort()


@dataclass(frozen=True, slots=True)
class Timed:
    """A result and how long it took, in milliseconds of wall time."""

    machine: Machine
    result: Result
    took_ms: int
    place: str


def word(verdict: Verdict) -> str:
    """Return the verdict's word."""
    match verdict:
        case Proved():
            return "proved"
        case Refuted():
            return "refuted"
        case NotInductive():
            return "not inductive"
        case Unknown():
            return "unknown"
        case _:
            assert_never(verdict)


def trace_of(machine: Machine, verdict: Verdict) -> Trace | None:
    """Return the trace that a verdict carries, if it has one."""
    match verdict:
        case Proved(trace=trace) | Refuted(trace=trace):
            return trace
        case NotInductive(start, links):
            return Trace(machine.name, start, links)
        case Unknown():
            return None


def judge(
    machine: Machine, only: frozenset[str] | None = None, place: str = "", effort: Effort = EFFORT
) -> list[Timed]:
    """Return the results on `machine`'s claims with their times; `place` is how commands call the machine."""
    timed: list[Timed] = []
    last = wall_ns()

    def progress(result: Result) -> None:
        nonlocal last
        now = wall_ns()
        timed.append(Timed(machine, result, (now - last) // 1_000_000, place or machine.name))
        last = now

    prove_job(Job(machine, only, effort.limits, effort.engines), effort.cache, progress)
    order = {name: number for number, name in enumerate(claims(machine))}
    return sorted(timed, key=lambda one: order[one.result.property])


def judge_all(names: Sequence[str], only: frozenset[str] | None, effort: Effort) -> list[list[Timed]]:
    """Return the results on each machine of `names`, by as many processes as asked for; a bar shows how far it is."""
    work = partial(_judge_named, only, effort)
    found: list[list[Timed]] = []
    with bar(len(names), "prove") as show, _workers(min(effort.jobs, len(names))) as run:
        for one in run(work, names):
            found.append(one)
            show(len(found))
    return found


@contextmanager
def _workers(jobs: int) -> Iterator[Callable[..., Iterable[list[Timed]]]]:
    if jobs == 1:
        yield map
        return
    with ProcessPoolExecutor(jobs) as executor:
        yield executor.map


def _judge_named(only: frozenset[str] | None, effort: Effort, name: str) -> list[Timed]:
    """Return the results on what is called `name`, of those that it claims; none if it claims none of `only`."""
    mine = None if only is None else only & frozenset(_claims(name))
    if mine is not None and not mine:
        return []
    return (
        judge_system(system_at(name), mine, name, effort)
        if is_system(name)
        else judge(machine_at(name), mine, name, effort)
    )


def _claims(name: str) -> tuple[str, ...]:
    """Return what the machine or system called `name` claims."""
    return parametric.claims(system_at(name)) if is_system(name) else claims(machine_at(name))


def judge_system(system: System, only: frozenset[str] | None, place: str, effort: Effort = EFFORT) -> list[Timed]:
    """Return the results on what `system` claims of any number, each with the machine that it is about."""
    timed: list[Timed] = []
    last, view = wall_ns(), tracked(system)

    def progress(result: Result) -> None:
        nonlocal last
        now = wall_ns()
        machine = _spoken(system, view, result)
        where = place if machine is view else f"{place}{COUNT_MARK}{machine.name.rpartition(COUNT_MARK)[2]}"
        timed.append(Timed(machine, result, (now - last) // 1_000_000, where))
        last = now

    task = parametric.Task(system, only, effort.limits, effort.engines)
    parametric.prove_system(task, effort.cache, progress)
    return timed


def _spoken(system: System, view: Machine, result: Result) -> Machine:
    """Return the machine that `result` is about: the tracked one, or the few side by side of which its run is one."""
    trace = result.verdict.trace if isinstance(result.verdict, Proved | Refuted) else None
    if trace is None:
        return view
    return instance(system, int(trace.machine.rpartition(COUNT_MARK)[2]))


@click.command("prove", cls=Answering)
@click.argument("machines", nargs=-1)
@recorded
@click.option("--only", multiple=True, metavar="ID", help="Only the property with this id; may be given again.")
@click.option(
    "--locks/--no-locks", default=True, show_default=True, help="Show that each lock of the live gate is needed."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for traces: steps, pictures.")
@certify.certifying
@spending
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    machines: tuple[str, ...],
    only: tuple[str, ...],
    *,
    locks: bool,
    out: Path | None,
    style: str,
    **options: Any,  # noqa: ANN401 - click's own options
) -> None:
    """Prove what MACHINES (shipped names or specification files; by default all shipped ones) claim.

    Exits 0 if everything is proved, 1 if something is refuted, 3 if something is left open.
    """
    names = machines or (*spec_names(), *system_names())
    _known(names, only)
    spent = replace(effort(options), cache=None) if certify.telling() else effort(options)
    found = [one for group in judge_all(names, frozenset(only) or None, spent) for one in group]
    gated = [machine_at(name) for name in names if not is_system(name)] if locks and not only else []
    rows = [row for machine in gated for row in _locks(machine, spent)]
    whole = (lambda: _judged(chain(*judge_all(names, None, spent)))) if only else None
    checked = certify.certified(_judged(found), whole)
    code = _code(found, rows) if checked is None else certify.worse(_code(found, rows), certify.code(checked[0]))
    click.echo(_json(found, rows, code, checked) if style == "json" else _text(found, rows))
    if checked is not None and style == "text":
        click.echo(certify.text(*checked))
    if out is not None:
        click.echo("\n".join(shelve(out, ((one.machine, one.place, one.result) for one in found))), err=True)
    raise Exit(code)


def _judged(found: Iterable[Timed]) -> list[certify.Judged]:
    return [(one.place, one.machine, one.result) for one in found]


def _known(names: Sequence[str], only: tuple[str, ...]) -> None:
    """Raise a usage error unless every id is a claim of one of the machines: each machine then proves only its own."""
    known = [claim for name in names for claim in _claims(name)]
    wrong = sorted(set(only) - set(known))
    if wrong:
        raise click.UsageError(str(NoSuchClaim(", ".join(names), wrong, known)))


def _locks(machine: Machine, effort: Effort) -> list[dict[str, Any]]:
    """Return what each lock on the way into a live state is for: what falls, or barely holds, without it."""
    rows = []
    for item in gates(machine, LIMITS, cache=effort.cache):
        row: dict[str, Any] = {"transition": item.lock.transition, "lock": item.lock.reason}
        match item:
            case Needed(refutes=refutes, trace=trace):
                row |= {"needed": "yes", "without_it": f"{refutes} is refuted", "trace": plain(machine, trace)}
            case Backed(holds=holds, lemmas=lemmas):
                row |= {"needed": "backed", "without_it": f"{holds} holds only by {', '.join(lemmas)}, a second line"}
            case NotNeeded():
                row |= {"needed": "no", "without_it": "everything is proved as before"}
            case Undecided(reason=reason):
                row |= {"needed": "unknown", "without_it": reason}
            case _:
                assert_never(item)
        rows.append(row)
    return rows


def _code(found: Iterable[Timed], locks: Iterable[dict[str, Any]]) -> int:
    words = {word(item.result.verdict) for item in found}
    needed = {row["needed"] for row in locks}
    if "refuted" in words or "no" in needed:
        return VIOLATION
    return PASS if words == {"proved"} and needed <= {"yes", "backed"} else INCONCLUSIVE


def _json(found: list[Timed], locks: list[dict[str, Any]], code: int, checked: certify.Outcome = None) -> str:
    results = []
    for item in found:
        result, trace = item.result, trace_of(item.machine, item.result.verdict)
        results.append(
            {
                "machine": item.machine.name,
                "property": result.property,
                "kind": result.kind,
                "says": result.says,
                "verdict": word(result.verdict),
                "why": why(result.verdict),
                "lemmas": list(result.lemmas),
                "rlimit": result.rlimit,
                "time_ms": item.took_ms,
                "trace": plain(item.machine, trace) if trace else None,
                "replayed": trace is not None,
            }
        )
    document = {"schema_version": 1, "exit_code": code, "results": results, "locks": locks} | certify.plain(checked)
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False)


def why(verdict: Verdict) -> str:
    """Return by what method, or for what reason, a verdict is what it is."""
    match verdict:
        case Proved(method=method):
            return method
        case Refuted(why=reason) | NotInductive(why=reason) | Unknown(reason=reason):
            return reason


def _text(found: list[Timed], locks: list[dict[str, Any]]) -> str:
    lines = []
    for item in found:
        result = item.result
        mark = MARKS[word(result.verdict)]
        head = f"{mark} {result.property:<14} {word(result.verdict):<13} {why(result.verdict):<10} {item.took_ms:>5} ms"
        lines.append(f"{head}  {result.says}")
        trace = trace_of(item.machine, result.verdict)
        if trace is not None and not isinstance(result.verdict, Proved):
            lines += ["", text(item.machine, trace), "     (replayed through lang.step)", ""]
    for row in locks:
        mark = {"yes": "✓", "backed": "✓", "no": "✗"}.get(row["needed"], "?")
        lines.append(f"{mark} lock {row['lock']:<20} of {row['transition']}: without it {row['without_it']}")
    proved = sum(isinstance(item.result.verdict, Proved) for item in found)
    took = sum(item.took_ms for item in found) / 1000
    lines.append(f"{proved} of {len(found)} proved in {took:.1f} s")
    bad = next((item for item in found if not isinstance(item.result.verdict, Proved)), None)
    if bad is not None:
        place = bad.place.rpartition(COUNT_MARK)[0] or bad.place  # of a system, not of the few that refute it
        lines.append(f"next: peak prove {place} --only {bad.result.property} --format json")
    return "\n".join(lines)
