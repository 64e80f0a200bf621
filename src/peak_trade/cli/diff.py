"""`peak diff`: what differs between two versions of a machine, and which clauses that loosens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.backends.svg import RenderError
from peak_trade.backends.union import Pairs, picture
from peak_trade.cli.specs import WrongSpec, is_system, machine_at, system_at
from peak_trade.gates import git
from peak_trade.lang import assemble as system
from peak_trade.lang.check import examine
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.source import Source
from peak_trade.lang.track import tracked
from peak_trade.proof.change.delta import Cell, Claim, Delta, Loosening, Shift, Word
from peak_trade.proof.change.diff import diff, fallen, unproved
from peak_trade.proof.change.outcomes import TAKEN
from peak_trade.proof.planner import ENGINES
from peak_trade.proof.prove import LIMITS, prove

PASS, LOOSER, UNDECIDED = 0, 1, 3
SIGNS: Final = {
    Word.SAME: "=",
    Word.ADDED: "+",
    Word.REMOVED: "−",
    Word.STRICTER: "±",
    Word.LOOSER: "±",
    Word.INCOMPARABLE: "±",
    Word.UNKNOWN: "?",
}


def compared(old: Machine, new: Machine, *, proofs: bool = True) -> Delta:
    """Return what differs; with `proofs` also which claims are not proved any more."""
    delta = diff(old, new)
    if not proofs or delta.quiet:
        return delta
    # A run in the view of one among any number refutes nothing: of a system only what is proved counts.
    engines = ("induction",) if new.mirrors else ENGINES
    now = prove(new, LIMITS, engines=engines)
    asked = unproved(delta, now)
    return fallen(delta, prove(old, LIMITS, asked, engines=engines), now) if asked else delta


def code_of(delta: Delta) -> int:
    """Return the exit code: 1 iff something is loosened, else 3 iff something is undecided."""
    return LOOSER if delta.loosened else UNDECIDED if delta.undecided else PASS


def machine_from(place: str) -> Machine:
    """Return the machine at `place`: a file, a shipped name, or `REF:path`, a file as of a git revision.

    Of a system it is the machine with one tracked among any number. UsageError iff there is none; WrongSpec iff it has
    mistakes.
    """
    revision, colon, path = place.partition(":")
    if not colon or Path(place).exists():
        return tracked(system_at(place)) if is_system(place) else machine_at(place)
    data = _shown(revision, path)
    if data is None:
        raise click.UsageError(f"expected a file of a revision, was `{place}`; `git show {place}` says what git knows")
    return _tracked(place, data) if system.is_system(data.decode("utf-8", "replace")) else machine_of(place, data)


def _shown(revision: str, path: str) -> bytes | None:
    return git.content(Path.cwd(), revision, path)


def _tracked(place: str, data: bytes) -> Machine:
    """Return the tracked machine of the system that `data` declares, its parts from the same revision."""
    revision, _, path = place.partition(":")

    def load(name: str) -> Machine | str:
        beside = f"{path.rpartition('/')[0]}/{name}.yaml".removeprefix("/")
        found = _shown(revision, beside)
        return f"{revision} has no {beside}" if found is None else machine_of(f"{revision}:{beside}", found)

    made = system.assemble(Source(place, data.decode("utf-8", "replace").removeprefix("\ufeff")), load)
    if made.system is None:
        raise WrongSpec(place, made.diagnostics)
    return tracked(made.system)


def machine_of(name: str, data: bytes) -> Machine:
    """Return the machine that `data` declares; WrongSpec iff it has mistakes."""
    parsed = parse(Source(name, data.decode("utf-8", "replace").removeprefix("\ufeff")))
    found = examine(parsed)
    if parsed.machine is None or found:
        raise WrongSpec(name, found)
    return parsed.machine


def drawn(delta: Delta) -> str:
    """Return the SVG of both machines as one."""
    pairs = {shift.new: shift.old for shift in delta.shifts if shift.old is not None and shift.new is not None}
    words = {shift.new: " · ".join(_words(shift)) for shift in delta.shifts if shift.new in pairs}
    return picture(delta.old, delta.new, Pairs(pairs, words))


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--proofs/--no-proofs", default=True, show_default=True, help="Say which claims are proved no more.")
@click.option("--svg", "out", type=click.Path(path_type=Path, dir_okay=False), help="Draw both as one into this file.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(old: str, new: str, out: Path | None, *, proofs: bool, style: str) -> None:
    """Say how the machine NEW differs from OLD: files, shipped names, or `REF:path` for a file of a git revision.

    For each transition: same, stricter, looser, incomparable or only renamed, decided by Z3 for all values and
    payloads, with examples; then the cells and properties that changed, and what is loosened, with its clauses.

    Exits 0 if nothing is loosened, 1 if something is, 3 if the solver left something open.
    """
    delta = compared(machine_from(old), machine_from(new), proofs=proofs)
    if out is not None:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(drawn(delta), encoding="utf-8")
        except (OSError, RenderError) as error:
            raise click.UsageError(f"cannot draw into {out}: {error}") from error
    code = code_of(delta)
    click.echo(document(delta) if style == "json" else text(delta))
    if code:
        click.echo(
            f"next: peak prove {new}" if ":" not in new else f"next: peak diff {old} {new} --format json", err=True
        )
    raise Exit(code)


def _words(shift: Shift) -> Iterator[str]:
    """Yield the words that say how a transition of both machines changed; none iff it is what it was."""
    if shift.word is not Word.SAME:
        yield shift.word.value
    if shift.effect is Word.UNKNOWN and shift.word is not Word.UNKNOWN:
        yield "effect unknown"
    elif shift.effect is Word.INCOMPARABLE:
        yield "other effect"
    if shift.renamed:
        yield f"was {shift.old}"
    if shift.notes and shift.word is Word.SAME and shift.effect is Word.SAME:
        yield "other words"


def text(delta: Delta) -> str:
    """Return the differences for a person."""
    if delta.quiet:
        return f"{delta.new.name}: nothing differs"
    lines = [
        f"renamed {old} → {new}"
        for part in (delta.renamed.states, delta.renamed.variables)
        for old, new in part.items()
    ]
    for part in delta.parts:
        said = "changed" if part.word is Word.INCOMPARABLE else part.word.value
        lines.append(f"{SIGNS[part.word]} {part.kind} {part.name}  {said}: {part.what}")
    for shift in delta.shifts:
        lines += _shift(shift)
    lines += _cells(delta)
    lines += [_claim(item) for item in delta.claims if not item.quiet]
    lines += [f"· {name} makes a new step; no property speaks of what it does" for name in delta.free]
    lines += [line for item in delta.loosened for line in loosening(item)]
    lines += [f"? {name}: the solver gave up; nobody knows" for name in delta.undecided]
    return "\n".join([*lines, summary(delta)])


def summary(delta: Delta) -> str:
    """Return the one line that says how it stands."""
    kept = sum(item.quiet for item in delta.shifts)
    clauses = sorted({clause for item in delta.loosened for clause in item.clauses})
    told = f"{delta.new.name}: {kept} of {len(delta.shifts)} transitions as they were"
    if delta.loosened:
        return f"{told}; {len(delta.loosened)} loosened, clauses {', '.join(clauses) or 'none'}"
    return f"{told}; undecided: {len(delta.undecided)}" if delta.undecided else f"{told}; nothing is loosened"


def loosening(item: Loosening) -> list[str]:
    """Return the lines that tell a person of one loosening."""
    lines = [f"✗ {item.kind} {item.name} loosens {', '.join(item.clauses) or 'no clause by name'}: {item.why}"]
    if item.breaks and item.kind == "transition":
        lines.append(f"    not kept by the step itself: {', '.join(item.breaks)}")
    elif item.touches:
        lines.append(f"    speak of it: {', '.join(item.touches)}")
    return lines


def _shift(shift: Shift) -> list[str]:
    if shift.quiet:
        return []
    sign = SIGNS[shift.word] if shift.word is not Word.SAME or shift.effect is Word.SAME else "±"
    words = " · ".join(_words(shift)) or shift.word.value
    lines = [f"{sign} {shift.name}  {words}" + (f"  ({'; '.join(shift.notes)})" if shift.notes else "")]
    told = (("only before", shift.dropped), ("only now", shift.gained), ("to another value", shift.differs))
    lines += [f"    {label}: {example}" for label, example in told if example is not None]
    if shift.admits is not None and shift.old is None:
        lines.append(f"    a new step: {shift.admits}")
    return lines


def _cells(delta: Delta) -> Iterator[str]:
    """Yield a line for each outcome that gave way to others, with the example of a step that is taken now, if any."""
    groups: dict[tuple[str, tuple[str, ...], str], list[Cell]] = {}
    for item in delta.cells:
        groups.setdefault((item.event, item.states, item.was), []).append(item)
    for (event, states, was), items in groups.items():
        first = next((item for item in items if item.now == TAKEN), items[0])
        others = [item.now for item in items if item is not first]
        now = f"{first.now} (or {', '.join(others)})" if others else first.now
        yield f"± cell {event} in {', '.join(states)}  {was} → {now}" + (f": {first.example}" if first.example else "")


def _claim(claim: Claim) -> str:
    words = {Word.SAME: "same", Word.STRICTER: "stronger", Word.LOOSER: "weaker"}
    said = [words.get(claim.word, claim.word.value)]
    said += [f"was {claim.old}"] if claim.old and claim.new and claim.old != claim.new else []
    said += [f"follows from {', '.join(claim.follows)}"] if claim.follows else []
    said += [f"no longer answers {', '.join(claim.lost)}"] if claim.lost and claim.new else []
    example = f": {claim.example}" if claim.example else ""
    return f"{SIGNS[claim.word]} {claim.kind} {claim.name}  {' · '.join(said)}{example}"


def document(delta: Delta) -> str:
    """Return the differences as one JSON document, keys sorted."""
    return json.dumps(
        {"schema_version": 1, "exit_code": code_of(delta), **plain(delta)}, sort_keys=True, indent=2, ensure_ascii=False
    )


def plain(delta: Delta) -> dict[str, Any]:
    """Return the differences as plain data; what is as it was is left out."""
    return {
        "machine": delta.new.name,
        "renamed": {"states": dict(delta.renamed.states), "variables": dict(delta.renamed.variables)},
        "parts": [_plain(item) for item in delta.parts],
        "transitions": [_plain(item) for item in delta.shifts if not item.quiet],
        "unchanged": sum(item.quiet for item in delta.shifts),
        "cells": [_plain(item) for item in delta.cells],
        "properties": [_plain(item) for item in delta.claims if not item.quiet],
        "loosened": [_plain(item) for item in delta.loosened],
        "free": list(delta.free),
        "undecided": list(delta.undecided),
    }


def _plain(item: Any) -> Any:  # noqa: ANN401 - one of the frozen values of `proof.change.delta`
    if isinstance(item, Word):
        return item.value
    if hasattr(item, "values") and hasattr(item, "state"):
        return {"state": item.state, "event": item.event, "values": dict(item.values), "text": str(item)}
    if hasattr(item, "__slots__"):
        return {name: _plain(getattr(item, name)) for name in item.__slots__}
    return [_plain(one) for one in item] if isinstance(item, tuple) else item
