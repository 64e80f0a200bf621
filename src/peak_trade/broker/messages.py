"""What passes between a session and a venue: immutable, in whole lots and ticks, in the words of FIX."""

from dataclasses import dataclass
from enum import StrEnum

from peak_trade.market.terms import Kind, Side, Tif


class ReportKind(StrEnum):
    """What an execution report tells (FIX tag 150, ExecType)."""

    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class Status(StrEnum):
    """What a venue says an order is (FIX tag 39, OrdStatus)."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it is sent. `limit_ticks` is None for a market order.

    Raises:
        ValueError: the quantity or the limit is not positive, or a limit order has no limit.
    """

    client_order_id: str
    symbol: str
    side: Side
    qty_lots: int
    kind: Kind
    limit_ticks: int | None
    tif: Tif

    def __post_init__(self) -> None:
        if self.qty_lots <= 0:
            raise ValueError(f"expected a quantity of at least 1 lot, was {self.qty_lots} in {self.client_order_id}")
        if (self.kind is Kind.LIMIT) != (self.limit_ticks is not None) or (self.limit_ticks or 1) <= 0:
            raise ValueError(f"expected a positive limit iff it is a limit order, was {self.limit_ticks}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue has the order and works it."""

    client_order_id: str
    venue_order_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """One execution report. `cursor` counts the venue's reports from 1 without a gap; money and prices in ticks."""

    cursor: int
    client_order_id: str
    venue_order_id: str
    exec_id: str
    kind: ReportKind
    last_lots: int
    last_ticks: int
    fee_ticks: int
    cum_lots: int
    leaves_lots: int
    step: int


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """What the venue knows of an order when asked."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    status: Status
    qty_lots: int
    cum_lots: int
    leaves_lots: int
