"""`peak prove`: what the specifications claim, proved or refuted."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, assert_never

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.specs import machine_at, spec_names
from peak_trade.lang.machine import Machine
from peak_trade.lang.trace import Trace, plain, text
from peak_trade.proof.gates import Backed, Needed, NotNeeded, Undecided, gates
from peak_trade.proof.prove import LIMITS, NoSuchClaim, prove
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Result, Unknown, Verdict
from peak_trade.session.clock import wall_ns

MARKS: Final = {"proved": "✓", "refuted": "✗", "not inductive": "?", "unknown": "?"}
PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3


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


def judge(machine: Machine, only: frozenset[str] | None = None, place: str = "") -> list[Timed]:
    """Return the results on `machine`'s claims with their times; `place` is how commands call the machine."""
    timed: list[Timed] = []
    last = wall_ns()

    def progress(result: Result) -> None:
        nonlocal last
        now = wall_ns()
        timed.append(Timed(machine, result, (now - last) // 1_000_000, place or machine.name))
        last = now

    prove(machine, LIMITS, only, progress)
    return timed


@click.command("prove")
@click.argument("machines", nargs=-1)
@click.option("--only", multiple=True, metavar="ID", help="Only the property with this id; may be given again.")
@click.option(
    "--locks/--no-locks", default=True, show_default=True, help="Show that each lock of the live gate is needed."
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(machines: tuple[str, ...], only: tuple[str, ...], *, locks: bool, style: str) -> None:
    """Prove what MACHINES (shipped names or specification files; by default all shipped ones) claim.

    Exits 0 if everything is proved, 1 if something is refuted, 3 if something is left open.
    """
    found: list[Timed] = []
    rows: list[dict[str, Any]] = []
    for name in machines or spec_names():
        machine = machine_at(name)
        wanted = frozenset(only) or None
        try:
            found += judge(machine, wanted, name)
        except NoSuchClaim as error:
            if len(machines or spec_names()) == 1 or not _elsewhere(machines, only):
                raise click.UsageError(str(error)) from error
        if locks and not only:
            rows += _locks(machine)
    code = _code(found, rows)
    click.echo(_json(found, rows, code) if style == "json" else _text(found, rows))
    raise Exit(code)


def _elsewhere(machines: tuple[str, ...], only: tuple[str, ...]) -> bool:
    """Return true iff every id is a claim of one of the machines: each machine then proves only its own."""
    names = {item.name for name in machines or spec_names() for item in machine_at(name).properties}
    return names >= set(only)


def _locks(machine: Machine) -> list[dict[str, Any]]:
    """Return what each lock on the way into a live state is for: what falls, or barely holds, without it."""
    rows = []
    for item in gates(machine, LIMITS):
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


def _json(found: list[Timed], locks: list[dict[str, Any]], code: int) -> str:
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
    document = {"schema_version": 1, "exit_code": code, "results": results, "locks": locks}
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
        lines.append(f"next: peak prove {bad.place} --only {bad.result.property} --format json")
    return "\n".join(lines)
