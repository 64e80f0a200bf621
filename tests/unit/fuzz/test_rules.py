"""Rules over a real session: what they drive is real, what differs is told, and what was done is data."""

from pathlib import Path
from typing import Any

import pytest

from peak_trade.backends.stateful import Differs, dumped
from peak_trade.broker.faults import Fault, FaultKind
from peak_trade.broker.messages import OrderStatus
from peak_trade.broker.port import Broker
from peak_trade.fuzz.drawn.driven import Dictated, Driven, Planned
from peak_trade.fuzz.drawn.oracle import Oracle, Rulebook
from peak_trade.fuzz.drawn.rules import SessionRules, session_rules
from peak_trade.fuzz.traders import Line
from peak_trade.fuzz.world import Deed, Machines, World
from peak_trade.market.synthetic import walk
from peak_trade.session.book import Book
from peak_trade.session.config import VenuePart
from peak_trade.session.desk import Desk

SETTINGS = {"seed": 7, "busy": 1, "attempts": 3, "reconcile": 2, "patience": 3, "failures": 3, "share": 3}
SETTINGS |= {"short": 1, "loss": 3}
BUYS = [[[0, "buy", 30, None, "day"], [1, "buy", 9, 20, "gtc"]], [], [[0, "sell", 5, 10, "day"]]]
PROGRAM = [
    ("opened", {"settings": SETTINGS}),
    ("fault", {"kind": "timeout_after"}),
    ("window", {"kind": "outage", "steps": 2, "which": 0}),
    ("trade", {"batch": BUYS}),
    ("hand", {"what": "cancel", "order": 1, "lots": 1}),
    ("crash", {"at": 5}),
    ("wait", {"steps": 6}),
    ("crash", {"at": 0}),
    ("interfere", {"what": "stop", "after": 2, "flag": False}),
    ("wait", {"steps": 4}),
]


@pytest.fixture
def rules(machines: Machines) -> type[SessionRules]:
    """Rules of a session on the project's own machines."""
    return session_rules(machines)


@pytest.fixture
def driven(machines: Machines, tmp_path: Path) -> Driven:
    """A session that buys at its first eight steps."""
    venue = VenuePart(participation_permille_min=500, participation_permille_max=500)
    config = Planned(seed=3, cash_ticks=10**9, venue=venue)
    lines = {step: (Line(step, lots=10),) for step in range(1, 9)}
    world = World(config, walk(3, 1, 12, volume_lots=4_000), lambda: Dictated(lines))
    return Driven(tmp_path / "run", machines, config, world, lambda broker: broker)


def test_a_program_runs_again_without_hypothesis(rules: type[SessionRules]) -> None:
    """Orders, faults, hands and two deaths, as data: the session ends, agrees, and does the same a second time."""
    first, again = (rules.replay(dumped(PROGRAM)) for _ in range(2))
    assert rules.counts["deaths"] == 4
    assert rules.counts["fault outage"] == 2
    assert rules.counts["fault timeout_after"] == 2
    assert rules.counts["end STOPPED"] == 2
    books = [machine.driven.session.orchestrator.desk.book for machine in (first, again)]
    assert books[0].orders
    assert [order.value for order in books[0].orders.values()] == [order.value for order in books[1].orders.values()]
    assert books[0].cash_ticks == books[1].cash_ticks
    assert not first.driven.folder.exists()


