"""A machine's picture as DOT text: the same machine and overlay give the same bytes, on every computer and run.

States are cards that list the steps which stay in them; between two states there is one arrow with a line for each of
its transitions. In a picture of many arrows the cards also list what leads out of many states (see `arcs`). Ids:
`state-NAME`, `edge-FROM--TO`, and for each transition its own id, followed by `--FROM` when it starts in several
states. Classes (`state terminal`, `edge live`) are for style sheets.
"""

import html
from typing import Final, TypeAlias

from graphviz import Digraph
from graphviz.quoting import escape

from peak_trade.backends.arcs import Arc, hung, placed
from peak_trade.backends.card import GLYPHS, HUGE, NORMAL, SMALL, Drawing, Run, edge_card, line_card, state_card
from peak_trade.backends.label import ident
from peak_trade.backends.overlay import LINES, Overlay, Weight, Weights, foreign
from peak_trade.backends.palette import (
    CARD,
    FAINT,
    INK,
    LIVE,
    LIVE_CARD,
    LIVE_TEXT,
    MUTED,
    PAPER,
    PATH_CARD,
    SAFE,
    Tone,
)
from peak_trade.lang.machine import Machine, State, Transition
from peak_trade.lang.pretty import fingerprint

FINGERPRINT_CHARS: Final = 12
FONT: Final = "Helvetica,Arial,sans-serif"
START: Final = "~start"
"""The dot before the initial state; no state's id has a single `~`."""

Attributes: TypeAlias = dict[str, str]


def dot(machine: Machine, overlay: Overlay | None = None, weights: Weights | None = None) -> str:
    """Return the DOT text of `machine`, with the run `overlay` or the `weights` of its parts laid over it, if given.

    ValueError iff the overlay names a state or transition that the picture does not have.

    Limits: legible on a page up to about 15 states; a larger machine is drawn all the same.
    """
    drawing = Drawing(machine, overlay, weights)
    unknown = foreign(machine, overlay) if overlay else ()
    if unknown:
        raise ValueError(f"expected an overlay of {machine.name}, was one with {', '.join(unknown)}; see `follow`")
    graph, (cards, arrows) = _graph(machine), placed(machine)
    live = machine.tagged("live")
    for zone in (False, True) if live else (None,):
        part = _part(machine, zone)
        if not zone:
            _start(part, machine)
        for state in machine.states:
            if zone is None or zone == (state.name in live):
                _state(part, drawing, state, cards.get(state.name, ()))
        graph.subgraph(part)
    for arc in arrows:
        _edge(graph, drawing, arc)
    for arc in hung(machine, arrows):
        graph.edge(ident(arc.source), ident(arc.target), style="invis")
    return str(graph.source)


def _text(text: str) -> str:
    """Return plain text as a tooltip: Graphviz reads entities in it, and backslashes twice over."""
    return str(escape(html.escape(text).replace("\\", "\\\\")))


def _graph(machine: Machine) -> Digraph:
    mark = f"spec {fingerprint(machine)[:FINGERPRINT_CHARS]}"
    counts = f"{len(machine.states)} states, {len(machine.events)} events, {len(machine.transitions)} transitions"
    tip = f"State machine {machine.name}, version {machine.version}: {counts}. {machine.summary}"
    title = (Run(machine.name, INK, bold=True), Run(f"version {machine.version}", INK))
    lines = ((title, HUGE), ((Run(machine.summary, MUTED),), NORMAL), ((Run(f"{counts} · {mark}", MUTED),), SMALL))
    graph = Digraph(ident(machine.name), encoding="utf-8")
    graph.attr(
        "graph",
        **{"id": f"machine-{ident(machine.name)}", "class": "machine", "rankdir": "TB", "bgcolor": PAPER.light},
        label=line_card(lines),
        labelloc="t",
        labeljust="l",
        tooltip=_text(tip),
        fontname=FONT,
        fontsize="11",
        nodesep="0.2",
        ranksep="0.25",
        newrank="true",  # one ranking for all zones: else an arrow between zones may lie flat and its label on a state
        mclimit="10",  # ten times the usual search for few crossings: narrower pictures, still milliseconds
        pad="0.2",
    )
    graph.attr("node", shape="box", style="rounded,filled", fontname=FONT, fontsize="10", margin="0.1,0.06")
    graph.attr("edge", fontname=FONT, fontsize="10", arrowsize="0.8")
    return graph


