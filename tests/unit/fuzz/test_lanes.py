"""The engine "lanes": what it sees, what it finds, and that it says the same again."""

from dataclasses import replace

import numpy as np
import pytest

from peak_trade.backends.arrays import Arrays, compile_arrays
from peak_trade.backends.vector import Unfit
from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.cover.coverage import Coverage, counts_of
from peak_trade.fuzz.engines.abreast import Walk
from peak_trade.fuzz.engines.biased import BOX, MIX, Term, choices, solutions, sources
from peak_trade.fuzz.engines.dice import Dice
from peak_trade.fuzz.engines.lanes import explore, laner, lanes
from peak_trade.fuzz.jobs import Job, perform
from peak_trade.lang.expr import TRUE, Arith, Arithmetic, Lit, Scope, Var
from peak_trade.lang.machine import Field, Machine
from peak_trade.lang.sorts import INT, EnumSort, IntSort
from peak_trade.lang.step import Broken, Stepper, Taken, Value, initial

WIDTH = 4_096


def job(machine: Machine, count: int, seed: int = 5) -> Job:
    """A job about one machine."""
    return Job(engine="lanes", seed=seed, count=count, specs={}, options={"machine": machine.name})


def loose(machine: Machine, name: str) -> Machine:
    """The machine with one transition that no guard holds back."""
    rows = (replace(row, when=TRUE) if row.name == name else row for row in machine.transitions)
    return replace(machine, transitions=tuple(rows))


def test_it_reaches_every_state_and_transition_of_an_order() -> None:
    """A few steps of a few thousand lanes take all that an order can take, many pairs, and break nothing."""
    machine = machine_named("order")
    found = lanes(machine, job(machine, 40), 4 * WIDTH)
    coverage = Coverage.of(found.coverage)
    assert counts_of(coverage, "state", "order").keys() == {item.name for item in machine.states}
    assert counts_of(coverage, "transition", "order").keys() == {row.name for row in machine.transitions}
    refusals = {row.reason for row in machine.dismissals} | {
        lock.reason for row in machine.transitions for lock in row.require
    }
    assert counts_of(coverage, "refusal", "order").keys() == refusals
    assert len(counts_of(coverage, "pair", "order")) > 1_000
    assert found.findings == []
    assert found.figures["steps"] == 160 * WIDTH
    assert found.figures["broken"] == 0 < found.figures["checks"]


def test_counts_add_up() -> None:
    """Each taken step leads to a state, and each but the first of a walk makes a pair."""
    machine = machine_named("breaker")
    found = lanes(machine, job(machine, 60), WIDTH)
    coverage = Coverage.of(found.coverage)
    taken = sum(counts_of(coverage, "transition", "breaker").values())
    assert taken == found.figures["taken"]
    assert sum(counts_of(coverage, "state", "breaker").values()) == taken + found.figures["starts"]
    assert taken - found.figures["starts"] <= sum(counts_of(coverage, "pair", "breaker").values()) < taken
    refused = sum(counts_of(coverage, "refusal", "breaker").values())
    assert taken + refused == found.figures["steps"]


def test_the_same_job_is_the_same_result() -> None:
    """The result is a function of the job's text, and another seed sees something else."""
    machine = machine_named("breaker")
    engines = {"lanes": laner(lambda _: machine)}
    texts = [perform(job(machine, 1, seed).model_dump_json(), engines, {}) for seed in (1, 1, 2)]
    assert texts[0] == texts[1]
    assert texts[1] != texts[2]


def test_a_broken_invariant_is_told_with_the_steps_to_it() -> None:
    """A guard that is gone lets an invariant break; the trace replays to it through the definition."""
    machine = loose(machine_named("breaker"), "B10")
    found = lanes(machine, job(machine, 40), WIDTH)
    assert found.figures["broken"] > 0
    finding = next(item for item in found.findings if item["about"] == ["always", "BRK-7"])
    stepper, start = Stepper.of(machine), finding["start"]
    value = Value(start["state"], tuple(start["context"].values()))
    for step in finding["steps"]:
        outcome, value = stepper.step(value, step["event"], step["payload"])
        assert isinstance(outcome, Taken) is (step is not finding["steps"][-1])
    assert outcome == Broken("BRK-7")
    assert (finding["machine"], finding["seed"]) == ("breaker", 5)
    assert 0 <= finding["lane"] < WIDTH


def sabotaged(arrays: Arrays) -> Arrays:
    """The columns with one function that does nothing."""
    broken = (lambda *_: None, *arrays.functions[1:2], lambda *_: None, *arrays.functions[3:])
    return replace(arrays, functions=broken)


def test_columns_that_differ_from_the_definition_are_told() -> None:
    """A lane that is followed and differs is told once, with what both said."""
    machine = machine_named("breaker")
    found = explore(sabotaged(compile_arrays(machine)), job(machine, 60), WIDTH)
    assert found.findings
    assert all("by definition" in item["problem"] and item["about"][0] == "lanes" for item in found.findings)
    assert len({item["lane"] for item in found.findings}) == len(found.findings)
    assert all(item["steps"] for item in found.findings)