@pytest.mark.parametrize("bug", ["fees", "quantity"])
def test_a_planted_mistake_is_found(rules: type[SessionRules], monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    """Money that is not paid, and a quantity that no record shows: each is told with its program."""
    fill, apply = Book.fill, Desk.apply

    def free(book: Book, order: Any, lots: int, ticks: int, fee: int) -> int:
        return fill(book, order, lots, ticks, 0 if fee else fee)

    def wrong(desk: Desk, order: Any, event: str, payload: Any, facts: Any) -> Any:
        outcome = apply(desk, order, event, payload, facts)
        if event == "fill":
            order.value = order.known = (order.value[0], order.value[1] + 1, *order.value[2:])
        return outcome

    monkeypatch.setattr(*(Book, "fill", free) if bug == "fees" else (Desk, "apply", wrong))
    with pytest.raises(Differs) as caught:
        rules.replay(dumped(PROGRAM))
    assert caught.value.told.startswith("  0  opened(settings=")
    assert "SessionRules.replay(" in caught.value.replay or "-c" in caught.value.replay


def test_a_session_that_raises_carries_the_program(rules: type[SessionRules], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody expected stays what it is, with a note of what led to it."""

    def broken(*_: object, **__: object) -> None:
        raise ArithmeticError("no")

    monkeypatch.setattr(Desk, "recheck", broken)
    with pytest.raises(ArithmeticError) as caught:
        rules.replay(dumped(PROGRAM[:4]))
    assert any("trade(batch=" in note for note in caught.value.__notes__)


def test_an_adapter_of_the_user_stands_between(rules: type[SessionRules]) -> None:
    """What the hook returns is what the session asks, in every process."""
    asked: list[str] = []

    class Counting:
        """A broker that counts."""

        def __init__(self, broker: Broker) -> None:
            self.broker = broker

        def query_order(self, client_order_id: str) -> OrderStatus | None:
            asked.append(client_order_id)
            return self.broker.query_order(client_order_id)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.broker, name)

    class Mine(rules):  # type: ignore[misc,valid-type]  # the class is made at run time
        """Asks through Counting."""

        def adapter(self, broker: Broker) -> Broker:
            return Counting(broker)

    Mine.replay(dumped(PROGRAM))
    assert asked


def test_a_plan_grows_without_collisions(driven: Driven) -> None:
    """What is in the way of nothing is planned, takes effect, and is known to the next process."""
    ordinal = driven.next_order
    assert driven.plan(Fault(FaultKind.PARTIAL_FILLS, order=ordinal))
    assert not driven.plan(Fault(FaultKind.OVERFILL, order=ordinal))
    assert driven.plan(Fault(FaultKind.DUPLICATE_REPORT, order=ordinal))
    assert driven.plan(Fault(FaultKind.OUTAGE, step=3, steps=2))
    assert not driven.plan(Fault(FaultKind.OUTAGE, step=4, steps=2))
    driven.advance(5)
    driven.die()
    assert (driven.step, driven.deaths, driven.taken) == (5, 1, 5)
    fired = driven.session.venue.fired if driven.session.venue else {}
    assert (
        {kind for kind, count in fired.items() if count} == set(fired) == {fault.kind for fault in driven.config.plan()}
    )
    assert driven.heal()
    assert driven.verdict().unexplained == ()


def test_a_death_at_any_near_operation_changes_nothing(driven: Driven, machines: Machines) -> None:
    """Whatever the operation, the next process is where the last one was, and the oracle finds nothing."""
    book = Rulebook.of(machines)
    for operations in range(1, 8):
        driven.kill_at(operations)
        driven.advance(1)
        oracle = Oracle(book)
        assert oracle.follow(driven.journal) is None
        assert oracle.compare(driven.session) is None
    assert driven.step == 7
    assert driven.deaths > 3
    driven.close()


def test_an_oracle_reads_on_where_it_stopped(driven: Driven, machines: Machines) -> None:
    """Records are taken once; a value that the journal does not make is seen."""
    oracle = Oracle(Rulebook.of(machines))
    driven.deed(Deed(3, "stop"))
    for _ in range(4):
        driven.advance(1)
        assert oracle.follow(driven.journal) is None
    assert oracle.compare(driven.session) is None
    assert len(oracle.values) == 3
    order = next(iter(driven.session.orchestrator.desk.book.orders.values()))
    order.value = ("canceled", *order.value[1:])
    found = oracle.compare(driven.session)
    assert found is not None
    assert "canceled" in found[1]
    driven.close()
