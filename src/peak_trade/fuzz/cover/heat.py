"""Coverage to look at: a machine's picture with how often each step was taken, and a table of what was reached.

In the picture what was never seen is grey, its arrow is dashed, and it says `never`, or `proved` where a proof says
that it cannot be; the pointer shows the first seed of what was seen. Equal coverages give the same bytes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from peak_trade.backends.arcs import placed
from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor, ident
from peak_trade.backends.overlay import Overlay
from peak_trade.backends.palette import FAINT
from peak_trade.backends.polish import FIRST_LINE, SVG
from peak_trade.backends.svg import svg
from peak_trade.fuzz.cover.coverage import Coverage, Goal, Tally, counts_of
from peak_trade.fuzz.cover.goals import ARC, STATE, TRANSITION, arc
from peak_trade.lang.machine import Machine

NEVER: Final = "never"
PROVED: Final = "proved"
LEAST: Final = 3
"""How many of the goals that were seen least a line of the table names."""
DASHES: Final = "5,3"
SMALL_POINTS: Final = 8
WIDTH_POINTS_MAX: Final = 7
LEGEND: Final = (
    "Blue: seen, \N{MULTIPLICATION SIGN}n how often; the wider an arrow, the oftener. "
    "Grey, dashed and `never`: not seen. `proved`: a proof says that it cannot be."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of goals of one machine: so many were reached, so many proved unreachable, of `total`.

    `least` are the `LEAST` goals that were seen, but seldom, the least first; `misses` those that nobody has seen or
    proved unreachable.
    """

    machine: str
    kind: str
    reached: int
    unreachable: int
    total: int
    least: tuple[tuple[Goal, Tally], ...]
    misses: tuple[Goal, ...]

    @property
    def permille(self) -> int:
        """How many in a thousand of those that can be reached were, rounded down; 0 if none can."""
        can = self.total - self.unreachable
        return self.reached * 1000 // can if can else 0


def table(coverage: Coverage, wanted: Sequence[Goal], unreachable: Collection[Goal] = ()) -> tuple[Line, ...]:
    """Return a line for each machine and kind of the goals `wanted`, in their order."""
    groups: dict[tuple[str, str], list[Goal]] = {}
    for goal in wanted:
        groups.setdefault((goal.machine, goal.kind), []).append(goal)
    return tuple(_line(coverage, ends, goals, frozenset(unreachable)) for ends, goals in groups.items())


def _line(coverage: Coverage, ends: tuple[str, str], goals: Sequence[Goal], proved: frozenset[Goal]) -> Line:
    missed = coverage.missed(goals)
    misses = tuple(goal for goal in missed if goal not in proved)
    seen = sorted(((coverage.goals[goal], goal) for goal in goals if goal in coverage.goals), key=lambda pair: pair[0])
    least = tuple((goal, tally) for tally, goal in seen[:LEAST])
    return Line(*ends, len(seen), len(missed) - len(misses), len(goals), least, misses)


