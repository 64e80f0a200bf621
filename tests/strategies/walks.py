"""Seeded walks through a machine: events that are taken, with small payloads."""

import random
from collections.abc import Callable, Iterator
from typing import Any

from peak_trade.lang.machine import Field, Machine
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Scalar
from peak_trade.lang.step import Payload, Stepper, Taken, Value, initial
from peak_trade.lang.trace import Link

TRIES_MAX = 400
"""How many offers are tried for one step before a walk ends."""


def start(machine: Machine, rng: random.Random) -> Value:
    """Return an initial value, with small numbers for what may start anyhow."""
    first = initial(machine)
    pairs = zip(machine.variables, first.context, strict=True)
    return Value(first.state, tuple(_scalar(item, rng) if item.free else datum for item, datum in pairs))


def walk(
    machine: Machine, rng: random.Random, steps: int, prelude: tuple[tuple[str, Payload], ...], rare: frozenset[str]
) -> Iterator[tuple[Value, Link]]:
    """Yield each step of a walk, with the value before it: the prelude, then events at random, the rare ones rarely."""
    stepper, value = Stepper.of(machine), start(machine, rng)
    offers: Iterator[tuple[str, Payload]] = iter(prelude)
    for _ in range(steps):
        given = next(offers, None)
        found = _taken(stepper, value, lambda: _offer(machine, rng, rare)) if given is None else (given, value)
        if found is None:
            return
        (event, payload), _unused = found
        outcome, after = stepper.step(value, event, payload)
        yield value, Link(event, tuple(sorted(payload.items())), outcome, after)
        value = after


def _taken(stepper: Stepper, value: Value, offer: Callable[[], Any]) -> Any:
    for _ in range(TRIES_MAX):
        event, payload = offer()
        if isinstance(stepper.step(value, event, payload)[0], Taken):
            return (event, payload), value
    return None


def _offer(machine: Machine, rng: random.Random, rare: frozenset[str]) -> tuple[str, Payload]:
    event = rng.choice(machine.events)
    if event.name in rare and rng.random() < 0.98:
        return _offer(machine, rng, rare)
    return event.name, {field.name: _scalar(field, rng) for field in event.payload}


def _scalar(item: Field | Any, rng: random.Random) -> Scalar:
    match item.sort:
        case BoolSort():
            return rng.random() < 0.5
        case IntSort(low, high):
            least = 0 if low is None else low
            return rng.randint(least, least + 3 if high is None else min(high, least + 3))
        case EnumSort(_, members):
            return rng.choice(members)
        case _:
            raise AssertionError(item)
