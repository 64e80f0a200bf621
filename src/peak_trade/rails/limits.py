"""Limits on what may leave: each is evaluated before an order leaves, and a failing one denies it.

Quantities are lots, prices ticks, money ticks × lots (called ticks). Sources of the set: MiFID II RTS 6 article 15
(price collars, maximum value, volume and messages) and SEC rule 15c3-5 (credit and capital thresholds, duplicates).
"""

from dataclasses import dataclass
from enum import StrEnum


class Rail(StrEnum):
    """The name of a limit, as it stands in the journal."""

    ORDER_QUANTITY = "order_quantity"
    ORDER_NOTIONAL = "order_notional"
    POSITION = "position"
    OPEN_ORDERS = "open_orders"
    STEP_ORDERS = "step_orders"
    PRICE_COLLAR = "price_collar"
    NO_PRICE = "no_price"
    CASH = "cash"
    DAILY_LOSS = "daily_loss"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one session; every one is always on."""

    order_lots_max: int
    order_notional_ticks_max: int
    position_lots_max: int
    open_orders_max: int
    step_orders_max: int
    collar_permille_max: int
    day_loss_ticks_max: int
    short_allowed: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that wants to leave: positive lots buy; its limit; and what one lot may cost with fees, in ticks."""

    signed_lots: int
    cost_ticks: int
    price_ticks: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What the limits look at, at the moment before the order leaves.

    `worst_lots` is the position if all orders on their way on this order's side fill, and none on the other;
    `free_cash_ticks` is cash less what open buys may cost; `reference_ticks` is the last price, 0 if there is none.
    """

    worst_lots: int
    open_orders: int
    step_orders: int
    free_cash_ticks: int
    reference_ticks: int
    day_loss_ticks: int


def denial(limits: Limits, proposal: Proposal, now: Situation) -> Rail | None:  # noqa: PLR0911 - one return for each limit
    """Return the first limit that the proposal would break, or None iff it may leave.

    Cash can never become negative: a buy must be covered by free cash at its worst price.
    """
    lots, price = abs(proposal.signed_lots), proposal.price_ticks
    after = now.worst_lots + proposal.signed_lots
    if lots > limits.order_lots_max:
        return Rail.ORDER_QUANTITY
    if now.reference_ticks <= 0 or price <= 0:
        return Rail.NO_PRICE
    if abs(price - now.reference_ticks) * 1000 > limits.collar_permille_max * now.reference_ticks:
        return Rail.PRICE_COLLAR
    if lots * price > limits.order_notional_ticks_max:
        return Rail.ORDER_NOTIONAL
    if now.open_orders >= limits.open_orders_max:
        return Rail.OPEN_ORDERS
    if now.step_orders >= limits.step_orders_max:
        return Rail.STEP_ORDERS
    return _exposure(limits, proposal, now, after)


def _exposure(limits: Limits, proposal: Proposal, now: Situation, after: int) -> Rail | None:
    """Return the limit on position, cash or loss that breaks; an order that only reduces is never held back by them."""
    buys = proposal.signed_lots > 0
    if not buys and after < 0 and not limits.short_allowed:
        return Rail.SHORT
    if (after <= 0) if buys else (after >= 0):
        return None
    if abs(after) > limits.position_lots_max:
        return Rail.POSITION
    if buys and proposal.signed_lots * proposal.cost_ticks > now.free_cash_ticks:
        return Rail.CASH
    if now.day_loss_ticks > limits.day_loss_ticks_max:
        return Rail.DAILY_LOSS
    return None
