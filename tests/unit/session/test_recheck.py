"""A session compares with the venue in mid-run, after a gap, and when it is resumed; a replay asks nobody again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peak_trade.broker.messages import OrderStatus, Report, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.market.terms import Side
from peak_trade.session.assembly import Session
from peak_trade.session.config import Config, VenuePart

Open = Callable[..., Session]
VENUE = VenuePart(participation_permille_min=5, participation_permille_max=40)
OFTEN = Config(cash_ticks=10**10, wind_down_steps=8, venue=VENUE, reconcile_steps=10)
STRAY = OrderStatus("stray", "v99", "SYN000", Side.BUY, Status.NEW, 3, 0, 3)


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str], list[Record]]:
    """The records of one kind that the journal holds now."""
    path = tmp_path / "run" / "journal" / "journal.jsonl"
    return lambda kind: [record for record in read(path) if record.kind == kind]


def ghostly(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the venue works an order that is not ours."""
    listed = MockVenue.list_open_orders
    monkeypatch.setattr(MockVenue, "list_open_orders", lambda venue: (*listed(venue), STRAY))


def test_a_session_compares_at_its_interval(opened: Open, kept: Callable[[str], list[Record]]) -> None:
    """Every `reconcile_steps` steps, and once more before the end, which alone looks at everything."""
    session = opened(config=OFTEN)
    session.start()
    session.run(400)
    assert session.orchestrator.state == "STOPPED"
    session.close()
    found = [(record.body["step"], record.body["closing"]) for record in kept("reconciled")]
    assert [step for step, closing in found if not closing] == [10, 20, 30, 40]
    assert [closing for _, closing in found].count(True) == 1
    assert all(record.body["asked"] is True and not record.body["differences"] for record in kept("reconciled"))


def test_a_ghost_in_mid_run_stops_for_the_operator(
    opened: Open, kept: Callable[[str], list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hard difference trips at once, with its code on record; run again over its tape it is the same run."""
    session = opened(config=OFTEN)
    session.start()
    session.run(9)
    ghostly(monkeypatch)
    session.run(400)
    assert session.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    session.close()
    assert {record.body["code"] for record in kept("difference")} == {"ghost"}
    assert kept("difference")[0].body["action"] == "stop_for_operator"
    assert kept("trip")[0].body["wire"] == "book_differs_from_venue"
    before = [record.body for kind in ("trip", "difference", "reconciled") for record in kept(kind)]
    again = opened(config=OFTEN, resume=True)
    again.start()
    again.run(400)
    assert again.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    again.close()
    assert [record.body for kind in ("trip", "difference", "reconciled") for record in kept(kind)] == before


def test_a_resumed_run_compares_before_it_goes_on(opened: Open, kept: Callable[[str], list[Record]]) -> None:
    """Once its tape is over, it notes that book and venue agree; the run's own records are not changed by that."""
    session = opened(config=OFTEN)
    session.start()
    session.run(15)
    session.close()
    assert kept("resumed") == []
    again = opened(config=OFTEN, resume=True)
    again.start()
    again.run(400)
    assert again.orchestrator.state == "STOPPED"
    again.close()
    [note] = kept("resumed")
    assert (note.body["step"], note.body["asked"], note.body["differences"]) == (15, True, 0)


def test_a_ghost_that_came_while_nobody_looked_stops_the_resumed_run(
    opened: Open, kept: Callable[[str], list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found at the start of a resumed run trips before anything is sent, and resuming again is the same run."""
    session = opened(config=OFTEN)
    session.start()
    session.run(15)
    session.close()
    sent = len([record for record in kept("order") if record.body["event"] == "submit"])
    ghostly(monkeypatch)
    for _ in range(2):
        again = opened(config=OFTEN, resume=True)
        again.start()
        again.run(400)
        assert again.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
        again.close()
        assert kept("resumed")[1].body["code"] == "ghost"
        assert kept("trip")[0].body["step"] == 15
    assert len([record for record in kept("order") if record.body["event"] == "submit"]) == sent


def test_a_gap_in_the_reports_is_looked_into_at_once(
    opened: Open, kept: Callable[[str], list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that does not follow the last one makes the session compare in the same step, whatever the interval."""
    reports, holes = MockVenue.iter_reports, [True]

    def with_hole(venue: MockVenue, since_cursor: int) -> Iterator[Report]:
        found = list(reports(venue, since_cursor))
        return iter(found[1:] if len(found) > 1 and holes and holes.pop() else found)

    monkeypatch.setattr(MockVenue, "iter_reports", with_hole)
    session = opened(config=OFTEN.model_copy(update={"reconcile_steps": 1_000}))
    session.start()
    session.run(400)
    assert session.orchestrator.state == "STOPPED"
    session.close()
    found = [record.body for record in kept("reconciled") if not record.body["closing"]]
    assert holes == []
    assert len(found) >= 1
    assert int(found[0]["behind"] or 0) > 0