def test_a_machine_with_maps_is_refused() -> None:
    """The venue's log has no fixed width, and the refusal names it."""
    machine = machine_named("venue")
    with pytest.raises(Unfit, match="kinds") as caught:
        lanes(machine, job(machine, 1), WIDTH)
    assert (caught.value.machine, caught.value.part) == ("venue", "kinds")


def doubling(machine: Machine) -> Machine:
    """The breaker, whose count of openings is doubled and one more with each call."""
    opened = Var("opened", INT, Scope.CONTEXT)
    more = Arith(Arithmetic.ADD, Arith(Arithmetic.ADD, opened, opened), Lit(1, INT))

    def row(name: str) -> tuple:  # type: ignore[type-arg]  # updates
        return tuple(
            replace(one, value=more) if one.variable == "opened" else one for one in machine.transition(name).updates
        )

    rows = tuple(replace(one, updates=row(one.name)) for one in machine.transitions)
    return replace(machine, transitions=rows, properties=())


def test_numbers_that_grow_stay_exact() -> None:
    """Doubling for hundreds of steps never leaves 64 bits: such lanes start again, and the definition agrees."""
    machine = doubling(machine_named("breaker"))
    arrays = compile_arrays(machine)
    walk = Walk(arrays, 3, 64)
    walk.stops[:] = 0
    most, stepper = 0, Stepper.of(machine)
    values = {}
    for _ in range(600):
        begun, events = walk.draw()
        for lane in [lane for lane in begun.tolist() if lane < 4]:
            values[lane] = arrays.value(walk.lanes, lane)
        walk.move(events)
        for lane in range(4):
            values[lane] = stepper.step(values[lane], *arrays.offer(events, walk.payload, lane))[1]
            assert arrays.value(walk.lanes, lane) == values[lane]
        most = max(most, int(walk.numbers.max()))
    assert BOX < most < 2**62


def test_guards_are_solved_for_the_field() -> None:
    """The quantity with which a fill completes an order is found: what was ordered less what was filled."""
    machine = machine_named("order")
    fill = machine.event("fill")
    rows = {(Scope.CONTEXT, "qty"): 1, (Scope.CONTEXT, "cum"): 2}
    assert Term(1, 2, 0) in set(solutions(machine, fill, fill.payload[0], rows))
    restate = machine.event("restate")
    rows[Scope.PAYLOAD, "order_qty"] = 3
    assert Term(3, 0, 0) in set(solutions(machine, restate, restate.payload[1], rows))


def test_a_guard_s_whole_wish_is_offered() -> None:
    """The one payload in hundreds that opens every lock of the preflight is offered often."""
    machine = machine_named("session")
    preflight = machine.event("preflight")
    rows = {(Scope.PAYLOAD, item.name): place for place, item in enumerate(preflight.payload, 1)}
    made = dict(zip((item.name for item in preflight.payload), sources(machine, preflight, rows, Dice(2)), strict=True))
    adapter = next(item.sort for item in preflight.payload if item.name == "adapter_found")
    assert isinstance(adapter, EnumSort)
    wanted = {"flag": 1, "test_override": 1, "journal_redacting": 1, "adapter_found": adapter.members.index("mock")}
    fits = np.logical_and.reduce([made[name].off == code for name, code in wanted.items()]) & (
        made["allowlist"].off > 0
    )
    assert fits.sum() > len(fits) // 60


def test_what_is_offered_is_of_its_sort() -> None:
    """Every payload inhabits its sorts; every event of the machine is offered."""
    machine = machine_named("session")
    arrays = compile_arrays(machine)
    walk, seen, stepper = Walk(arrays, 1, 512), set(), Stepper.of(machine)
    for _ in range(12):
        _, events = walk.draw()
        for lane in range(0, 512, 8):
            event, payload = arrays.offer(events, walk.payload, lane)
            outcome, _ = stepper.step(initial(machine), event, payload)
            assert getattr(outcome, "reason", "") != "payload_invalid"
            seen.add(event)
        walk.move(events)
    assert seen == {item.name for item in machine.events}


def test_mixes_lean_to_what_a_state_takes() -> None:
    """In the first mix about half of what is offered in a state has a transition there, and all events are offered."""
    machine = machine_named("order")
    table = choices(machine, 3, Dice(1)).reshape(3, len(machine.states), MIX)
    for place, state in enumerate(machine.states):
        moving = [
            event
            for event, item in enumerate(machine.events)
            if any(row.event == item.name and state.name in row.sources for row in machine.transitions)
        ]
        share = np.isin(table[0, place], moving).mean() if moving else 1
        assert share > 0.4
    assert len(np.unique(table[0])) == len(machine.events)


def test_a_field_beyond_the_box_is_refused() -> None:
    """A payload whose smallest number is beyond what may be drawn is none for columns."""
    machine = machine_named("breaker")
    far = Field("calls", IntSort(2 * BOX, None), "")
    events = (replace(machine.events[0], payload=(far,)), *machine.events[1:])
    with pytest.raises(Unfit, match="calls"):
        Walk(compile_arrays(replace(machine, events=events)), 1, 8)
