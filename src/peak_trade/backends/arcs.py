"""The arrows of a picture: all transitions between the same two states share one."""

from dataclasses import dataclass

from peak_trade.lang.machine import Machine, Transition


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
