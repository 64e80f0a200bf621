"""Each kind of fault fires, and does what its sentence says."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from peak_trade.broker.errors import BrokerError, RateLimited, VenueRejected, VenueTimeout, VenueUnavailable
from peak_trade.broker.faults import Fault, FaultKind, Lie
from peak_trade.broker.messages import OrderRequest, ReplaceRequest, Report, ReportKind, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side, Tif

GTC: dict[str, Any] = {"kind": Kind.LIMIT, "limit_ticks": 95, "tif": Tif.GTC}
FAR: dict[str, Any] = GTC | {"limit_ticks": 50}


@dataclass
class Stage:
    """A venue under a plan, closed and opened again before each call, and what is used to drive it."""

    opened: Callable[..., MockVenue]
    order: Callable[..., OrderRequest]
    bar: Callable[..., Bar]
    plan: tuple[Fault, ...] = ()
    step: int = 0

    def venue(self) -> MockVenue:
        """The venue, as a process that starts anew finds it."""
        return self.opened(faults=self.plan)

    def place(self, identity: str, **changes: Any) -> None:
        """Place an order."""
        self.venue().place_order(self.order(identity, **changes))

    def cancel(self, identity: str) -> None:
        """Ask for a cancel."""
        self.venue().cancel_order(identity)

    def replace(self, identity: str, qty: int, limit: int = 95, by: str = "r1") -> None:
        """Ask for a replacement."""
        self.venue().replace_order(ReplaceRequest(by, identity, qty, limit))

    def go(self, *bars: Bar) -> None:
        """Advance by a step."""
        self.step += 1
        self.venue().advance(self.step, bars)

    def status(self, identity: str) -> Status | None:
        """What the venue says of an order."""
        told = self.venue().query_order(identity)
        return None if told is None else told.status

    def heard(self, since: int = 0) -> list[int]:
        """The cursors of the stream."""
        return [report.cursor for report in self.venue().iter_reports(since)]

    def log(self) -> list[tuple[str, int, int, int, int]]:
        """Kind, last, quantity, cum and leaves of every report."""
        return [(r.kind.value, r.last_lots, r.order_lots, r.cum_lots, r.leaves_lots) for r in self.reports()]

    def reports(self) -> list[Report]:
        """Every report."""
        return self.venue()._floor.log.reports


@pytest.fixture
def stage(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> Iterator[Callable[..., Stage]]:
    """Sets the stage for faults; at the end each of them has fired, once."""
    made: list[Stage] = []

    def play(*plan: Fault) -> Stage:
        made.append(Stage(opened, make_order, make_bar, plan))
        assert not made[-1].venue()._plan.fired
        return made[-1]

    yield play
    for played in made:
        assert not played.venue().unfired()
        assert sum(played.venue().fired.values()) == len(played.plan)


def refused_first(stage: Callable[..., Stage], kind: FaultKind, error: type[BrokerError]) -> None:
    """Nothing is accepted by the first attempt; the second one is, under the ordinal of the first."""
    on = stage(Fault(kind, order=2))
    on.place("a")
    with pytest.raises(error):
        on.place("b")
    assert on.status("b") is None
    on.place("c")
    on.place("b")
    assert on.venue().query_order("b").venue_order_id == "v2"
    assert [told.client_order_id for told in on.venue().list_open_orders()] == ["a", "c", "b"]


def test_timeout_before(stage: Callable[..., Stage]) -> None:
    """The first attempt times out, and the venue never heard of it."""
    refused_first(stage, FaultKind.TIMEOUT_BEFORE, VenueTimeout)


def test_unavailable(stage: Callable[..., Stage]) -> None:
    """The first attempt finds nobody."""
    refused_first(stage, FaultKind.UNAVAILABLE, VenueUnavailable)


def test_rate_limited(stage: Callable[..., Stage]) -> None:
    """The first attempt is one too many."""
    refused_first(stage, FaultKind.RATE_LIMITED, RateLimited)


def test_timeout_after(stage: Callable[..., Stage]) -> None:
    """The caller learns nothing, the order is there, repeating finds it, and it trades once."""
    on = stage(Fault(FaultKind.TIMEOUT_AFTER, order=1))
    with pytest.raises(VenueTimeout):
        on.place("a")
    assert on.status("a") is Status.NEW
    on.place("a")
    on.go(on.bar())
    assert on.log() == [("trade", 10, 10, 10, 0)]


def test_reject(stage: Callable[..., Stage]) -> None:
    """The order is rejected each time, and asking says so."""
    on = stage(Fault(FaultKind.REJECT, order=1))
    for _ in range(2):
        with pytest.raises(VenueRejected):
            on.place("a")
    assert on.status("a") is Status.REJECTED


def test_cancel_timeout_before(stage: Callable[..., Stage]) -> None:
    """The order stays as it is until it is asked for again."""
    on = stage(Fault(FaultKind.CANCEL_TIMEOUT_BEFORE, order=1))
    on.place("a", **FAR)
    with pytest.raises(VenueTimeout):
        on.cancel("a")
    assert on.status("a") is Status.NEW
    on.cancel("a")
    assert on.log() == [("canceled", 0, 10, 0, 0)]


def test_cancel_timeout_after(stage: Callable[..., Stage]) -> None:
    """The order is canceled, once, though nobody was told so."""
    on = stage(Fault(FaultKind.CANCEL_TIMEOUT_AFTER, order=1))
    on.place("a", **FAR)
    with pytest.raises(VenueTimeout):
        on.cancel("a")
    on.cancel("a")
    assert on.log() == [("canceled", 0, 10, 0, 0)]


def test_cancel_rejected(stage: Callable[..., Stage]) -> None:
    """Asked as often as one likes in that step; in the next one it is done."""
    on = stage(Fault(FaultKind.CANCEL_REJECTED, order=1))
    on.place("a", **FAR)
    for _ in range(3):
        with pytest.raises(VenueRejected, match="plan"):
            on.cancel("a")
    on.go()
    on.cancel("a")
    assert on.log() == [("canceled", 0, 10, 0, 0)]


@pytest.mark.parametrize("qty", range(2, 12))
def test_cancel_race(stage: Callable[..., Stage], qty: int) -> None:
    """Pending, traded once more, and then canceled; or too late if nothing was left."""
    on = stage(Fault(FaultKind.CANCEL_RACE, order=1))
    on.place("a", qty_lots=qty, **FAR)
    on.cancel("a")
    on.cancel("a")
    assert on.status("a") is Status.PENDING_CANCEL
    assert on.log() == [("pending_cancel", 0, qty, 0, qty)]
    on.go()
    (_, trade, last) = on.log()
    assert trade[0] == "trade"
    assert last == (("canceled", 0, qty, trade[3], 0) if trade[3] < qty else ("cancel_rejected", 0, qty, qty, 0))
    assert on.status("a") is (Status.CANCELED if trade[3] < qty else Status.FILLED)


def test_a_cancel_race_has_both_ends(
    tmp_path: Any, make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """Over some seeds the race is won by the cancel and by the trade."""
    ends = set()
    for seed in range(20):
        venue = MockVenue.open(tmp_path / f"{seed}", seed, settings(), [Fault(FaultKind.CANCEL_RACE, order=1)])
        venue.place_order(make_order("a", **FAR))
        venue.cancel_order("a")
        venue.advance(1, (make_bar(),))
        ends.add(list(venue.iter_reports(0))[-1].kind)
        venue.close()
    assert ends == {ReportKind.CANCELED, ReportKind.CANCEL_REJECTED}


def settings() -> Any:
    """All of the volume."""
    from peak_trade.broker.matching import Settings

    return Settings(1000, 1000)


def test_what_is_suspended_does_not_race(stage: Callable[..., Stage]) -> None:
    """An order that is halted while a cancel or a replacement is pending does not trade; what is pending is decided."""
    on = stage(
        *(Fault(FaultKind.SUSPENSION, order=order) for order in (1, 2)),
        Fault(FaultKind.CANCEL_RACE, order=1),
        Fault(FaultKind.REPLACE_RACE, order=2),
    )
    on.place("a", **FAR)
    on.place("b", **FAR)
    on.cancel("a")
    on.replace("b", 20)
    for _ in range(3):
        on.go()
    said = [(r.client_order_id, r.kind.value) for r in on.reports()]
    assert [kind for identity, kind in said if identity == "a"] == ["pending_cancel", "suspended", "canceled"]
    assert [kind for identity, kind in said if identity == "b"] == [
        "pending_replace",
        "suspended",
        "replaced",
        "resumed",
    ]


def test_what_would_expire_with_a_cancel_pending_is_canceled(stage: Callable[..., Stage]) -> None:
    """An order has one end: if its day ends before the cancel is decided, it is canceled."""
    on = stage(
        Fault(FaultKind.REDUCTION, order=1),
        Fault(FaultKind.CANCEL_RACE, order=1),
        Fault(FaultKind.REPLACE_RACE, order=2),
        Fault(FaultKind.CANCEL_RACE, order=2),
    )
    # planned beside it, and in vain: what is canceled is not done for the day
    on = Stage(on.opened, on.order, on.bar, (*on.plan, Fault(FaultKind.DONE_FOR_DAY, order=2)))
    day = FAR | {"tif": Tif.DAY}
    on.place("a", **day)
    on.place("b", **day)
    on.cancel("a")
    on.replace("b", 20, limit=50)
    on.cancel("b")
    on.go(on.bar())
    said = [(r.client_order_id, r.kind.value) for r in on.reports() if r.kind is not ReportKind.TRADE]
    assert [kind for identity, kind in said if identity == "a"] == ["pending_cancel", "restated", "canceled"]
    assert [kind for identity, kind in said if identity == "b"] == [
        "pending_replace",
        "pending_cancel",
        "replaced",
        "canceled",
    ]


def test_late_fill(stage: Callable[..., Stage]) -> None:
    """The cancel is reported first, then the execution; the order stays canceled."""
    on = stage(Fault(FaultKind.LATE_FILL, order=1))
    on.place("a", **FAR)
    on.cancel("a")
    assert on.log() == [("canceled", 0, 10, 0, 0)]
    on.go()
    (_, trade) = on.log()
    assert trade == ("trade", trade[1], 10, trade[1], 0)
    assert 1 <= trade[1] <= 10
    assert on.status("a") is Status.CANCELED
    assert on.venue().truth().positions_lots == {"A": trade[1]}


def test_a_late_fill_of_a_market_order_waits_for_a_price(stage: Callable[..., Stage]) -> None:
    """Without a bar there is none."""
    on = stage(Fault(FaultKind.LATE_FILL, order=1))
    on.place("a")
    on.cancel("a")
    on.go()
    assert len(on.log()) == 1
    on.go(on.bar())
    assert [(r.kind, r.last_ticks) for r in on.reports()][1:] == [(ReportKind.TRADE, 100)]


def test_replace_rejected(stage: Callable[..., Stage]) -> None:
    """The first replacement is refused, also when it is repeated; another one is made."""
    on = stage(Fault(FaultKind.REPLACE_REJECTED, order=1))
    on.place("a", **FAR)
    for _ in range(2):
        with pytest.raises(VenueRejected, match="plan"):
            on.replace("a", 20)
    assert on.venue().query_order("a").qty_lots == 10
    on.replace("a", 20, by="r2")
    assert on.log() == [("replaced", 0, 20, 0, 20)]


@pytest.mark.parametrize("qty", [1, 5, 10, 30])
def test_replace_race(stage: Callable[..., Stage], qty: int) -> None:
    """Pending, traded once more, and then replaced; never by less than was executed (FIX 4.4, C.3.c)."""
    on = stage(Fault(FaultKind.REPLACE_RACE, order=1))
    on.place("a", **FAR)
    on.replace("a", qty)
    assert on.status("a") is Status.PENDING_REPLACE
    on.go()
    (first, trade, last) = on.log()
    assert (first[0], trade[0]) == ("pending_replace", "trade")
    made = max(qty, trade[3])
    assert last == ("replaced", 0, made, trade[3], made - trade[3])
    assert on.status("a") is (Status.PARTIALLY_FILLED if made > trade[3] else Status.FILLED)


def test_partial_fills(stage: Callable[..., Stage]) -> None:
    """One execution is told in parts, which add up."""
    on = stage(Fault(FaultKind.PARTIAL_FILLS, order=1))
    on.place("a", qty_lots=100)
    on.go(on.bar())
    parts = [row[1] for row in on.log()]
    assert len(parts) in (2, 3)
    assert all(parts)
    assert sum(parts) == 100
    assert on.status("a") is Status.FILLED


def test_overfill(stage: Callable[..., Stage]) -> None:
    """After the last fill comes one more; nothing is left, and the position has it."""
    on = stage(Fault(FaultKind.OVERFILL, order=1))
    on.place("a")
    on.go(on.bar())
    (fill, over) = on.log()
    assert fill == ("trade", 10, 10, 10, 0)
    assert over == ("trade", over[1], 10, 10 + over[1], 0)
    assert over[1] > 0
    assert on.venue().truth().positions_lots == {"A": 10 + over[1]}


@pytest.mark.parametrize("tif", Tif)
def test_bust(stage: Callable[..., Stage], tif: Tif) -> None:
    """The execution is taken back a step later; a filled order is open again, and trades again."""
    on = stage(Fault(FaultKind.BUST, order=1))
    on.place("a", tif=tif)
    on.go(on.bar())
    on.go(on.bar(volume_lots=4))
    rows = on.log()
    assert rows[:3] == [("trade", 10, 10, 10, 0), ("trade_cancel", 0, 10, 0, 10), ("trade", 4, 10, 4, 6)]
    assert on.reports()[1].ref_id == "e1"
    assert rows[3:] == ([] if tif is Tif.GTC else [("expired", 0, 10, 4, 0)])
    assert on.venue().truth().positions_lots == {"A": 4}


def test_a_bust_does_not_open_a_closed_order(stage: Callable[..., Stage]) -> None:
    """What expired after a partial fill stays expired."""
    on = stage(Fault(FaultKind.BUST, order=1))
    on.place("a")
    on.go(on.bar(volume_lots=3))
    on.go(on.bar())
    assert on.log() == [("trade", 3, 10, 3, 7), ("expired", 0, 10, 3, 0), ("trade_cancel", 0, 10, 0, 0)]
    assert on.venue().truth().positions_lots == {}
    assert on.venue().truth().cash_ticks == 0


def test_correction(stage: Callable[..., Stage]) -> None:
    """Quantity and price of the first execution are others; the book of the venue follows."""
    on = stage(Fault(FaultKind.CORRECTION, order=1))
    on.place("a", side=Side.SELL)
    on.go(on.bar())
    on.go()
    wrong, right = on.reports()
    assert (right.kind, right.ref_id, right.last_ticks) == (ReportKind.TRADE_CORRECT, wrong.exec_id, 101)
    assert (right.cum_lots, right.leaves_lots) == (right.last_lots, 10 - right.last_lots)
    truth = on.venue().truth()
    assert truth.positions_lots == {"A": -right.last_lots}
    assert truth.cash_ticks == right.last_lots * 101 - right.fee_ticks


def test_unsolicited_cancel(stage: Callable[..., Stage]) -> None:
    """The venue cancels before the market is reached."""
    on = stage(Fault(FaultKind.UNSOLICITED_CANCEL, order=1))
    on.place("a")
    on.go(on.bar())
    assert on.log() == [("canceled", 0, 10, 0, 0)]


def test_reduction(stage: Callable[..., Stage]) -> None:
    """The order is restated with less, and filled by that."""
    on = stage(Fault(FaultKind.REDUCTION, order=1))
    on.place("a")
    on.go(on.bar())
    (restated, fill) = on.log()
    assert restated == ("restated", 0, restated[2], 0, restated[2])
    assert 1 <= restated[2] < 10
    assert fill == ("trade", restated[2], restated[2], restated[2], 0)


@pytest.mark.parametrize("tif", Tif)
def test_suspension(stage: Callable[..., Stage], tif: Tif) -> None:
    """A step without trading, and then as before."""
    on = stage(Fault(FaultKind.SUSPENSION, order=1))
    on.place("a", tif=tif)
    on.go(on.bar())
    assert on.status("a") is Status.SUSPENDED
    on.go(on.bar())
    assert on.log() == [("suspended", 0, 10, 0, 10), ("resumed", 0, 10, 0, 10), ("trade", 10, 10, 10, 0)]


def test_stopped(stage: Callable[..., Stage]) -> None:
    """Guaranteed, and executed by the step after, at its limit, whatever the market does."""
    on = stage(Fault(FaultKind.STOPPED, order=1))
    on.place("a", **FAR)
    on.go(on.bar())
    assert on.status("a") is Status.STOPPED
    on.go(on.bar())
    assert on.log() == [("stopped", 0, 10, 0, 10), ("trade", 10, 10, 10, 0)]
    assert on.reports()[1].last_ticks == 50
    assert on.status("a") is Status.FILLED


def test_done_for_day(stage: Callable[..., Stage]) -> None:
    """Good-till-cancel rests for a step, is renewed, and trades; a day order ends so instead of expiring."""
    on = stage(Fault(FaultKind.DONE_FOR_DAY, order=1), Fault(FaultKind.DONE_FOR_DAY, order=2))
    on.place("a", **GTC)
    on.place("b", kind=Kind.LIMIT, limit_ticks=50)
    on.go(on.bar())
    assert on.log() == [("done_for_day", 0, 10, 0, 10), ("done_for_day", 0, 10, 0, 0)]
    assert (on.status("a"), on.status("b")) == (Status.DONE_FOR_DAY, Status.DONE_FOR_DAY)
    assert [told.client_order_id for told in on.venue().list_open_orders()] == ["a"]
    on.go(on.bar())
    assert on.log()[2:] == [("restated", 0, 10, 0, 10), ("trade", 10, 10, 10, 0)]


def three(stage: Callable[..., Stage], kind: FaultKind) -> Stage:
    """Three fills in one step, the second of which is struck on its way."""
    on = stage(Fault(kind, order=2))
    for identity in "abc":
        on.place(identity, tif=Tif.GTC)
    on.go(on.bar())
    return on


def test_lost_report(stage: Callable[..., Stage]) -> None:
    """There is a gap; later, who asks from before it gets it, and who asks from behind it does not."""
    on = three(stage, FaultKind.LOST_REPORT)
    assert on.heard() == [1, 3]
    assert on.heard() == [1, 3]
    on.go()
    assert on.heard(1) == [2, 3]
    assert on.heard(2) == [3]


def test_late_report(stage: Callable[..., Stage]) -> None:
    """It holds back all after it; one step later all of it is there."""
    on = three(stage, FaultKind.LATE_REPORT)
    assert on.heard() == [1]
    on.go()
    assert on.heard(1) == [2, 3]


def test_duplicate_report(stage: Callable[..., Stage]) -> None:
    """Twice in a row, same cursor and execution id; in the snapshot of fills once."""
    on = three(stage, FaultKind.DUPLICATE_REPORT)
    assert [(r.cursor, r.exec_id) for r in on.venue().iter_reports(0)] == [(1, "e1"), (2, "e2"), (2, "e2"), (3, "e3")]
    assert [r.cursor for r in on.venue().iter_fills(0)] == [1, 2, 3]


def test_reordered_report(stage: Callable[..., Stage]) -> None:
    """It comes after its successor; later, in its order."""
    on = three(stage, FaultKind.REORDERED_REPORT)
    assert on.heard() == [1, 3, 2]
    on.go()
    assert on.heard() == [1, 2, 3]


def test_outage(stage: Callable[..., Stage]) -> None:
    """For its steps every call is refused, and nothing is taken; the market goes on."""
    on = stage(Fault(FaultKind.OUTAGE, step=1, steps=2))
    on.place("a", tif=Tif.GTC)
    on.go(on.bar(volume_lots=3))
    calls: tuple[Callable[[], Any], ...] = (
        lambda: on.place("b"),
        lambda: on.cancel("a"),
        lambda: on.replace("a", 20),
        lambda: on.status("a"),
        lambda: on.venue().list_open_orders(),
        on.heard,
        lambda: on.venue().iter_fills(0),
    )
    for call in calls:
        with pytest.raises(VenueUnavailable):
            call()
    on.go()
    with pytest.raises(VenueUnavailable):
        on.status("a")
    on.go()
    assert on.heard() == [1]
    assert on.status("b") is None


@pytest.mark.parametrize("how", Lie)
def test_wrong_snapshot(stage: Callable[..., Stage], how: Lie) -> None:
    """List and status lie alike about one order; reports and fills do not; afterwards all is right again."""
    on = stage(Fault(FaultKind.WRONG_SNAPSHOT, step=1, steps=1, how=how))
    for identity in "ab":
        on.place(identity, tif=Tif.GTC)
    before = {told.client_order_id: told for told in on.venue().list_open_orders()}
    on.go()
    listed = {told.client_order_id: told for told in on.venue().list_open_orders()}
    assert listed != before
    for identity in {*before, *listed}:
        assert on.venue().query_order(identity) == listed.get(identity)
    assert set(listed) == {Lie.OMIT: {"b"}, Lie.INVENT: {"a", "b", "ghost-1"}, Lie.MISSTATE: {"a", "b"}}[how]
    assert list(on.venue().iter_fills(0)) == []
    on.go()
    assert {told.client_order_id: told for told in on.venue().list_open_orders()} == before


def test_restart(stage: Callable[..., Stage]) -> None:
    """Cancel and replacement are pending, and then forgotten; asked for again, they are made."""
    on = stage(Fault(FaultKind.RESTART, step=2, steps=1))
    on.go()
    for identity in "ab":
        on.place(identity, **FAR)
    on.cancel("a")
    on.replace("b", 20)
    assert (on.status("a"), on.status("b")) == (Status.PENDING_CANCEL, Status.PENDING_REPLACE)
    on.go()
    assert (on.status("a"), on.status("b")) == (Status.NEW, Status.NEW)
    on.cancel("a")
    on.replace("b", 20, by="r2")
    assert [row[0] for row in on.log()] == ["pending_cancel", "pending_replace", "canceled", "replaced"]


def test_clock_skew(stage: Callable[..., Stage]) -> None:
    """For its steps reports carry a wrong step, never below 0; cursors go on."""
    on = stage(Fault(FaultKind.CLOCK_SKEW, step=2, steps=1, by=-5))
    on.place("a", qty_lots=30, tif=Tif.GTC)
    for _ in range(3):
        on.go(on.bar(volume_lots=10))
    assert [(r.cursor, r.step) for r in on.reports()] == [(1, 1), (2, 0), (3, 3)]


def test_every_kind_has_an_example() -> None:
    """There is a test of the name of each kind."""
    assert [kind for kind in FaultKind if not hasattr(sys.modules[__name__], f"test_{kind}")] == []
