"""Each tripwire trips on its own reading, and takes away what its severity says and no more than is left."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.rails import tripwires as module
from peak_trade.rails.limits import Limits
from peak_trade.rails.trading import EVENTS, Severity, Trading
from peak_trade.rails.tripwires import HARD, SEVERITIES, TAKEN, WIRES, Reading, Tripwire, tripped
from peak_trade.session.config import LimitsPart

LIMITS = LimitsPart(
    position_lots_max=10,
    day_loss_ticks_max=50,
    day_loss_soft_permille=500,
    rate_messages_max=9,
    reject_row_orders_max=3,
    unknown_row_orders_max=4,
    price_age_steps_max=2,
).limits()
CALM = Reading(
    trading=Trading.ACTIVE,
    cash_ticks=0,
    largest_position_lots=10,
    smallest_position_lots=0,
    loss_ticks=25,
    filled_lots=7,
    position_lots=7,
    open_orders=2,
    counted_open_orders=2,
    overfilled=0,
    unpriced=0,
    oldest_price_steps=2,
    messages=9,
    rejects_in_row=3,
    unknowns_in_row=4,
)
TRIPPING = {
    Tripwire.FILLS_DIFFER_FROM_POSITION: {"filled_lots": 8},
    Tripwire.COUNTS_DIFFER: {"open_orders": 3},
    Tripwire.OVERFILLED: {"overfilled": 1},
    Tripwire.CASH_NEGATIVE: {"cash_ticks": -1},
    Tripwire.SHORT_POSITION: {"smallest_position_lots": -1},
    Tripwire.POSITION_BEYOND_LIMIT: {"largest_position_lots": 11},
    Tripwire.LOSS_BEYOND_LIMIT: {"loss_ticks": 51},
    Tripwire.PRICE_MISSING: {"unpriced": 1},
    Tripwire.MESSAGE_RATE: {"messages": 10},
    Tripwire.REJECTS_IN_ROW: {"rejects_in_row": 4},
    Tripwire.UNKNOWNS_IN_ROW: {"unknowns_in_row": 5},
    Tripwire.LOSS_BEYOND_SOFT_LIMIT: {"loss_ticks": 26},
    Tripwire.PRICE_STALE: {"oldest_price_steps": 3},
}
NEXT = {Tripwire.LOSS_BEYOND_LIMIT: Tripwire.LOSS_BEYOND_SOFT_LIMIT}
"""Behind the limit on the loss stands the soft one."""


def test_a_calm_book_trips_nothing() -> None:
    """Readings at their limits trip nothing."""
    assert tripped(LIMITS, CALM) is None


@pytest.mark.parametrize("wire", list(WIRES))
def test_each_wire_trips_alone(wire: Tripwire) -> None:
    """One reading beyond its limit trips exactly its own wire."""
    assert tripped(LIMITS, replace(CALM, **TRIPPING[wire])) is wire


@pytest.mark.parametrize("wire", list(WIRES))
def test_without_the_wire_nothing_trips(wire: Tripwire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant without just this wire lets the same reading pass, or leaves it to the softer one behind it."""
    kept = {name: trips for name, trips in WIRES.items() if name is not wire}
    monkeypatch.setattr(module, "WIRES", MappingProxyType(kept))
    assert tripped(LIMITS, replace(CALM, **TRIPPING[wire])) is NEXT.get(wire)


def test_where_short_is_allowed_it_trips_nothing() -> None:
    """With short positions allowed neither they nor the cash that they bring trip."""
    allowed = LimitsPart(**{**as_dict(LIMITS), "short_allowed": True}).limits()
    assert tripped(allowed, replace(CALM, smallest_position_lots=-10, cash_ticks=-1)) is None


def as_dict(limits: Limits) -> dict[str, int]:
    """The limits by name."""
    return {name: getattr(limits, name) for name in LimitsPart.model_fields}


def test_every_severity_has_its_event() -> None:
    """Soft reduces, firm halts, stop stops, hard asks for the operator."""
    expected = ["reduce_trading", "halt_trading", "rail_tripped", "invariant_broken"]
    assert [EVENTS[severity] for severity in Severity] == expected
    assert {wire for wire, severity in SEVERITIES.items() if EVENTS[severity] == "invariant_broken"} == HARD


@given(st.sampled_from(Trading), st.sets(st.sampled_from(sorted(TRIPPING.keys() - {Tripwire.LOSS_BEYOND_SOFT_LIMIT}))))
def test_the_most_severe_comes_first_and_what_has_nothing_to_take_is_silent(
    trading: Trading, wires: set[Tripwire]
) -> None:
    """Of several readings beyond their limits the most severe is named, unless trading is so restricted already."""
    now = replace(CALM, trading=trading)
    for wire in wires:
        now = replace(now, **TRIPPING[wire])
    order = list(Severity)
    beyond = [wire for wire in wires if SEVERITIES[wire] not in TAKEN[trading]]
    found = tripped(LIMITS, now)
    if not beyond:
        assert found is None
    else:
        assert found in beyond
        assert order.index(SEVERITIES[found]) == max(order.index(SEVERITIES[wire]) for wire in beyond)
