"""What may be seen, as goals: those of a machine come from its specification, those of a campaign from its registers.

A machine's goals are what its declaration has room for: its states, its transitions from each of their sources, two of
them in a row iff the first may end where the second starts, both outcomes of each clause of a guard, each clause alone
deciding with both, and each reason for which something is refused or ignored. Whether one can be reached at all is for
`fuzz.cover.unreached` to prove.

Limits: reasons that the language itself gives (`lang.step.BUILT_IN`) are no goals, but are counted where they are seen.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from peak_trade.backends.clauses import Probe, clauses
from peak_trade.broker.faults import FaultKind
from peak_trade.fuzz.cover.coverage import Goal
from peak_trade.lang.machine import Machine, Transition
from peak_trade.lang.step import Broken, Ignored, Outcome, Refused, Taken
from peak_trade.rails.differences import Code
from peak_trade.rails.limits import Rail
from peak_trade.rails.tripwires import Tripwire

STATE, TRANSITION, ARC, PAIR, CLAUSE, MCDC, REFUSAL = (
    "state",
    "transition",
    "arc",
    "pair",
    "clause",
    "mcdc",
    "refusal",
)
OWN: Final = (STATE, TRANSITION, ARC, PAIR, CLAUSE, MCDC, REFUSAL)
"""The kinds of goals that belong to a machine, in the order in which they are listed."""
REGISTERS: Final[dict[str, type[StrEnum]]] = {
    "fault": FaultKind,
    "rail": Rail,
    "tripwire": Tripwire,
    "difference": Code,
}
"""The kinds of goals that belong to none, and what each may be."""


MET_MAX: Final = 65_536
"""Of how many different steps it is kept what is seen in them; of the others it is made again."""


class Step(NamedTuple):
    """One step of a machine as far as goals are made of it; `bits` are its probe's, None iff no row was looked at."""

    state: str
    event: str
    outcome: Outcome
    bits: int | None


def goals(machine: Machine) -> tuple[Goal, ...]:
    """Return the goals of `machine`, kind by kind, each in declared order."""
    return tuple(dict.fromkeys(_goals(machine)))


def surroundings() -> tuple[Goal, ...]:
    """Return the goals of a campaign of sessions that belong to no machine: faults, rails, tripwires, differences."""
    return tuple(Goal(kind, "", str(item)) for kind, register in REGISTERS.items() for item in register)


def begun(machine: Machine) -> Goal:
    """Return what is seen when the machine begins."""
    return Goal(STATE, machine.name, machine.initial.name)


def followed(machine: Machine, first: str, second: str) -> Goal:
    """Return what is seen when the transition `second` is the next that is taken after `first`."""
    return Goal(PAIR, machine.name, f"{first}>{second}")


@lru_cache(maxsize=MET_MAX)
def met(probe: Probe, step: Step) -> tuple[Goal, ...]:
    """Return what is seen in one step; a state is seen when it is entered from another one."""
    return tuple(Goal(kind, probe.machine.name, name) for kind, name in _met(probe, step))


def _met(probe: Probe, step: Step) -> Iterator[tuple[str, str]]:
    match step.outcome:
        case Taken(name):
            target = probe.machine.transition(name).target
            if target not in {None, step.state}:
                yield STATE, str(target)
            yield TRANSITION, name
            yield ARC, arc(name, step.state)
        case Ignored(reason) | Refused(reason):
            yield REFUSAL, reason
        case Broken():
            pass
    if step.bits is not None:
        reading = probe.read(step.state, step.event, step.bits)
        yield from ((CLAUSE, name) for name in reading.outcomes)
        yield from ((MCDC, name) for name in reading.deciding)


def arc(transition: str, source: str) -> str:
    """Return the name of the goal that a transition is taken from a state."""
    return f"{transition}@{source}"


def _goals(machine: Machine) -> Iterator[Goal]:
    rows, own = machine.transitions, machine.name
    yield from (Goal(STATE, own, state.name) for state in machine.states)
    yield from (Goal(TRANSITION, own, row.name) for row in rows)
    yield from (Goal(ARC, own, arc(row.name, source)) for row in rows for source in row.sources)
    yield from (followed(machine, one.name, two.name) for one in rows for two in rows if _ends(one) & {*two.sources})
    outcomes = [name for clause in clauses(machine) for name in clause.outcomes]
    yield from (Goal(kind, own, name) for kind in (CLAUSE, MCDC) for name in outcomes)
    yield from (Goal(REFUSAL, own, lock.reason) for row in rows for lock in row.require)
    yield from (Goal(REFUSAL, own, row.reason) for row in machine.dismissals)


def _ends(row: Transition) -> frozenset[str]:
    """Return the states in which a transition may leave the machine."""
    return frozenset(row.sources if row.target is None else (row.target,))
