"""What a session's processes asked its venue, and which orders they sent again without asking for them before."""

from dataclasses import dataclass, field

from peak_trade.broker.errors import RateLimited, VenueUnavailable
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus
from peak_trade.broker.port import Broker


@dataclass(slots=True)
class Calls:
    """What the venue was asked, by all processes of a session.

    `doubtful` are the orders that it may have; `blind` those that were sent again without asking for them before.
    """

    doubtful: set[str] = field(default_factory=set)
    blind: list[str] = field(default_factory=list)

    def place(self, venue: Broker, request: OrderRequest) -> Accepted:
        """Send an order; only a refusal that says so leaves no doubt that the venue has not got it."""
        name = request.client_order_id
        if name in self.doubtful:
            self.blind.append(name)
        self.doubtful.add(name)
        try:
            return venue.place_order(request)
        except (VenueUnavailable, RateLimited):
            self.doubtful.discard(name)
            raise

    def query(self, venue: Broker, name: str) -> OrderStatus | None:
        """Ask for an order; an answer, whatever it is, ends the doubt."""
        found = venue.query_order(name)
        self.doubtful.discard(name)
        return found
