"""Each tripwire in a running session: with it trading is reduced, halted or stopped; a mutant without it goes on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from peak_trade.broker.messages import OrderRequest
from peak_trade.evidence.story import Story
from peak_trade.lang.source import Source
from peak_trade.market.bars import Bar
from peak_trade.market.strategy import Intent, View
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.rails import tripwires
from peak_trade.rails.limits import Rail
from peak_trade.rails.trading import Severity, Trading
from peak_trade.rails.tripwires import SEVERITIES, WIRES, Tripwire
from peak_trade.session.assembly import KILL_SWITCH, Session
from peak_trade.session.book import Position
from peak_trade.session.config import Config, LimitsPart, parse_config
from peak_trade.session.decide import Decision, Twin
from peak_trade.session.desk import Desk
from peak_trade.session.killswitch import KillSwitch
from peak_trade.session.perform import Answer, Sender
from peak_trade.session.risk import Risk

Open = Callable[..., Session]
Told = Callable[[], Story]
Change = Callable[[Session], None]
STEPS = 3
RICH: dict[str, Any] = {"day_loss_ticks_max": 10**12, "day_loss_soft_permille": 1000}
"""Losses are no matter, so that what is done to the book trips its own wire and no other."""


class Idle:
    """Wants nothing."""

    def decide(self, view: View) -> list[Intent]:
        """No intent."""
        del view
        return []


class Steady:
    """Rests one more small order in each step, far below the market."""

    def decide(self, view: View) -> list[Intent]:
        """One resting buy, one tick and lot away from those before it."""
        symbol, bar = next(iter(view.bars.items()))
        return [Intent(symbol, Side.BUY, view.step, Kind.LIMIT, bar.close_ticks * 92 // 100, Tif.GTC)]


class Trader:
    """Buys five lots of a symbol and sells them again, at the market; meanwhile it buys of another."""

    def decide(self, view: View) -> list[Intent]:
        """One order to and fro."""
        symbol, other, *_ = view.bars
        held = view.positions_lots.get(symbol, 0)
        if held:
            return [Intent(symbol, Side.SELL, held), Intent(other, Side.BUY, 2)]
        return [Intent(symbol, Side.BUY, 5)]


def cash(ticks: int) -> Change:
    """Let the book's cash be another."""

    def change(session: Session) -> None:
        session.orchestrator.desk.book.cash_ticks = ticks

    return change


def held(lots: int, price_ticks: int = 1, age_steps: int = 0) -> Change:
    """Let a position be held whose fills are on the books as they should be."""

    def change(session: Session) -> None:
        book = session.orchestrator.desk.book
        book.positions["ZZZ"] = Position(lots=lots, last_ticks=price_ticks)
        book.held_lots += lots
        book.filled_lots += lots
        session.orchestrator._risk._priced["ZZZ"] = session.orchestrator.moment.step + 1 - age_steps

    return change


def filled(session: Session) -> None:
    """Let the orders say one lot more than the positions."""
    session.orchestrator.desk.book.filled_lots += 1


def worked(session: Session) -> None:
    """Let the book work an order that the session machine has not counted."""
    book = session.orchestrator.desk.book
    ours = book.add(
        OrderRequest("x", "ZZZ", Side.BUY, 1, Kind.LIMIT, 1, Tif.GTC), session.orchestrator.desk.kernel.initial
    )
    book.working["x"] = ours


def foreign(session: Session) -> None:
    """Put an order at the venue that is not ours."""
    assert session.venue is not None
    session.venue.place_order(OrderRequest("foreign", "SYN000", Side.BUY, 1, Kind.LIMIT, 1, Tif.GTC))


def reported(event: str, *payload: int) -> Change:
    """Let a report say of the oldest order what cannot be."""

    def change(session: Session) -> None:
        desk = session.orchestrator.desk
        order = next(iter(desk.book.orders.values()))
        desk.apply(order, event, payload, {"price_ticks": 1, "fee_ticks": 0})
        desk.trip(Tripwire.REPORT_REFUSED, order.request.client_order_id)

    return change


