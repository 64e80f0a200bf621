"""A machine's picture as Mermaid text, which code hosts draw inside a Markdown page.

Traps that the text avoids: a state called `state` or `end` would empty the picture, so ids have a prefix; `;` and `#`
end or change a label, so they are written as entities.

Limits: Mermaid has no geometry of its own to keep, no tooltips and no counts; `dot` is the picture of record.
"""

import re
from typing import Final

from peak_trade.backends.arcs import Arc, arcs
from peak_trade.backends.label import brief
from peak_trade.backends.palette import LIVE, LIVE_CARD, MUTED
from peak_trade.lang.machine import Machine, State, Transition

MARKS: Final = {"live": "\N{WARNING SIGN}", "operator": "\N{BLACK FLAG}", "terminal": "\N{BLACK SQUARE}"}
_PLAIN: Final = re.compile(r"[A-Za-z0-9_ .,()\[\]=+*/-]|[^\x00-\x7f]")
STYLES: Final = (
    f"classDef live fill:{LIVE_CARD.light},stroke:{LIVE.light},stroke-width:3px,color:#000",
    f"classDef operator stroke:{MUTED.light},stroke-width:2px,stroke-dasharray:5",
    "classDef terminal stroke-width:3px",
)


def mermaid(machine: Machine) -> str:
    """Return the `stateDiagram-v2` text of `machine`, without a fence around it."""
    found = arcs(machine)
    lines = ["stateDiagram-v2", "direction TB", f"[*] --> {_id(machine.initial.name)}"]
    for state in machine.states:
        lines += _state(state, [arc for arc in found if arc.loop and arc.source == state.name])
    lines += [f"{_id(arc.source)} --> {_id(arc.target)} : {_stack(arc)}" for arc in found if not arc.loop]
    lines += STYLES
    for tag in MARKS:
        names = ",".join(map(_id, machine.tagged(tag)))
        lines += [f"class {names} {tag}"] if names else []
    return "\n".join((lines[0], *(f"    {line}" for line in lines[1:]))) + "\n"


def _id(name: str) -> str:
    return "s_" + re.sub(r"\W", lambda found: f"_u{ord(found[0]):x}_", name)


def _state(state: State, loops: list[Arc]) -> list[str]:
    marks = [mark for tag, mark in MARKS.items() if tag in state.tags]
    title = f"{_id(state.name)} : {shown(' '.join((*marks, state.name)))}"
    return [title, *(f"{_id(state.name)} : {_line(item)}" for arc in loops for item in arc.transitions)]


def _stack(arc: Arc) -> str:
    return "<br/>".join(map(_line, arc.transitions))


def _line(transition: Transition) -> str:
    return shown(f"{transition.name} {transition.event} {brief(transition)}".rstrip())


def shown(text: str) -> str:
    """Return plain text as the text of a label: what Mermaid could take for its own is an entity."""
    words = " ".join(text.split())
    return "".join(char if _PLAIN.match(char) else f"#{ord(char)};" for char in words)