def text(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the table as lines of text."""
    yield f"{'machine':<10}{'goals':<12}{'reached':>15}{'':>8}  seen least (times, first seed)"
    for line in lines:
        share = f"{line.permille // 10}.{line.permille % 10} %"
        ratio = f"{line.reached:,} / {line.total - line.unreachable:,}"
        least = ", ".join(f"{goal.name} ({seen.times:,}, {seen.seed})" for goal, seen in line.least)
        proved = f"; {line.unreachable:,} {PROVED} unreachable" if line.unreachable else ""
        yield f"{line.machine or 'campaign':<10}{line.kind:<12}{ratio:>15}{share:>8}  {least or NEVER}{proved}"


def overlay(machine: Machine, coverage: Coverage) -> Overlay:
    """Return the counts of `coverage` as they are laid over the picture of `machine`.

    A transition of which no source is known, because an engine counts none, has its count at each of them.
    """
    states = counts_of(coverage, STATE, machine.name)
    arcs, totals = (counts_of(coverage, kind, machine.name) for kind in (ARC, TRANSITION))
    taken: dict[str, int] = {}
    for item in machine.transitions:
        known = {source: arcs.get(arc(item.name, source), 0) for source in item.sources}
        for source, count in known.items():
            taken[anchor(item, source)] = count if any(known.values()) else totals.get(item.name, 0)
    return Overlay({item.name: states.get(item.name, 0) for item in machine.states}, taken)


def heat(machine: Machine, coverage: Coverage, unreachable: Collection[Goal] = ()) -> str:
    """Return the SVG of `machine` with `coverage` laid over it.

    RenderError as `backends.svg` says.
    """
    laid = overlay(machine, coverage)
    root = ET.fromstring(svg(dot(machine, laid)))  # noqa: S314 - our own picture, and the standard parser loads nothing
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
    root.set("xmlns", SVG)
    hints = dict(_hints(machine, coverage, laid, frozenset(unreachable)))
    groups = {element.get("id", ""): element for element in root.iter("g")}
    for name, (words, mark) in hints.items():
        if name in groups:
            _mark(groups[name], words, mark)
    for group in groups.values():
        if "unvisited" in group.get("class", "").split():
            for path in group.iter("path"):
                path.set("stroke-dasharray", DASHES)
    for one in placed(machine)[1]:
        count = sum(laid.transitions[anchor(item, one.source)] for item in one.transitions)
        if count:
            _widen(groups[f"edge-{ident(one.source)}--{ident(one.target)}"], len(str(count)))
    _describe(root, machine, hints)
    return f"{FIRST_LINE}\n{ET.tostring(root, encoding='unicode')}\n"


def _hints(
    machine: Machine, coverage: Coverage, laid: Overlay, proved: frozenset[Goal]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield for each id in the picture the words of its hint and of its mark; what was seen has no mark."""
    for state in machine.states:
        goal = Goal(STATE, machine.name, state.name)
        yield f"state-{ident(state.name)}", _said(laid.states[state.name], (goal,), coverage, proved)
    for item in machine.transitions:
        for source in item.sources:
            goals = (Goal(ARC, machine.name, arc(item.name, source)), Goal(TRANSITION, machine.name, item.name))
            name = anchor(item, source)
            yield name, _said(laid.transitions[name], goals, coverage, proved)


def _said(count: int, goals: Sequence[Goal], coverage: Coverage, proved: frozenset[Goal]) -> tuple[str, str]:
    if count:
        seed = next(coverage.goals[goal].seed for goal in goals if goal in coverage.goals)
        return f"seen {count:,} times, first with seed {seed}", ""
    if any(goal in proved for goal in goals):
        return "never seen, and proved unreachable", PROVED
    return "never seen", NEVER


def _mark(group: ET.Element, words: str, mark: str) -> None:
    """Add words to the title of a group, and a mark behind its first line."""
    title, line = group.find("title"), group.find("text")
    if title is not None:
        title.text = f"{title.text or ''}\n{words}"
    if mark and line is not None:
        ET.SubElement(line, "tspan", {"font-size": str(SMALL_POINTS), "fill": FAINT.light}).text = f" {mark}"


def _widen(group: ET.Element, digits: int) -> None:
    """Draw an arrow the wider the more often it was taken: by the digits of the count."""
    for path in group.findall("path"):
        path.set("stroke-width", str(min(1 + digits, WIDTH_POINTS_MAX)))


def _describe(root: ET.Element, machine: Machine, hints: dict[str, tuple[str, str]]) -> None:
    """Say in the picture's description how much of it was seen."""
    drawn = [mark for name, (_, mark) in hints.items() if not name.startswith("state-")]
    states = [mark for name, (_, mark) in hints.items() if name.startswith("state-")]
    said = f"Seen: {states.count('')} of {len(states)} states, {drawn.count('')} of {len(drawn)} steps. {LEGEND}"
    described = root.find("desc")
    assert described is not None, f"expected a description of {machine.name}"
    described.text = f"{described.text or ''} {said}"
