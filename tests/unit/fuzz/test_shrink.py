"""A failing program is shrunk to one that a person can read, and never to one that fails in another way."""

from collections.abc import Callable, Iterator
from itertools import product
from operator import ge
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.broker.script import plain
from peak_trade.broker.swarm import seeded
from peak_trade.fuzz.found.dials import STAGES, Board, ordinals, stage
from peak_trade.fuzz.found.program import BarsPart, DeedPart, OrderPart, Program
from peak_trade.fuzz.found.shrink import ShrinkError, Shrunk, minimal, shrink
from peak_trade.fuzz.found.trial import Trial, tried
from peak_trade.fuzz.world import Machines
from peak_trade.session.assembly import Session
from peak_trade.session.desk import Desk

CONFIG = {"seed": 5, "wind_down_steps": 2, "venue": {"participation_permille_max": 1000}}

PROGRAMS = st.builds(
    lambda orders, seed, deeds, crashes: Program(
        bars=BarsPart(seed=seed, symbols=1 + seed % 2, steps=12, volume_lots=50),
        config=CONFIG,
        orders=[OrderPart(step=step, lots=lots, off_permille=off) for step, lots, off in sorted(orders)],
        faults=[plain(fault) for fault in seeded(seed, 8, 12, 600)],
        deeds=[DeedPart(step=step, what="replace", order=order, lots=1) for step, order in deeds],
        crashes=crashes,
    ),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 60), st.integers(-40, 40)), max_size=9),
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 9)), max_size=3),
    st.lists(st.integers(1, 99), max_size=2),
)


def long_program(count: int = 12, crashes: tuple[int, ...] = ()) -> Program:
    """A program in which much happens that matters to no planted bug: `count` orders and more."""
    kinds = ("bust", "timeout_before", "late_report", "bust", "overfill")
    return Program(
        bars=BarsPart(seed=9, symbols=2, steps=count + 4, volume_lots=40),
        config=CONFIG | {"cash_ticks": 10**9, "reconcile_steps": 3, "adapter_limits": {"failures_max": 1}},
        orders=[OrderPart(step=1 + at, lots=10 + at, off_permille=None if at % 2 else -at) for at in range(count)],
        faults=[{"kind": kind, "order": at} for at, kind in enumerate(kinds, 2)],
        deeds=[DeedPart(step=3, what="replace", order=1, lots=1)],
        crashes=list(crashes),
    )


def played(program: Program, fails: Callable[[Program], str]) -> Trial:
    """What comes of a program if it fails with what `fails` says of it, and every order leaves."""
    places = ordinals(program, ())
    counts: dict[int, int] = {}
    sent = []
    for order in program.orders:
        counts[order.step] = counts.get(order.step, 0) + 1
        sent.append((order.step, counts[order.step]))
    assert len(places) == len(sent)
    problem = fails(program)
    return Trial((problem,) if problem else (), tuple(sent), None)


@settings(max_examples=25, deadline=None)
@given(PROGRAMS)
def test_the_dials_of_a_program_are_the_program(program: Program) -> None:
    """Where they stand, a stage builds it again; all the way down, it builds one with nothing to leave out."""
    for name in STAGES:
        made = stage(name, program, ())
        assert made.build(made.stands) == program
        least = made.build((0,) * len(made.stands))
        if name == "faults":
            assert least.faults == []
        if name == "events":
            assert least.events == 0
        if name == "numbers":
            assert all(order.lots == 1 for order in least.orders)


@settings(max_examples=25, deadline=None)
@given(PROGRAMS, st.data())
def test_a_lower_setting_builds_no_larger_program(program: Program, data: st.DataObject) -> None:
    """Whatever is turned down, nothing is added, and no number grows."""
    for name in STAGES:
        made = stage(name, program, ())
        setting = tuple(data.draw(st.integers(0, high)) for high in made.stands)
        fewer = made.build(setting)
        assert (fewer.events, len(fewer.faults)) <= (program.events, len(program.faults))
        assert len(fewer.faults) <= len(program.faults)
        assert fewer.bars.steps <= program.bars.steps
        assert sum(order.lots for order in fewer.orders) <= sum(order.lots for order in program.orders)
        assert max((order.step for order in fewer.orders), default=0) <= 12


def masks(count: int) -> Iterator[tuple[bool, ...]]:
    """Every mask that the dials of so many things give."""
    board = Board()
    board.mask(count)
    for setting in product((0, 1), repeat=len(board.stands)):
        yield tuple(Board(setting=setting, reading=True).mask(count))


@pytest.mark.parametrize("count", range(6))
def test_a_mask_can_be_any(count: int) -> None:
    """All subsets can be kept, and a coarse dial that is down drops all below it."""
    assert set(masks(count)) == set(product((False, True), repeat=count))


