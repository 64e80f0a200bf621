"""An order as the venue holds it, and the forms in which it leaves: a status for the asker, a list for the ledger."""

from dataclasses import dataclass
from typing import Any

from peak_trade.broker.faults import FaultKind
from peak_trade.broker.messages import OrderRequest, OrderStatus, Status
from peak_trade.market.terms import Kind, Side, Tif


@dataclass(slots=True, eq=False)
class Held:
    """An order at the venue: `arrival` counts taken orders from 0, `leaves_lots` is 0 once it is closed."""

    request: OrderRequest
    venue_order_id: str
    arrival: int
    fault: FaultKind | None
    leaves_lots: int
    status: Status = Status.NEW
    cum_lots: int = 0

    def trade(self, lots: int) -> None:
        """Take an execution."""
        self.cum_lots += lots
        self.leaves_lots -= lots
        self.status = Status.PARTIALLY_FILLED if self.leaves_lots else Status.FILLED

    def close(self, status: Status) -> None:
        """Nothing is left to trade."""
        self.leaves_lots = 0
        self.status = status

    def told(self) -> OrderStatus:
        """What the venue says of the order when asked."""
        request = self.request
        return OrderStatus(
            client_order_id=request.client_order_id,
            venue_order_id=self.venue_order_id,
            symbol=request.symbol,
            side=request.side,
            status=self.status,
            qty_lots=request.qty_lots,
            cum_lots=self.cum_lots,
            leaves_lots=self.leaves_lots,
        )


def listed(request: OrderRequest) -> list[Any]:
    """The request as a list for the ledger; inverse of `unlisted`."""
    return [
        request.client_order_id,
        request.symbol,
        request.side,
        request.qty_lots,
        request.kind,
        request.limit_ticks,
        request.tif,
    ]


def unlisted(items: list[Any]) -> OrderRequest:
    """The request that `listed` listed.

    Raises:
        ValueError: it is none.
    """
    identity, symbol, side, qty, kind, limit, tif = items
    return OrderRequest(identity, symbol, Side(side), qty, Kind(kind), limit, Tif(tif))
