"""All offers in all values of small machines: what is said to be exhausted is, and engines that differ are found."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from peak_trade.backends.domains import Bounds
from peak_trade.backends.kernel import Packed, Running
from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.cover.coverage import Coverage, Goal, counts_of
from peak_trade.fuzz.cover.goals import goals
from peak_trade.fuzz.engines.check import Subject
from peak_trade.fuzz.engines.exhaust import Survey, exhaust, exhauster
from peak_trade.fuzz.jobs import Job, Result
from peak_trade.lang.expr import Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.sorts import EnumSort
from peak_trade.lang.step import VALUE_BOUNDS, Outcome, Refused, Stepper, Taken, Value, initial
from peak_trade.proof.explore import Graph, explore
from peak_trade.proof.lockstep.sample import HUE, sample


def job(count: int, **options: Any) -> Job:
    """Return a job of the exhaustive engine."""
    return Job(engine="exhaustive", seed=0, count=count, specs={}, options=options)


def breaker(count: int, **options: Any) -> Result:
    """Return what the engine says of the shipped circuit breaker."""
    return exhauster(machine_named)(job(count, machine="breaker", **options))


@pytest.mark.parametrize("number", range(12))
def test_what_is_exhausted_is_all_that_the_definition_reaches(number: int) -> None:
    """Values, transitions and pairs are those of a search through `lang.step` itself."""
    machine = sample(Random(number))
    result = exhaust(machine, job(1_000))
    values, taken, pairs = reached(machine)
    seen = Coverage.of(result.coverage)
    assert result.figures["exhausted"] == 1
    assert result.figures["values"] == len(values)
    assert counts_of(seen, "transition", machine.name).keys() == taken
    assert counts_of(seen, "pair", machine.name).keys() == pairs
    built_in = {Goal("refusal", machine.name, VALUE_BOUNDS)}
    assert seen.goals.keys() - built_in <= set(goals(machine))


def reached(machine: Machine) -> tuple[set[Value], set[str], set[str]]:
    """Return the values, the transitions and the pairs of a small machine, by `lang.step` alone."""
    stepper, starts = Stepper.of(machine), [initial(machine)]
    for place, item in enumerate(machine.variables):
        if item.free:
            starts = [
                Value(one.state, (*one.context[:place], scalar, *one.context[place + 1 :]))
                for one in starts
                for scalar in HUE.members
            ]
    offers = [("go", {}), ("give", {"amount": 0}), ("give", {"amount": 1})]
    queue, seen, taken, pairs = [(start, "") for start in starts], set[Any](), set[str](), set[str]()
    while queue:
        value, last = queue.pop()
        if (value, last) in seen:
            continue
        seen.add((value, last))
        for event, payload in offers:
            outcome, after = stepper.step(value, event, payload)
            if isinstance(outcome, Taken):
                taken.add(outcome.transition)
                pairs |= {f"{last}>{outcome.transition}"} if last else set()
                queue.append((after, outcome.transition))
    return {value for value, _ in seen}, taken, pairs


def test_a_machine_cut_down_by_bounds_is_never_exhausted() -> None:
    """Numbers without an end leave something out, and the figures say so."""
    result = breaker(5_000, int_max=2)
    assert result.figures["exhausted"] == 0
    assert result.figures["values"] > 10
    assert result.findings == []
    seen = Coverage.of(result.coverage)
    assert seen.count(Goal("transition", "breaker", "B11")) > 0


def test_bounds_by_name_reach_further() -> None:
    """A bound that is named goes beyond the general one."""
    few, more = breaker(5_000, int_max=2), breaker(5_000, int_max=2, bounds={"opened": 4})
    assert more.figures["values"] > few.figures["values"]


def test_too_many_values_are_given_up_and_not_called_exhausted() -> None:
    """Where the explorer gives up nothing was seen, and the figures say that too."""
    figures = breaker(3, int_max=2).figures
    assert (figures["gave_up"], figures["exhausted"], figures["values"]) == (1, 0, 0)


def test_a_machine_with_a_broken_invariant_is_told_with_a_run() -> None:
    """A step that leaves a declared invariant is a finding, and no disagreement with the explorer."""
    machine = sample(Random(3))
    states = EnumSort("State", tuple(state.name for state in machine.states))
    stays = Compare(Comparison.EQ, Var("state", states, Scope.STATE), Lit(machine.initial.name, states))
    result = exhaust(replace(machine, properties=(Always("STAYS", "x", stays),)), job(1_000))
    [found] = result.findings
    assert found["about"] == ["invariant", "STAYS"]
    assert [step["outcome"] for step in found["steps"]][-1] == "broken"


def test_a_kernel_that_misses_a_step_is_found_by_all_others() -> None:
    """The explorer, `lang.step` and python-statemachine each tell of a step that the kernel does not take."""
    machine = machine_named("breaker")
    subject = Subject.of(machine)

    def step(value: Running, name: str, packed: Packed) -> tuple[Outcome, Running]:
        outcome, after = subject.kernel.step(value, name, packed)
        return (Refused("circuit_open"), value) if outcome == Taken("B11") else (outcome, after)

    wrong = replace(subject, kernel=replace(subject.kernel, step=step))
    graph = explore(machine, 1_000, Bounds({}, 2))
    assert isinstance(graph, Graph)
    found = Survey(wrong, graph).run().result(job(1_000)).findings
    assert {tuple(item["about"]) for item in found} == {
        ("explorer", "tick"),
        ("lang.step", "tick"),
        ("statemachine", "tick"),
    }


def test_the_same_job_gives_the_same_result() -> None:
    """Nothing is drawn."""
    assert breaker(2_000, int_max=2).model_dump_json() == breaker(2_000, int_max=2).model_dump_json()
