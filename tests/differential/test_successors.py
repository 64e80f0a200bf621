"""The generated successors list exactly the steps that `lang.step` takes, on random machines and a shipped one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.domains import WHOLE, Bounds, Domains, Flat, domains
from peak_trade.backends.successors import predicate, relation, source, steps
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Always, Machine, Step, Witness
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import IntSort
from peak_trade.lang.step import VALUE_BOUNDS, Refused, Stepper, Taken, Value
from peak_trade.proof.lockstep.sample import sample

SPEC = Path(__file__).resolve().parents[2] / "spec"


def offers(machine: Machine, tried: Domains) -> Iterator[tuple[int, tuple[object, ...], dict[str, object]]]:
    """Everything that is tried: event, payload, and the payload by name."""
    for number, event in enumerate(machine.events):
        for payload in product(*tried.payloads[event.name]):
            yield number, payload, {item.name: scalar for item, scalar in zip(event.payload, payload, strict=True)}


def values(machine: Machine, tried: Domains) -> Iterator[Value]:
    """Every well-sorted value that is tried, reachable or not."""
    for state in machine.states:
        for context in product(*tried.variables):
            yield Value(state.name, context)


def inside(tried: Domains, value: Value) -> bool:
    """Whether a value lies within the bounds of the exploration."""
    return all(scalar in found for scalar, found in zip(value.context, tried.variables, strict=True))


def agree(machine: Machine, bounds: Bounds, some: int | None = None) -> None:
    """Both lists are those of `lang.step`, and so is what is said of steps that are left out."""
    bare = replace(machine, properties=())
    tried, stepper = domains(bare, bounds), Stepper.of(bare)
    made = steps(bare, tried)
    for number, value in enumerate(values(bare, tried)):
        if some is not None and number % some:
            continue
        expected, left, cut = [], 0, 0
        for event, payload, by_name in offers(bare, tried):
            outcome, after = stepper.step(value, bare.events[event].name, by_name)  # type: ignore[arg-type]
            left += isinstance(outcome, Refused) and outcome.reason == VALUE_BOUNDS
            if isinstance(outcome, Taken) and inside(tried, after):
                expected.append((event, payload, (after.state, *after.context)))
            else:
                cut += isinstance(outcome, Taken)
        made.left.clear()
        made.cut.clear()
        flat: Flat = (value.state, *value.context)
        assert sorted(made.arrows[value.state](flat), key=repr) == sorted(expected, key=repr)
        assert sorted(made.listed[value.state](flat), key=repr) == sorted((one[2] for one in expected), key=repr)
        assert (len(made.left), len(made.cut)) == (left, cut)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([WHOLE, Bounds({"count": (None, 2)}), Bounds({"count": (1, 2), "amount": (1, 1)})]),
)
def test_random_machines(seed: int, bounds: Bounds) -> None:
    """In every value there is, whole or within bounds: the same steps, the same steps out of bounds."""
    agree(sample(Random(seed)), bounds)


def test_a_shipped_machine() -> None:
    """The order with small quantities, from values reachable and not."""
    machine = parse_file(SPEC / "order.yaml").machine
    assert machine is not None
    agree(machine, Bounds({}, 2), 7)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_compiled_claims(seed: int) -> None:
    """Compiled state and step expressions have the value that `lang.evaluate` gives them."""
    machine = sample(Random(seed))
    tried = domains(machine)
    all_values = list(values(machine, tried))
    names = [item.name for item in machine.variables]
    for claim in machine.properties:
        if isinstance(claim, Always | Witness):
            expr = claim.holds if isinstance(claim, Always) else claim.reach
            holds = predicate(machine, expr)
            for value in all_values:
                env = Env(dict(zip(names, value.context, strict=True)), state=value.state)
                assert holds((value.state, *value.context)) == evaluate(expr, env)
        if isinstance(claim, Step):
            related = relation(machine, claim.holds)
            for value, after in zip(all_values, reversed(all_values), strict=True):
                old, new = (dict(zip(names, one.context, strict=True)) for one in (value, after))
                env = Env(old, {}, value.state, "go", new, after.state)
                flat = (value.state, *value.context)
                assert related(flat, "go", (after.state, *after.context)) == evaluate(claim.holds, env)


@pytest.mark.parametrize("name", ["order[1].cum", "lambda", "a b\nc"])
def test_names_are_positions(name: str) -> None:
    """No declared name is in the text, so that a composed machine's names do no harm."""
    machine = sample(Random(3))
    count, *rest = machine.variables
    odd = replace(machine, variables=(replace(count, name=name, sort=IntSort(0, 1)), *rest), transitions=())
    text = source(odd, domains(odd), labels=True)
    assert name not in text.replace("lambda", "") or name == "lambda"
    compile(text, "text", "exec")
