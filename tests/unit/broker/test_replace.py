"""Replacing an order at the venue, as FIX 4.4, Volume 4, section C has it."""

from collections.abc import Callable
from typing import Any

import pytest

from peak_trade.broker.errors import DuplicateId, VenueRejected
from peak_trade.broker.messages import OrderRequest, OrderStatus, ReplaceRequest, ReportKind, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side, Tif

REST: dict[str, Any] = {"kind": Kind.LIMIT, "limit_ticks": 50, "tif": Tif.GTC}


@pytest.fixture
def venue(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> MockVenue:
    """A venue with a resting order for ten lots, of which four are filled."""
    made = opened()
    made.place_order(make_order("a", **REST))
    made.advance(1, (make_bar(low_ticks=50, volume_lots=4),))
    return made


def told(venue: MockVenue) -> OrderStatus:
    """What the venue says of the order."""
    found = venue.query_order("a")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("asked", "qty", "leaves", "status"),
    [
        (20, 20, 16, Status.PARTIALLY_FILLED),
        (10, 10, 6, Status.PARTIALLY_FILLED),
        (5, 5, 1, Status.PARTIALLY_FILLED),
        (4, 4, 0, Status.FILLED),
        (1, 4, 0, Status.FILLED),
    ],
)
def test_a_quantity_is_changed_but_never_below_what_was_executed(
    venue: MockVenue, asked: int, qty: int, leaves: int, status: Status
) -> None:
    """Up, the same, down, down to CumQty, and below it: amended to CumQty (C.3.b, C.3.c)."""
    accepted = venue.replace_order(ReplaceRequest("r", "a", asked, 50))
    assert (accepted.client_order_id, accepted.venue_order_id) == ("a", "v1")
    found = told(venue)
    assert (found.qty_lots, found.cum_lots, found.leaves_lots, found.status) == (qty, 4, leaves, status)
    report = next(iter(venue.iter_reports(1)))
    assert (report.kind, report.order_lots, report.cum_lots, report.leaves_lots) == (
        ReportKind.REPLACED,
        qty,
        4,
        leaves,
    )
    assert len(venue.list_open_orders()) == bool(leaves)


@pytest.mark.parametrize("side", Side)
def test_a_new_limit_is_the_one_that_counts(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar], side: Side
) -> None:
    """Moved to the market it trades at the new limit; moved away it does not trade at the old one, and rests."""
    far, near = (50, 95) if side is Side.BUY else (150, 105)
    venue = opened()
    venue.place_order(make_order("a", side=side, **REST | {"limit_ticks": far}))
    venue.place_order(make_order("b", side=side, **REST | {"limit_ticks": near}))
    venue.place_order(make_order("c", side=side, **REST | {"limit_ticks": far}))
    venue.advance(1, ())
    venue.advance(2, (make_bar(low_ticks=97, high_ticks=103, close_ticks=100),))  # from here on they wait by price
    venue.replace_order(ReplaceRequest("r1", "a", 10, near))
    venue.replace_order(ReplaceRequest("r2", "b", 10, far))
    venue.advance(3, (make_bar(),))
    assert [(r.client_order_id, r.last_ticks) for r in venue.iter_fills(0)] == [("a", near)]
    venue.advance(4, (make_bar(low_ticks=50, high_ticks=150),))
    assert [(r.client_order_id, r.last_ticks) for r in venue.iter_fills(3)] == [("b", far), ("c", far)]


def test_a_request_is_idempotent_by_its_id(
    venue: MockVenue, opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest]
) -> None:
    """The same again gives the first answer, also after a reopening; other content, or an order's id, is refused."""
    first = venue.replace_order(ReplaceRequest("r", "a", 20, 50))
    venue.replace_order(ReplaceRequest("s", "a", 30, 50))
    venue.close()
    venue = opened()
    assert venue.replace_order(ReplaceRequest("r", "a", 20, 50)) == first
    assert told(venue).qty_lots == 30
    for request in (
        ReplaceRequest("r", "a", 21, 50),
        ReplaceRequest("r", "b", 20, 50),
        ReplaceRequest("a", "a", 9, 50),
    ):
        with pytest.raises(DuplicateId):
            venue.replace_order(request)
    with pytest.raises(DuplicateId):
        venue.place_order(make_order("r"))
    assert told(venue).qty_lots == 30


