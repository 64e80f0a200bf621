"""Each tripwire trips on its own reading."""

from dataclasses import replace

import pytest

from peak_trade.rails.tripwires import HARD, Reading, Tripwire, tripped

CALM = Reading(
    cash_ticks=1,
    short_allowed=False,
    largest_position_lots=10,
    smallest_position_lots=0,
    position_lots_max=10,
    loss_ticks=5,
    loss_ticks_max=5,
    filled_lots=7,
    position_lots=7,
    open_orders=2,
    counted_open_orders=2,
)
TRIPPING = {
    Tripwire.CASH_NEGATIVE: {"cash_ticks": -1},
    Tripwire.SHORT_POSITION: {"smallest_position_lots": -1},
    Tripwire.POSITION_BEYOND_LIMIT: {"largest_position_lots": 11},
    Tripwire.LOSS_BEYOND_LIMIT: {"loss_ticks": 6},
    Tripwire.FILLS_DIFFER_FROM_POSITION: {"filled_lots": 8},
    Tripwire.COUNTS_DIFFER: {"open_orders": 3},
}


def test_a_calm_book_trips_nothing() -> None:
    """Readings at their limits trip nothing."""
    assert tripped(CALM) is None


@pytest.mark.parametrize("wire", list(TRIPPING))
def test_each_wire_trips_alone(wire: Tripwire) -> None:
    """One reading beyond its limit trips exactly its own wire."""
    assert tripped(replace(CALM, **TRIPPING[wire])) is wire


def test_a_book_that_cannot_be_trusted_comes_first() -> None:
    """When several trip, one after which a person must look is named."""
    assert tripped(replace(CALM, filled_lots=8, loss_ticks=6)) in HARD
