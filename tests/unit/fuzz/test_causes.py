"""Alarms need causes, who interferes is heard, orders keep their limits, and the venue's door is watched."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.errors import VenueTimeout, VenueUnavailable
from peak_trade.broker.messages import Accepted, OrderRequest, Report
from peak_trade.fuzz.found.trial import problems
from peak_trade.fuzz.judge.allowed import broken
from peak_trade.fuzz.judge.calls import Calls
from peak_trade.fuzz.judge.causes import CAUSES, causeless, unanswered, unheard
from peak_trade.fuzz.judge.door import Door
from peak_trade.fuzz.play import Played, play
from peak_trade.fuzz.traders import Line, Scripted
from peak_trade.fuzz.world import Deed, Machines, World
from peak_trade.journal.record import Record
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.rails.tripwires import HARD
from peak_trade.session.config import Config, LimitsPart, VenuePart
from peak_trade.session.recording import ORDER, RECONCILED, TRIP

LINES = (Line(2, lots=10), Line(3, lots=10), Line(5, Side.SELL, lots=5))
REQUEST = OrderRequest("a-1", "SYN000", Side.BUY, 1, Kind.LIMIT, 100_000, Tif.DAY)


def a_world(*deeds: Deed, **limits: int) -> World:
    """A small world with three orders, all filled at once, and no faults."""
    venue = VenuePart(participation_permille_min=1000, participation_permille_max=1000)
    config = Config(seed=1, cash_ticks=10**8, wind_down_steps=0, venue=venue, limits=LimitsPart(**limits))
    return World(config, walk(1, 1, 12), partial(Scripted, LINES), deeds)


def told(played: Played, kind: str, **facts: object) -> tuple[Record, ...]:
    """The journal, and one record more."""
    return (*played.records, Record(len(played.records), kind, {"step": 3, **facts}))


@pytest.fixture(scope="module")
def played(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The session of the small world."""
    return play(a_world(), machines, tmp_path_factory.mktemp("world") / "run")


def test_a_session_without_faults_is_not_strange(played: Played) -> None:
    """Nothing is made up: all orders left, and no judge says a word."""
    assert sum(record.body.get("event") == "submit" for record in played.records) == len(LINES)
    assert problems(played) == ()


@pytest.mark.parametrize("wire", sorted(HARD & CAUSES.keys()))
def test_an_alarm_needs_a_cause(wire: str, played: Played) -> None:
    """A hard tripwire is a problem in a world with nothing to trip it, and none where one of its causes struck."""
    records = told(played, TRIP, wire=wire, order="a-1")
    assert [item.split(" is said")[0] for item in causeless(a_world(), records, {})] == [f"a-1: {wire}"]
    for cause in CAUSES[wire]:
        assert not list(causeless(a_world(), records, {cause}))


def test_what_is_refused_in_doubt_explains_itself(played: Played) -> None:
    """Of an order whose answer was lost the machine refuses what it cannot know: that is no bug."""
    refused = told(played, ORDER, order="a-1", event="restate", outcome="refused", by="outcome_unknown", leaves=1)
    trip = Record(len(refused), TRIP, {"step": 3, "wire": "report_refused", "order": "a-1"})
    assert not list(causeless(a_world(), (*refused, trip), {}))
    assert list(causeless(a_world(), (*played.records, trip), {}))


def test_a_planned_fault_counts_where_it_is_not_known_what_struck(played: Played) -> None:
    """A process that died took its venue's counts with it."""
    records = told(played, TRIP, wire="overfilled", order="a-1")
    world = a_world()
    faulty = replace(world, config=world.config.model_copy(update={"faults": [{"kind": "overfill", "order": 1}]}))
    assert not list(causeless(faulty, records, None))
    assert list(causeless(faulty, records, {}))


def test_who_interferes_is_heard(machines: Machines, played: Played, tmp_path: Path) -> None:
    """A kill before the second order keeps it back; the journal of a session that did not hear it is found out."""
    kill = Deed(3, "kill")
    obedient = play(a_world(kill), machines, tmp_path / "run")
    assert obedient.why != played.why
    assert not list(unheard((kill,), obedient.records))
    assert len(list(unheard((kill,), played.records))) == len(("not on record", "orders left"))


