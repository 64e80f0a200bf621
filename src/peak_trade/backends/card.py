"""The tables inside a picture: a state with the steps that stay in it, an arrow with the steps that take it.

Graphviz's HTML-like labels, one row a line. Every cell has a fixed size, measured here, so that no computer's fonts
change the layout, and a transparent ground, by which `polish` finds its place. Each row has the id and the whole text
of its transition, and a cell for a count at its end, so that a picture with counts has the geometry of one without.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from peak_trade.backends.label import anchor, brief, folded, full
from peak_trade.backends.metrics import width
from peak_trade.backends.overlay import SIGNS, Overlay, Weight, Weights
from peak_trade.backends.palette import FAINT, INK, LIVE_TEXT, MUTED, PATH_TEXT, RULE, Tone
from peak_trade.lang.machine import Machine, Requirement, State, Transition
from peak_trade.lang.pretty import expression

GLYPHS: Final = {"live": "\N{WARNING SIGN}\ufe0e", "operator": "\N{BLACK FLAG}", "terminal": "\N{BLACK SQUARE}"}
HERE: Final = "\N{BLACK RIGHT-POINTING TRIANGLE}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
TO: Final = "\N{RIGHTWARDS ARROW}"
LOCK: Final = "\N{BLACK DIAMOND}"
SMALL, NORMAL, LARGE, HUGE = 9, 10, 12, 16
COUNT_POINTS: Final = 26
COUNTS_MAX: Final = 1000
GROUND: Final = "#00000000"
_SPACE: Final = '<TD FIXEDSIZE="TRUE" WIDTH="5" HEIGHT="1"></TD>'


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one colour and weight."""

    text: str
    tone: Tone
    bold: bool = False


