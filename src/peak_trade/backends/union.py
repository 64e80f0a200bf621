"""Two versions of a machine as one picture: what was added, removed and changed, by sign, colour and kind of line.

`+`, green and bold: only the new one has it. `−`, red and dashed: only the old one had it. `±`, amber and dotted: both
have it and it changed, with the word that says how, what was written before and what is now. All else is faint.
"""

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from textwrap import wrap
from typing import Final

from graphviz import Digraph
from graphviz.quoting import escape

from peak_trade.backends.card import GLYPHS, HUGE, LARGE, LOCK, NORMAL, SMALL, Run, cell, line_card, table, written
from peak_trade.backends.label import brief, folded, full, guard, ident, locks, updates
from peak_trade.backends.palette import CARD, FAINT, INK, LIVE, LIVE_TEXT, MUTED, PAPER, Tone
from peak_trade.backends.svg import svg
from peak_trade.lang.machine import Machine, State, Transition

FONT: Final = "Helvetica,Arial,sans-serif"
DETAIL_CHARS_MAX: Final = 56
ADDED: Final = Tone("#116329", "#3fb950")
REMOVED: Final = Tone("#a40e26", "#ff7b72")
CHANGED: Final = Tone("#7d4e00", "#d29922")
ADDED_CARD: Final = Tone("#e6ffec", "#12261e")
REMOVED_CARD: Final = Tone("#ffebe9", "#2d1214")
CHANGED_CARD: Final = Tone("#fff8c5", "#272115")
TONES: Final = (ADDED, REMOVED, CHANGED, ADDED_CARD, REMOVED_CARD, CHANGED_CARD)
LEGEND: Final = "+ green, bold: added · − red, dashed: removed · ± amber, dotted: changed · faint: as it was"


class Mark(Enum):
    """What became of a part of the picture; the value is its sign."""

    KEPT = ""
    ADDED = "+"
    REMOVED = "−"
    CHANGED = "±"


_TEXT: Final = {Mark.KEPT: FAINT, Mark.ADDED: ADDED, Mark.REMOVED: REMOVED, Mark.CHANGED: CHANGED}
_CARDS: Final = {Mark.KEPT: CARD, Mark.ADDED: ADDED_CARD, Mark.REMOVED: REMOVED_CARD, Mark.CHANGED: CHANGED_CARD}
_STYLES: Final = {Mark.KEPT: "solid", Mark.ADDED: "bold", Mark.REMOVED: "dashed", Mark.CHANGED: "dotted"}
_WIDTHS: Final = {Mark.KEPT: "0.8", Mark.ADDED: "2.5", Mark.REMOVED: "2", Mark.CHANGED: "2.5"}


@dataclass(frozen=True, slots=True)
class Pairs:
    """What became of transitions, by the new id: which old one each was, and the words that say how it changed."""

    old: Mapping[str, str]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Row:
    """One transition from one of its sources, as it is drawn."""

    transition: Transition
    source: str
    target: str
    mark: Mark
    word: str = ""
    details: tuple[tuple[Mark, str], ...] = ()


def picture(old: Machine, new: Machine, pairs: Pairs) -> str:
    """Return the SVG of `old`, in the words of `new`, and `new` as one; errors as `backends.svg.svg`."""
    rules = (f'.picture [{part}="{tone.light}"]{{{part}:{tone.dark}}}' for tone in TONES for part in ("fill", "stroke"))
    dark = "\n".join(("@media (prefers-color-scheme:dark){", *rules, "}"))
    return svg(union(old, new, pairs)).replace("</style>", f"{dark}\n</style>", 1)


