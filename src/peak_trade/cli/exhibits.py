"""The traces of a proof as folders that people read: what happened, as steps, pictures and a file to replay.

`OUT/MACHINE/ID/` has `trace.itf.json`, `steps.txt`, `sequence.svg` and `.mmd`, `path.svg` on the state diagram, and a
`README.txt` whose last line is the command that replays the trace.

Limits: no `path.svg` of a machine with more than PATH_TRANSITIONS_MAX transitions, nor without Graphviz.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from peak_trade.backends.chart import chart
from peak_trade.backends.dot import dot
from peak_trade.backends.label import ident
from peak_trade.backends.overlay import follow
from peak_trade.backends.sequence import sequence, would_be
from peak_trade.backends.sequence import text as mermaid
from peak_trade.backends.svg import RenderError, svg
from peak_trade.cli.specs import is_shipped
from peak_trade.lang.machine import Machine
from peak_trade.lang.maps import shown, word
from peak_trade.lang.step import Taken
from peak_trade.lang.trace import Trace, replay
from peak_trade.lang.trace import text as steps
from peak_trade.proof.recall.itf import Told, told_of, write
from peak_trade.proof.recall.shown import NOT_INDUCTIVE, PROVED, REFUTED
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Result

PATH_TRANSITIONS_MAX: Final = 80
TRACE: Final = "trace.itf.json"
HEADS: Final = {
    PROVED: "is possible, as this run shows",
    REFUTED: "is refuted by this run, and none is shorter",
    NOT_INDUCTIVE: "is not inductive: nothing that is proved excludes this start, from which a step breaks it",
}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A trace, what it tells, and how commands call its machine."""

    machine: Machine
    place: str
    told: Told
    trace: Trace


def exhibit(machine: Machine, place: str, result: Result) -> Exhibit | None:
    """Return the exhibit of `result`, or None iff its verdict has no trace."""
    match result.verdict:
        case Proved(method=why, trace=Trace() as trace):
            verdict = PROVED
        case Refuted(trace=Trace() as trace, why=why):
            verdict = REFUTED
        case NotInductive(start, links, why):
            verdict, trace = NOT_INDUCTIVE, Trace(machine.name, start, links)
        case _:
            return None
    claim = (result.property, result.kind, result.says)
    return Exhibit(machine, place, told_of(machine, claim, verdict, why), trace)


def shelve(out: Path, results: Iterable[tuple[Machine, str, Result]]) -> list[str]:
    """Write a folder for each trace among `results`; return the commands that replay them, shortest trace first."""
    found = [item for item in (exhibit(*one) for one in results) if item is not None]
    return [put(out, item) for item in sorted(found, key=lambda item: (len(item.trace.links), item.told.property))]


def put(out: Path, item: Exhibit) -> str:
    """Write the folder of one exhibit; return the command that replays it."""
    folder = out / ident(item.machine.name) / ident(item.told.property)
    folder.mkdir(parents=True, exist_ok=True)
    command = replay_command(folder / TRACE, item.place)
    for name, text in files(item, command).items():
        (folder / name).write_text(text, encoding="utf-8")
    return command


def replay_command(file: Path, place: str) -> str:
    """Return the command that replays the trace in `file`; a shipped machine is found by its name."""
    spec = [] if is_shipped(place) else ["--spec", place]
    return shlex.join(["peak", "replay", file.as_posix(), *spec])


def files(item: Exhibit, command: str) -> dict[str, str]:
    """Return the text of each file of the folder by its name."""
    told, bad = item.told, item.told.verdict != PROVED
    drawn = sequence(item.machine, item.trace, f"{told.machine} · {told.property}", _shows(item), bad)
    path, why_not = _path(item)
    made = {
        TRACE: write(item.machine, told, item.trace),
        "steps.txt": f"{_start(item)}\n{steps(item.machine, item.trace)}\n{_forbidden(item)}",
        "sequence.svg": chart(drawn),
        "sequence.mmd": mermaid(drawn),
        **({"path.svg": path} if path else {}),
    }
    return made | {"README.txt": _readme(item, sorted(made), why_not, command)}


def _shows(item: Exhibit) -> str:
    told = item.told
    return f"{told.property} {told.verdict if told.verdict != PROVED else 'reached'}: {told.says}"


def _path(item: Exhibit) -> tuple[str, str]:
    """Return the picture of the path, and why there is none."""
    if len(item.machine.transitions) > PATH_TRANSITIONS_MAX:
        return "", f"a picture with more than {PATH_TRANSITIONS_MAX} transitions is not legible"
    try:
        return svg(dot(item.machine, follow(item.machine, _taken(item), item.trace.start.state))), ""
    except RenderError as error:
        return "", str(error)


def _taken(item: Exhibit) -> list[str]:
    """Return the transitions along the path, the one at its end too that would break the claim."""
    trace = replay(
        replace(item.machine, properties=()),
        item.trace.start,
        tuple((link.event, dict(link.payload)) for link in item.trace.links),
    )
    return [link.outcome.transition for link in trace.links if isinstance(link.outcome, Taken)]


def _start(item: Exhibit) -> str:
    pairs = zip(item.machine.variables, item.trace.start.context, strict=True)
    return "start: " + ", ".join(f"{one.name} = {word(shown(scalar))}" for one, scalar in pairs)


def _forbidden(item: Exhibit) -> str:
    """Return what the last step would have changed, if it would break the claim."""
    if not item.trace.links:
        return ""
    before, last = (item.trace.start, *(link.value for link in item.trace.links))[-2], item.trace.links[-1]
    after = would_be(item.machine, before, last)
    names = zip(item.machine.variables, before.context, after.context, strict=True)
    changed = [f"{one.name} := {word(shown(new))}" for one, old, new in names if old != new]
    arrow = f"  → {after.state}" if after.state != before.state else ""
    return f"     it would lead to{arrow}  {', '.join(changed)}\n" if after != last.value else ""


def _readme(item: Exhibit, names: list[str], why_not: str, command: str) -> str:
    told = item.told
    lines = [
        f"{told.property} of {told.machine}: {told.says}",
        f"It {HEADS[told.verdict]} ({told.kind}; {told.why}; steps: {len(item.trace.links)}).",
        f"Machine: fingerprint {told.fingerprint}.",
        "",
        "Files: " + ", ".join(names) + ".",
        *([f"No path.svg: {why_not}."] if why_not else []),
        "",
        command,
    ]
    return "\n".join(lines) + "\n"
