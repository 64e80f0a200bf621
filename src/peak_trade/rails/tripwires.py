"""Tripwires: evaluated after every step's reports; one that trips narrows what may leave, or stops the session.

A soft one lets only orders leave that reduce, a firm one none; a named operator gives back what they took. The others
stop the session, and after a hard one, when the book can no longer be trusted, a person must look.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from peak_trade.rails.limits import Limits
from peak_trade.rails.trading import Severity, Trading


class Tripwire(StrEnum):
    """The name of a tripwire, as it stands in the journal."""

    CASH_NEGATIVE = "cash_negative"
    POSITION_BEYOND_LIMIT = "position_beyond_limit"
    LOSS_BEYOND_LIMIT = "loss_beyond_limit"
    FILLS_DIFFER_FROM_POSITION = "fills_differ_from_position"
    SHORT_POSITION = "short_position"
    BOOK_DIFFERS_FROM_VENUE = "book_differs_from_venue"
    REPORT_REFUSED = "report_refused"
    OVERFILLED = "overfilled"
    COUNTS_DIFFER = "counts_differ"
    OUTCOME_UNRESOLVED = "outcome_unresolved"
    VALUE_OUTSIDE_INVARIANT = "value_outside_invariant"
    TRACE_NOT_ALLOWED = "trace_not_allowed"
    PRICE_MISSING = "price_missing"
    REPEATED_EXECUTION = "repeated_execution"
    MESSAGE_RATE = "message_rate"
    REJECTS_IN_ROW = "rejects_in_row"
    UNKNOWNS_IN_ROW = "unknowns_in_row"
    LOSS_BEYOND_SOFT_LIMIT = "loss_beyond_soft_limit"
    PRICE_STALE = "price_stale"


SEVERITIES: Final[Mapping[Tripwire, Severity]] = {
    Tripwire.FILLS_DIFFER_FROM_POSITION: Severity.HARD,
    Tripwire.COUNTS_DIFFER: Severity.HARD,
    Tripwire.CASH_NEGATIVE: Severity.HARD,
    Tripwire.SHORT_POSITION: Severity.HARD,
    Tripwire.REPORT_REFUSED: Severity.HARD,
    Tripwire.OVERFILLED: Severity.HARD,
    Tripwire.BOOK_DIFFERS_FROM_VENUE: Severity.HARD,
    Tripwire.VALUE_OUTSIDE_INVARIANT: Severity.HARD,
    Tripwire.TRACE_NOT_ALLOWED: Severity.HARD,
    Tripwire.POSITION_BEYOND_LIMIT: Severity.STOP,
    Tripwire.LOSS_BEYOND_LIMIT: Severity.STOP,
    Tripwire.OUTCOME_UNRESOLVED: Severity.STOP,
    Tripwire.PRICE_MISSING: Severity.FIRM,
    Tripwire.REPEATED_EXECUTION: Severity.FIRM,
    Tripwire.MESSAGE_RATE: Severity.FIRM,
    Tripwire.REJECTS_IN_ROW: Severity.FIRM,
    Tripwire.UNKNOWNS_IN_ROW: Severity.FIRM,
    Tripwire.LOSS_BEYOND_SOFT_LIMIT: Severity.SOFT,
    Tripwire.PRICE_STALE: Severity.SOFT,
}
"""What each takes away."""

assert SEVERITIES.keys() == set(Tripwire)

HARD: Final = frozenset(wire for wire, severity in SEVERITIES.items() if severity is Severity.HARD)
"""Those after which a person must look."""

TAKEN: Final[Mapping[Trading, frozenset[Severity]]] = {
    Trading.ACTIVE: frozenset(),
    Trading.REDUCING: frozenset({Severity.SOFT}),
    Trading.HALTED: frozenset({Severity.SOFT, Severity.FIRM}),
}
"""What is taken away already, so that a wire has nothing more to take and is silent."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tripwires look at after a step's reports; money in ticks, quantities in lots.

    `filled_lots` and `position_lots` are the signed sums over all orders and over all positions: what the orders say
    was filled is what the book holds. `overfilled` counts fills beyond what was open. `unpriced` counts what
    is held without a positive last price, `oldest_price_steps` is the age of the oldest price of what is held.
    `messages` were sent within the rates' window.
    """

    trading: Trading
    cash_ticks: int
    largest_position_lots: int
    smallest_position_lots: int
    loss_ticks: int
    filled_lots: int
    position_lots: int
    open_orders: int
    counted_open_orders: int
    overfilled: int
    unpriced: int
    oldest_price_steps: int
    messages: int
    rejects_in_row: int
    unknowns_in_row: int


WIRES: Mapping[Tripwire, Callable[[Limits, Reading], bool]] = MappingProxyType(
    {
        Tripwire.FILLS_DIFFER_FROM_POSITION: lambda _, now: now.filled_lots != now.position_lots,
        Tripwire.COUNTS_DIFFER: lambda _, now: now.open_orders != now.counted_open_orders,
        Tripwire.OVERFILLED: lambda _, now: now.overfilled > 0,
        Tripwire.CASH_NEGATIVE: lambda limits, now: now.cash_ticks < 0 and not limits.short_allowed,
        Tripwire.SHORT_POSITION: lambda limits, now: now.smallest_position_lots < 0 and not limits.short_allowed,
        Tripwire.POSITION_BEYOND_LIMIT: lambda limits, now: now.largest_position_lots > limits.position_lots_max,
        Tripwire.LOSS_BEYOND_LIMIT: lambda limits, now: now.loss_ticks > limits.day_loss_ticks_max,
        Tripwire.PRICE_MISSING: lambda _, now: now.unpriced > 0,
        Tripwire.MESSAGE_RATE: lambda limits, now: now.messages > limits.rate_messages_max,
        Tripwire.REJECTS_IN_ROW: lambda limits, now: now.rejects_in_row > limits.reject_row_orders_max,
        Tripwire.UNKNOWNS_IN_ROW: lambda limits, now: now.unknowns_in_row > limits.unknown_row_orders_max,
        Tripwire.LOSS_BEYOND_SOFT_LIMIT: lambda limits, now: (
            now.loss_ticks * 1000 > limits.day_loss_ticks_max * limits.day_loss_soft_permille
        ),
        Tripwire.PRICE_STALE: lambda limits, now: now.oldest_price_steps > limits.price_age_steps_max,
    }
)
"""What trips those that a reading can trip, the most severe first; the rest is tripped by whoever finds the fault."""


def tripped(limits: Limits, now: Reading) -> Tripwire | None:
    """Return the first tripwire of `WIRES` that trips and has something to take away, or None."""
    silent = TAKEN[now.trading]
    for wire, trips in WIRES.items():
        if trips(limits, now) and SEVERITIES[wire] not in silent:
            return wire
    return None
