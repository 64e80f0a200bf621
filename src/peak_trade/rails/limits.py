"""Limits on what may leave: each is evaluated before an order leaves, and the first that it breaks denies it.

Quantities are lots, prices ticks, money ticks × lots (called ticks). Sources of the set: MiFID II RTS 6 article 15
(price collars, maximum value, volume and messages, repeated automated execution) and SEC rule 15c3-5 (credit and
capital thresholds, erroneous and duplicative orders).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from peak_trade.rails.trading import Trading

NEVER_STEPS: Final = 10**9
"""The age of a price that was never seen: older than any limit on it."""


class Rail(StrEnum):
    """The name of a limit, as it stands in the journal; in the order in which they are evaluated."""

    TRADING_HALTED = "trading_halted"
    ONLY_REDUCING = "only_reducing"
    ORDER_QUANTITY = "order_quantity"
    NO_PRICE = "no_price"
    STALE_PRICE = "stale_price"
    PRICE_COLLAR = "price_collar"
    ORDER_NOTIONAL = "order_notional"
    OPEN_ORDERS = "open_orders"
    STEP_ORDERS = "step_orders"
    ORDER_RATE = "order_rate"
    REPEATED_EXECUTION = "repeated_execution"
    DUPLICATE_ORDER = "duplicate_order"
    SHORT = "short"
    POSITION = "position"
    GROSS_EXPOSURE = "gross_exposure"
    CASH = "cash"
    DAILY_LOSS = "daily_loss"
    SELF_CROSS = "self_cross"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one session, each with its unit at the end of its name.

    A maximum may be reached and not passed. A window counts the current step. A window of 0 steps, for repeats and for
    duplicates, and the two that are allowed by name switch a limit off; nothing else does. What each one is and may be
    is said by `session.config.LimitsPart`.
    """

    order_lots_max: int
    order_notional_ticks_max: int
    position_lots_max: int
    gross_notional_ticks_max: int
    open_orders_max: int
    step_orders_max: int
    rate_orders_max: int
    rate_messages_max: int
    rate_window_steps: int
    repeat_orders_max: int
    repeat_window_steps: int
    duplicate_window_steps: int
    collar_permille_max: int
    price_age_steps_max: int
    day_loss_ticks_max: int
    day_loss_soft_permille: int
    reject_row_orders_max: int
    unknown_row_orders_max: int
    short_allowed: bool
    self_cross_allowed: bool


class Proposal(NamedTuple):
    """An order that wants to leave: positive lots buy; its limit; and what one lot may cost with fees, in ticks."""

    signed_lots: int
    cost_ticks: int
    price_ticks: int


class Situation(NamedTuple):
    """What the limits look at, at the moment before the order leaves.

    `worst_lots` is the position if all orders on their way on this order's side fill, and none on the other;
    `other_lots` the other way round. `free_cash_ticks` is cash less what open buys may cost. `reference_ticks` is the
    last price, 0 if there is none, and `reference_age_steps` how many steps ago it was seen. `gross_ticks` is the sum
    over all symbols of the worst of both sides at the last price. `opposite_ticks` is the best limit of our own orders
    on the other side, 0 if there is none. `rate_orders`, `repeats` and `twins` count orders that left within their
    windows: all, those of this symbol, and those that are like this one to the lot and tick.
    """

    trading: Trading
    worst_lots: int
    other_lots: int
    open_orders: int
    step_orders: int
    rate_orders: int
    repeats: int
    twins: int
    free_cash_ticks: int
    reference_ticks: int
    reference_age_steps: int
    gross_ticks: int
    opposite_ticks: int
    day_loss_ticks: int


Breaks: TypeAlias = Callable[[Limits, Proposal, Situation], bool]
"""Whether an order breaks a limit."""


def adds(order: Proposal, now: Situation) -> bool:
    """Return true iff the order could take the position past flat or away from it, whatever else fills on its side."""
    after = now.worst_lots + order.signed_lots
    return after > 0 if order.signed_lots > 0 else after < 0


