"""The session machine with a run laid over it, as SVG; without a renderer or with a foreign run, in words why not."""

from collections import Counter

from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor
from peak_trade.backends.overlay import Overlay
from peak_trade.backends.svg import RenderError, svg
from peak_trade.lang.machine import Machine
from peak_trade.watch.tally import Tally


def laid(machine: Machine, tally: Tally) -> Overlay:
    """Return how often the run took each transition and entered each state of `machine`, and where it stands.

    What the machine does not have is left out, so the overlay of a run of another version fits too.
    """
    known = {(item.name, source): item for item in machine.transitions for source in item.sources}
    names = {state.name for state in machine.states}
    entered, taken = Counter({machine.initial.name: 1}), Counter[str]()
    for (name, source, target), count in tally.hops[machine.name].items():
        if (name, source) in known:
            taken[anchor(known[name, source], source)] += count
        if target in names and target != source:
            entered[target] += count
    return Overlay(dict(entered), dict(taken), tally.state if tally.state in names else None)


def drawn(machine: Machine, tally: Tally) -> tuple[str, str]:
    """Return the SVG of `machine` with the run on it, and an empty text; or an empty SVG and why there is none."""
    try:
        return svg(dot(machine, laid(machine, tally))), ""
    except RenderError as error:
        return "", str(error)