def test_a_comparison_needs_an_answer(played: Played) -> None:
    """Each that counts was answered in its step; without that step's answer it is found out."""
    steps = {int(record.body["step"] or 0) for record in played.records if record.kind == RECONCILED}
    assert not list(unanswered(played.records, steps))
    assert len(list(unanswered(played.records, steps - {max(steps)}))) == 1


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        ({"order_lots_max": 9}, 2),
        ({"order_lots_max": 10}, 0),
        ({"position_lots_max": 19}, 1),
        ({"position_lots_max": 20}, 0),
        ({"collar_permille_max": 99}, 3),
        ({"collar_permille_max": 100}, 0),
        ({"order_notional_ticks_max": 10**6}, 2),
    ],
)
def test_orders_beyond_a_limit_are_found(limits: dict[str, int], count: int, played: Played) -> None:
    """The journal of a session with wider limits breaks narrower ones, where they are passed and not where reached."""
    assert len(list(broken(a_world(**limits), played.records))) == count


def test_money_that_is_not_there_is_found(played: Played) -> None:
    """What an order may cost is held against the account, less what open buys may still cost."""
    submits = [record for record in played.records if record.body.get("event") == "submit"]
    poor = replace(submits[0], body=dict(submits[0].body) | {"order_qty": 10**6})
    found = list(broken(a_world(), (poor, *played.records[submits[0].seq + 1 :])))
    assert [item.split(": ")[1] for item in found][:1] == ["it left beyond the limit order_lots_max"]
    assert any("free cash" in item for item in found)


class Deaf:
    """A venue that answers no order and refuses every question."""

    def place_order(self, request: OrderRequest) -> Accepted:
        """Lose the answer."""
        raise VenueTimeout(request.client_order_id)

    def iter_reports(self, since_cursor: int) -> tuple[Report, ...]:
        """Refuse to look."""
        raise VenueUnavailable(f"{since_cursor}", "iter_reports")


def a_door(machines: Machines, **limits: int) -> Door:
    """A door before a deaf venue, whose adapter opens its breaker after so many failures."""
    bounds = Bounds(attempts_max=1, **limits)
    adapter = Adapter(Deaf(), compile_kernel(machines.breaker), bounds)  # type: ignore[arg-type]
    door = Door(adapter.broker, adapter, Calls(), [])
    adapter.broker = door
    return door


def test_an_order_that_is_sent_again_blindly_is_seen(machines: Machines) -> None:
    """Once is nothing; again without asking is told by its name."""
    door = a_door(machines)
    for expected in ([], ["a-1: it was sent again without asking for it"]):
        with pytest.raises(VenueTimeout):
            door.place_order(REQUEST)
        assert door.wrong == expected


def test_a_breaker_that_lets_calls_through_is_seen(machines: Machines) -> None:
    """The adapter's own breaker is obeyed; a call that it did not hold back, within the cool-down, is told."""
    door = a_door(machines, failures_max=2, cooldown_steps=2)
    for _ in range(4):
        with pytest.raises(VenueUnavailable):
            door.adapter.iter_reports(0)
    assert (door.row, door.wrong) == (2, [])
    door.adapter.counts["calls.iter_reports"] += 1  # as an adapter does that forgets its breaker
    with pytest.raises(VenueUnavailable):
        door.iter_reports(0)
    assert len(door.wrong) == 1
    with pytest.raises(VenueUnavailable):
        door.iter_reports(0)  # past the adapter: nobody's business
    assert len(door.wrong) == 1


def test_more_calls_than_allowed_in_a_second_are_seen(machines: Machines) -> None:
    """Time stands still: the third call of a second is one too many."""
    door = a_door(machines, calls_per_second_max=2, failures_max=9)
    for _ in range(3):
        door.adapter.counts["calls.iter_reports"] += 1
        with pytest.raises(VenueUnavailable):
            door.iter_reports(0)
    assert door.wrong == ["3 calls left within a second, more than 2"]