def _part(machine: Machine, zone: bool | None) -> Digraph:
    if zone is None:
        return Digraph()
    word, colour = ("live", LIVE) if zone else ("safe", SAFE)
    text, tip = (f"{GLYPHS['live']} LIVE", "The live states") if zone else ("NO-LIVE", "The states that are not live")
    part = Digraph(f"cluster_{word}")
    part.attr(
        "graph",
        **{"id": f"zone-{word}-{ident(machine.name)}", "class": f"zone {word}", "style": "bold" if zone else "dashed"},
        label=line_card((((Run(text, LIVE_TEXT if zone else colour, bold=True),), NORMAL),)),
        labeljust="r" if zone else "l",  # the thick arrow comes in from the left
        tooltip=tip,
        color=colour.light,
        penwidth="3" if zone else "1.5",
        margin="14",
    )
    return part


def _start(part: Digraph, machine: Machine) -> None:
    first = machine.initial.name
    mark = {"id": f"initial-{ident(machine.name)}", "class": "initial", "tooltip": "The machine starts here"}
    part.node(
        START, label="", **mark, shape="circle", style="filled", width="0.14", color=INK.light, fillcolor=INK.light
    )
    way = {"id": f"starts-{ident(machine.name)}", "class": "initial", "tooltip": f"Starts in {_text(first)}"}
    part.edge(START, ident(first), **way, color=INK.light)


def _state(part: Digraph, drawing: Drawing, state: State, rows: tuple[Transition, ...]) -> None:
    count = drawing.entered(state.name)
    here = drawing.here(state.name)
    words = ["state", *state.tags, *_came(count), *(["current"] if here else [])]
    shown: Attributes = {"id": f"state-{ident(state.name)}", "class": " ".join(map(ident, words))}
    border, fill, width = _border(state, count)
    part.node(
        ident(state.name),
        label=state_card(drawing, state, rows),
        **shown,
        tooltip=_text(f"{state.name}\n{state.doc}"),
        color=border.light,
        fillcolor=fill.light,
        penwidth="4" if here else width,
        peripheries="2" if "terminal" in state.tags else "1",
        style="rounded,filled,dashed" if "operator" in state.tags else "rounded,filled",
    )


def _came(count: int | None) -> list[str]:
    if count is None:
        return []
    return ["visited" if count else "unvisited"]


def _border(state: State, count: int | None) -> tuple[Tone, Tone, str]:
    """Return border, ground and width: by the state's kind without a run, else by whether the run came by."""
    live = "live" in state.tags
    if count is not None:
        path = (LIVE if live else SAFE, PATH_CARD, "2.5")
        return path if count else (FAINT, PAPER, "1")
    if live:
        return LIVE, LIVE_CARD, "3"
    return (MUTED, CARD, "1.8") if "operator" in state.tags else (INK, CARD, "1.2")


def _edge(graph: Digraph, drawing: Drawing, arc: Arc) -> None:
    live = "live" in drawing.machine.state(arc.target).tags
    run = drawing.overlay is not None
    count = sum(drawing.taken(item, arc.source) or 0 for item in arc.transitions) if run else None
    colour, width = (LIVE, "3.5") if live else (INK, "1")
    if count is not None:
        colour, width = (LIVE if live else SAFE, "3") if count else (FAINT, "0.8")
    weight, line = _weight(drawing, arc), dict[str, str]()
    if weight is not None:
        line = {"style": LINES[weight]}
        colour = colour if live else {Weight.MUST: SAFE, Weight.MAY: MUTED, Weight.IRRELEVANT: FAINT}[weight]
    names = ", ".join(item.name for item in arc.transitions)
    words = [*(["live"] if live else []), *_came(count)]
    shown: Attributes = {"id": f"edge-{ident(arc.source)}--{ident(arc.target)}", "class": " ".join(words)}
    graph.edge(
        ident(arc.source),
        ident(arc.target),
        label=edge_card(drawing, arc.transitions, arc.source, live=live),
        **{key: value for key, value in shown.items() if value},
        tooltip=_text(f"{arc.source} → {arc.target}: {names}"),
        color=colour.light,
        penwidth=width,
        **line,
    )


def _weight(drawing: Drawing, arc: Arc) -> Weight | None:
    """Return the strongest weight of what an arrow's transitions say; None without weights, or if they say nothing."""
    if drawing.weights is None:
        return None
    found = {drawing.weights.of(item) for item in arc.transitions}
    return next((weight for weight in Weight if weight in found), None)
