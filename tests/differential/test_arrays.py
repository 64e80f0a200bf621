from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.machines import machines

from peak_trade.backends.arrays import Arrays, compile_arrays
from peak_trade.lang.expr import At, Expr, Lit, element
from peak_trade.lang.machine import Always, Dismissal, Machine, Variable
from peak_trade.lang.parse import parse_file
from peak_trade.lang.rewrite import rewrite
from peak_trade.lang.sorts import Datum, MapSort, example, start
from peak_trade.lang.step import Broken, Ignored, Outcome, Refused, Stepper, Taken, Value, initial
from peak_trade.proof.lockstep.draw import Dealer, Pool, pick, stray

ROOT = Path(__file__).resolve().parents[2]
LANES = 60
STEPS = 50
CONSTANT_MAX = 50


def declared(name: str) -> Machine:
    """The machine that the project declares under this name."""
    machine = parse_file(ROOT / "spec" / f"{name}.yaml").machine
    assert machine is not None
    return machine


def offer(rng: Random, dealer: Dealer, value: Value) -> tuple[str, dict[str, object]]:
    """An event with a payload of its sorts: mostly one that may move the machine in its state."""
    moving = dealer.moving[value.state]
    event = rng.choice(moving if moving and rng.random() < 0.6 else dealer.machine.events)
    return event.name, {item.name: pick(rng, item.sort, value) for item in event.payload}


def elsewhere(machine: Machine, rng: Random, pool: Pool, value: Value) -> Value:
    """Mostly the value itself, at times one that was reached, seldom one that perhaps never is."""
    chance = rng.random()
    return stray(rng, machine, value) if chance < 0.06 else pool.draw(rng, {})[0] if chance < 0.3 else value


def in_step(machine: Machine, rng: Random, values: list[Value], steps: int) -> Counter[Outcome]:
    """Run columns and definition side by side, compare every outcome and every value; return what came of it.

    Lanes are at times put elsewhere: to a value that was reached before, so that no dead end is the end, or to any
    value at all, so that invariants and bounds are met from outside.
    """
    arrays, stepper, dealer = compile_arrays(machine), Stepper.of(machine), Dealer.of(machine)
    lanes, seen, pool = arrays.load(values), Counter[Outcome](), Pool(machine)
    for _ in range(steps):
        offers = [offer(rng, dealer, value) for value in values]
        said = arrays.step(lanes, *arrays.columns(offers))  # type: ignore[arg-type]  # picked of their sorts
        for lane, (event, payload) in enumerate(offers):
            before = values[lane]
            outcome, values[lane] = stepper.step(before, event, payload)  # type: ignore[arg-type]  # as above
            assert (arrays.outcomes[said[lane]], arrays.value(lanes, lane)) == (outcome, values[lane]), (event, payload)
            seen[outcome] += 1
            if values[lane] is not before and lane % 2:
                pool.add(values[lane], ())
            values[lane] = elsewhere(machine, rng, pool, values[lane])
        lanes = arrays.load(values)
    return seen


@pytest.mark.parametrize("name", ["order", "session", "breaker"])
def test_columns_give_what_the_definition_gives(name: str) -> None:
    """On each lane of each step outcome and value are those of the definition, from reached and from strange values."""
    machine, rng = declared(name), Random(7)
    values = [initial(machine) if lane % 2 else stray(rng, machine, initial(machine)) for lane in range(LANES)]
    seen = in_step(machine, rng, values, STEPS)
    assert {Taken, Ignored, Refused, Broken} == {type(outcome) for outcome in seen}
    taken = {outcome.transition for outcome in seen if isinstance(outcome, Taken)}
    assert len(taken) >= 0.8 * len(machine.transitions)


@pytest.mark.parametrize("name", ["order", "session", "breaker"])
def test_without_invariants_nothing_is_broken(name: str) -> None:
    """A machine without declared invariants runs too, and then no step is stopped by one."""
    machine, rng = replace(declared(name), properties=()), Random(3)
    seen = in_step(machine, rng, [stray(rng, machine, initial(machine)) for _ in range(LANES)], STEPS // 3)
    assert not any(isinstance(outcome, Broken) for outcome in seen)
    assert any(isinstance(outcome, Taken) for outcome in seen)


def narrow(expr: Expr) -> Expr:
    """The expression with small constants, and constants in place of what it reads from maps."""

    def put(node: Expr) -> Expr | None:
        if isinstance(node, At):
            return Lit(example(element(node)), element(node))
        if isinstance(node, Lit) and type(node.value) is int:
            return Lit(node.value % CONSTANT_MAX - CONSTANT_MAX // 3, node.sort)
        return None

    return rewrite(expr, put)


def small_start(item: Variable) -> Variable:
    """The variable with a small initial value."""
    return replace(item, init=start(item.sort))


def fitted(machine: Machine) -> Machine:
    """The machine without maps and great numbers, and with a refusal of whatever no other row decides."""
    kept = {item.name for item in machine.variables if not isinstance(item.sort, MapSort)}
    rest = Dismissal(
        tuple(item.name for item in machine.states), tuple(item.name for item in machine.events), "no", True
    )
    rows = tuple(
        replace(
            row,
            when=narrow(row.when),
            require=tuple(replace(lock, holds=narrow(lock.holds)) for lock in row.require),
            updates=tuple(replace(one, value=narrow(one.value)) for one in row.updates if one.variable in kept),
        )
        for row in machine.transitions
    )
    first = machine.states[0].name
    return replace(
        machine,
        states=tuple(replace(item, initial=item.name == first) for item in machine.states),
        variables=tuple(small_start(item) for item in machine.variables if item.name in kept),
        transitions=rows,
        dismissals=(
            *(replace(row, when=narrow(row.when)) for row in machine.dismissals if row.when is not None),
            replace(rest, when=None),
        ),
        properties=tuple(
            replace(claim, holds=narrow(claim.holds)) for claim in machine.properties if isinstance(claim, Always)
        ),
    )


@given(machines().map(fitted), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_columns_agree_on_any_machine(machine: Machine, seed: int) -> None:
    """On machines that nobody wrote, with any guards and overlapping rows, columns and definition agree."""
    rng = Random(seed)
    small = [Value(rng.choice(machine.states).name, small_numbers(machine, rng)) for _ in range(8)]
    in_step(machine, rng, small, 3)


def small_numbers(machine: Machine, rng: Random) -> tuple[Datum, ...]:
    """A context of small numbers."""
    return tuple(pick(rng, item.sort, Value("", ())) for item in machine.variables)


def changed(arrays: Arrays, place: int) -> Arrays:
    """The same columns with one cell's outcome taken from another cell."""
    base = arrays.base.copy()
    base[place] = base[np.flatnonzero(base != base[place])[0]]
    return replace(arrays, base=base)


def test_a_changed_table_is_noticed() -> None:
    """The comparison can fail: columns with one wrong cell differ from the definition."""
    machine = declared("breaker")
    arrays = compile_arrays(machine)
    lanes = arrays.start(1)
    event = [item.name for item in machine.events].index("tick")
    offered = (np.array([event], np.int16), ())
    wrong = changed(arrays, event * len(machine.states))
    assert arrays.outcomes[arrays.step(lanes, *offered)[0]] == Ignored("not_cooling")
    assert wrong.outcomes[wrong.step(lanes, *offered)[0]] != Ignored("not_cooling")