def union(old: Machine, new: Machine, pairs: Pairs) -> str:
    """Return the DOT text of the two machines as one; equal arguments give equal bytes.

    Limits: as of `backends.dot.dot`; the frame that separates live states is drawn, the other one is not.
    """
    rows = sorted(_rows(old, new, pairs), key=lambda row: row.mark is Mark.KEPT)
    states = (*new.states, *(item for item in old.states if item.name not in {other.name for other in new.states}))
    graph = _graph(old, new, rows)
    live = Digraph("cluster_live")
    own = {"id": f"zone-live-{ident(new.name)}", "class": "zone live", "tooltip": "The live states", "style": "bold"}
    live.attr("graph", **own, color=LIVE.light, penwidth="2.5", margin="12", labeljust="r", label=_frame())
    for state in states:
        loops = [row for row in rows if row.source == row.target == state.name]
        _state(live if "live" in state.tags else graph, old, new, state, loops)
    if any("live" in state.tags for state in states):
        graph.subgraph(live)
    places = {state.name: place for place, state in enumerate(states)}
    arcs: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        if row.source != row.target:
            arcs.setdefault((row.source, row.target), []).append(row)
    for ends in sorted(arcs, key=lambda ends: (places[ends[0]], places[ends[1]])):
        _edge(graph, old if ends[0] not in {item.name for item in new.states} else new, arcs[ends])
    return str(graph.source)


def _rows(old: Machine, new: Machine, pairs: Pairs) -> Iterator[_Row]:
    for item in new.transitions:
        was = old.transition(pairs.old[item.name]) if item.name in pairs.old else None
        word = pairs.words.get(item.name, "")
        details = tuple(_details(was, item)) if was is not None and word else ()
        for source in item.sources:
            target = item.target or source
            kept = was is not None and source in was.sources and (was.target or source) == target
            mark = Mark.ADDED if not kept else Mark.CHANGED if word else Mark.KEPT
            yield _Row(item, source, target, mark, word if mark is not Mark.KEPT else "", details if kept else ())
    now = {name: new.transition(other) for other, name in pairs.old.items()}
    for item in old.transitions:
        other = now.get(item.name)
        for source in item.sources:
            target = item.target or source
            if other is None or source not in other.sources or (other.target or source) != target:
                yield _Row(item, source, target, Mark.REMOVED)


def _details(old: Transition, new: Transition) -> Iterator[tuple[Mark, str]]:
    """Yield the guards, locks and updates that only one of the two has."""
    was = [*(f"[{text}]" for text in (guard(old),) if text), *(f"{LOCK} {text}" for text in locks(old)), *updates(old)]
    now = [*(f"[{text}]" for text in (guard(new),) if text), *(f"{LOCK} {text}" for text in locks(new)), *updates(new)]
    yield from ((Mark.REMOVED, text) for text in was if text not in now)
    yield from ((Mark.ADDED, text) for text in now if text not in was)


def _graph(old: Machine, new: Machine, rows: Iterable[_Row]) -> Digraph:
    counts = {mark: len({row.transition.name for row in rows if row.mark is mark}) for mark in Mark}
    told = f"transitions: {counts[Mark.ADDED]} added, {counts[Mark.REMOVED]} removed, {counts[Mark.CHANGED]} changed"
    versions = f"version {old.version}" + (f" → {new.version}" if old.version != new.version else "")
    title = ((Run(new.name, INK, bold=True), Run(versions, INK), Run("what changed", MUTED)), HUGE)
    graph = Digraph(f"{ident(new.name)}-union", encoding="utf-8")
    graph.attr(
        "graph",
        **{"id": f"union-{ident(new.name)}", "class": "machine union", "rankdir": "TB", "bgcolor": PAPER.light},
        label=line_card((title, ((Run(told, MUTED),), NORMAL), ((Run(LEGEND, MUTED),), SMALL))),
        labelloc="t",
        labeljust="l",
        tooltip=_tip(f"Changes of {new.name}: {told}"),
        fontname=FONT,
        fontsize="11",
        nodesep="0.2",
        ranksep="0.3",
        newrank="true",
        mclimit="10",
        pad="0.2",
    )
    graph.attr("node", shape="box", style="rounded,filled", fontname=FONT, fontsize="10", margin="0.1,0.06")
    graph.attr("edge", fontname=FONT, fontsize="10", arrowsize="0.8")
    return graph


def _frame() -> str:
    return line_card((((Run(f"{GLYPHS['live']} LIVE", LIVE_TEXT, bold=True),), NORMAL),))