def gross_after_ticks(order: Proposal, now: Situation) -> int:
    """Return what the gross exposure becomes at the last prices, if the order leaves."""
    before = max(abs(now.worst_lots), abs(now.other_lots))
    after = max(abs(now.worst_lots + order.signed_lots), abs(now.other_lots))
    return now.gross_ticks + (after - before) * now.reference_ticks


def _collar(limits: Limits, order: Proposal, now: Situation) -> bool:
    return abs(order.price_ticks - now.reference_ticks) * 1000 > limits.collar_permille_max * now.reference_ticks


def _short(limits: Limits, order: Proposal, now: Situation) -> bool:
    return order.signed_lots < 0 and adds(order, now) and not limits.short_allowed


def _position(limits: Limits, order: Proposal, now: Situation) -> bool:
    return adds(order, now) and abs(now.worst_lots + order.signed_lots) > limits.position_lots_max


def _gross(limits: Limits, order: Proposal, now: Situation) -> bool:
    return adds(order, now) and gross_after_ticks(order, now) > limits.gross_notional_ticks_max


def _cash(_: Limits, order: Proposal, now: Situation) -> bool:
    buys = order.signed_lots > 0
    return buys and adds(order, now) and order.signed_lots * order.cost_ticks > now.free_cash_ticks


def _loss(limits: Limits, order: Proposal, now: Situation) -> bool:
    return adds(order, now) and now.day_loss_ticks > limits.day_loss_ticks_max


def _crosses(limits: Limits, order: Proposal, now: Situation) -> bool:
    if limits.self_cross_allowed or not now.opposite_ticks:
        return False
    price, opposite = order.price_ticks, now.opposite_ticks
    return price >= opposite if order.signed_lots > 0 else price <= opposite


CHECKS: Mapping[Rail, Breaks] = MappingProxyType(
    {
        Rail.TRADING_HALTED: lambda _, __, now: now.trading is Trading.HALTED,
        Rail.ONLY_REDUCING: lambda _, order, now: now.trading is Trading.REDUCING and adds(order, now),
        Rail.ORDER_QUANTITY: lambda limits, order, _: abs(order.signed_lots) > limits.order_lots_max,
        Rail.NO_PRICE: lambda _, order, now: now.reference_ticks <= 0 or order.price_ticks <= 0,
        Rail.STALE_PRICE: lambda limits, _, now: now.reference_age_steps > limits.price_age_steps_max,
        Rail.PRICE_COLLAR: _collar,
        Rail.ORDER_NOTIONAL: lambda limits, order, _: (
            abs(order.signed_lots) * order.price_ticks > limits.order_notional_ticks_max
        ),
        Rail.OPEN_ORDERS: lambda limits, _, now: now.open_orders >= limits.open_orders_max,
        Rail.STEP_ORDERS: lambda limits, _, now: now.step_orders >= limits.step_orders_max,
        Rail.ORDER_RATE: lambda limits, _, now: now.rate_orders >= limits.rate_orders_max,
        Rail.REPEATED_EXECUTION: lambda limits, _, now: now.repeats >= limits.repeat_orders_max,
        Rail.DUPLICATE_ORDER: lambda _, __, now: now.twins > 0,
        Rail.SHORT: _short,
        Rail.POSITION: _position,
        Rail.GROSS_EXPOSURE: _gross,
        Rail.CASH: _cash,
        Rail.DAILY_LOSS: _loss,
        Rail.SELF_CROSS: _crosses,
    }
)
"""What breaks each limit; from SHORT to DAILY_LOSS nothing does that only reduces a position."""

assert tuple(CHECKS) == tuple(Rail)


def denial(limits: Limits, order: Proposal, now: Situation) -> Rail | None:
    """Return the first limit, in the order of `Rail`, that the order would break, or None iff it may leave.

    Cash can never become negative: a buy that adds must be covered by free cash at its worst price.
    """
    for rail, breaks in CHECKS.items():
        if breaks(limits, order, now):
            return rail
    return None
