"""A value that was changed in memory stops the session before an order leaves; only the guard sees it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from peak_trade.cli.specs import machine_named
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.lang.expr import Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Always
from peak_trade.lang.sorts import INT, IntSort
from peak_trade.market.strategy import Intent, View
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.assembly import Session

Open = Callable[..., Session]
Change = Callable[[Session], None]
WIRE = "value_outside_invariant"


@dataclass
class Counted:
    """A venue that counts the orders that are sent to it."""

    venue: Any
    sent: int = 0

    def __getattr__(self, name: str) -> Any:
        """Everything else is the venue's."""
        return getattr(self.venue, name)

    def place_order(self, request: Any) -> Any:
        """Count, and place."""
        self.sent += 1
        return self.venue.place_order(request)


class Steady:
    """Rests one more order in each step, far below the market, so that something would leave in every step."""

    def decide(self, view: View) -> list[Intent]:
        """One resting buy."""
        symbol, bar = next(iter(view.bars.items()))
        return [Intent(symbol, Side.BUY, 5, Kind.LIMIT, bar.close_ticks * 92 // 100, Tif.GTC)]


def in_session(**parts: Any) -> Change:
    """Change variables of the session machine's running value, behind the machine's back."""

    def change(session: Session) -> None:
        book = session.orchestrator.driver.book
        names = ["state", *(item.name for item in session.setup.session.variables)]
        held = dict(zip(names, book.value, strict=True)) | parts
        book.value = tuple(held.values())

    return change


def in_order(place: int, value: object) -> Change:
    """Change one item of the oldest working order's running value: (state, qty, cum, leaves)."""

    def change(session: Session) -> None:
        order = next(iter(session.orchestrator.desk.book.working.values()))
        items = list(order.value)
        items[place] = value
        order.value = tuple(items)

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "live while the flag is off": (in_session(state="LIVE_ACTIVE"), "SES-1"),
    "a flag that is no truth value": (in_session(live_flag=1), "SESSION-SORTS"),
    "a count that is a truth value": (in_session(allowlist_count=True), "SESSION-SORTS"),
    "an empty allowlist": (in_session(allowlist_count=0), "SES-14"),
    "a foreign adapter": (in_session(adapter="foreign"), "SES-14"),
    "a state that is none": (in_session(state="ANYTHING"), "SESSION-SORTS"),
    "more filled than ordered": (in_order(2, 99), "ORD-1"),
    "leaves that do not add up": (in_order(3, 1), "ORD-2"),
    "a quantity below zero": (in_order(1, -5), "ORDER-SORTS"),
    "a text for a quantity": (in_order(2, "0"), "ORDER-SORTS"),
}
UNSEEN = (
    "a count that is a truth value",
    "leaves that do not add up",
    "a quantity below zero",
    "a text for a quantity",
)
"""Changes that nothing else notices before the next order has left."""


def counted(session: Session) -> Counted:
    """Put a counter between the session and its venue."""
    venue = Counted(session.venue)
    session.orchestrator.desk.broker = session.orchestrator.desk.sender.adapter.broker = venue
    return venue


def begun(opened: Open) -> tuple[Session, Counted]:
    """A session that has sent an order in each of four steps."""
    session = opened(strategy=Steady())
    venue = counted(session)
    session.start()
    session.run(4)
    assert venue.sent == 4
    return session, venue


def records(tmp_path: Path) -> list[Record]:
    """What is on disk."""
    return list(read(tmp_path / "run" / "journal" / "journal.jsonl"))


@pytest.mark.parametrize("name", CHANGES)
def test_a_value_that_was_changed_in_memory_stops_the_session(tmp_path: Path, opened: Open, name: str) -> None:
    """The next step stops, nothing more is sent, the journal names the clause, and a person must look."""
    change, clause = CHANGES[name]
    session, venue = begun(opened)
    change(session)
    session.run(1)
    assert session.orchestrator.state == "STOPPING"
    session.run(200)
    assert session.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    assert venue.sent == 4
    trips = [item.body for item in records(tmp_path) if item.kind == "trip" and item.body["wire"] == WIRE]
    assert [body["clause"] for body in trips] == [clause]
    assert ("order" in trips[0]) == clause.startswith("ORD")
    events = [item.body for item in records(tmp_path) if item.kind == "session" and item.body["step"] == 4]
    assert ("invariant_broken", "taken") in [(body["event"], body["outcome"]) for body in events]


@pytest.mark.parametrize("name", UNSEEN)
def test_without_the_guard_the_next_order_leaves(opened: Open, name: str) -> None:
    """With a guard that finds nothing the same change stops nothing: what the test above shows is the guard's work."""
    session, venue = begun(opened)
    session.orchestrator.guard.session = session.orchestrator.guard.order = lambda _: None
    CHANGES[name][0](session)
    session.run(1)
    assert (session.orchestrator.state, venue.sent) == ("DRYRUN_ACTIVE", 5)


def test_a_step_that_would_break_a_claim_stops_the_session(opened: Open, tmp_path: Path) -> None:
    """A machine with a claim that is false says Broken; the same wire trips, and nothing more is sent.

    The step that its machine did not count is no trace, either.
    """
    shipped = machine_named("session")
    step_no = Var("step_no", IntSort(0), Scope.CONTEXT)
    wrong = Always("SES-X", "No session lasts.", Compare(Comparison.LT, step_no, Lit(5, INT)))
    session = opened(strategy=Steady(), session=replace(shipped, properties=(*shipped.properties, wrong)))
    venue = counted(session)
    session.start()
    session.run(200)
    assert (session.orchestrator.state, venue.sent) == ("ERROR_REQUIRES_OPERATOR", 4)
    trips = [item.body for item in records(tmp_path) if item.kind == "trip"]
    assert {(body["wire"], body.get("clause")) for body in trips} == {(WIRE, "SES-X"), ("trace_not_allowed", None)}


class Vandal(Steady):
    """Decides as Steady, and changes a value while it does: after the step's first look, before its orders leave."""

    def __init__(self, change: Change) -> None:
        self.change, self.session = change, None

    def decide(self, view: View) -> list[Intent]:
        """In the fifth step, vandalism."""
        if view.step == 5 and self.session is not None:
            self.change(self.session)
        return super().decide(view)


@pytest.mark.parametrize("name", ["an empty allowlist", "leaves that do not add up"])
def test_nothing_leaves_even_if_the_change_comes_in_the_middle_of_a_step(opened: Open, name: str) -> None:
    """The look before orders leave is a look of its own."""
    vandal = Vandal(CHANGES[name][0])
    session = opened(strategy=vandal)
    venue = counted(session)
    vandal.session = session
    session.start()
    session.run(5)
    assert (session.orchestrator.state, venue.sent) == ("STOPPING", 4)
    session.run(200)
    assert (session.orchestrator.state, venue.sent) == ("ERROR_REQUIRES_OPERATOR", 4)


def test_a_change_before_the_checks_stops_the_session_in_its_first_step(opened: Open) -> None:
    """Before its checks a session cannot take the event; it is offered again before anything is sent."""
    session = opened(strategy=Steady())
    venue = counted(session)
    in_session(open_orders=-1)(session)
    session.start()
    session.run(200)
    assert (session.orchestrator.state, venue.sent) == ("ERROR_REQUIRES_OPERATOR", 0)


@pytest.mark.parametrize("name", ["an empty allowlist", "more filled than ordered"])
def test_a_run_that_was_stopped_by_the_guard_can_be_told_again(opened: Open, tmp_path: Path, name: str) -> None:
    """What was found in one process is on the tape, so a resumed run stops where it stopped."""
    session, _ = begun(opened)
    CHANGES[name][0](session)
    session.run(1)
    session.close()
    kept = [item.body for item in records(tmp_path)]
    again = opened(resume=True, strategy=Steady())
    again.start()
    again.run(200)
    assert again.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    told = [item.body for item in records(tmp_path)]
    assert told[: len(kept)] == kept
    assert sum(body.get("wire") == WIRE for body in told) == 1


def test_an_undisturbed_session_is_never_stopped(opened: Open, tmp_path: Path) -> None:
    """Over a whole run with orders in every step the guard finds nothing."""
    session, venue = begun(opened)
    session.run(1_000)
    assert session.orchestrator.state == "STOPPED"
    assert venue.sent > 20
    assert not any(item.kind == "trip" for item in records(tmp_path))