@pytest.mark.parametrize("stands", [(0,), (9, 0, 300), (1,) * 40, (7, 6, 5, 2**62)])
def test_the_smallest_setting_is_found(stands: tuple[int, ...]) -> None:
    """Of what must stay at 7 or above, 7 stays; all else goes to 0."""
    least = tuple(7 if high >= 7 else 0 for high in stands)
    found = minimal(stands, lambda setting: all(map(ge, setting, least)))
    assert found == least


def test_what_does_not_fail_is_not_shrunk() -> None:
    """It is an error, not a smaller program."""
    with pytest.raises(ShrinkError, match="which fails, was"):
        minimal((3, 4), lambda _: False)
    with pytest.raises(ShrinkError, match="a program that fails"):
        shrink(long_program(), lambda _: Trial((), (), None))


def busted(program: Program) -> str:
    """Fail iff an order of 13 lots or more is busted."""
    hit = {int(fault["order"]) for fault in program.faults if fault["kind"] == "bust"}
    return "a bust" if any(order.lots >= 13 and at in hit for at, order in enumerate(program.orders, 1)) else ""


def test_a_fault_stays_with_its_order() -> None:
    """One order of the least quantity is left, and the fault that struck it has its new ordinal."""
    found = shrink(long_program(), lambda program: played(program, busted))
    assert [order.lots for order in found.program.orders] == [13]
    assert found.program.faults == [{"kind": "bust", "order": 1}]
    assert (found.program.bars, found.program.config) == (BarsPart(steps=1, volume_lots=40), {"seed": 0})
    assert found.complete
    assert found.executions < 400


def test_shrinking_does_not_slip_to_another_bug() -> None:
    """A program with one order less fails with another problem, which is not the one that is looked for."""

    def fails(program: Program) -> str:
        return f"12 is enough: {program.events}" if program.events > 5 else "one is too many" if program.events else ""

    found = shrink(long_program(), lambda program: played(program, fails))
    assert found.program.events == 6
    assert found.kind == "# is enough: #"


def test_what_is_left_when_executions_run_out_still_fails() -> None:
    """The budget is kept, the result says that it may not be the smallest, and it was played."""
    count = 0

    def play(program: Program) -> Trial:
        nonlocal count
        count += 1
        return played(program, busted)

    found = shrink(long_program(), play, executions_max=20)
    assert (count, found.executions, found.complete) == (20, 20, False)
    assert found.program.events < long_program().events
    assert busted(found.program)


def cash(desk: Desk) -> None:
    """Lose a tick."""
    desk.book.cash_ticks -= 1


def after_busts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bust costs a tick."""
    apply = Desk.apply

    def broken(self: Desk, order: object, event: str, *rest: object) -> object:
        outcome = apply(self, order, event, *rest)  # type: ignore[arg-type]
        if event == "bust":
            cash(self)
        return outcome

    monkeypatch.setattr(Desk, "apply", broken)


def after_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that is recovered after an execution loses a tick."""
    note = Session._note

    def broken(self: Session) -> None:
        before = self.noted
        note(self)
        if self.noted and not before and self.orchestrator.desk.executions:
            cash(self.orchestrator.desk)

    monkeypatch.setattr(Session, "_note", broken)


def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order whose answer was lost is an error in the next step."""
    resolve = Desk.resolve

    def broken(self: Desk, *, closing: bool) -> None:
        lost = [name for name, order in self.book.working.items() if order.value[0] == "unknown"]
        if lost:
            raise LookupError(lost[0])
        resolve(self, closing=closing)

    monkeypatch.setattr(Desk, "resolve", broken)


class Case(NamedTuple):
    """A planted bug, how many orders there are, the writes at which the session dies, and what is left in the end."""

    plant: Callable[[pytest.MonkeyPatch], None]
    orders: int
    crashes: tuple[int, ...]
    kind: str
    faults: list[str]


CASES = (
    Case(after_busts, 3, (), "the book's cash is # its executions come to #", ["bust"]),
    Case(after_restart, 1, (22,), "the book's cash is # its executions come to #", []),
    Case(unknown, 3, (), "LookupError: #", ["timeout_before"]),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.plant.__name__)
def test_planted_bugs_are_shrunk(case: Case, machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is what the bug needs: few events, its fault, its death; without the bug that does not fail."""
    with monkeypatch.context() as planted:
        case.plant(planted)
        found = shrink(long_program(case.orders, case.crashes), lambda smaller: tried(smaller, machines))
    assert found.kind == case.kind
    assert found.kind in found.trial.kinds
    assert found.program.events <= 2
    assert [fault["kind"] for fault in found.program.faults] == case.faults
    assert len(found.program.crashes) == len(case.crashes)
    assert found.complete
    assert tried(found.program, machines).problems == ()


def test_shrinking_is_the_same_each_time(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a clock nor chance decides what is tried."""
    unknown(monkeypatch)

    def once() -> Shrunk:
        return shrink(long_program(3), lambda smaller: tried(smaller, machines), executions_max=8)

    first, again = once(), once()
    assert (first.program, first.sizes) == (again.program, again.sizes)
