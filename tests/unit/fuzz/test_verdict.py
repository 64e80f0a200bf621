"""The verdict sees every difference of book and venue, and forgives only what the session reported."""

from pathlib import Path

import pytest

from peak_trade.broker.messages import Status
from peak_trade.fuzz.judge.verdict import judge, said
from peak_trade.fuzz.play import FILE
from peak_trade.fuzz.rows import usual
from peak_trade.fuzz.world import Machines
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.rails.told import Told
from peak_trade.session.assembly import JOURNAL, VENUE, open_session
from peak_trade.session.desk import Desk
from peak_trade.session.replica import told_by

CASH = 10**9
Ended = tuple[Desk, Told, list[Record]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, machines: Machines) -> Ended:
    """The desk of a session that is over, what its venue knows, and its journal."""
    folder: Path = tmp_path_factory.mktemp("ended") / "run"
    world = usual(3)
    session = open_session(world.setup(machines, folder), resume=False)
    session.start()
    session.run(100)
    session.close()
    told = told_by(folder / VENUE, world.config, world.steps_max, session.setup.run_id())
    return session.orchestrator.desk, told, list(read(folder / JOURNAL / FILE))


def changed(told: Told, what: str, at: int, **facts: object) -> Told:
    """The venue's side with one order or report changed."""
    items = list(getattr(told, what))
    items[at] = items[at].model_copy(update=facts)
    return told.model_copy(update={what: items})


def test_book_and_venue_agree(ended: Ended) -> None:
    """After an undisturbed session there is nothing to say."""
    desk, told, records = ended
    assert judge(desk, CASH, told, records).agrees


@pytest.mark.parametrize(
    ("what", "at", "facts"),
    [
        ("orders", 0, {"status": Status.CANCELED}),
        ("orders", 1, {"qty_lots": 31}),
        ("orders", 0, {"cum_lots": 39}),
        ("orders", 1, {"leaves_lots": 1}),
        ("orders", 0, {"client_order_id": "somebody"}),
        ("reports", 0, {"last_ticks": 1}),
        ("reports", 0, {"fee_ticks": 1}),
        ("reports", 0, {"last_lots": 39}),
        ("reports", 0, {"exec_id": "another"}),
    ],
)
def test_whatever_differs_is_found(ended: Ended, what: str, at: int, facts: dict[str, object]) -> None:
    """Status, quantities, prices, fees, ids: a difference that nobody reported is unexplained."""
    desk, told, records = ended
    if "client_order_id" in facts:  # its reports keep the old name, so that the venue has one more
        told = told.model_copy(update={"orders": [*told.orders, told.orders[0].model_copy(update=facts)]})
    else:
        told = changed(told, what, at, **facts)
    assert judge(desk, CASH, told, records).unexplained


def test_somebody_elses_order_that_came_to_nothing_is_no_difference(ended: Ended) -> None:
    """It was rejected or canceled unfilled, so nobody owes anything; one that rests or was filled is one."""
    desk, told, records = ended
    for lots, agrees in (((0, 0), True), ((1, 0), False), ((0, 1), False)):
        facts = {"client_order_id": "somebody", "leaves_lots": lots[0], "cum_lots": lots[1]}
        strange = told.orders[0].model_copy(update=facts)
        more = told.model_copy(update={"orders": [*told.orders, strange]})
        assert judge(desk, CASH, more, records).agrees is agrees


def test_money_that_no_execution_explains_is_found(ended: Ended) -> None:
    """The cash of the book is what it began with and what its executions moved, to the tick."""
    desk, told, records = ended
    assert any("cash" in item for item in judge(desk, CASH + 1, told, records).unexplained)


def test_positions_that_no_execution_explains_are_found(ended: Ended) -> None:
    """The venue's positions are the sums of its executions, or something is lost."""
    desk, told, records = ended
    wrong = told.model_copy(update={"positions_lots": {"SYN000": 1}})
    assert any("positions" in item for item in judge(desk, CASH, wrong, records).unexplained)


def test_what_the_session_reported_is_explained(ended: Ended) -> None:
    """A difference of an order that a reconciler's code or a tripwire named is reported, and no other."""
    desk, told, records = ended
    name = told.orders[0].client_order_id
    wrong = changed(told, "orders", 0, status=Status.CANCELED)
    for kind, body in (("difference", {"subject": f"{name}/e1", "code": "cum"}), ("trip", {"order": name})):
        verdict = judge(desk, CASH, wrong, [*records, Record(10**6, kind, body)])
        assert not verdict.unexplained
        assert len(verdict.reported) == 1
    other = Record(10**6, "difference", {"subject": told.orders[1].client_order_id, "code": "cum"})
    assert judge(desk, CASH, wrong, [*records, other]).unexplained


def test_an_execution_that_counted_twice_is_never_explained(ended: Ended) -> None:
    """Not even a session that reported everything may count a fill twice."""
    desk, told, records = ended
    fill = next(record for record in records if record.body.get("event") == "fill")
    silent = Record(10**6, "reconciled", {"closing": True, "asked": False})
    found = judge(desk, CASH, told, [*records, fill, silent]).unexplained
    assert [item for item in found if "counted 2 times" in item]


def test_no_answer_is_no_agreement() -> None:
    """A session whose last comparison got no answer has said that it knows nothing."""
    assert said([Record(1, "reconciled", {"closing": True, "asked": False})]).explains("anything")
    assert not said([Record(1, "reconciled", {"closing": True, "asked": True})]).explains("anything")
    assert not said([Record(1, "reconciled", {"closing": False, "asked": False})]).explains("anything")
