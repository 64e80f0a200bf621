"""Fault plans are data, and each kind of fault does what it says."""

import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.errors import (
    BrokerError,
    DuplicateId,
    InvalidRequest,
    Permanent,
    RateLimited,
    Transient,
    VenueRejected,
    VenueTimeout,
    VenueUnavailable,
)
from peak_trade.broker.faults import Fault, FaultKind, by_order, dump, load, seeded
from peak_trade.broker.messages import OrderRequest, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Tif

PLANS = st.dictionaries(st.integers(1, 1000), st.sampled_from(list(FaultKind)), max_size=30)


@given(PLANS)
def test_a_plan_survives_its_json(plan: dict[int, FaultKind]) -> None:
    """load(dump(plan)) is the plan in its order."""
    faults = tuple(sorted(Fault(order, kind) for order, kind in plan.items()))
    assert load(dump(faults)) == faults
    assert by_order(faults) == plan


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '[{"kind":"reject"}]', '[{"kind":"reject","order":0}]', '[{"kind":"bang","order":1}]',
     '[{"kind":"reject","order":true}]', '[{"kind":"reject","order":1,"x":2}]', '[{"kind":"reject","order":"1"}]'],
)  # fmt: skip
def test_what_is_no_plan_is_refused(text: str) -> None:
    """Every text that is not a list of faults raises ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - the messages differ, the class is the contract
        load(text)


def test_an_order_has_one_fault(opened: Callable[..., MockVenue]) -> None:
    """Two faults for one order are refused instead of one winning."""
    with pytest.raises(ValueError, match="one fault for order 3"):
        opened(faults=(Fault(3, FaultKind.REJECT), Fault(3, FaultKind.LATE_REPORT)))


@given(st.integers(0, 2**64), st.integers(0, 200), st.integers(0, 1000))
def test_a_longer_plan_starts_with_the_shorter_one(seed: int, orders: int, rate: int) -> None:
    """A seeded plan is a function of seed and ordinal; rate 0 is empty, rate 1000 strikes each order."""
    plan = seeded(seed, orders, rate)
    assert plan == tuple(fault for fault in seeded(seed, orders + 50, rate) if fault.order <= orders)
    assert rate != 1000 or [fault.order for fault in plan] == list(range(1, orders + 1))
    assert rate or not plan


def test_a_seeded_plan_knows_every_kind() -> None:
    """Among many orders each kind appears, at about the rate."""
    plan = seeded(1, 2000, 250)
    assert {fault.kind for fault in plan} == set(FaultKind)
    assert 400 < len(plan) < 600


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.TIMEOUT_BEFORE, VenueTimeout),
        (FaultKind.UNAVAILABLE, VenueUnavailable),
        (FaultKind.RATE_LIMITED, RateLimited),
    ],
)
@pytest.mark.parametrize("crash", [False, True])
def test_a_refusal_strikes_the_first_attempt_only(
    opened: Callable[..., MockVenue],
    make_order: Callable[..., OrderRequest],
    kind: FaultKind,
    error: BrokerError,
    crash: bool,
) -> None:
    """Nothing is accepted by the first attempt; the second is, also when the venue was opened again between."""
    plan = (Fault(2, kind),)
    venue = opened(faults=plan)
    venue.place_order(make_order("a"))
    with pytest.raises(error):
        venue.place_order(make_order("b"))
    assert venue.query_order("b") is None
    if crash:
        venue.close()
        venue = opened(faults=plan)
    venue.place_order(make_order("c"))
    assert venue.place_order(make_order("b")).venue_order_id == "v2"
    assert [told.client_order_id for told in venue.list_open_orders()] == ["a", "c", "b"]


def test_a_timeout_after_leaves_the_order_accepted(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """The caller learns nothing, the order is there, asking or repeating finds it, and it trades once."""
    venue = opened(faults=(Fault(1, FaultKind.TIMEOUT_AFTER),))
    with pytest.raises(VenueTimeout):
        venue.place_order(make_order("a"))
    assert venue.query_order("a").status is Status.NEW
    assert venue.place_order(make_order("a")).venue_order_id == "v1"
    venue.advance(1, (make_bar(),))
    assert len(list(venue.iter_fills(0))) == 1


def test_a_planned_rejection_stays(opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest]) -> None:
    """The order is rejected each time and asking says so."""
    venue = opened(faults=(Fault(1, FaultKind.REJECT),))
    for _ in range(2):
        with pytest.raises(VenueRejected):
            venue.place_order(make_order("a"))
    assert venue.query_order("a").status is Status.REJECTED


def test_a_duplicate_report_comes_twice_in_a_row(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """Same cursor, same execution id; fills come once."""
    venue = opened(faults=(Fault(2, FaultKind.DUPLICATE_REPORT),))
    for identity in "abc":
        venue.place_order(make_order(identity))
    venue.advance(1, (make_bar(),))
    assert [(r.cursor, r.exec_id) for r in venue.iter_reports(0)] == [(1, "e1"), (2, "e2"), (2, "e2"), (3, "e3")]
    assert [r.cursor for r in venue.iter_fills(0)] == [1, 2, 3]


@pytest.mark.parametrize("crash", [False, True])
def test_a_late_report_holds_back_all_after_it(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar], crash: bool
) -> None:
    """What is delivered is a prefix of the log; one step later all of it is."""
    plan = (Fault(2, FaultKind.LATE_REPORT),)
    venue = opened(faults=plan)
    for identity in "abc":
        venue.place_order(make_order(identity, tif=Tif.GTC))
    venue.advance(1, (make_bar(),))
    if crash:
        venue.close()
        venue = opened(faults=plan)
    assert [r.cursor for r in venue.iter_reports(0)] == [1]
    venue.advance(2, ())
    assert [r.cursor for r in venue.iter_reports(1)] == [2, 3]


@pytest.mark.parametrize(
    "error",
    [
        VenueTimeout("a"),
        VenueUnavailable("here", "place_order"),
        RateLimited("a"),
        VenueRejected("a", "why"),
        InvalidRequest("a", "why"),
        DuplicateId("a"),
    ],
)
def test_an_error_survives_the_way_from_another_process(error: BrokerError) -> None:
    """Pickled and back it has its class, facts and message, and is either transient or permanent."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), vars(again), str(again)) == (type(error), vars(error), str(error))
    assert isinstance(error, BrokerError)
    assert isinstance(error, Transient) != isinstance(error, Permanent)
