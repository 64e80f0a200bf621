"""The walk that goes on from what is new: it finds what is deep, holds engines to each other, says what it saw."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.kernel import Packed, Running
from peak_trade.cli.specs import machine_at, machine_named
from peak_trade.fuzz.cover.coverage import Coverage, Goal, counts_of
from peak_trade.fuzz.cover.goals import goals
from peak_trade.fuzz.engines.abstract import atoms, judged, views
from peak_trade.fuzz.engines.check import Check, Subject, shortened
from peak_trade.fuzz.engines.dice import Dice, Payloads
from peak_trade.fuzz.engines.walk import Walk, walk, walker
from peak_trade.fuzz.jobs import Job, perform
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Heard, Machine, Step
from peak_trade.lang.parse import parse
from peak_trade.lang.sorts import inhabits
from peak_trade.lang.source import Source
from peak_trade.lang.step import Broken, Outcome, Refused, Stepper, Taken, initial

MODELS = Path(__file__).parents[3] / "docs" / "models"
CLASSICS = [
    ("bakery", "bakery-hasty", "BKH-1", 6),
    ("peterson", "peterson-swapped", "PSW-1", 6),
    ("needham-schroeder-lowe", "needham-schroeder", "NSP-2", 3),
    ("bounded-buffer", "buffer-race", "RAC-1", 8),
]
"""A model, its wrong version, which invariant that one breaks, and in how many steps at least."""
EVENTS = 12
CHAINS = {5: 1_969, 8: 8_845, 12: 25_677}
"""In how many steps a novelty-guided walk of thirty lines was measured to find a chain of so many events."""
COUNTER = """\
machine: counter
version: 1
summary: Counts up in lots, and down by one.
context:
  count: {type: int, min: 0, init: 0, doc: How many}
states:
  idle: {initial: true, doc: Nothing}
  busy: {doc: Something}
events:
  add:
    origin: strategy
    doc: More
    payload:
      lots: {type: int, min: 1, max: 50, doc: How many more}
  take: {origin: venue, doc: One less}
reasons:
  empty: There is none.
transitions:
  - {id: C1, from: [idle, busy], on: add, set: {count: count + lots}, to: busy}
  - {id: C2, from: busy, on: take, when: count > 1, set: {count: count - 1}}
  - {id: C3, from: busy, on: take, when: count <= 1, set: {count: "0"}, to: idle}
refuse:
  - {in: idle, on: take, reason: empty}
