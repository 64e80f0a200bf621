"""The goals of a machine are what its declaration has room for, and whatever is met is one of them."""

from collections import Counter
from itertools import pairwise

import pytest

from peak_trade.backends.clauses import clauses, compile_probe
from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.faults import FaultKind
from peak_trade.broker.swarm import drawn
from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.cover.coverage import KINDS, Goal
from peak_trade.fuzz.cover.goals import OWN, REGISTERS, Step, begun, followed, goals, met, surroundings
from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Scalar, Sort
from peak_trade.lang.step import BUILT_IN, Ignored, Refused, Taken
from peak_trade.rails.differences import Code
from peak_trade.rails.limits import Rail
from peak_trade.rails.tripwires import Tripwire

MACHINES = ("session", "order", "breaker", "venue")


def scalar(sort: Sort, draw: int) -> Scalar:
    """A value of a sort, a small one where there are many."""
    match sort:
        case BoolSort():
            return draw % 2 == 1
        case EnumSort(_, members):
            return members[draw % len(members)]
        case IntSort(low, high):
            least = 0 if low is None else low
            return least + draw % (6 if high is None else min(6, high - least + 1))
        case _:
            raise AssertionError(sort)


def walked(machine: Machine, seed: int, steps: int) -> list[Step]:
    """The steps of a random walk from the initial value."""
    kernel, probe = compile_kernel(machine), compile_probe(machine)
    value, found = kernel.initial, []
    for number in range(steps):
        event = machine.events[drawn(seed, "event", number) % len(machine.events)]
        packed = tuple(scalar(item.sort, drawn(seed, item.name, number)) for item in event.payload)
        outcome, after = kernel.step(value, event.name, packed)
        found.append(Step(value[0], event.name, outcome, probe.bits(value, event.name, packed)))
        value = after
    return found


def test_the_goals_of_the_breaker() -> None:
    """A small machine's goals, counted by hand from its text."""
    found = goals(machine_named("breaker"))
    assert Counter(goal.kind for goal in found) == {
        "state": 3,
        "transition": 9,
        "arc": 9,
        "pair": 28,
        "clause": 22,
        "mcdc": 22,
        "refusal": 4,
    }
    names = {kind: [goal.name for goal in found if goal.kind == kind] for kind in OWN}
    assert names["state"] == ["closed", "open", "half_open"]
    assert {"B01>B04", "B04>B10", "B11>B20", "B21>B01", "B22>B11"} <= set(names["pair"])
    assert not {"B01>B10", "B04>B01", "B11>B10", "B22>B20"} & set(names["pair"])
    assert sorted(names["refusal"]) == ["call_pending", "circuit_open", "no_call", "not_cooling"]
    assert {"B03.when.1=true", "B03.when.1=false", "B03.require.no_call=true"} <= set(names["clause"])


@pytest.mark.parametrize("name", MACHINES)
def test_goals_are_listed_once_and_by_kind(name: str) -> None:
    """No goal comes twice, kinds come in their order, and each belongs to the machine."""
    found = goals(machine_named(name))
    assert len(set(found)) == len(found)
    assert [OWN.index(goal.kind) for goal in found] == sorted(OWN.index(goal.kind) for goal in found)
    assert {goal.machine for goal in found} == {name}
    assert {goal.kind for goal in found} <= set(KINDS)


def test_surroundings_are_the_registers() -> None:
    """Every fault, rail, tripwire and code of a difference is a goal, and nothing else is."""
    found = surroundings()
    registers = (FaultKind, Rail, Tripwire, Code)
    assert [goal.name for goal in found] == [str(item) for register in registers for item in register]
    assert {goal.kind for goal in found} == REGISTERS.keys()
    assert {*OWN, *REGISTERS} == set(KINDS)


@pytest.mark.parametrize("name", MACHINES)
def test_whatever_a_walk_meets_is_a_goal(name: str) -> None:
    """States, arcs, pairs and clauses of random walks are all listed; only the language's own reasons are not."""
    machine = machine_named(name)
    probe, listed = compile_probe(machine), set(goals(machine))
    every = set[Goal]()
    for seed in range(40):
        steps = walked(machine, seed, 30)
        found = {begun(machine)}.union(*(met(probe, step) for step in steps))
        taken = [step.outcome.transition for step in steps if isinstance(step.outcome, Taken)]
        found |= {followed(machine, first, second) for first, second in pairwise(taken)}
        assert {goal for goal in found - listed if goal.name not in BUILT_IN} == set()
        assert {goal.name for goal in found if goal.kind == "transition"} == set(taken)
        every |= found
    assert {goal.kind for goal in every} == set(OWN)


def test_what_one_step_shows() -> None:
    """A taken step shows transition, arc, the entered state and its clauses; a refused one its reason."""
    machine = machine_named("breaker")
    probe = compile_probe(machine)
    bits = probe.bits(("closed", 3, 2, 2, 0, 0, True), "fail", ())
    names = [goal[::2] for goal in met(probe, Step("closed", "fail", Taken("B04"), bits))]
    assert names[:3] == [("state", "open"), ("transition", "B04"), ("arc", "B04@closed")]
    clause = {name for kind, name in names if kind == "clause"}
    assert clause == {"B03.when.1=false", "B04.when.1=true", "B04.require.no_call=true"}
    deciding = {name for kind, name in names if kind == "mcdc"}
    assert deciding == {"B03.when.1=false", "B04.when.1=true", "B04.require.no_call=true"}
    stays = met(probe, Step("open", "tick", Taken("B10"), None))
    assert [goal[::2] for goal in stays] == [("transition", "B10"), ("arc", "B10@open")]
    order = machine_named("order")
    again = met(compile_probe(order), Step("partially_filled", "fill", Taken("O10"), None))
    assert [goal[::2] for goal in again] == [("transition", "O10"), ("arc", "O10@partially_filled")]
    for outcome in (Refused("circuit_open"), Ignored("circuit_open")):
        assert met(probe, Step("open", "call", outcome, None)) == (Goal("refusal", "breaker", "circuit_open"),)


def test_every_clause_has_two_goals_of_each_kind() -> None:
    """Both outcomes are wanted, and both alone deciding."""
    machine = machine_named("order")
    wanted = {name for one in clauses(machine) for name in one.outcomes}
    for kind in ("clause", "mcdc"):
        assert {goal.name for goal in goals(machine) if goal.kind == kind} == wanted
