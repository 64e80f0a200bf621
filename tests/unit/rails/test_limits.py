"""Each limit denies what it is there to deny; what only reduces is held back by no limit on what is added."""

from dataclasses import fields, replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.rails import limits as module
from peak_trade.rails.limits import CHECKS, NEVER_STEPS, Limits, Proposal, Rail, Situation, adds, denial
from peak_trade.rails.trading import Trading

LIMITS = Limits(
    order_lots_max=1_000,
    order_notional_ticks_max=10_500_000,
    position_lots_max=2_000,
    gross_notional_ticks_max=40_000_000,
    open_orders_max=10,
    step_orders_max=5,
    rate_orders_max=20,
    rate_messages_max=40,
    rate_window_steps=4,
    repeat_orders_max=3,
    repeat_window_steps=6,
    duplicate_window_steps=2,
    collar_permille_max=100,
    price_age_steps_max=3,
    day_loss_ticks_max=1_000_000,
    day_loss_soft_permille=500,
    reject_row_orders_max=3,
    unknown_row_orders_max=3,
    short_allowed=False,
    self_cross_allowed=False,
)
CALM = Situation(
    trading=Trading.ACTIVE,
    worst_lots=0,
    other_lots=0,
    open_orders=0,
    step_orders=0,
    rate_orders=0,
    repeats=0,
    twins=0,
    free_cash_ticks=10**9,
    reference_ticks=10_000,
    reference_age_steps=0,
    gross_ticks=0,
    opposite_ticks=0,
    day_loss_ticks=0,
)
BUY = Proposal(signed_lots=100, cost_ticks=10_050, price_ticks=10_050)

BREAKING = {
    Rail.TRADING_HALTED: (BUY, CALM._replace(trading=Trading.HALTED)),
    Rail.ONLY_REDUCING: (BUY, CALM._replace(trading=Trading.REDUCING)),
    Rail.ORDER_QUANTITY: (BUY._replace(signed_lots=1_001), CALM),
    Rail.NO_PRICE: (BUY._replace(price_ticks=0, cost_ticks=0), CALM._replace(reference_ticks=0)),
    Rail.STALE_PRICE: (BUY, CALM._replace(reference_age_steps=4)),
    Rail.PRICE_COLLAR: (BUY._replace(price_ticks=11_001), CALM),
    Rail.ORDER_NOTIONAL: (BUY._replace(signed_lots=1_000, price_ticks=11_000, cost_ticks=11_000), CALM),
    Rail.OPEN_ORDERS: (BUY, CALM._replace(open_orders=10)),
    Rail.STEP_ORDERS: (BUY, CALM._replace(step_orders=5)),
    Rail.ORDER_RATE: (BUY, CALM._replace(rate_orders=20)),
    Rail.REPEATED_EXECUTION: (BUY, CALM._replace(repeats=3)),
    Rail.DUPLICATE_ORDER: (BUY, CALM._replace(twins=1)),
    Rail.SHORT: (BUY._replace(signed_lots=-1), CALM),
    Rail.POSITION: (BUY, CALM._replace(worst_lots=1_950)),
    Rail.GROSS_EXPOSURE: (BUY, CALM._replace(gross_ticks=39_000_001)),
    Rail.CASH: (BUY, CALM._replace(free_cash_ticks=1_004_999)),
    Rail.DAILY_LOSS: (BUY, CALM._replace(day_loss_ticks=1_000_001)),
    Rail.SELF_CROSS: (BUY, CALM._replace(opposite_ticks=10_050)),
}
AT_THE_LIMIT = (
    (BUY._replace(signed_lots=1_000, price_ticks=10_500, cost_ticks=10_500), CALM),
    (BUY, CALM._replace(worst_lots=1_900, other_lots=1_900, gross_ticks=39_000_000)),
    (BUY, CALM._replace(open_orders=9, step_orders=4, rate_orders=19, repeats=2)),
    (BUY._replace(price_ticks=11_000, cost_ticks=11_000), CALM),
    (BUY, CALM._replace(free_cash_ticks=1_005_000, day_loss_ticks=1_000_000, reference_age_steps=3)),
    (BUY, CALM._replace(opposite_ticks=10_051)),
    (BUY._replace(signed_lots=-100), CALM._replace(worst_lots=100, opposite_ticks=10_049)),
)
LIFTED = {
    Rail.ORDER_QUANTITY: {"order_lots_max": 10**9},
    Rail.STALE_PRICE: {"price_age_steps_max": 10**5},
    Rail.PRICE_COLLAR: {"collar_permille_max": 1_000},
    Rail.ORDER_NOTIONAL: {"order_notional_ticks_max": 10**12},
    Rail.OPEN_ORDERS: {"open_orders_max": 10**5},
    Rail.STEP_ORDERS: {"step_orders_max": 10**5},
    Rail.ORDER_RATE: {"rate_orders_max": 10**5},
    Rail.REPEATED_EXECUTION: {"repeat_orders_max": 10**5},
    Rail.SHORT: {"short_allowed": True},
    Rail.POSITION: {"position_lots_max": 10**9},
    Rail.GROSS_EXPOSURE: {"gross_notional_ticks_max": 10**12},
    Rail.DAILY_LOSS: {"day_loss_ticks_max": 10**12},
    Rail.SELF_CROSS: {"self_cross_allowed": True},
}


