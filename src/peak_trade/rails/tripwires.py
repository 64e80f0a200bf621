"""Tripwires: evaluated after every step's reports; one that trips stops the session.

A hard one means that the book can no longer be trusted: the session stops and asks for the operator.
"""

from dataclasses import dataclass
from enum import StrEnum


class Tripwire(StrEnum):
    """The name of a tripwire, as it stands in the journal."""

    CASH_NEGATIVE = "cash_negative"
    POSITION_BEYOND_LIMIT = "position_beyond_limit"
    LOSS_BEYOND_LIMIT = "loss_beyond_limit"
    FILLS_DIFFER_FROM_POSITION = "fills_differ_from_position"
    SHORT_POSITION = "short_position"
    BOOK_DIFFERS_FROM_VENUE = "book_differs_from_venue"
    REPORT_REFUSED = "report_refused"
    COUNTS_DIFFER = "counts_differ"
    OUTCOME_UNRESOLVED = "outcome_unresolved"
    VALUE_OUTSIDE_INVARIANT = "value_outside_invariant"


HARD = frozenset(
    {
        Tripwire.FILLS_DIFFER_FROM_POSITION,
        Tripwire.REPORT_REFUSED,
        Tripwire.COUNTS_DIFFER,
        Tripwire.CASH_NEGATIVE,
        Tripwire.SHORT_POSITION,
        Tripwire.BOOK_DIFFERS_FROM_VENUE,
        Tripwire.VALUE_OUTSIDE_INVARIANT,
    }
)
"""Those after which a person must look."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tripwires look at after a step's reports; money in ticks, quantities in lots."""

    cash_ticks: int
    short_allowed: bool
    largest_position_lots: int
    smallest_position_lots: int
    position_lots_max: int
    loss_ticks: int
    loss_ticks_max: int
    filled_lots: int
    position_lots: int
    open_orders: int
    counted_open_orders: int


def tripped(reading: Reading) -> Tripwire | None:  # noqa: PLR0911 - one return for each tripwire
    """Return the first tripwire that trips, the hard ones first, or None.

    `filled_lots` and `position_lots` are the signed sums over all orders and over all positions: what the orders say
    was filled is what the book holds.
    """
    if reading.filled_lots != reading.position_lots:
        return Tripwire.FILLS_DIFFER_FROM_POSITION
    if reading.open_orders != reading.counted_open_orders:
        return Tripwire.COUNTS_DIFFER
    if reading.cash_ticks < 0 and not reading.short_allowed:
        return Tripwire.CASH_NEGATIVE
    if reading.smallest_position_lots < 0 and not reading.short_allowed:
        return Tripwire.SHORT_POSITION
    if reading.largest_position_lots > reading.position_lots_max:
        return Tripwire.POSITION_BEYOND_LIMIT
    if reading.loss_ticks > reading.loss_ticks_max:
        return Tripwire.LOSS_BEYOND_LIMIT
    return None