def tampered(session: Session) -> None:
    """Change the session machine's running value behind its back."""
    book = session.orchestrator.driver.book
    names = ["state", *(item.name for item in session.setup.session.variables)]
    value = dict(zip(names, book.value, strict=True)) | {"allowlist_count": 0}
    book.value = tuple(value.values())


def nothing(session: Session) -> None:
    """The strategy and the venue do it themselves."""
    del session


@dataclass(frozen=True)
class Case:
    """How a wire is made to trip: what is done after some steps, who trades, the limits, how the venue answers.

    The monitor of the trace would notice most of it as well, so it watches only where it is meant.
    """

    change: Change = nothing
    strategy: object = field(default_factory=Idle)
    limits: dict[str, Any] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    without: frozenset[Tripwire] = frozenset()
    steps: int = 2
    monitor: bool = False


CASES = {
    Tripwire.CASH_NEGATIVE: Case(cash(-1), limits=RICH),
    Tripwire.POSITION_BEYOND_LIMIT: Case(held(400_001), limits=RICH),
    Tripwire.LOSS_BEYOND_LIMIT: Case(cash(7_999_999_999), without=frozenset({Tripwire.LOSS_BEYOND_SOFT_LIMIT})),
    Tripwire.FILLS_DIFFER_FROM_POSITION: Case(filled),
    Tripwire.SHORT_POSITION: Case(held(-1), limits=RICH),
    Tripwire.BOOK_DIFFERS_FROM_VENUE: Case(foreign, steps=300),
    Tripwire.REPORT_REFUSED: Case(reported("fill", 999), Steady(), without=frozenset({Tripwire.OVERFILLED})),
    Tripwire.OVERFILLED: Case(reported("fill", 999), Steady(), without=frozenset({Tripwire.REPORT_REFUSED})),
    Tripwire.COUNTS_DIFFER: Case(worked),
    Tripwire.OUTCOME_UNRESOLVED: Case(
        strategy=Steady(), limits={"unknown_row_orders_max": 1_000}, answers=("time_out",), steps=6
    ),
    Tripwire.VALUE_OUTSIDE_INVARIANT: Case(tampered),
    Tripwire.TRACE_NOT_ALLOWED: Case(cash(9_999_999_999), monitor=True),
    Tripwire.PRICE_MISSING: Case(held(1, price_ticks=0)),
    Tripwire.REPEATED_EXECUTION: Case(strategy=Steady(), limits={"repeat_orders_max": 2}),
    Tripwire.MESSAGE_RATE: Case(strategy=Steady(), limits={"rate_messages_max": 2}),
    Tripwire.REJECTS_IN_ROW: Case(strategy=Steady(), limits={"reject_row_orders_max": 2}, answers=("reject",)),
    Tripwire.UNKNOWNS_IN_ROW: Case(
        strategy=Steady(), limits={"unknown_row_orders_max": 2}, answers=("time_out", "accept")
    ),
    Tripwire.LOSS_BEYOND_SOFT_LIMIT: Case(cash(8_999_999_999)),
    Tripwire.PRICE_STALE: Case(held(1, age_steps=6)),
}


def disable(monkeypatch: pytest.MonkeyPatch, wires: frozenset[Tripwire]) -> None:
    """Take these tripwires out: they are not evaluated, and nobody can trip them."""
    monkeypatch.setattr(
        tripwires, "WIRES", MappingProxyType({wire: trips for wire, trips in WIRES.items() if wire not in wires})
    )
    trip = Desk.trip

    def tripping(desk: Desk, wire: Tripwire, order: str = "", clause: str = "") -> None:
        if wire not in wires:
            trip(desk, wire, order, clause)

    monkeypatch.setattr(Desk, "trip", tripping)


