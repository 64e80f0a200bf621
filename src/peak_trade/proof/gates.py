"""What each lock is for: take it away and see which claim falls."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from peak_trade.lang.machine import Machine, Witness
from peak_trade.lang.trace import Trace
from peak_trade.proof.cache import Cache
from peak_trade.proof.many import Job, prove_job
from peak_trade.proof.obligation import sorts_name
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import Proved, Refuted, Result

LIMITS = Limits()
ENGINES = ("induction", "bmc")


@dataclass(frozen=True, slots=True)
class Lock:
    """One requirement of one transition; `reason` is what it refuses with."""

    transition: str
    reason: str


@dataclass(frozen=True, slots=True)
class Needed:
    """Without the lock the claim `refutes` is false: `trace` is a run of the machine without it."""

    lock: Lock
    refutes: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Backed:
    """Without the lock the claim `holds` still, but only by `lemmas` that it did not need before: a second line."""

    lock: Lock
    holds: str
    lemmas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotNeeded:
    """Without the lock every claim is proved as before: nothing that is declared depends on it."""

    lock: Lock


@dataclass(frozen=True, slots=True)
class Undecided:
    """Without the lock some claim is neither proved nor refuted; `reason` says which."""

    lock: Lock
    reason: str


Need: TypeAlias = Needed | Backed | NotNeeded | Undecided


def entering(machine: Machine, tag: str) -> tuple[str, ...]:
    """Return the transitions that lead from a state without `tag` to one with it, in declared order."""
    inside = frozenset(machine.tagged(tag))
    return tuple(
        item.name
        for item in machine.transitions
        if item.target in inside and any(source not in inside for source in item.sources)
    )


def without(machine: Machine, lock: Lock) -> Machine:
    """Return `machine` with `lock` taken away; KeyError iff it has no such lock."""
    item = machine.transition(lock.transition)
    if all(one.reason != lock.reason for one in item.require):
        raise KeyError(lock.reason)
    changed = replace(item, require=tuple(one for one in item.require if one.reason != lock.reason))
    return replace(machine, transitions=tuple(changed if one is item else one for one in machine.transitions))


def gates(machine: Machine, limits: Limits = LIMITS, tag: str = "live", cache: Cache | None = None) -> tuple[Need, ...]:
    """Return what each lock on the way into the states with `tag` is for, in declared order."""
    return needs(machine, entering(machine, tag), limits, cache)


def needs(
    machine: Machine, transitions: tuple[str, ...], limits: Limits = LIMITS, cache: Cache | None = None
) -> tuple[Need, ...]:
    """Return what each lock of `transitions` is for, in declared order; `cache` holds what was proved before.

    Only claims that are proved with the lock in place count.
    Limits: one lock at a time; locks of which one suffices are all `Backed` or `NotNeeded`.
    """
    locks = [Lock(name, one.reason) for name in transitions for one in machine.transition(name).require]
    if not locks:
        return ()
    kept = {item.property: item for item in _judged(machine, limits, cache) if isinstance(item.verdict, Proved)}
    return tuple(_need(lock, kept, _judged(without(machine, lock), limits, cache)) for lock in locks)


def _judged(machine: Machine, limits: Limits, cache: Cache | None) -> tuple[Result, ...]:
    """Return the results on all claims about what must not happen, by the declared lemmas alone.

    An engine that invents lemmas would put the lock's own words back.
    """
    named = (item.name for item in machine.properties if not isinstance(item, Witness))
    return prove_job(Job(machine, frozenset((*named, sorts_name(machine))), limits, ENGINES), cache).results


def _need(lock: Lock, kept: Mapping[str, Result], now: tuple[Result, ...]) -> Need:
    left = [item for item in now if item.property in kept]
    for item in left:
        if isinstance(item.verdict, Refuted) and item.verdict.trace is not None:
            return Needed(lock, item.property, item.verdict.trace)
    for item in left:
        if not isinstance(item.verdict, Proved):
            return Undecided(lock, f"{item.property} is neither proved nor refuted without it; a lemma may be missing")
    for item in left:
        new = frozenset(item.lemmas) - frozenset(kept[item.property].lemmas)
        if new:
            return Backed(lock, item.property, tuple(sorted(new)))
    return NotNeeded(lock)
