"""An order as the venue holds it, and the forms in which it leaves: a status for the asker, a list for the ledger.

OrderQty, CumQty and LeavesQty follow FIX 4.4, Volume 4: LeavesQty is OrderQty less CumQty, and 0 once the order is
closed or finished for the day. OrdStatus is the one of highest precedence among those that apply.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from peak_trade.broker.faults import FaultKind, Phase
from peak_trade.broker.messages import OrderRequest, OrderStatus, ReplaceRequest, Status
from peak_trade.broker.schedule import Struck
from peak_trade.market.terms import Kind, Side, Tif


class Mark(StrEnum):
    """What the venue does with an open order besides working it."""

    PLAIN = "plain"
    STOP_GIVEN = "stop_given"
    HALTED = "halted"
    RESTING = "resting"
    FINISHED = "finished"


@dataclass(slots=True, eq=False)
class Held:
    """An order at the venue: `arrival` counts taken orders from 0, `terms` are the request as replaced and restated.

    `closed` is how it ended, `canceling` and `wanted` are what is pending. `ticket` names its one valid place in a
    queue. `first_trade` is the cursor of its first execution, `asked_step` when a cancel was first asked for, or -1;
    `replaced` iff a replacement was ever asked for.
    """

    request: OrderRequest
    venue_order_id: str
    arrival: int
    terms: OrderRequest
    leaves_lots: int
    struck: Struck
    cum_lots: int = 0
    closed: Status | None = None
    mark: Mark = Mark.PLAIN
    canceling: bool = False
    wanted: tuple[ReplaceRequest, ...] = ()
    ticket: int = 0
    first_trade: int = 0
    asked_step: int = -1
    replaced: bool = False
    queued: bool = False

    def trade(self, lots: int) -> None:
        """Take an execution; one of a stopped order fulfils the guarantee."""
        self.cum_lots += lots
        if self.mark is Mark.STOP_GIVEN:
            self.mark = Mark.PLAIN
        self.settle()

    def settle(self) -> None:
        """Set what is left after the quantities changed; nothing is kept back from an order that is filled."""
        left = self.terms.qty_lots - self.cum_lots
        if left <= 0 and self.mark in (Mark.STOP_GIVEN, Mark.HALTED):
            self.mark = Mark.PLAIN
        self.leaves_lots = left if left > 0 and self.closed is None and self.mark is not Mark.FINISHED else 0

    def close(self, status: Status) -> None:
        """Nothing is left to trade, and nothing is pending."""
        self.closed, self.leaves_lots = status, 0
        self.mark, self.canceling, self.wanted = Mark.PLAIN, False, ()

    def amend(self, qty_lots: int, limit_ticks: int | None) -> None:
        """Give the order another quantity and limit."""
        self.terms = replace(self.terms, qty_lots=qty_lots, limit_ticks=limit_ticks)
        self.settle()

    def fault(self, phase: Phase) -> FaultKind | None:
        """Return what strikes the order in this phase."""
        return self.struck.get(phase)

    @property
    def ordinal(self) -> int:
        """The place of its id among those that the venue saw, from 1."""
        return int(self.venue_order_id[1:])

    @property
    def status(self) -> Status:
        """OrdStatus by precedence (FIX 4.4, Volume 4, order state change matrices); closed stays as it closed."""
        if self.closed is not None:
            return self.closed
        applies = (
            (self.canceling, Status.PENDING_CANCEL),
            (bool(self.wanted), Status.PENDING_REPLACE),
            (self.mark in (Mark.RESTING, Mark.FINISHED), Status.DONE_FOR_DAY),
            (self.cum_lots >= self.terms.qty_lots, Status.FILLED),
            (self.mark is Mark.STOP_GIVEN, Status.STOPPED),
            (self.mark is Mark.HALTED, Status.SUSPENDED),
            (self.cum_lots > 0, Status.PARTIALLY_FILLED),
            (True, Status.NEW),
        )
        return next(status for holds, status in applies if holds)

    def told(self) -> OrderStatus:
        """What the venue says of the order when asked."""
        terms = self.terms
        return OrderStatus(
            client_order_id=terms.client_order_id,
            venue_order_id=self.venue_order_id,
            symbol=terms.symbol,
            side=terms.side,
            status=self.status,
            qty_lots=terms.qty_lots,
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
