"""A system's picture as DOT text: its parts, and its rules on cards, each card beside the parts that its rules move.

Rules that move the same parts share a card. A part of which each of the many has one is drawn twice over. Ids:
`part-NAME`, `card-NUMBER`. The same system gives the same bytes.
"""

import html
from typing import Final

from graphviz import Digraph

from peak_trade.backends.card import HUGE, NORMAL, SMALL, Line, Run, line_card
from peak_trade.backends.dot import FINGERPRINT_CHARS, FONT
from peak_trade.backends.label import ident
from peak_trade.backends.palette import CARD, FAINT, INK, MUTED, PAPER, SAFE
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.system import Answer, Part, Rule, System
from peak_trade.lang.track import tracked

MANY: Final = "any number"
NOBODY: Final = "moves no part"


def parts(system: System) -> str:
    """Return the DOT text of `system`.

    Limits: legible on a page up to about 60 rules; a larger system is drawn all the same.
    """
    graph = _graph(system)
    for part in system.parts:
        _part(graph, system, part)
    for number, (names, rules) in enumerate(_groups(system).items(), 1):
        _card(graph, number, names, rules)
    return str(graph.source)


def _graph(system: System) -> Digraph:
    counts = f"{len(system.parts)} parts, {len(system.rules)} rules, {len(system.properties)} claims"
    mark = f"spec {fingerprint(tracked(system))[:FINGERPRINT_CHARS]}"
    title = (Run(system.name, INK, bold=True), Run(f"version {system.version}", INK))
    lines = ((title, HUGE), ((Run(system.summary, MUTED),), NORMAL), ((Run(f"{counts} · {mark}", MUTED),), SMALL))
    graph = Digraph(ident(system.name), encoding="utf-8")
    graph.attr(
        "graph",
        **{"id": f"system-{ident(system.name)}", "class": "system", "rankdir": "LR", "bgcolor": PAPER.light},
        label=line_card(lines),
        labelloc="t",
        labeljust="l",
        tooltip=html.escape(f"System {system.name}, version {system.version}: {counts}. {system.summary}"),
        fontname=FONT,
        fontsize="11",
        nodesep="0.25",
        ranksep="0.9",
        pad="0.2",
    )
    graph.attr("node", shape="box", style="rounded,filled", fontname=FONT, fontsize="10", margin="0.1,0.06")
    graph.attr("edge", fontname=FONT, fontsize="10", arrowsize="0.8")
    return graph


def _part(graph: Digraph, system: System, part: Part) -> None:
    machine = part.machine
    counts = f"{len(machine.states)} states, {len(machine.transitions)} transitions"
    own = [item.name for item in (system.own if part.each else system.shared)] if _first(system, part) else []
    lines: list[tuple[Line, int]] = [((Run(part.name, INK, bold=True),), HUGE), ((Run(counts, MUTED),), NORMAL)]
    lines += [((Run(MANY if part.each else "one", SAFE if part.each else MUTED),), NORMAL)]
    lines += [((Run(f"and {', '.join(own)}", FAINT),), SMALL)] if own else []
    graph.node(
        f"part-{ident(part.name)}",
        label=line_card(lines),
        **{"id": f"part-{ident(part.name)}", "class": "part each" if part.each else "part"},
        tooltip=html.escape(f"{part.name}\n{machine.summary}"),
        color=SAFE.light if part.each else INK.light,
        fillcolor=CARD.light,
        penwidth="2",
        peripheries="2" if part.each else "1",
    )


def _first(system: System, part: Part) -> bool:
    """Return true iff `part` is the first of its kind: its card names the variables beside the parts."""
    return next(one for one in system.parts if one.each == part.each) is part


def _groups(system: System) -> dict[tuple[str, ...], list[Rule]]:
    """Return the rules by the parts that they move, in the order of the parts."""
    groups: dict[tuple[str, ...], list[Rule]] = {}
    for rule in system.rules:
        moved = {move.part for move in rule.moves}
        groups.setdefault(tuple(part.name for part in system.parts if part.name in moved), []).append(rule)
    return groups


def _card(graph: Digraph, number: int, names: tuple[str, ...], rules: list[Rule]) -> None:
    name = f"card-{number}"
    head = " + ".join(names) or NOBODY
    lines: list[tuple[Line, int]] = [((Run(head, MUTED, bold=True),), NORMAL)]
    lines += [((Run(rule.name, INK), Run(_moves(rule), FAINT)), SMALL) for rule in rules]
    graph.node(
        name,
        label=line_card(lines),
        **{"id": name, "class": "rules"},
        tooltip=html.escape("\n".join(f"{rule.name}: {rule.doc}" for rule in rules)),
        color=FAINT.light,
        fillcolor=PAPER.light,
    )
    for part in names:
        tip = html.escape(f"{head} moves {part}")
        graph.edge(name, f"part-{ident(part)}", tooltip=tip, color=MUTED.light, penwidth="1.5")


def _moves(rule: Rule) -> str:
    """Return what a rule's parts are offered, as far as its name does not say it."""
    moves = [f"{move.event}{_answers(move.answers)}" for move in rule.moves if f"{move.part}.{move.event}" != rule.name]
    return " + ".join(moves)


def _answers(answers: tuple[Answer, ...]) -> str:
    return "" if answers == (Answer.TAKEN,) else f" ({' or '.join(answer.value for answer in answers)})"