def test_a_calm_order_may_leave() -> None:
    """An order within every limit is not denied."""
    assert denial(LIMITS, BUY, CALM) is None


@pytest.mark.parametrize("case", range(len(AT_THE_LIMIT)))
def test_a_maximum_may_be_reached(case: int) -> None:
    """An order that reaches a limit and does not pass it may leave."""
    order, now = AT_THE_LIMIT[case]
    assert denial(LIMITS, order, now) is None


@pytest.mark.parametrize("rail", list(Rail))
def test_each_limit_denies_by_its_own_name(rail: Rail) -> None:
    """For each limit there is an order that it, and no other limit, denies."""
    order, now = BREAKING[rail]
    assert denial(LIMITS, order, now) is rail
    assert [name for name, breaks in CHECKS.items() if breaks(LIMITS, order, now)] == [rail]


@pytest.mark.parametrize("rail", list(LIFTED))
def test_without_the_limit_the_order_would_leave(rail: Rail) -> None:
    """Lifting just this limit lets the same order pass: the test above fails without the rail."""
    order, now = BREAKING[rail]
    assert denial(replace(LIMITS, **LIFTED[rail]), order, now) is None


@pytest.mark.parametrize("rail", list(Rail))
def test_without_the_check_the_order_would_leave(rail: Rail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant without just this check lets the same order pass: nothing else would notice."""
    kept = {name: breaks for name, breaks in CHECKS.items() if name is not rail}
    monkeypatch.setattr(module, "CHECKS", MappingProxyType(kept))
    assert denial(LIMITS, *BREAKING[rail]) is None


PRICES = (0, -1)


@pytest.mark.parametrize("price", PRICES)
def test_a_price_that_is_none_denies_and_disables_nothing(price: int) -> None:
    """A reference or a limit of zero or less is no price: the order is denied, whatever else it is."""
    assert denial(LIMITS, BUY, CALM._replace(reference_ticks=price)) is Rail.NO_PRICE
    assert denial(LIMITS, BUY._replace(price_ticks=price), CALM) is Rail.NO_PRICE
    assert denial(LIMITS, BUY, CALM._replace(reference_age_steps=NEVER_STEPS)) is Rail.STALE_PRICE


situations = st.builds(
    Situation,
    trading=st.sampled_from(Trading),
    worst_lots=st.integers(-3_000, 3_000),
    other_lots=st.integers(-3_000, 3_000),
    open_orders=st.integers(0, 12),
    step_orders=st.integers(0, 6),
    rate_orders=st.integers(0, 25),
    repeats=st.integers(0, 4),
    twins=st.integers(0, 1),
    free_cash_ticks=st.integers(0, 10**9),
    reference_ticks=st.integers(-1, 20_000),
    reference_age_steps=st.integers(0, 5),
    gross_ticks=st.integers(0, 50_000_000),
    opposite_ticks=st.integers(0, 20_000),
    day_loss_ticks=st.integers(0, 2_000_000),
)
proposals = st.builds(
    lambda lots, price: Proposal(lots, price, price),
    st.integers(-1_200, 1_200).filter(bool),
    st.integers(0, 22_000),
)
every_limit = st.booleans().flatmap(
    lambda short: st.builds(
        replace,
        st.just(LIMITS),
        short_allowed=st.just(short),
        self_cross_allowed=st.booleans(),
        collar_permille_max=st.sampled_from([0, 100, 1_000]),
    )
)


@given(every_limit, proposals, situations)
def test_the_denial_is_what_a_plain_reading_of_the_limits_gives(
    limits: Limits, order: Proposal, now: Situation
) -> None:
    """Written as a list of sentences in their order, the limits give the same first name, or none."""
    lots, price, reference = order.signed_lots, order.price_ticks, now.reference_ticks
    after = now.worst_lots + lots
    more = (lots > 0 and after > 0) or (lots < 0 and after < 0)
    gross = now.gross_ticks + reference * (
        max(abs(after), abs(now.other_lots)) - max(abs(now.worst_lots), abs(now.other_lots))
    )
    crossing = now.opposite_ticks != 0 and (price - now.opposite_ticks) * (1 if lots > 0 else -1) >= 0
    broken = [
        (Rail.TRADING_HALTED, now.trading == "halted"),
        (Rail.ONLY_REDUCING, more and now.trading == "reducing"),
        (Rail.ORDER_QUANTITY, not -limits.order_lots_max <= lots <= limits.order_lots_max),
        (Rail.NO_PRICE, min(reference, price) < 1),
        (Rail.STALE_PRICE, now.reference_age_steps > limits.price_age_steps_max),
        (Rail.PRICE_COLLAR, 1000 * abs(price - reference) > reference * limits.collar_permille_max),
        (Rail.ORDER_NOTIONAL, abs(lots * price) > limits.order_notional_ticks_max),
        (Rail.OPEN_ORDERS, now.open_orders + 1 > limits.open_orders_max),
        (Rail.STEP_ORDERS, now.step_orders + 1 > limits.step_orders_max),
        (Rail.ORDER_RATE, now.rate_orders + 1 > limits.rate_orders_max),
        (Rail.REPEATED_EXECUTION, now.repeats + 1 > limits.repeat_orders_max),
        (Rail.DUPLICATE_ORDER, now.twins != 0),
        (Rail.SHORT, not limits.short_allowed and lots < 0 and after < 0),
        (Rail.POSITION, more and abs(after) > limits.position_lots_max),
        (Rail.GROSS_EXPOSURE, more and gross > limits.gross_notional_ticks_max),
        (Rail.CASH, more and lots > 0 and lots * order.cost_ticks > now.free_cash_ticks),
        (Rail.DAILY_LOSS, more and now.day_loss_ticks > limits.day_loss_ticks_max),
        (Rail.SELF_CROSS, crossing and not limits.self_cross_allowed),
    ]
    assert denial(limits, order, now) == next((rail for rail, breaks in broken if breaks), None)


HELD_BACK = frozenset(Rail) - {
    Rail.ONLY_REDUCING,
    Rail.SHORT,
    Rail.POSITION,
    Rail.GROSS_EXPOSURE,
    Rail.CASH,
    Rail.DAILY_LOSS,
}


@given(every_limit, proposals, situations)
def test_what_only_reduces_is_held_back_by_no_limit_on_what_is_added(
    limits: Limits, order: Proposal, now: Situation
) -> None:
    """A reduced trading state, a loss, an empty purse or a full position never stops an order that only reduces."""
    if not adds(order, now):
        assert denial(limits, order, now) in HELD_BACK | {None}


def test_each_limit_is_looked_at() -> None:
    """No limit of the configuration is without a check: one beyond every limit there is says so."""
    read: set[str] = set()

    class Spy:
        def __getattr__(self, name: str) -> object:
            read.add(name)
            return getattr(LIMITS, name)

    for order, now in BREAKING.values():
        denial(Spy(), order, now)  # type: ignore[arg-type]
    after = {"day_loss_soft_permille", "reject_row_orders_max", "unknown_row_orders_max", "rate_messages_max"}
    windows = {"rate_window_steps", "repeat_window_steps", "duplicate_window_steps"}
    assert read | after | windows == {item.name for item in fields(LIMITS)}
