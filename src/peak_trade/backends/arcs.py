"""The arrows of a picture: all transitions between the same two states share one.

A picture with more than ARROWS_MAX of them would be a ball of wool. There, what leads from SHARED_MIN states or more to
the same one is no arrow: it is a row in the card of each state that it starts in, with the name of where it leads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from peak_trade.lang.machine import Machine, Transition

ARROWS_MAX: Final = 40
SHARED_MIN: Final = 3


@dataclass(frozen=True, slots=True)
class Arc:
    """What leads from `source` to `target`, in declared order; a loop if the two are one state."""

    source: str
    target: str
    transitions: tuple[Transition, ...]

    @property
    def loop(self) -> bool:
        """True iff nothing is left."""
        return self.source == self.target


def arcs(machine: Machine) -> tuple[Arc, ...]:
    """Return the arcs, sources and targets in declared order; each transition is in one for each of its sources."""
    places = {state.name: place for place, state in enumerate(machine.states)}
    found: dict[tuple[str, str], list[Transition]] = {}
    for transition in machine.transitions:
        for source in transition.sources:
            found.setdefault((source, transition.target or source), []).append(transition)
    ordered = sorted(found, key=lambda ends: (places[ends[0]], places[ends[1]]))
    return tuple(Arc(source, target, tuple(found[source, target])) for source, target in ordered)


def placed(machine: Machine) -> tuple[Mapping[str, tuple[Transition, ...]], tuple[Arc, ...]]:
    """Return the transitions in each state's card, those that stay first, and the arrows.

    An arrow into a live state is always an arrow.
    """
    found = arcs(machine)
    arrows = tuple(arc for arc in found if not arc.loop)
    cards = {arc.source: arc.transitions for arc in found if arc.loop}
    if len(arrows) <= ARROWS_MAX:
        return cards, arrows
    shared = frozenset(item.name for item in machine.transitions if _shared(machine, item))
    for arc in arrows:
        cards[arc.source] = (*cards.get(arc.source, ()), *(item for item in arc.transitions if item.name in shared))
    kept = [(arc, tuple(item for item in arc.transitions if item.name not in shared)) for arc in arrows]
    return cards, tuple(Arc(arc.source, arc.target, items) for arc, items in kept if items)


def hung(machine: Machine, arrows: tuple[Arc, ...]) -> tuple[Arc, ...]:
    """Return, for each state that no arrow touches, the last arc that leads to it: by that it finds its place."""
    touched = {name for arc in arrows for name in (arc.source, arc.target)} | {machine.initial.name}
    last = {arc.target: arc for arc in arcs(machine) if not arc.loop and arc.target not in touched}
    return tuple(last.values())


def _shared(machine: Machine, item: Transition) -> bool:
    leaving = [source for source in item.sources if item.target not in {None, source}]
    return len(leaving) >= SHARED_MIN and item.target not in machine.tagged("live")
