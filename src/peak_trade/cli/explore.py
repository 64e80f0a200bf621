"""`peak explore`: walk every value that a machine reaches, and judge its claims on them."""

import json
from dataclasses import dataclass
from typing import Any

import rich_click as click
from click.exceptions import Exit

from peak_trade.backends.domains import Bounds
from peak_trade.cli.prove import INCONCLUSIVE, MARKS, PASS, VIOLATION, trace_of, why, word
from peak_trade.cli.specs import machine_at
from peak_trade.lang.machine import Machine
from peak_trade.lang.trace import plain, text
from peak_trade.proof.case import Case
from peak_trade.proof.claim import claims_of
from peak_trade.proof.explore import explore
from peak_trade.proof.planner import result
from peak_trade.proof.solve import GaveUp, Limits
from peak_trade.proof.survey import verdict_on
from peak_trade.proof.verdict import Proved, Refuted, Result
from peak_trade.session.clock import wall_ns

VALUES_MAX = 3_000_000


@dataclass(frozen=True, slots=True)
class Walk:
    """What an exploration counted, and how long it took in nanoseconds of wall time."""

    states: int
    transitions: int
    depth: int
    complete: bool
    took_ns: int

    @property
    def states_per_s(self) -> int:
        """Distinct states a second."""
        return self.states * 1_000_000_000 // max(1, self.took_ns)


@click.command("explore")
@click.argument("machine_name", metavar="MACHINE")
@click.option("--bound", "bounds", multiple=True, metavar="NAME=MAX", help="Largest number tried for NAME.")
@click.option("--int-max", type=click.IntRange(0), default=None, help="The same for every number without an end.")
@click.option("--states", type=click.IntRange(1), default=VALUES_MAX, show_default=True, help="At most so many.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(machine_name: str, bounds: tuple[str, ...], int_max: int | None, states: int, style: str) -> None:
    """Walk all that MACHINE (a shipped name or a specification file) can reach, breadth first, and judge its claims.

    Exits 0 if everything holds, 1 if something is refuted, 3 if bounds or limits leave something open.
    """
    machine = machine_at(machine_name)
    limits = Bounds({name: (None, most) for name, most in map(_bound, bounds)}, int_max)
    walk, results = _walked(machine, limits, states)
    code = _code(results)
    if style == "json":
        click.echo(_json(machine, walk, results, code))
    else:
        click.echo(_text(machine, walk, results))
    if code != PASS:
        click.echo(f"next: peak prove {machine_name}", err=style == "json")
    raise Exit(code)


def _bound(text_: str) -> tuple[str, int]:
    name, _, most = text_.rpartition("=")
    if not name or not most.lstrip("-").isdigit():
        raise click.UsageError(f"expected NAME=MAX, was `{text_}`; MAX is a whole number")
    return name, int(most)


def _walked(machine: Machine, bounds: Bounds, states: int) -> tuple[Walk, list[Result]]:
    _known(machine, bounds)
    begin = wall_ns()
    graph = explore(machine, states, bounds)
    if isinstance(graph, GaveUp):
        raise click.UsageError(f"expected a machine with an end, was {graph.reason}; give --bound or --int-max")
    walk = Walk(len(graph.values), graph.transitions, graph.depth, graph.complete, wall_ns() - begin)
    case = Case.of(machine, Limits())
    return walk, [result(claim, verdict_on(case, claim, states, bounds)) for claim in claims_of(machine)]


def _known(machine: Machine, bounds: Bounds) -> None:
    names = {item.name for item in machine.variables} | {one.name for item in machine.events for one in item.payload}
    wrong = sorted(set(bounds.named) - names)
    if wrong:
        raise click.UsageError(f"expected variables or payload fields of {machine.name}, was {', '.join(wrong)}")


def _code(results: list[Result]) -> int:
    if any(isinstance(item.verdict, Refuted) for item in results):
        return VIOLATION
    return PASS if all(isinstance(item.verdict, Proved) for item in results) else INCONCLUSIVE


def _json(machine: Machine, walk: Walk, results: list[Result], code: int) -> str:
    rows = []
    for item in results:
        trace = trace_of(machine, item.verdict)
        rows.append(
            {
                "property": item.property,
                "kind": item.kind,
                "verdict": word(item.verdict),
                "why": why(item.verdict),
                "trace": plain(machine, trace) if trace else None,
            }
        )
    counts: dict[str, Any] = {
        "states": walk.states,
        "transitions": walk.transitions,
        "depth": walk.depth,
        "complete": walk.complete,
        "states_per_s": walk.states_per_s,
    }
    document = {"schema_version": 1, "exit_code": code, "machine": machine.name, **counts, "results": rows}
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False)


def _text(machine: Machine, walk: Walk, results: list[Result]) -> str:
    scope = "all there are" if walk.complete else "within the bounds; nothing is proved by them"
    counts = f"{walk.states:,} states ({scope}), {walk.transitions:,} transitions, depth {walk.depth}"
    lines = [f"{machine.name}: {counts}, {walk.took_ns / 1e9:.1f} s, {walk.states_per_s:,} states/s"]
    for item in results:
        lines.append(f"{MARKS[word(item.verdict)]} {item.property:<14} {word(item.verdict):<13} {why(item.verdict)}")
        trace = trace_of(machine, item.verdict)
        if trace is not None and isinstance(item.verdict, Refuted):
            lines += ["", text(machine, trace), "     (replayed through lang.step)", ""]
    return "\n".join(lines)
