"""The port: what any venue adapter must do. The mock is the only adapter in this package."""

from collections.abc import Iterator
from typing import Protocol

from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report


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

        Canceled, or pending and then decided: Canceled, or Cancel Rejected if nothing was left. A pending cancel may be
        forgotten when the venue restarts; it may be asked for again at any time.

        Raises:
            VenueRejected: it is refused at once: nothing left to cancel, no such order, or not now.
            VenueTimeout: the outcome is unknown.
            VenueUnavailable: it was not taken.
        """

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Take the change of quantity and limit for processing; idempotent by its id. Its effect comes as a report.

        Replaced, with the quantity amended to what was executed if that is more (FIX 4.4, Volume 4, C.3.c), or pending
        and then decided; Replace Rejected if the order closes before.

        Raises:
            DuplicateId: the id was used for another request or for an order.
            VenueRejected: it is refused at once, now or the first time: nothing to replace, or no such order.
            VenueUnavailable: it was not taken.
        """

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Return what the venue knows of the order, or None iff it never received it.

        Raises:
            VenueUnavailable: it does not answer.
        """

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return every order of which something is left, in order of arrival.

        Raises:
            VenueUnavailable: it does not answer.
        """

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Yield the reports after the cursor: the stream. Each comes at last to whoever keeps asking from before it.

        One may come twice, too late, or after its successors, and one may be missing until it is asked for again;
        cursors have no gap, so what is missing is seen.

        Raises:
            InvalidRequest: the venue has no such cursor.
            VenueUnavailable: it does not answer.
        """

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield executions, busts and corrections after the cursor, each once, in its order: the snapshot's side.

        It is the venue's own record: what the stream still holds back is in it.

        Raises:
            InvalidRequest: the venue has no such cursor.
            VenueUnavailable: it does not answer.
        """