def _state(part: Digraph, old: Machine, new: Machine, state: State, loops: list[_Row]) -> None:
    mark, said = _became(old, new, state)
    strong = INK if mark is Mark.KEPT else _TEXT[mark]
    glyphs = [glyph for tag, glyph in GLYPHS.items() if tag in state.tags]
    name = " ".join((*([mark.value] if mark.value else []), *glyphs, state.name))
    rows = [f"<TR>{cell((Run(name, strong, bold=True),), LARGE)}</TR>"]
    rows += [f"<TR>{cell((Run(line, MUTED),), SMALL)}</TR>" for line in (*folded(state.doc), *said)]
    rows += ['<TR><TD HEIGHT="2"></TD></TR>', "<HR/>", '<TR><TD HEIGHT="3"></TD></TR>'] if loops else []
    for row in loops:
        rows += _lines(new if row.mark is not Mark.REMOVED else old, row)
    dashed = mark is Mark.REMOVED or (mark is Mark.KEPT and "operator" in state.tags)
    part.node(
        ident(state.name),
        label=table(rows),
        **{"id": f"state-{ident(state.name)}", "class": f"state {mark.name.lower()}"},
        tooltip=_tip(f"{state.name}\n{state.doc}"),
        color=(INK if mark is Mark.KEPT else _TEXT[mark]).light,
        fillcolor=_CARDS[mark].light,
        penwidth="1.2" if mark is Mark.KEPT else "2.5",
        peripheries="2" if "terminal" in state.tags else "1",
        style="rounded,filled,dashed" if dashed else "rounded,filled",
    )


def _became(old: Machine, new: Machine, state: State) -> tuple[Mark, tuple[str, ...]]:
    """Return what became of a state, and its tags in words if they changed."""
    was = next((item for item in old.states if item.name == state.name), None)
    if was is None:
        return Mark.ADDED, ()
    if all(item.name != state.name for item in new.states):
        return Mark.REMOVED, ()
    if set(was.tags) == set(state.tags) and was.initial == state.initial:
        return Mark.KEPT, ()
    words = [" ".join((*(["initial"] if item.initial else []), *item.tags)) or "no tags" for item in (was, state)]
    return Mark.CHANGED, (f"− {words[0]}", f"+ {words[1]}")


def _lines(machine: Machine, row: _Row) -> list[str]:
    """Return the rows of a table that show one transition: its line, and below it what was written and is."""
    tone, item = _TEXT[row.mark], row.transition
    shown = f"{row.mark.value} {item.name}".strip()
    loud = row.mark is not Mark.KEPT
    line = (Run(shown, tone, bold=loud), Run(item.event, tone), Run(row.word, tone, bold=True), Run(brief(item), FAINT))
    own = f"{row.mark.name.lower()}-{ident(item.name)}--{ident(row.source)}"
    tip = " ".join(part for part in (row.mark.name.lower(), row.word) if part) + "\n" + full(machine, item, row.source)
    named = f' ID="{own}" TOOLTIP="{written(tip)}"'
    lines = [f"<TR>{cell(line, NORMAL, named)}</TR>"]
    for mark, text in row.details:
        for number, part in enumerate(wrap(text, DETAIL_CHARS_MAX)):
            sign = mark.value if number == 0 else "\N{NO-BREAK SPACE}"
            lines.append(f"<TR>{cell((Run(f'{sign} {part}', _TEXT[mark]),), SMALL)}</TR>")
    return lines


def _edge(graph: Digraph, machine: Machine, rows: list[_Row]) -> None:
    marks = {row.mark for row in rows}
    mark = marks.pop() if len(marks) == 1 else Mark.CHANGED if marks - {Mark.KEPT} else Mark.KEPT
    space = '<TD FIXEDSIZE="TRUE" WIDTH="5" HEIGHT="1"></TD>'
    lines = [line.replace("<TR>", f"<TR>{space}", 1) for row in rows for line in _lines(machine, row)]
    source, target = rows[0].source, rows[0].target
    names = ", ".join(f"{row.mark.value}{row.transition.name}" for row in rows)
    graph.edge(
        ident(source),
        ident(target),
        label=table(lines),
        **{"id": f"edge-{ident(source)}--{ident(target)}", "class": mark.name.lower()},
        tooltip=_tip(f"{source} → {target}: {names}"),
        color=_TEXT[mark].light,
        style=_STYLES[mark],
        penwidth=_WIDTHS[mark],
    )


def _tip(text: str) -> str:
    return str(escape(html.escape(text).replace("\\", "\\\\")))
