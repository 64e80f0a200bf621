"""What each lock is for: take it away and see which claim falls."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from peak_trade.lang.machine import Machine, Requirement, Transition, Witness
from peak_trade.lang.trace import Trace
from peak_trade.proof.obligation import sorts_name
from peak_trade.proof.prove import prove
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import Proved, Refuted, Report

LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Needed:
    """Without the lock `property` is false: `trace` is a run of the machine without it."""

    transition: str
    lock: str
    property: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Backed:
    """Without the lock `property` still holds, but only by `lemmas` that it did not need before: a second line."""

    transition: str
    lock: str
    property: str
    lemmas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotNeeded:
    """Without the lock every claim is proved as before: nothing that is declared depends on it."""

    transition: str
    lock: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """Without the lock `property` is neither proved nor refuted."""

    transition: str
    lock: str
    property: str


Need: TypeAlias = Needed | Backed | NotNeeded | Undecided


def entering(machine: Machine, tag: str) -> tuple[str, ...]:
    """Return the transitions that lead from a state without `tag` to one with it, in declared order."""
    inside = frozenset(machine.tagged(tag))
    return tuple(
        item.name
        for item in machine.transitions
        if item.target in inside and any(source not in inside for source in item.sources)
    )


def without(machine: Machine, transition: str, lock: str) -> Machine:
    """Return `machine` with the lock `lock` of `transition` taken away; KeyError iff there is none."""
    item = machine.transition(transition)
    if all(one.reason != lock for one in item.require):
        raise KeyError(lock)
    changed = replace(item, require=tuple(one for one in item.require if one.reason != lock))
    return replace(machine, transitions=tuple(changed if one == item else one for one in machine.transitions))


def needs(machine: Machine, transitions: tuple[str, ...], limits: Limits = LIMITS) -> tuple[Need, ...]:
    """Return what each lock of `transitions` is for, in declared order.

    Limits: one lock at a time; locks of which one suffices are all `Backed` or `NotNeeded`.
    """
    kept = prove(machine, limits, _claims(machine))
    return tuple(_need(machine, item, lock, (kept, limits)) for item, lock in _locks(machine, transitions))


def _claims(machine: Machine) -> frozenset[str]:
    named = (item.name for item in machine.properties if not isinstance(item, Witness))
    return frozenset((*named, sorts_name(machine)))


def _locks(machine: Machine, transitions: tuple[str, ...]) -> Iterator[tuple[Transition, Requirement]]:
    for name in transitions:
        item = machine.transition(name)
        for lock in item.require:
            yield item, lock


def _need(machine: Machine, item: Transition, lock: Requirement, given: tuple[Report, Limits]) -> Need:
    kept, limits = given
    report = prove(without(machine, item.name, lock.reason), limits, _claims(machine))
    place = item.name, lock.reason
    for result in report.results:
        if isinstance(result.verdict, Refuted) and result.verdict.trace is not None:
            return Needed(*place, result.property, result.verdict.trace)
    for result in report.results:
        if not isinstance(result.verdict, Proved):
            return Undecided(*place, result.property)
    for result in report.results:
        new = frozenset(result.lemmas) - frozenset(kept.result(result.property).lemmas)
        if new:
            return Backed(*place, result.property, tuple(sorted(new)))
    return NotNeeded(*place)
