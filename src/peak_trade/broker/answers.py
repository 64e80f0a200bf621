"""What the venue answers at once: refusals, and the first answer again. Pure functions of what it holds."""

from typing import Final

from peak_trade.broker.errors import DuplicateId, RateLimited, VenueRejected, VenueTimeout, VenueUnavailable
from peak_trade.broker.faults import FaultKind
from peak_trade.broker.held import Held, Mark
from peak_trade.broker.messages import Accepted, OrderRequest, ReplaceRequest, Status
from peak_trade.market.terms import Kind

WHERE: Final = "the mock venue"
REFUSED_BY_PLAN: Final = "refused by the fault plan"


class StepError(ValueError):
    """The market was moved to a step that does not follow the last one."""

    def __init__(self, expected: int, was: int) -> None:
        super().__init__(expected, was)
        self.expected, self.was = expected, was

    def __str__(self) -> str:
        return f"expected step {self.expected} or one that is past, was {self.was}; advance one step at a time"


def unheard(fault: FaultKind | None, identity: str) -> VenueTimeout | VenueUnavailable | RateLimited:
    """Return the error of an attempt to place an order that strikes before acceptance."""
    match fault:
        case FaultKind.TIMEOUT_BEFORE:
            return VenueTimeout(identity)
        case FaultKind.RATE_LIMITED:
            return RateLimited(identity)
        case _:
            return VenueUnavailable(WHERE, "place_order")


def again(held: Held, request: OrderRequest) -> Accepted:
    """Return what an order that is known was answered the first time.

    Raises:
        DuplicateId: the id was used for other content.
        VenueRejected: it was rejected.
    """
    if held.request != request:
        raise DuplicateId(request.client_order_id)
    if held.closed is Status.REJECTED:
        raise VenueRejected(request.client_order_id, "rejected the first time")
    return Accepted(request.client_order_id, held.venue_order_id)


def irreplaceable(held: Held | None, request: ReplaceRequest) -> str:
    """Return why the order cannot be replaced, or nothing; a filled one can be increased (FIX 4.4, Volume 4, C.1.c)."""
    if held is None:
        return "unknown order"
    if held.request.kind is Kind.MARKET:
        return "a market order has no limit to replace"
    if held.canceling:
        return "a cancel is pending"
    over = held.closed is not None or held.mark is Mark.FINISHED
    if over or (not held.leaves_lots and request.qty_lots <= held.cum_lots and not held.wanted):
        return f"too late to replace: {held.status.value}"
    return ""
