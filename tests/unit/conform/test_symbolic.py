"""A step over terms is the kernel's step: on known values the same; on unknown ones nothing possible is lost."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.kernel import Kernel, Running, compile_kernel
from peak_trade.cli.specs import machine_named
from peak_trade.conform.symbolic import Shadow
from peak_trade.conform.terms import World, minus, plus, times
from peak_trade.lang.machine import Event
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Scalar
from peak_trade.lang.step import Outcome

NAMES = ("session", "order", "breaker")
KERNELS = {name: compile_kernel(machine_named(name)) for name in NAMES}
SHADOWS = {name: Shadow.of(kernel.machine) for name, kernel in KERNELS.items()}
STEPS_MAX = 12


def payload(event: Event, data: st.DataObject) -> dict[str, Scalar]:
    """A payload of an event: small numbers, so that guards are met."""
    found: dict[str, Scalar] = {}
    for item in event.payload:
        match item.sort:
            case BoolSort():
                found[item.name] = data.draw(st.booleans())
            case EnumSort(_, members):
                found[item.name] = data.draw(st.sampled_from(members))
            case IntSort(low, high):
                most = 6 if high is None else min(6, high)
                found[item.name] = data.draw(st.integers(low or 0, most))
    return found


def walk(kernel: Kernel, data: st.DataObject) -> Iterator[tuple[Running, str, dict[str, Scalar], Outcome, Running]]:
    """Random steps of a kernel: value, event, payload, outcome, value after it."""
    value = kernel.initial
    for _ in range(STEPS_MAX):
        event = data.draw(st.sampled_from(kernel.machine.events))
        given_ = payload(event, data)
        outcome, after = kernel.offer(value, event.name, given_)
        yield value, event.name, given_, outcome, after
        value = after


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_on_known_values_it_is_the_kernels_step(name: str, data: st.DataObject) -> None:
    """One outcome, the kernel's, and the kernel's value after it."""
    kernel, shadow = KERNELS[name], SHADOWS[name]
    for value, event, given_, outcome, after in walk(kernel, data):
        moves = list(shadow.moves(shadow.lifted(value), event, given_))
        assert [(found, shadow.known(world.tidy())) for found, world in moves] == [(outcome, after)]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_nothing_possible_is_lost(name: str, data: st.DataObject) -> None:
    """Begun anywhere, with the payload hidden, what the kernel did is among what the shadow finds."""
    kernel, shadow = KERNELS[name], SHADOWS[name]
    names = [item.name for item in kernel.machine.variables]
    worlds: list[World] = []
    for value, event, _, outcome, after in walk(kernel, data):
        worlds = worlds or list(shadow.anywhere(str(value[0])))
        here = dict(zip(names, value[1:], strict=True))
        assert any(True for world in worlds if world.state == value[0] for _ in shadow.pinned(world, here))
        moves = [move for world in worlds for move in shadow.moves(world, event, {}) if move[0] == outcome]
        worlds = [world.tidy() for _, world in moves if world.state == after[0]]
        there = dict(zip(names, after[1:], strict=True))
        met = [found for world in worlds for found in shadow.pinned(world, there)]
        assert met
        worlds = [world.tidy() for world in met] if data.draw(st.booleans()) else worlds[:0]


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=3), st.integers(-5, 5), st.integers(-5, 5))
def test_ranges_keep_what_is_possible(numbers: list[int], factor: int, slack: int) -> None:
    """Numbers that satisfy a sum stay within the ranges to which it narrows the unknowns."""
    world, terms = World("s", ()), []
    for _ in numbers:
        world, term = world.fresh(IntSort(-9, 9))
        terms.append(term)
    total = plus(plus(terms[0], times(factor, terms[1])), minus(0, terms[2]))
    value = numbers[0] + factor * numbers[1] - numbers[2]
    found = world.at_most_0(minus(total, value + abs(slack)))
    assert found is not None
    for term, number in zip(terms, numbers, strict=True):
        low, high = found.range_of(term)
        assert low is not None
        assert high is not None
        assert low <= number <= high
    assert found.witness()
