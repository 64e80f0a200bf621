"""What passes between a session and a venue: immutable, in whole lots and ticks, in the words of FIX."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from peak_trade.market.terms import Kind, Side, Tif

ID_CHARS_MAX: Final = 64
SYMBOL_CHARS_MAX: Final = 32
QTY_LOTS_MAX: Final = 10**12
LIMIT_TICKS_MAX: Final = 10**15


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
    """An order as it is sent; constructed iff every field is in its range and a limit is given iff the kind is limit.

    Id and symbol are printable ASCII without spaces, 1 to `ID_CHARS_MAX` and `SYMBOL_CHARS_MAX` characters; quantity
    is 1 to `QTY_LOTS_MAX` lots, a limit 1 to `LIMIT_TICKS_MAX` ticks.

    Raises:
        ValueError: names the first field that is wrong.
    """

    client_order_id: str
    symbol: str
    side: Side
    qty_lots: int
    kind: Kind
    limit_ticks: int | None
    tif: Tif

    def __post_init__(self) -> None:
        limit = self.limit_ticks
        # Nearly every request is right: one expression decides, and only a wrong one pays for finding out why.
        if not (
            type(self.qty_lots) is int
            and 0 < self.qty_lots <= QTY_LOTS_MAX
            and (limit is None if self.kind is Kind.MARKET else _is_limit(limit) and self.kind is Kind.LIMIT)
            and _is_word(self.client_order_id, ID_CHARS_MAX)
            and _is_word(self.symbol, SYMBOL_CHARS_MAX)
            and type(self.side) is Side
            and type(self.tif) is Tif
        ):
            raise ValueError(f"{_flaw(self)}; correct the request {self.client_order_id!r:.80}")


def _is_word(text: object, chars_max: int) -> bool:
    return (
        type(text) is str and 0 < len(text) <= chars_max and text.isascii() and text.isprintable() and " " not in text
    )


def _is_limit(limit: object) -> bool:
    return type(limit) is int and 0 < limit <= LIMIT_TICKS_MAX


def _flaw(request: OrderRequest) -> str:
    """What was expected and what was found in the first field that is wrong."""
    for name, chars_max in (("client_order_id", ID_CHARS_MAX), ("symbol", SYMBOL_CHARS_MAX)):
        if not _is_word(getattr(request, name), chars_max):
            return f"{name}: expected 1 to {chars_max} printable ASCII characters, was {getattr(request, name)!r:.80}"
    for name, words in (("side", Side), ("kind", Kind), ("tif", Tif)):
        if type(getattr(request, name)) is not words:
            return f"{name}: expected {words.__name__} {' or '.join(words)}, was {getattr(request, name)!r:.80}"
    if type(request.qty_lots) is not int or not 0 < request.qty_lots <= QTY_LOTS_MAX:
        return f"qty_lots: expected a whole number, 1 to {QTY_LOTS_MAX}, was {request.qty_lots!r:.80}"
    expected = "none for a market order" if request.kind is Kind.MARKET else f"a whole number, 1 to {LIMIT_TICKS_MAX}"
    return f"limit_ticks: expected {expected}, was {request.limit_ticks!r:.80}"


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
