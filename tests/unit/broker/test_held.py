"""An order as the venue holds it: quantities and status by the book."""

from collections.abc import Callable
from itertools import product

import pytest

from peak_trade.broker.held import Held, Mark, listed, unlisted
from peak_trade.broker.messages import OrderRequest, ReplaceRequest, Status

PRECEDENCE = {
    Status.PENDING_CANCEL: 12,
    Status.PENDING_REPLACE: 11,
    Status.DONE_FOR_DAY: 10,
    Status.FILLED: 8,
    Status.STOPPED: 7,
    Status.SUSPENDED: 6,
    Status.PARTIALLY_FILLED: 4,
    Status.NEW: 2,
}
"""FIX 4.4, Volume 4, order state change matrices."""

MARKED = {
    Mark.STOP_GIVEN: Status.STOPPED,
    Mark.HALTED: Status.SUSPENDED,
    Mark.RESTING: Status.DONE_FOR_DAY,
    Mark.FINISHED: Status.DONE_FOR_DAY,
}


def test_the_status_of_highest_precedence_is_told(make_order: Callable[..., OrderRequest]) -> None:
    """Whatever applies at once: pending, marked, filled in part, whole or too much."""
    for canceling, replacing, mark, cum in product((True, False), (True, False), Mark, (0, 4, 10, 12)):
        held = Held(make_order("a"), "v1", 0, make_order("a"), 10, {}, cum_lots=cum, mark=mark, canceling=canceling)
        held.wanted = (ReplaceRequest("r", "a", 5, 9),) if replacing else ()
        applies = {Status.NEW}
        applies |= {Status.PENDING_CANCEL} if canceling else set()
        applies |= {Status.PENDING_REPLACE} if replacing else set()
        applies |= {MARKED[mark]} if mark in MARKED else set()
        applies |= {Status.PARTIALLY_FILLED} if cum else set()
        applies |= {Status.FILLED} if cum >= 10 else set()
        assert held.told().status is max(applies, key=PRECEDENCE.__getitem__)


@pytest.mark.parametrize("status", [Status.CANCELED, Status.EXPIRED])
def test_a_closed_order_stays_closed(make_order: Callable[..., OrderRequest], status: Status) -> None:
    """Nothing is left of it, nothing is pending, and a late fill changes only what was executed."""
    held = Held(make_order("a"), "v1", 0, make_order("a"), 10, {}, mark=Mark.HALTED, canceling=True)
    held.close(status)
    assert (held.leaves_lots, held.canceling, held.wanted, held.mark) == (0, False, (), Mark.PLAIN)
    held.trade(10)
    assert (held.status, held.cum_lots, held.leaves_lots) == (status, 10, 0)


def test_a_request_survives_the_ledger(make_order: Callable[..., OrderRequest]) -> None:
    """unlisted(listed(request)) is the request."""
    request = make_order("a", symbol="B", qty_lots=7)
    assert unlisted(listed(request)) == request


def test_an_execution_fulfils_a_guarantee_and_ends_no_halt(make_order: Callable[..., OrderRequest]) -> None:
    """Stopped ends with the first execution, suspended with the last."""
    for mark, lots, left in (
        (Mark.STOP_GIVEN, 4, Mark.PLAIN),
        (Mark.HALTED, 4, Mark.HALTED),
        (Mark.HALTED, 10, Mark.PLAIN),
    ):
        held = Held(make_order("a"), "v1", 0, make_order("a"), 10, {}, mark=mark)
        held.trade(lots)
        assert (held.mark, held.leaves_lots) == (left, 10 - lots)