def test_a_refusal_stays_one(venue: MockVenue, make_order: Callable[..., OrderRequest]) -> None:
    """Who asked for an order that is not there is refused again under that id, also when it is there."""
    for _ in range(2):
        with pytest.raises(VenueRejected, match="unknown order"):
            venue.replace_order(ReplaceRequest("r", "b", 20, 50))
        if venue.query_order("b") is None:
            venue.place_order(make_order("b", **REST))
    venue.replace_order(ReplaceRequest("s", "b", 20, 50))


def test_a_filled_order_can_be_increased(venue: MockVenue, make_bar: Callable[..., Bar]) -> None:
    """It is open again for the difference and trades (C.1.c); not for less."""
    venue.advance(2, (make_bar(low_ticks=50),))
    assert told(venue).status is Status.FILLED
    with pytest.raises(VenueRejected, match="too late"):
        venue.replace_order(ReplaceRequest("r", "a", 10, 50))
    venue.replace_order(ReplaceRequest("s", "a", 15, 50))
    assert (told(venue).status, told(venue).leaves_lots) == (Status.PARTIALLY_FILLED, 5)
    venue.advance(3, (make_bar(low_ticks=50),))
    assert (told(venue).status, told(venue).cum_lots) == (Status.FILLED, 15)


def test_what_cannot_be_replaced_is_refused(venue: MockVenue, make_order: Callable[..., OrderRequest]) -> None:
    """A market order has no limit, a canceled order nothing left, and a pending cancel comes first."""
    venue.place_order(make_order("m"))
    with pytest.raises(VenueRejected, match="market"):
        venue.replace_order(ReplaceRequest("r", "m", 20, 50))
    venue.cancel_order("a")
    with pytest.raises(VenueRejected, match="too late to replace: canceled"):
        venue.replace_order(ReplaceRequest("s", "a", 20, 50))
    assert told(venue).qty_lots == 10


def test_a_pending_cancel_comes_first(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest]
) -> None:
    """While a cancel is pending nothing is replaced."""
    from peak_trade.broker.faults import Fault, FaultKind

    venue = opened(faults=(Fault(FaultKind.CANCEL_RACE, order=1),))
    venue.place_order(make_order("a", **REST))
    venue.cancel_order("a")
    with pytest.raises(VenueRejected, match="pending"):
        venue.replace_order(ReplaceRequest("r", "a", 20, 50))


def test_who_is_done_for_the_day_is_not_replaced(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """A day order that was finished stays so."""
    from peak_trade.broker.faults import Fault, FaultKind

    venue = opened(faults=(Fault(FaultKind.DONE_FOR_DAY, order=1),))
    venue.place_order(make_order("a", **REST | {"tif": Tif.DAY}))
    venue.advance(1, (make_bar(),))
    with pytest.raises(VenueRejected, match="done_for_day"):
        venue.replace_order(ReplaceRequest("r", "a", 20, 50))


def test_back_to_back_replacements_are_made_in_their_order(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest]
) -> None:
    """Both pending, then both made; the last one counts (D.2.b)."""
    from peak_trade.broker.faults import Fault, FaultKind

    venue = opened(faults=(Fault(FaultKind.REPLACE_RACE, order=1),))
    venue.place_order(make_order("a", **REST))
    venue.replace_order(ReplaceRequest("r", "a", 20, 50))
    venue.replace_order(ReplaceRequest("s", "a", 30, 51))
    venue.advance(1, ())
    kinds = [report.kind for report in venue.iter_reports(0) if report.kind is not ReportKind.TRADE]
    assert kinds == [ReportKind.PENDING_REPLACE] * 2 + [ReportKind.REPLACED] * 2
    assert told(venue).qty_lots == 30