properties:
"""


def made(text: str) -> Machine:
    """Return the machine that `text` declares."""
    parsed = parse(Source("test", text))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


def chain(length: int) -> Machine:
    """Return a machine in which a chain of `length` events of 12 leads to the end, and any wrong one back."""
    lines = [f"  s{place}: {{{'initial: true, ' if place == 0 else ''}doc: x}}" for place in range(length + 1)]
    rows = []
    for place in range(length):
        right = (place * 7 + 3) % EVENTS
        others = ", ".join(f"e{number}" for number in range(EVENTS) if number != right)
        rows.append(f"  - {{id: R{place}, from: s{place}, on: e{right}, to: s{place + 1}}}")
        rows += [f"  - {{id: W{place}_{n}, from: s{place}, on: {n}, to: s0}}" for n in others.split(", ")]
    events = [f"  e{number}: {{origin: venue, doc: x}}" for number in range(EVENTS)]
    every = ", ".join(f"e{number}" for number in range(EVENTS))
    head = ["machine: chain", "version: 1", "summary: A protocol.", "states:", *lines, "events:", *events]
    rest = ["reasons:", "  over: It is over.", "transitions:", *rows]
    return made("\n".join([*head, *rest, "refuse:", f"  - {{in: s{length}, on: [{every}], reason: over}}", ""]))


def job(count: int, seed: int = 1, **options: Any) -> Job:
    """Return a job of the walk."""
    return Job(engine="walk", seed=seed, count=count, specs={}, options=options)


def walked(machine: Machine, count: int, seed: int = 1) -> tuple[Coverage, list[dict[str, Any]]]:
    """Return what a walk saw and found."""
    result = walk(machine, job(count, seed))
    return Coverage.of(result.coverage), result.findings


def faulty(machine: Machine, event: str) -> Subject:
    """Return a subject whose kernel takes `event` for refused wherever it should take it."""
    subject = Subject.of(machine)

    def step(value: Running, name: str, packed: Packed) -> tuple[Outcome, Running]:
        outcome, after = subject.kernel.step(value, name, packed)
        return (Refused("empty"), value) if name == event and isinstance(outcome, Taken) else (outcome, after)

    return replace(subject, kernel=replace(subject.kernel, step=step))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("length", "steps"), CHAINS.items())
def test_a_chain_of_specific_events_is_found_in_the_steps_of_the_anchor(length: int, steps: int, seed: int) -> None:
    """Guidance by what is new reaches the end of a chain that chance alone does not."""
    seen, findings = walked(chain(length), steps, seed)
    assert seen.count(Goal("transition", "chain", f"R{length - 1}")) > 0
    assert seen.count(Goal("state", "chain", f"s{length}")) > 0
    assert findings == []


@pytest.mark.parametrize("name", ["breaker", "order"])
def test_every_transition_state_and_refusal_of_a_shipped_machine_is_seen(name: str) -> None:
    """A short walk sees all of them, with all three engines agreeing."""
    machine = machine_named(name)
    seen, findings = walked(machine, 12_000)
    wanted = [goal for goal in goals(machine) if goal.kind in {"state", "transition", "refusal"}]
    assert seen.missed(wanted) == ()
    assert findings == []


def test_what_is_seen_are_goals_of_the_machine_with_the_jobs_seed() -> None:
    """Coverage is in the words of the specification."""
    machine = machine_named("breaker")
    seen, _ = walked(machine, 3_000, seed=7)
    assert seen.goals.keys() <= set(goals(machine))
    assert {tally.seed for tally in seen.goals.values()} == {7}


def test_the_counts_are_those_of_the_steps() -> None:
    """Steps that were taken are as many as the counts of all transitions together."""
    result = walk(machine_named("session"), job(2_000))
    taken = counts_of(Coverage.of(result.coverage), "transition", "session")
    assert sum(taken.values()) == result.figures["taken"]
    assert result.figures["steps"] == 2_000


def test_the_same_job_gives_the_same_bytes_and_another_seed_others() -> None:
    """A walk is a function of its job."""
    engines = {"walk": walker(machine_named)}
    first, second, other = (
        perform(job(800, seed, machine="order").model_dump_json(), engines, {}) for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other


def test_a_broken_invariant_is_found_with_a_run_that_breaks_it() -> None:
    """The finding has a start and events, and the last one is the step that leaves the invariant."""
    machine = made(COUNTER + "  - {id: C-1, always: count < 90, says: Never many.}\n")
    _, findings = walked(machine, 3_000)
    [found] = [item for item in findings if item["about"] == ["invariant", "C-1"]]
    stepper, value = Stepper.of(machine), initial(machine)
    for item in found["steps"]:
        outcome, value = stepper.step(value, item["event"], item["payload"])
    assert outcome == Broken("C-1")
    assert all(item["outcome"] == "taken" for item in found["steps"][:-1])
    assert len(found["steps"]) >= 2


def test_claims_about_steps_and_about_what_is_heard_are_held_too() -> None:
    """A step without what is claimed of it, and an event that is not taken, are findings."""
    claims = (
        '  - {id: C-2, step: "next_count <= count + 49", says: Never 50.}\n  - {id: C-3, heard: take, says: Taken.}\n'
    )
    _, findings = walked(made(COUNTER + claims), 5_000)
    assert {tuple(item["about"][:2]) for item in findings} == {("step", "C-2"), ("heard", "C-3")}


def test_a_kernel_that_differs_is_found_by_both_other_engines() -> None:
    """The engines are held to each other: a wrong kernel agrees with neither."""
    found = Walk(faulty(made(COUNTER + "  []\n"), "take"), 1).run(1_000).result(job(1_000)).findings
    assert {tuple(item["about"]) for item in found} == {("lang.step", "take"), ("statemachine", "take")}
    shortest = min(len(item["steps"]) for item in found)
    assert shortest == 2


def test_a_sound_kernel_has_no_problem_in_any_step() -> None:
    """The check itself raises no false alarm."""
    subject = Subject.of(made(COUNTER + "  []\n"))
    check = Check(subject)
    assert list(check.problems(subject.kernel.initial, "take", ())) == []
    assert list(check.problems(subject.kernel.initial, "add", (3,))) == []


def test_a_system_is_walked_under_its_own_names() -> None:
    """Machines whose names are none in Python are walked all the same, and coverage has their transitions."""
    machine = machine_at(f"{MODELS / 'ptref' / 'system.yaml'}@2")
    seen, findings = walked(machine, 2_000)
    taken = counts_of(seen, "transition", machine.name).keys()
    assert taken <= {row.name for row in machine.transitions}
    assert len(taken) > len(machine.transitions) // 2
    assert findings == []


def test_a_finding_in_a_system_has_its_own_names() -> None:
    """The run of a finding is offered to `lang.step` by the names of the composed machine."""
    machine = machine_at(f"{MODELS / 'ptref' / 'system.yaml'}@2")
    first = machine.transitions[0]
    subject = faulty(machine, Subject.of(machine).kernel.machine.transitions[0].event)
    found = Walk(subject, 1).run(1_000).result(job(1_000)).findings
    assert ["lang.step", first.event] in [item["about"] for item in found]
    assert {step["event"] for item in found for step in item["steps"]} <= {event.name for event in machine.events}


def test_each_of_many_has_a_view_of_its_own() -> None:
    """Two of the many are looked at one by one, so that what is new for one of them is."""
    assert len(views(machine_at(f"{MODELS / 'ptref' / 'system.yaml'}@2"))) == 2
    assert len(views(machine_named("order"))) == 1


@pytest.mark.parametrize(("right", "wrong", "claim", "steps"), CLASSICS)
def test_the_bug_of_a_classic_model_is_found_and_its_repair_is_quiet(
    right: str, wrong: str, claim: str, steps: int
) -> None:
    """The walk breaks the invariant of the wrong version, in few steps, and none of the right one's."""
    assert walked(machine_at(str(MODELS / f"{right}.yaml")), 4_000)[1] == []
    [found] = walked(machine_at(str(MODELS / f"{wrong}.yaml")), 20_000)[1]
    assert found["about"] == ["invariant", claim]
    assert steps <= len(found["steps"]) <= 2 * steps


