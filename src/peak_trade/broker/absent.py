"""The adapter that is there when none is: every call says so. A session never starts with it."""

from collections.abc import Iterator

from peak_trade.broker.errors import VenueUnavailable
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report
from peak_trade.market.bars import Bar


class AbsentBroker:
    """No adapter of the configured name exists in this package; in particular there is no live one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def place_order(self, request: OrderRequest) -> Accepted:  # noqa: ARG002 - the port\'s signature
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "place_order")

    def cancel_order(self, client_order_id: str) -> None:  # noqa: ARG002 - the port\'s signature
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "cancel_order")

    def replace_order(self, request: ReplaceRequest) -> Accepted:  # noqa: ARG002 - the port\'s signature
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "replace_order")

    def query_order(self, client_order_id: str) -> OrderStatus | None:  # noqa: ARG002 - the port\'s signature
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "query_order")

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "list_open_orders")

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:  # noqa: ARG002 - the port\'s signature
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "iter_reports")

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:  # noqa: ARG002 - the port\'s signature
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "iter_fills")

    def advance(self, step: int, bars: tuple[Bar, ...]) -> None:  # noqa: ARG002 - the world's signature
        """Raise VenueUnavailable."""
        raise VenueUnavailable(self.name, "advance")