def played(case: Case, opened: Open, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session that ran some steps, was disturbed, and went on."""
    if case.answers:

        def answers(sender: Sender, request: OrderRequest, **known: bool) -> Iterator[Answer]:
            del sender, request, known
            yield from (Answer(event, "v1" if event == "accept" else "") for event in case.answers)

        def silent(sender: Sender, request: OrderRequest, **known: bool) -> Iterator[Answer]:
            del sender, request, known
            yield from ()

        monkeypatch.setattr(Sender, "answers", answers)
        monkeypatch.setattr(Sender, "asked", silent)
    limits = LimitsPart(**case.limits)
    session = opened(strategy=case.strategy, config=Config(limits=limits, monitor=case.monitor))
    session.start()
    session.run(STEPS)
    case.change(session)
    session.run(case.steps)
    return session


@pytest.mark.parametrize("wire", list(Tripwire))
def test_each_wire_takes_away_what_its_severity_says(
    wire: Tripwire, opened: Open, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wire is on the tape, and trading is reduced or halted, or the session stops, for a person if it is hard."""
    disable(monkeypatch, CASES[wire].without)
    session = played(CASES[wire], opened, monkeypatch)
    state, trading = session.orchestrator.state, session.orchestrator.driver.variable("trading")
    expected = {Severity.SOFT: Trading.REDUCING, Severity.FIRM: Trading.HALTED}.get(SEVERITIES[wire])
    if expected is not None:
        assert (state, trading) == ("DRYRUN_ACTIVE", expected)
    else:
        session.run(300)
        ends = {Severity.STOP: {"STOPPED", "ERROR_REQUIRES_OPERATOR"}, Severity.HARD: {"ERROR_REQUIRES_OPERATOR"}}
        assert state != "DRYRUN_ACTIVE"
        assert session.orchestrator.state in ends[SEVERITIES[wire]]
    session.tape.commit()
    assert told().trips[wire] >= 1


@pytest.mark.parametrize("wire", list(Tripwire))
def test_without_the_wire_the_session_goes_on(
    wire: Tripwire, opened: Open, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutant without just this wire trades on, or ends as if nothing were wrong: nobody else notices."""
    disable(monkeypatch, CASES[wire].without | {wire})
    session = played(CASES[wire], opened, monkeypatch)
    if wire is Tripwire.BOOK_DIFFERS_FROM_VENUE:
        assert session.orchestrator.state == "STOPPED"
    else:
        assert session.orchestrator.state == "DRYRUN_ACTIVE"
        assert session.orchestrator.trading is Trading.ACTIVE
    session.tape.commit()
    assert not told().trips


def restricted(opened: Open, event: str, **changes: Any) -> Session:
    """A session that holds a position and whose trading is restricted by name."""
    session = opened(strategy=Trader(), **changes)
    session.start()
    session.run(5)
    session.orchestrator.fire(event, {})
    return session


def test_while_reduced_only_orders_that_reduce_leave(opened: Open, told: Told) -> None:
    """What is held is sold, nothing is bought, and the denials say why."""
    session = restricted(opened, "reduce_trading")
    before = set(session.orchestrator.desk.book.orders)
    session.run(6)
    lines = {name: line for name, line in told().lines.items() if name not in before}
    assert {(line.side, line.rail) for line in lines.values()} == {("sell", ""), ("buy", "only_reducing")}
    assert session.orchestrator.trading is Trading.REDUCING


def test_while_halted_nothing_leaves_until_a_person_resumes(opened: Open, told: Told) -> None:
    """Every order is denied; steps go on; after the operator's word, in the journal, orders leave again."""
    session = restricted(opened, "halt_trading")
    before = set(session.orchestrator.desk.book.orders)
    session.run(4)
    halted = {name: line for name, line in told().lines.items() if name not in before}
    assert {line.rail for line in halted.values()} == {"trading_halted"}
    session.orchestrator.inputs.ask("resume_trading")
    session.run(3)
    story = told()
    later = {line.rail for name, line in story.lines.items() if name not in before | halted.keys()}
    assert later == {""}
    taken = [item.event for item in story.happenings if item.event.endswith("_trading") and item.outcome == "taken"]
    assert taken == ["halt_trading", "resume_trading"]


@pytest.mark.parametrize("event", ["stop", "kill"])
def test_cancels_pass_while_trading_is_halted(event: str, tmp_path: Path, opened: Open, told: Told) -> None:
    """A halt holds back orders, never cancels: a stop or a kill still cancels what is open and ends in order."""
    session = opened(strategy=Steady())
    session.start()
    session.run(4)
    session.orchestrator.fire("halt_trading", {})
    session.run(1)
    if event == "kill":
        KillSwitch(tmp_path / "run" / KILL_SWITCH).latch("ada")
    else:
        session.orchestrator.inputs.ask("stop")
    session.run(60)
    assert session.orchestrator.state == "STOPPED"
    left = [line.state for line in told().lines.values() if not line.rail]
    assert left == ["canceled"] * 4


THROTTLED = Config(limits=LimitsPart(repeat_orders_max=2, repeat_window_steps=20))


def test_a_throttled_strategy_is_enabled_again_by_a_person_alone(opened: Open, told: Told) -> None:
    """After its share of orders a symbol is halted; it stays so when the window has passed; a person starts it anew."""
    session = opened(strategy=Steady(), config=THROTTLED)
    session.start()
    session.run(30)
    assert session.orchestrator.trading is Trading.HALTED
    session.orchestrator.inputs.ask("resume_trading")
    session.run(3)
    story = told()
    sent = [name for name, line in story.lines.items() if not line.rail]
    assert len(sent) == 4
    assert story.trips["repeated_execution"] == 2
    assert session.orchestrator.trading is Trading.HALTED


def test_a_resumed_run_remembers_how_trading_was_restricted(opened: Open, told: Told) -> None:
    """Killed after a halt and a resumption, the run is told again to the same step and throttles at the same order."""
    session = opened(strategy=Steady(), config=THROTTLED)
    session.start()
    session.run(5)
    session.orchestrator.inputs.ask("resume_trading")
    session.run(2)
    before, memory = session.orchestrator.trading, session.orchestrator._risk
    session.close()
    again = opened(strategy=Steady(), config=THROTTLED, resume=True)
    again.start()
    again.run(7)
    assert (again.orchestrator.trading, before) == (Trading.ACTIVE, Trading.ACTIVE)
    assert again.orchestrator._risk.repeats.counts == memory.repeats.counts
    assert again.orchestrator._risk.messages.counts == memory.messages.counts
    assert again.orchestrator._risk.streaks == memory.streaks
    again.run(2)
    assert again.orchestrator.trading is Trading.HALTED
    assert told().trips["repeated_execution"] == 2


WINDOWS = LimitsPart(rate_window_steps=3, repeat_window_steps=2, duplicate_window_steps=2).limits()


def sent(symbol: str, lots: int, rail: Rail | None = None) -> Decision:
    """A decision on a buy."""
    return Decision(OrderRequest("x", symbol, Side.BUY, lots, Kind.LIMIT, 7, Tif.DAY), rail, adds=True)


def test_what_is_remembered_is_what_left_within_the_windows() -> None:
    """Orders, repeats and twins are counted for their windows; denied ones are not; prices grow older."""
    risk = Risk.of(WINDOWS)
    bar = Bar("A", "2000-01-01", 5, 5, 5, 5, 1)
    risk.begin(1, (bar,), Trading.ACTIVE)
    risk.left((sent("A", 1), sent("A", 2), sent("B", 1), sent("B", 9, Rail.CASH)))
    one, two, other = (Twin(*item, 7) for item in (("A", True, 1), ("A", True, 2), ("B", True, 1)))
    past = risk.past(Trading.ACTIVE)
    assert (past.rate_orders, dict(past.repeats)) == (3, {"A": 2, "B": 1})
    assert dict(past.twins) == {one: 1, two: 1, other: 1}
    risk.begin(2, (), Trading.ACTIVE)
    risk.left((sent("A", 1),))
    past = risk.past(Trading.REDUCING)
    assert (past.rate_orders, dict(past.repeats), past.twins[one]) == (4, {"A": 3, "B": 1}, 2)
    assert (past.trading, past.price_ages_steps) == (Trading.REDUCING, {"A": 1})
    risk.begin(3, (bar,), Trading.ACTIVE)
    past = risk.past(Trading.ACTIVE)
    assert (past.rate_orders, dict(past.repeats), dict(past.twins)) == (4, {"A": 1}, {one: 1})
    assert past.price_ages_steps == {"A": 0}
    risk.begin(4, (), Trading.ACTIVE)
    assert risk.past(Trading.ACTIVE).rate_orders == 1


def test_what_a_person_looked_at_is_counted_anew() -> None:
    """A resumption forgets messages, rows and repeats, and nothing else; a step without one forgets nothing."""
    risk = Risk.of(WINDOWS)
    risk.begin(1, (), Trading.ACTIVE)
    risk.left((sent("A", 1),))
    for event in ("submit", "reject", "time_out", "fill", "not_found", "cancel", "replace"):
        risk.heard({"order": "x", "event": event, "outcome": "taken"})
    risk.heard({"order": "x", "event": "cancel", "outcome": "ignored"})
    for trading in (Trading.ACTIVE, Trading.HALTED, Trading.HALTED):
        risk.begin(2, (), trading)
        assert dict(risk.messages.counts) == {"": 4}
        assert (risk.streaks.rejects, risk.streaks.unknowns) == (1, 1)
    risk.begin(2, (), Trading.ACTIVE)
    assert not risk.messages.counts
    assert not risk.repeats.counts
    assert (risk.streaks.rejects, risk.streaks.unknowns) == (0, 0)
    assert dict(risk.orders.counts) == {"": 1}


BAD = [
    ("order_lots_max: 0", "2:19"),
    ("order_notional_ticks_max: 0", "2:29"),
    ("step_orders_max: 100001", "2:20"),
    ("open_orders_max: 0", "2:20"),
    ("rate_window_steps: 0", "2:22"),
    ("rate_orders_max: 2.5", "2:20"),
    ("repeat_window_steps: -1", "2:24"),
    ("duplicate_window_steps: true", "2:27"),
    ("day_loss_soft_permille: 1001", "2:27"),
    ("collar_permille_max: many", "2:24"),
    ("price_age_steps_max: -1", "2:24"),
    ("reject_row_orders_max: 0", "2:26"),
    ("gross_notional_ticks_max: 1000000000001", "2:29"),
    ("self_cross_allowed: 1", "2:23"),
]


@pytest.mark.parametrize(("line", "place"), BAD)
def test_a_limit_that_makes_no_sense_is_refused_with_its_place(line: str, place: str) -> None:
    """A limit that lets nothing leave, is no whole number, or is beyond what can be, is no configuration."""
    config, found = parse_config(Source("c.yaml", f"limits:\n  {line}\n"), {})
    assert config is None
    assert [f"{item.span.line}:{item.span.column} {item.code}" for item in found] == [f"{place} PT012"]


def test_limits_of_zero_that_make_sense_are_taken() -> None:
    """No new position, no age of a price, no collar, no loss, no window: each can be configured."""
    zero = {"position_lots_max", "gross_notional_ticks_max", "collar_permille_max", "price_age_steps_max"}
    zero |= {"day_loss_ticks_max", "day_loss_soft_permille", "repeat_window_steps", "duplicate_window_steps"}
    text = "".join(f"  {name}: 0\n" for name in sorted(zero))
    config, found = parse_config(Source("c.yaml", f"limits:\n{text}"), {})
    assert not found
    assert config is not None
    assert {name for name, value in config.limits.model_dump().items() if value == 0 and value is not False} == zero


def test_every_limit_says_what_it_is() -> None:
    """Each limit has a description and its unit in its name, and the rails take all of them."""
    part = LimitsPart()
    assert all(item.description for item in LimitsPart.model_fields.values())
    units = (
        "_lots_max",
        "_ticks_max",
        "_orders_max",
        "_messages_max",
        "_steps",
        "_steps_max",
        "_permille",
        "_permille_max",
    )
    for name in LimitsPart.model_fields:
        assert name.endswith((*units, "_allowed")), name
    assert replace(part.limits()) == part.limits()
