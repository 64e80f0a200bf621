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
    """What an execution report tells (FIX tag 150, ExecType), or the refusal of a request (FIX 35=9)."""

    TRADE = "trade"
    TRADE_CANCEL = "trade_cancel"
    TRADE_CORRECT = "trade_correct"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    PENDING_CANCEL = "pending_cancel"
    CANCEL_REJECTED = "cancel_rejected"
    PENDING_REPLACE = "pending_replace"
    REPLACED = "replaced"
    REPLACE_REJECTED = "replace_rejected"
    RESTATED = "restated"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    RESUMED = "resumed"


class Status(StrEnum):
    """What a venue says an order is (FIX tag 39, OrdStatus)."""

    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
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
class ReplaceRequest:
    """A change of an order's quantity or limit (FIX 35=G); `replace_id` names the request, and is used once.

    `qty_lots` is the new OrderQty, fills included: FIX 4.4, Volume 4, order cancel/replace request.

    Raises:
        ValueError: names the first field that is wrong.
    """

    replace_id: str
    client_order_id: str
    qty_lots: int
    limit_ticks: int

    def __post_init__(self) -> None:
        for name in ("replace_id", "client_order_id"):
            if not _is_word(getattr(self, name), ID_CHARS_MAX):
                found = f"{getattr(self, name)!r:.80}"
                raise ValueError(f"{name}: expected 1 to {ID_CHARS_MAX} printable ASCII characters, was {found}")
        if type(self.qty_lots) is not int or not 0 < self.qty_lots <= QTY_LOTS_MAX:
            raise ValueError(f"qty_lots: expected a whole number, 1 to {QTY_LOTS_MAX}, was {self.qty_lots!r:.80}")
        if not _is_limit(self.limit_ticks):
            raise ValueError(
                f"limit_ticks: expected a whole number, 1 to {LIMIT_TICKS_MAX}, was {self.limit_ticks!r:.80}"
            )


@dataclass(frozen=True, slots=True)
class Report:
    """One execution report. `cursor` counts the venue's reports from 1 without a gap; money and prices in ticks.

    `order_lots`, `cum_lots` and `leaves_lots` are the venue's OrderQty, CumQty and LeavesQty after it. A trade has its
    size, price and fee in `last_lots`, `last_ticks` and `fee_ticks`; a correction has the right ones, a bust zeros, and
    both name the execution that they undo in `ref_id` (FIX 19, ExecRefID). `step` is when the venue says that it was.
    """

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
    order_lots: int
    ref_id: str = ""


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
