"""The legend of a machine's picture: only the signs that this machine's picture has."""

from peak_trade.backends.arcs import placed
from peak_trade.backends.card import GLYPHS, HERE, LOCK, TIMES, TO
from peak_trade.backends.overlay import LINES, Weight, Weights
from peak_trade.backends.overlay import SIGNS as WEIGHTS
from peak_trade.lang.machine import Machine

SIGNS = {
    "live": "orange, thick border: a live state; each arrow into it is thick and orange and lists what must hold",
    "operator": "dashed border: halted, waits for an operator",
    "terminal": "double border: a final state",
}


MEANT = {
    Weight.MUST: "no proof without it",
    Weight.MAY: "some proof rests on it",
    Weight.IRRELEVANT: "no proof that was found rests on it",
}


def legend(machine: Machine, weights: Weights | None = None) -> str:
    """Return the lines that explain the picture of `machine`, plain text, one sign a line."""
    lines = [
        "Card: a state, and the steps that stay in it. Arrow: the steps that lead to another state, by id and event."
    ]
    if any(item.target not in {None, name} for name, items in placed(machine)[0].items() for item in items):
        lines.append(
            f"{TO} after a step in a card: it leads there. So many states do that arrows would hide the others."
        )
    lines += [f"{GLYPHS[tag]} {text}" for tag, text in SIGNS.items() if machine.tagged(tag)]
    if machine.tagged("live"):
        lines.append("Bold orange frame LIVE: the states declared live. Dashed blue frame NO-LIVE: all others.")
        lines.append(f"{LOCK} a lock: all must be open, else the step is refused by the lock's name.")
    if any(item.reason for item in machine.transitions):
        lines.append("· after an event: the named reason of the step.")
    if any(len(item.sources) > 1 for item in machine.transitions):
        lines.append("An id that stands at several arrows or cards is one transition with several sources.")
    lines.append(
        f"With a run laid over it: blue and thick is where it went, {TIMES}n how often; {HERE} is where it stands."
    )
    if weights is not None:
        lines += [f"{WEIGHTS[item]} {LINES[item]} line: {MEANT[item]}" for item in Weight]
    return "\n".join(lines) + "\n"
