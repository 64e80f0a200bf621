"""The two sides of a reconciliation: our book, and a snapshot of what the venue told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from peak_trade.broker.messages import OrderStatus, Report, ReportKind
from peak_trade.rails.differences import Code

EXECUTIONS: Final = frozenset({ReportKind.TRADE, ReportKind.TRADE_CANCEL, ReportKind.TRADE_CORRECT})
"""Reports that change what was executed."""

UNSENT: Final = frozenset({"initialized", "denied"})
"""States of an order that never left."""

UNANSWERED: Final = frozenset({"pending_new", "unknown"})
"""States in which the outcome of sending is open."""

CLOSED: Final = frozenset({"filled", "canceled", "rejected", "expired", "denied"})
"""States in which the venue works an order no more, in its words and ours."""


class Request(StrEnum):
    """A request of ours that has no answer yet."""

    NONE = "none"
    NEW = "new"
    CANCEL = "cancel"
    REPLACE = "replace"


class Known(NamedTuple):
    """One of our orders: quantities in lots, limit in ticks (None: not known), signed so that a buy adds.

    `awaiting` is our request that is unanswered, `moved_step` the last step in which the order's machine moved.
    """

    order: str
    symbol: str
    sign: int
    state: str
    qty_lots: int
    cum_lots: int
    leaves_lots: int
    limit_ticks: int | None = None
    awaiting: Request = Request.NONE
    moved_step: int = 0


def known(name: str, value: tuple[Any, ...], facts: tuple[str, int, int | None, int]) -> Known:
    """Return an order as the reconciler takes it, from its machine's value and (symbol, sign, limit, moved step)."""
    symbol, sign, limit_ticks, moved_step = facts
    state, qty, cum, leaves, cancel_asked, replaces_asked = value[:6]
    awaiting = Request.NONE
    if state in UNANSWERED:
        awaiting = Request.NEW
    elif leaves and (cancel_asked or state == "pending_cancel"):
        awaiting = Request.CANCEL
    elif leaves and (replaces_asked or state == "pending_replace"):
        awaiting = Request.REPLACE
    return Known(name, symbol, sign, state, qty, cum, leaves, limit_ticks, awaiting, moved_step)


@dataclass(frozen=True, slots=True)
class Ours:
    """Our side: orders by id, executions as they were applied, positions in signed lots, and how far we have read.

    `seen` is the step at which each difference that has not healed was found first.
    """

    orders: Mapping[str, Known]
    executions: Sequence[Report]
    positions_lots: Mapping[str, int]
    cursor: int
    seen: Mapping[tuple[Code, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The venue's side at one moment, `step`.

    `orders` is what it told of each order, None iff it was asked for the id and does not know it; every order that it
    works is there. `reports` are those after the cursor `since`, each once: with a `head`, all of them up to it; where
    the venue does not tell its head (None), at least the executions. `limits_ticks` and `positions_lots` are given
    where the venue tells them.
    """

    orders: Mapping[str, OrderStatus | None]
    reports: Sequence[Report]
    head: int | None
    step: int
    since: int = 0
    limits_ticks: Mapping[str, int] = field(default_factory=dict)
    positions_lots: Mapping[str, int] | None = None
