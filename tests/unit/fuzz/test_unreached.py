"""What was not reached, explained: no proof against what can be reached, and no run to what cannot."""

from random import Random

import pytest

from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.cover.goals import goals
from peak_trade.fuzz.cover.targets import NoSuchGoal
from peak_trade.fuzz.cover.unreached import Reached, Unknown, Unreachable, explained, reached, shown
from peak_trade.fuzz.engines.exhaust import exhaust
from peak_trade.fuzz.jobs import Job
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.source import Source
from peak_trade.lang.step import Taken
from peak_trade.proof.lockstep.sample import sample
from peak_trade.proof.solve import Limits

TWICE = """\
machine: twice
version: 1
summary: Two numbers that go together.
context:
  one: {type: int, init: 0, doc: First}
  two: {type: int, init: 0, doc: Second}
states:
  here: {initial: true, doc: Here}
  there: {doc: Never}
events:
  go: {origin: clock, doc: On}
  jump:
    origin: venue
    doc: Away
    payload: {by: {type: int, min: 0, doc: How far}}
reasons:
  no: It does not.
transitions:
  - {id: T1, from: here, on: go, set: {one: one + 1, two: two + 1}}
  - {id: T2, from: here, on: jump, when: one != two and by > one, to: there}
refuse:
  - {in: here, on: jump, reason: no, when: one == two or by <= one}
  - {in: there, on: [go, jump], reason: no}
properties: []
"""


def made(text: str) -> Machine:
    """Return the machine that `text` declares."""
    parsed = parse(Source("test", text))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


@pytest.mark.parametrize("number", range(10))
def test_explanations_agree_with_all_that_there_is(number: int) -> None:
    """Of a machine whose values were all looked at, each goal is reached or proved out of reach as it should be."""
    machine = sample(Random(number))
    result = exhaust(machine, Job(engine="exhaustive", seed=0, count=1_000, specs={}))
    assert result.figures["exhausted"] == 1
    seen = Coverage.of(result.coverage)
    for item in explained(machine, goals(machine)):
        assert not isinstance(item, Unreachable if item.goal in seen.goals else Reached), item


def test_a_lock_that_never_refuses_is_proved_never_to() -> None:
    """The live gate's second lines of defence: what an earlier lock implies is never seen false."""
    names = ("S22.require.allowlist_empty=false", "S22.require.digest_changed=false", "S22.require.flag_off=false")
    *never, sometimes = explained(machine_named("session"), [Goal("clause", "session", name) for name in names])
    assert [type(item) for item in never] == [Unreachable, Unreachable]
    assert isinstance(sometimes, Reached)


def test_a_run_to_two_transitions_in_a_row_ends_with_them() -> None:
    """The second step's offer is part of the run, replayed by `lang.step`."""
    goal = Goal("pair", "session", "S34>S20")
    [found] = explained(machine_named("session"), [goal])
    assert isinstance(found, Reached)
    assert [link.outcome for link in found.trace.links[-2:]] == [Taken("S34"), Taken("S20")]
    assert all(isinstance(link.outcome, Taken) for link in found.trace.links)
    coverage = Coverage()
    reached(coverage, [found], seed=9)
    assert coverage.goals == {goal: (1, 9)}


def test_pairs_that_a_variable_as_it_began_excludes_are_proved_with_guesses() -> None:
    """No orders were sent before the session started, so none is closed then: nobody declared that."""
    [found] = explained(machine_named("session"), [Goal("pair", "session", "S11>S34")])
    assert isinstance(found, Unreachable)
    assert found.engine == "houdini"
    assert any("open_orders == 0" in text for text in found.invented)


def test_what_nobody_declared_is_invented() -> None:
    """That two numbers go together is found by Spacer, used for every goal, and told with the proof."""
    names = (("state", "there"), ("transition", "T2"), ("clause", "T2.when.1=true"), ("pair", "T1>T2"))
    found = explained(made(TWICE), [Goal(kind, "twice", name) for kind, name in names])
    assert all(isinstance(item, Unreachable) for item in found), found
    assert {item.engine for item in found if isinstance(item, Unreachable)} == {"spacer"}
    assert all(item.invented for item in found if isinstance(item, Unreachable))


def test_what_is_beyond_the_limits_is_unknown() -> None:
    """A run that is longer than was searched for, and that no invariant excludes, is not called unreachable."""
    limits = Limits(question_rlimit=1_000_000, refutation_steps_max=3, inference_rlimit=100_000)
    [found] = explained(machine_named("breaker"), [Goal("transition", "breaker", "B22")], limits)
    assert isinstance(found, Unknown)
    assert "3 steps" in found.reason


def test_each_kind_of_explanation_is_plain_data() -> None:
    """What is unreachable tells by which engine, and what is reached has its run: a start and events to offer."""
    machine = machine_named("breaker")
    there, never = explained(machine, [Goal("transition", "breaker", "B22"), Goal("pair", "breaker", "B01>B01")])
    told = shown(machine, there)
    assert (told["goal"], told["verdict"]) == ("transition:breaker.B22", "reached")
    assert told["steps"][-1]["by"] == "B22"
    assert shown(machine, never)["verdict"] == "unreachable"
    assert shown(machine, Unknown(there.goal, "why"))["reason"] == "why"


@pytest.mark.parametrize(
    "goal",
    [
        Goal("transition", "breaker", "B99"),
        Goal("clause", "breaker", "B03.when.9=true"),
        Goal("refusal", "breaker", "nothing"),
        Goal("fault", "", "timeout"),
        Goal("state", "order", "new"),
    ],
)
def test_a_goal_that_is_none_of_the_machine_is_refused(goal: Goal) -> None:
    """A misspelt goal is an error and not unreachable."""
    with pytest.raises(NoSuchGoal, match="expected a goal of breaker"):
        explained(machine_named("breaker"), [goal])
