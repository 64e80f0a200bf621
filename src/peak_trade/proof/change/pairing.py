"""Which states and variables of an old machine are those of a new one under another name.

A name that both have stands for itself. Of the others, two are one iff they are of one kind and occur in mostly the
same rows and properties, and neither is more alike to a third. That only chooses the words in which the machines are
compared: a wrong pair shows as changes, never as "same".
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from peak_trade.lang.machine import Machine, State, Variable
from peak_trade.lang.sorts import EnumSort, ScalarSort, comparable
from peak_trade.lang.source import NOWHERE
from peak_trade.proof.change.reword import EVENT_SORT, STATE_SORT, Wording, reword

ALIKE_MIN: Final = 0.5
LOOSE_NAMES_MAX: Final = 24
"""So many names on one side that the other lacks are looked at; with more, none is taken for renamed."""

_SELF, _OTHER = "<self>", "<other>"


@dataclass(frozen=True, slots=True)
class Renamed:
    """The new name of each old state and variable that has another one now."""

    states: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


def renamed(old: Machine, new: Machine) -> Renamed:
    """Return which names of `old` are other names in `new`.

    Limits: LOOSE_NAMES_MAX; a thing that was renamed and mostly rewritten is one removed and one added.
    """
    states: dict[str, str] = {}
    variables: dict[str, str] = {}
    while True:
        found = _round(old, new, states, variables)
        if not any(found):
            return Renamed(states, variables)
        states |= found[0]
        variables |= found[1]


def _round(
    old: Machine, new: Machine, states: dict[str, str], variables: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return further pairs of states and of variables, given those that are known."""
    left = _Loose.of(old, new, states, variables)
    right = _Loose.of(new, old, {b: a for a, b in states.items()}, {b: a for a, b in variables.items()})
    if max(map(len, (left.states, left.variables, right.states, right.variables))) > LOOSE_NAMES_MAX:
        return {}, {}
    there, back = Wording(states, variables), Wording()
    kinds, others = _kinds(old), _kinds(new)
    mine = {name: _profile(old, name, left, there) for name in (*left.states, *left.variables)}
    theirs = {name: _profile(new, name, right, back) for name in (*right.states, *right.variables)}
    scores = {
        (one, other): _alike(mine[one], theirs[other])
        for one in mine
        for other in theirs
        if _one_kind(kinds[one], others[other])
    }
    pairs = _mutual(scores)
    chosen = {one: other for one, other in pairs.items() if one in left.states}
    return chosen, {one: other for one, other in pairs.items() if one in left.variables}


@dataclass(frozen=True, slots=True)
class _Loose:
    """The names of one machine that are not yet paired, in declared order."""

    states: tuple[str, ...]
    variables: tuple[str, ...]

    @classmethod
    def of(cls, one: Machine, other: Machine, states: Collection[str], variables: Collection[str]) -> "_Loose":
        known = {item.name for item in other.states} | set(states)
        named = {item.name for item in other.variables} | set(variables)
        return cls(
            tuple(item.name for item in one.states if item.name not in known),
            tuple(item.name for item in one.variables if item.name not in named),
        )


def _kinds(machine: Machine) -> dict[str, State | Variable]:
    return {item.name: item for item in machine.states} | {item.name: item for item in machine.variables}


def _one_kind(one: State | Variable, other: State | Variable) -> bool:
    match one, other:
        case State(), State():
            return set(one.tags) == set(other.tags) and one.initial == other.initial
        case Variable(), Variable():
            return comparable(one.sort, other.sort) and one.free == other.free
        case _:
            return False


def _profile(machine: Machine, name: str, loose: _Loose, known: Wording) -> Counter[str]:
    """Return the rows and properties in which `name` occurs, with it and every other unpaired name masked."""
    masked = dict.fromkeys((*loose.states, *loose.variables), _OTHER) | {name: _SELF}
    words = Wording({**known.states, **masked}, {**known.variables, **masked}, {}, _bare)
    said = reword(machine, words)
    rows = (
        *(replace(item, name="", span=NOWHERE, sources=tuple(sorted(item.sources))) for item in said.transitions),
        *(replace(item, span=NOWHERE, states=tuple(sorted(item.states))) for item in said.dismissals),
        *(replace(item, name="", says="", answers=(), span=NOWHERE) for item in said.properties),
    )
    return Counter(text for text in map(_unplaced, rows) if repr(_SELF) in text)


def _unplaced(row: object) -> str:
    """Return the row as a text without places, which differ between two files that say the same."""
    text = repr(row)
    parts = text.split("span=Span(")
    return parts[0] + "".join(part.partition(")")[2] for part in parts[1:])


def _bare(sort: ScalarSort) -> ScalarSort:
    """Return the sort without the members of states and events, which differ between the two machines."""
    return EnumSort(sort.name, ()) if isinstance(sort, EnumSort) and sort.name in (STATE_SORT, EVENT_SORT) else sort


def _alike(one: Counter[str], other: Counter[str]) -> float:
    whole = one.total() + other.total()
    return 2 * (one & other).total() / whole if whole else 0.0


def _mutual(scores: Mapping[tuple[str, str], float]) -> dict[str, str]:
    """Return the pairs that are alike enough, best first; of equals the first declared."""
    found: dict[str, str] = {}
    for (one, other), score in sorted(scores.items(), key=lambda item: -item[1]):
        if score >= ALIKE_MIN and one not in found and other not in found.values():
            found[one] = other
    return found