def test_the_path_to_a_member_leads_to_its_value() -> None:
    """Offered from its start, the steps of a member are all taken and end in its value."""
    found = Walk(Subject.of(machine_named("breaker")), 2).run(600)
    for place, member in enumerate(found.members):
        value, steps = found.path(place)
        assert len(steps) == member.length
        for event, packed in steps:
            outcome, value = found.kernel.step(value, event, packed)
            assert isinstance(outcome, Taken)
        assert value == member.value


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(["order", "session", "breaker"]))
def test_a_payload_that_is_drawn_keeps_its_sorts(seed: int, name: str) -> None:
    """No draw is refused for its payload, whatever stands in the value."""
    machine = machine_named(name)
    subject, payloads = Subject.of(machine), Payloads(machine, Dice(seed))
    for event in machine.events:
        for _ in range(3):
            packed = payloads.draw(event.name, subject.kernel.initial)
            payloads.keep(event.name, packed)
            assert all(inhabits(item, field.sort) for item, field in zip(packed, event.payload, strict=True))


def test_numbers_are_a_function_of_the_seed() -> None:
    """The stream is the same each time, and other for another seed."""
    one, same, other = ([dice.below(1_000) for _ in range(50)] for dice in (Dice(5), Dice(5), Dice(6)))
    assert one == same
    assert one != other


def test_the_parts_of_an_abstract_value_are_the_guards_own_comparisons() -> None:
    """Each view has the state, and tells values apart that a guard about the context alone tells apart."""
    machine = machine_named("order")
    [view] = views(machine)
    values = [member.value for member in Walk(Subject.of(machine), 1).run(500).members]
    names = [item.name for item in machine.variables]
    for one, other in pairwise(values):
        if view(one) == view(other):
            envs = [Env(dict(zip(names, value[1:], strict=True)), state=value[0]) for value in (one, other)]
            assert one[0] == other[0]
            assert all(evaluate(atom, envs[0]) == evaluate(atom, envs[1]) for atom in atoms(machine))


def test_compiled_claims_say_what_the_definition_says() -> None:
    """A claim about steps is true of a step iff `lang.evaluate` says so."""
    machine = machine_named("order")
    found = Walk(Subject.of(machine), 1).run(400)
    names, claims = [item.name for item in machine.variables], judged(machine)
    declared = [claim for claim in machine.properties if isinstance(claim, Step | Heard)]
    assert [claim.name for claim in claims] == [claim.name for claim in declared]
    for member in found.members[1:60]:
        event, packed = member.steps[-1]
        before = found.members[0].value
        payload = found.kernel.unpack(event, packed)
        now, then = (dict(zip(names, value[1:], strict=True)) for value in (before, member.value))
        env = Env(now, payload, before[0], event, then, member.value[0])
        for claim, one in zip(declared, claims, strict=True):
            if isinstance(claim, Step):
                assert one.holds(before, event, packed, member.value) == evaluate(claim.holds, env)
            elif claim.event == event:
                assert one.holds(before, event, packed, member.value) == evaluate(claim.when, env)


def test_steps_that_a_finding_does_not_need_are_left_out() -> None:
    """Of a run with detours only those steps stay of which none can be missed."""
    subject = Subject.of(made(COUNTER + "  - {id: C-1, always: count < 90, says: Never many.}\n"))
    check, few, many = Check(subject), ("add", (5,)), ("add", (50,))
    run = (few, ("take", ()), ("take", ()), many, ("take", ()), few, many)
    [problem] = [item for item in check.problems(("busy", 60), *many) if item.key[0] == "invariant"]
    short = shortened(check, problem, subject.kernel.initial, run)
    assert short == (many, many)
