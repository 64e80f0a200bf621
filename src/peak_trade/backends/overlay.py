"""What is laid over a machine's picture: what a run did, as counts, or what its claims rest on, as roles."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from peak_trade.backends.label import anchor
from peak_trade.lang.machine import Machine, Transition


@dataclass(frozen=True, slots=True)
class Overlay:
    """How often each state was entered and each transition taken; `current` is where the run stands.

    `transitions` is keyed as drawn: by `label.anchor`, so that a transition with several sources is counted where it
    was taken and nowhere else. Zero and absent mean the same.
    """

    states: Mapping[str, int]
    transitions: Mapping[str, int]
    current: str | None = None


class Weight(Enum):
    """What a guard, lock or update is to the claims, the strongest first: needed, used by some proof, not needed."""

    MUST = "must"
    MAY = "may"
    IRRELEVANT = "irrelevant"


SIGNS = {Weight.MUST: "\N{BLACK CIRCLE}", Weight.MAY: "\N{WHITE CIRCLE}", Weight.IRRELEVANT: "\N{DOTTED CIRCLE}"}
LINES = {Weight.MUST: "solid", Weight.MAY: "dashed", Weight.IRRELEVANT: "dotted"}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight of each part by its name: `ID.when.N`, `ID.require.REASON`, `ID.set.VARIABLE`."""

    parts: Mapping[str, Weight]

    def of(self, transition: Transition) -> Weight | None:
        """Return the strongest weight of the parts of `transition`; None iff it has none."""
        heads = tuple(f"{transition.name}.{kind}." for kind in ("when", "require", "set"))
        found = {weight for name, weight in self.parts.items() if name.startswith(heads)}
        return next((weight for weight in Weight if weight in found), None)

    def lock(self, transition: Transition, reason: str) -> Weight | None:
        """Return the weight of a lock."""
        return self.parts.get(f"{transition.name}.require.{reason}")


def foreign(machine: Machine, overlay: Overlay) -> tuple[str, ...]:
    """Return what `overlay` names and the picture of `machine` does not have, sorted; nothing iff it fits."""
    states = {state.name for state in machine.states}
    drawn = {anchor(item, source) for item in machine.transitions for source in item.sources}
    named = {*overlay.states, *([] if overlay.current is None else [overlay.current])}
    return tuple(sorted((named - states) | (set(overlay.transitions) - drawn)))


def follow(machine: Machine, taken: Iterable[str], start: str | None = None) -> Overlay:
    """Return the overlay of a run that began in `start` (by default the initial state) and took these transitions.

    ValueError iff a transition does not start where the run stands; KeyError iff there is no such transition.
    """
    here = start or machine.initial.name
    states, transitions = Counter((here,)), Counter[str]()
    known = {transition.name: transition for transition in machine.transitions}
    for place, name in enumerate(taken):
        transition = known[name]
        if here not in transition.sources:
            raise ValueError(f"expected step {place} to start in {here}, was {name} from {transition.sources}")
        transitions[anchor(transition, here)] += 1
        if transition.target not in {None, here}:
            here = transition.target or here
            states[here] += 1
    return Overlay(dict(states), dict(transitions), here)
