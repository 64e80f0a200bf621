"""Each limit denies what it is there to deny, and nothing that only reduces."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.rails.limits import Limits, Proposal, Rail, Situation, denial

LIMITS = Limits(
    order_lots_max=1_000,
    order_notional_ticks_max=10_500_000,
    position_lots_max=2_000,
    open_orders_max=10,
    step_orders_max=5,
    collar_permille_max=100,
    day_loss_ticks_max=1_000_000,
    short_allowed=False,
)
CALM = Situation(
    worst_lots=0,
    open_orders=0,
    step_orders=0,
    free_cash_ticks=10**9,
    reference_ticks=10_000,
    day_loss_ticks=0,
)
BUY = Proposal(signed_lots=100, cost_ticks=10_050, price_ticks=10_050)

BREAKING = {
    Rail.ORDER_QUANTITY: (replace(BUY, signed_lots=1_001), CALM),
    Rail.ORDER_NOTIONAL: (replace(BUY, signed_lots=1_000, price_ticks=11_000, cost_ticks=11_000), CALM),
    Rail.POSITION: (BUY, replace(CALM, worst_lots=1_950)),
    Rail.OPEN_ORDERS: (BUY, replace(CALM, open_orders=10)),
    Rail.STEP_ORDERS: (BUY, replace(CALM, step_orders=5)),
    Rail.PRICE_COLLAR: (replace(BUY, price_ticks=11_001), CALM),
    Rail.NO_PRICE: (BUY, replace(CALM, reference_ticks=0)),
    Rail.CASH: (BUY, replace(CALM, free_cash_ticks=1_004_999)),
    Rail.DAILY_LOSS: (BUY, replace(CALM, day_loss_ticks=1_000_001)),
    Rail.SHORT: (replace(BUY, signed_lots=-1), CALM),
}
LIFTED = {
    Rail.ORDER_QUANTITY: {"order_lots_max": 10**9},
    Rail.ORDER_NOTIONAL: {"order_notional_ticks_max": 10**12},
    Rail.POSITION: {"position_lots_max": 10**9},
    Rail.OPEN_ORDERS: {"open_orders_max": 10**9},
    Rail.STEP_ORDERS: {"step_orders_max": 10**9},
    Rail.PRICE_COLLAR: {"collar_permille_max": 1_000},
    Rail.DAILY_LOSS: {"day_loss_ticks_max": 10**12},
    Rail.SHORT: {"short_allowed": True},
}


def test_a_calm_order_may_leave() -> None:
    """An order within every limit is not denied."""
    assert denial(LIMITS, BUY, CALM) is None


@pytest.mark.parametrize("rail", list(Rail))
def test_each_limit_denies_by_its_own_name(rail: Rail) -> None:
    """For each limit there is an order that it, and no other limit, denies."""
    proposal, now = BREAKING[rail]
    assert denial(LIMITS, proposal, now) is rail


@pytest.mark.parametrize("rail", list(LIFTED))
def test_without_the_limit_the_order_would_leave(rail: Rail) -> None:
    """Lifting just this limit lets the same order pass: the test above fails without the rail."""
    proposal, now = BREAKING[rail]
    assert denial(replace(LIMITS, **LIFTED[rail]), proposal, now) is None


situations = st.builds(
    Situation,
    worst_lots=st.integers(-3_000, 3_000),
    open_orders=st.integers(0, 12),
    step_orders=st.integers(0, 6),
    free_cash_ticks=st.integers(0, 10**9),
    reference_ticks=st.integers(0, 20_000),
    day_loss_ticks=st.integers(0, 2_000_000),
)
proposals = st.builds(
    lambda lots, price: Proposal(lots, price, price),
    st.integers(-1_200, 1_200).filter(bool),
    st.integers(0, 22_000),
)


@given(proposals, situations)
def test_what_may_leave_breaks_no_limit(proposal: Proposal, now: Situation) -> None:
    """An order that is let through keeps quantity, collar, cash and, unless it reduces, position in limits."""
    if denial(LIMITS, proposal, now) is not None:
        return
    after = now.worst_lots + proposal.signed_lots
    assert abs(proposal.signed_lots) <= LIMITS.order_lots_max
    assert abs(proposal.price_ticks - now.reference_ticks) * 1_000 <= LIMITS.collar_permille_max * now.reference_ticks
    assert after >= 0 or proposal.signed_lots > 0
    reduces = after <= 0 if proposal.signed_lots > 0 else after >= 0
    assert reduces or after <= LIMITS.position_lots_max
    assert reduces or proposal.signed_lots * proposal.cost_ticks <= now.free_cash_ticks


@given(situations)
def test_selling_what_is_held_is_never_held_back_by_cash_or_loss(now: Situation) -> None:
    """A loss or an empty purse never stops an order that only reduces a position."""
    held = replace(now, worst_lots=500, reference_ticks=10_000, open_orders=0, step_orders=0)
    assert denial(LIMITS, Proposal(-500, 10_000, 10_000), held) is None
