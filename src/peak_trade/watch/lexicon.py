"""The words that a view may use: those of the specifications and of the rails, given by the caller, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import EnumSort
from peak_trade.lang.step import BUILT_IN

OTHER: Final = "other"
"""What stands for a word that is in no specification, so that no text of a journal becomes a label."""

OUTCOMES: Final = ("taken", "ignored", "refused", "broken")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Two machines and the names that are declared beside them.

    `rails` are the limits before an order leaves; `wires` says of each tripwire whether it is hard; `actions` says what
    is to be done about each code of a difference; `breaker` are the states of the circuit breaker, the first one first.
    """

    session: Machine
    order: Machine
    rails: tuple[str, ...]
    wires: Mapping[str, bool]
    actions: Mapping[str, str]
    breaker: tuple[str, ...] = ("closed", "open", "half_open")

    def machine(self, name: str) -> Machine:
        """Return the session or the order machine; KeyError if `name` is neither."""
        return {"session": self.session, "order": self.order}[name]


def states(machine: Machine) -> tuple[str, ...]:
    """Return the names of the states, in declared order."""
    return tuple(state.name for state in machine.states)


def events(machine: Machine) -> tuple[str, ...]:
    """Return the names of the events, in declared order."""
    return tuple(event.name for event in machine.events)


def reasons(machine: Machine) -> tuple[str, ...]:
    """Return all that may decide against an event: reasons, those built into the language, and properties."""
    declared = [reason.name for reason in machine.reasons]
    return (*declared, *sorted(BUILT_IN), *(item.name for item in machine.properties))


def members(machine: Machine, variable: str) -> tuple[str, ...]:
    """Return the words that a variable of an enumeration can hold, in declared order; none if there is no such one."""
    found = (item.sort for item in machine.variables if item.name == variable)
    return next((sort.members for sort in found if isinstance(sort, EnumSort)), ())


def reopened(machine: Machine, counts: Mapping[tuple[str, str, str], int]) -> int:
    """Return how many of the counted (transition, source, target) lead out of a closed state."""
    closed = machine.tagged("closed")
    return sum(count for (_, source, target), count in counts.items() if source in closed and target not in closed)


def hops(machine: Machine) -> tuple[tuple[str, str, str], ...]:
    """Return (transition, source, target) for each source of each transition, in declared order."""
    return tuple((item.name, source, item.target or source) for item in machine.transitions for source in item.sources)


def reason_of(machine: Machine, transition: str) -> str:
    """Return the reason that `transition` carries; empty if it carries none or there is no such transition."""
    return next((item.reason for item in machine.transitions if item.name == transition), "")
