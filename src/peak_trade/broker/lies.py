"""A wrong snapshot: what the venue says of its orders while it lies. Pure functions of what is true."""

from collections.abc import Sequence
from dataclasses import replace

from peak_trade.broker.faults import Lie
from peak_trade.broker.messages import OrderStatus, Status
from peak_trade.market.terms import Side

GHOST_LOTS = 1


def ghost(step: int) -> OrderStatus:
    """Return an order that nobody placed."""
    identity = f"ghost-{step}"
    return OrderStatus(identity, f"g{step}", "GHOST", Side.BUY, Status.NEW, GHOST_LOTS, 0, GHOST_LOTS)


def misstated(told: OrderStatus) -> OrderStatus:
    """Return the order with one lot too much executed; the status stays as it was."""
    return replace(told, cum_lots=told.cum_lots + 1, leaves_lots=told.leaves_lots - 1)


def lied_list(how: Lie, told: Sequence[OrderStatus], step: int) -> tuple[OrderStatus, ...]:
    """Return the open orders as a lying venue lists them; the same as are true iff there is nothing to lie about."""
    match how:
        case Lie.INVENT:
            return (*told, ghost(step))
        case Lie.OMIT:
            return tuple(told[1:])
        case Lie.MISSTATE:
            return (*map(misstated, told[:1]), *told[1:])


def lied_status(how: Lie, told: OrderStatus | None, identity: str, oldest: str, step: int) -> OrderStatus | None:
    """Return what a lying venue says of the order `identity`; `oldest` is the id of its oldest open order."""
    match how:
        case Lie.INVENT:
            return ghost(step) if identity == f"ghost-{step}" else told
        case Lie.OMIT:
            return None if identity == oldest else told
        case Lie.MISSTATE:
            return misstated(told) if told is not None and identity == oldest else told
