"""Asking Z3, and not believing it before the replay."""

from collections.abc import Callable

import pytest
import z3

from peak_trade.backends.relation import Encoding
from peak_trade.backends.smt import World
from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import INT
from peak_trade.lang.step import Value, initial
from peak_trade.proof.confirm import ReplayDisagrees, confirm
from peak_trade.proof.obligation import sorts
from peak_trade.proof.solve import Found, GaveUp, Impossible, Limits, Oracle
from peak_trade.proof.unroll import Path

Write = Callable[..., str]
Read = Callable[[str], Machine]


@pytest.fixture
def oracle() -> Oracle:
    """An oracle that may assume a fact, and another that does not matter."""
    world = World.of(())
    oracle = Oracle.of(world, Limits())
    number = world.constant("x", INT)
    oracle.assume("small", number < 5)
    oracle.assume("other", world.constant("y", INT) < 5)
    return oracle


def test_an_answer_names_what_it_rests_on(oracle: Oracle) -> None:
    """Impossible only under an assumption: found without it, and with it the core is that assumption alone."""
    large = oracle.world.constant("x", INT) > 7
    assert isinstance(oracle.ask(large), Found)
    answer = oracle.ask(large, ("small", "other"))
    assert isinstance(answer, Impossible)
    assert oracle.least(large, frozenset(("small", "other"))) == {"small"}


def test_questions_do_not_leave_a_trace(oracle: Oracle) -> None:
    """A question adds nothing to the next one."""
    number = oracle.world.constant("x", INT)
    assert isinstance(oracle.ask(number > 7), Found)
    assert isinstance(oracle.ask(number < 2), Found)


def test_the_budget_is_z3s_own_unit() -> None:
    """The same question costs the same in a world of its own; a budget too small is "gave up", not an answer."""
    world = World.of(())
    poor = Oracle.of(world, Limits(question_rlimit=1))
    first, second = (world.constant(name, INT) for name in "ab")
    assert isinstance(poor.ask(world.every((first * 3 + second * 5 == 7, first > 100))), GaveUp)

    def cost() -> int:
        own = World.of(())
        rich = Oracle.of(own, Limits())
        one, two = (own.constant(name, INT) for name in "ab")
        assert isinstance(rich.ask(own.every((one * 3 + two * 5 == 7, one > 100))), Found)
        return rich.spent()

    assert cost() == cost() > 0


def test_an_exception_of_z3_is_giving_up(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Z3 reports some limits as an exception: that is "gave up" too, and the oracle still works afterwards."""

    def canceled(*_: object) -> None:
        raise z3.Z3Exception("canceled")

    with monkeypatch.context() as patch:
        patch.setattr(z3.Solver, "check", canceled)
        assert oracle.ask(oracle.world.some(())) == GaveUp("canceled")
    assert isinstance(oracle.ask(oracle.world.some(())), Impossible)


def test_a_run_that_the_definition_does_not_take_is_a_bug(counter: Write, read: Read) -> None:
    """A path with a wrong value, a step that is not taken, or no violation at its end is never shown as a verdict."""
    machine = read(counter())
    item = sorts(Encoding.of(machine))
    start = initial(machine)
    add = ("add", {"amount": 1})
    wrong = Path((start, Value("open", (2, 3))), (add, add))
    refused = Path((start, start), (("close", {}), add))
    harmless = Path((start,), (add,))
    for path in (wrong, refused, harmless):
        with pytest.raises(ReplayDisagrees) as caught:
            confirm(machine, item, path)
        assert caught.value.property == "COUNTER-SORTS"
        assert caught.value.expected != caught.value.was
