"""What trading is restricted to, and what a tripwire does about it: the session machine's `trading` and its events."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Trading(StrEnum):
    """Which orders may leave: any; only those that reduce a position; none. Cancels may always leave."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class Severity(StrEnum):
    """How much a tripwire takes away, from the least; only a named operator gives back what the first two take.

    Soft: only orders that reduce may leave. Firm: no order may leave. Stop: the session cancels what is open and ends.
    Hard: as stop, and the book can no longer be trusted, so that a person must look.
    """

    SOFT = "soft"
    FIRM = "firm"
    STOP = "stop"
    HARD = "hard"


EVENTS: Final[Mapping[Severity, str]] = {
    Severity.SOFT: "reduce_trading",
    Severity.FIRM: "halt_trading",
    Severity.STOP: "rail_tripped",
    Severity.HARD: "invariant_broken",
}
"""The session machine's event for each severity."""

assert EVENTS.keys() == set(Severity)
