"""The port: what any venue adapter must do. The mock is the only adapter in this package."""

from collections.abc import Iterator
from typing import Protocol

from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, Report


class Broker(Protocol):
    """A venue as a session sees it."""

    def place_order(self, request: OrderRequest) -> Accepted:
        """Accept `request`. Idempotent by its id: the same content again gives the first result.

        Raises:
            DuplicateId: the id was used for other content.
            VenueRejected: the venue refused it, now or the first time.
            VenueTimeout: the outcome is unknown.
            VenueUnavailable, RateLimited: it was not accepted.
        """

    def cancel_order(self, client_order_id: str) -> None:
        """Take the cancel for processing; its effect comes as a report. A second cancel is no error.

        Raises:
            VenueRejected: there is nothing left to cancel, or no such order.
        """

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Return what the venue knows of the order, or None iff it never received it."""

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return every order that the venue works, in order of arrival."""

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Yield the reports after the cursor in its order; one may come twice, and later ones may still be missing."""

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield the executions after the cursor, each once, in its order."""