Line: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A machine and, if there is one, the run or the weights of its parts that are laid over it."""

    machine: Machine
    overlay: Overlay | None = None
    weights: Weights | None = None

    def taken(self, transition: Transition, source: str) -> int | None:
        """How often the run took `transition` from `source`; None without a run."""
        return None if self.overlay is None else self.overlay.transitions.get(anchor(transition, source), 0)

    def entered(self, state: str) -> int | None:
        """How often the run entered `state`; None without a run."""
        return None if self.overlay is None else self.overlay.states.get(state, 0)

    def here(self, state: str) -> bool:
        """True iff the run stands in `state`."""
        return self.overlay is not None and self.overlay.current == state


def written(text: str) -> str:
    """Return plain text as part of an HTML-like label, where a backslash is an escape too."""
    return escape(text.replace("\\", "\\\\")).replace("\n", "&#10;")


def cell(line: Line, points: int, more: str = "") -> str:
    """Return the cell with `line` at a size of `points`; `more` are further attributes."""
    runs = tuple(Run(" ".join(run.text.split()), run.tone, run.bold) for run in line if run.text.strip())
    wide = sum(width(f"{run.text} ", points, bold=run.bold) for run in runs)
    inner = "".join(_run(run, last=run is runs[-1]) for run in runs)
    text = f'<FONT POINT-SIZE="{points}">{inner}</FONT>' if inner else ""
    size = f'FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{points * 13 // 10}"'
    return f'<TD {size} ALIGN="LEFT" BGCOLOR="{GROUND}"{more}>{text}</TD>'


def _run(run: Run, *, last: bool) -> str:
    text = written(run.text) if last else f"{written(run.text)} "
    weighed = f"<B>{text}</B>" if run.bold else text
    return f'<FONT COLOR="{run.tone.light}">{weighed}</FONT>'


def tone(count: int | None, plain: Tone) -> Tone:
    """Return the colour of a text: its own without a run, else whether the run came by."""
    if count is None:
        return plain
    return PATH_TEXT if count else FAINT


def weighed(weight: Weight | None, plain: Tone) -> Tone:
    """Return the colour of a text by the weight of what it names: its own, or paler the less rests on it."""
    return {Weight.MAY: MUTED, Weight.IRRELEVANT: FAINT}.get(weight, plain) if weight else plain


def short(count: int | None) -> str:
    """Return a count in at most five characters: a multiplication sign and `7` or `12k`; empty for none."""
    if not count:
        return ""
    for unit in ("", "k", "M", "G"):
        if count < COUNTS_MAX:
            return f"{TIMES}{count}{unit}"
        count //= COUNTS_MAX
    return f"{TIMES}many"


def row(drawing: Drawing, transition: Transition, source: str, *, live: bool = False, leads: str = "") -> str:
    """Return the row of one transition: id, event, reason or short guard, where it leads if asked for, its count."""
    count = drawing.taken(transition, source)
    strong = tone(count, LIVE_TEXT if live else INK)
    weight = drawing.weights.of(transition) if drawing.weights else None
    strong = weighed(weight, strong)
    name = f"{GLYPHS['live']} {transition.name}" if live else transition.name
    name = f"{SIGNS[weight]} {name}" if weight else name
    whole = (Run(name, strong, bold=True), Run(transition.event, strong), Run(brief(transition), tone(count, MUTED)))
    line = (*whole, *([Run(f"{TO} {leads}", strong)] if leads else []))
    tip = full(drawing.machine, transition, source) + (f"\ntaken {count} times" if count else "")
    named = f' ID="{anchor(transition, source)}" TOOLTIP="{written(tip)}"'
    return f"<TR>{cell(line, NORMAL, named)}{_counted(short(count))}</TR>"


def _counted(text: str) -> str:
    inner = f'<FONT POINT-SIZE="{SMALL}">{_run(Run(text, PATH_TEXT, bold=True), last=True)}</FONT>' if text else ""
    size = f'FIXEDSIZE="TRUE" WIDTH="{COUNT_POINTS}" HEIGHT="12"'
    return f'<TD {size} ALIGN="LEFT" BGCOLOR="{GROUND}">{inner}</TD>'


def _across(text: str, colour: Tone) -> str:
    inner = cell((Run(text, colour),), SMALL, ' COLSPAN="2"')
    return f"<TR>{inner}</TR>"


def _gap(points: int) -> str:
    return f'<TR><TD COLSPAN="2" CELLPADDING="0" HEIGHT="{points}"></TD></TR>'


def state_card(drawing: Drawing, state: State, listed: tuple[Transition, ...]) -> str:
    """Return the label of a state: name and sentence, the steps that stay in it, and those that have no arrow."""
    count = drawing.entered(state.name)
    glyphs = [glyph for tag, glyph in GLYPHS.items() if tag in state.tags]
    colour = tone(count, LIVE_TEXT if "live" in state.tags else INK)
    name = cell((Run(" ".join((*glyphs, state.name)), colour, bold=True),), LARGE)
    rows = [f"<TR>{name}{_counted((HERE if drawing.here(state.name) else '') + short(count))}</TR>"]
    rows += [_across(line, tone(count, MUTED)) for line in folded(state.doc)]
    for leaving in (False, True):
        part = [item for item in listed if (item.target not in {None, state.name}) == leaving]
        rows += [_gap(2), "<HR/>", _gap(3)] if part else []
        rows += [row(drawing, item, state.name, leads=(item.target or "") if leaving else "") for item in part]
    return table(rows)


def edge_card(drawing: Drawing, transitions: tuple[Transition, ...], source: str, *, live: bool) -> str:
    """Return the label of an arrow: its transitions, and below one that enters a live state its locks."""
    rows: list[str] = []
    for transition in transitions:
        rows.append(row(drawing, transition, source, live=live))
        colour = tone(drawing.taken(transition, source), MUTED)
        locks = transition.require if live else ()
        rows += [_lock(drawing, transition, lock, colour) for lock in locks]
    return table(text.replace("<TR>", f"<TR>{_SPACE}", 1) for text in rows)


def _lock(drawing: Drawing, transition: Transition, lock: Requirement, colour: Tone) -> str:
    weight = drawing.weights.lock(transition, lock.reason) if drawing.weights else None
    sign = f"{SIGNS[weight]} " if weight else ""
    return _across(f"{LOCK} {sign}{expression(lock.holds)}", weighed(weight, colour))


def table(rows: Iterable[str]) -> str:
    """Return the HTML-like label with these rows."""
    head = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1" COLOR="{RULE.light}">'
    return "\n".join(("<" + head, *rows, "</TABLE>>"))


def line_card(lines: Iterable[tuple[Line, int]]) -> str:
    """Return a label of lines, each at its size in points."""
    return table(f"<TR>{cell(line, points)}</TR>" for line, points in lines)
