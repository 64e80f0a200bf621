"""What a run did, as counts to lay over a machine's picture."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from peak_trade.backends.label import anchor
from peak_trade.lang.machine import Machine


@dataclass(frozen=True, slots=True)
class Overlay:
    """How often each state was entered and each transition taken; `current` is where the run stands.

    `transitions` is keyed as drawn: by `label.anchor`, so that a transition with several sources is counted where it
    was taken and nowhere else. Zero and absent mean the same.
    """

    states: Mapping[str, int]
    transitions: Mapping[str, int]
    current: str | None = None


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
