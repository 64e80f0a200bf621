"""What one fault of a system does to its claims: asked of the rows that changed, for any number of the many.

All other rows keep the proved invariants already, so a claim stands as soon as the changed rows keep them too: those
of the tracked one and those of another (`lang.track`). A run that breaks a claim is looked for with one and two side by
side.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import z3

from peak_trade.backends.relation import Encoding, Move
from peak_trade.backends.smt import Term
from peak_trade.lang.compose import instance
from peak_trade.lang.machine import Always, LeadsTo, Machine, Step, Transition
from peak_trade.lang.source import NOWHERE
from peak_trade.lang.system import System
from peak_trade.lang.track import tracked
from peak_trade.proof import obligation
from peak_trade.proof.doubt.mutate import Mutant
from peak_trade.proof.doubt.trial import Faulty, Trial
from peak_trade.proof.doubt.variants import Variant
from peak_trade.proof.induct import Inductor
from peak_trade.proof.obligation import sorts_name
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import Impossible, Limits
from peak_trade.proof.unroll import Unroll

Meaning: TypeAlias = Callable[[System], Machine]
"""Of a system the machine of any number, or of a given one."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the rules that a fault touches: those that are new, and those that they are instead of."""

    new: tuple[Transition, ...]
    old: tuple[Transition, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Side(Trial):
    """The faults of one system in one of its machines."""

    faults: Mapping[str, Faulty] = field(default_factory=dict)

    def faulty(self, mutant: Mutant) -> Faulty:
        """Return the fault of that name, as formulas."""
        return self.faults[mutant.name]

    def same(self, item: Faulty, *, stutter: bool = False) -> bool:
        """Return true iff from no value with all proved invariants, for no offer, the steps taken differ.

        With `stutter` a step that changes nothing is no step, as in TLA+.
        """
        events = sorted({move.event for move in (*item.changed, *item.was)})
        if item.runs is None:
            terms = [self._outside(item, event, stutter=stutter) for event in events]
        else:
            terms = [term for event in events for term in self._differs(item, event, stutter=stutter)]
        return self.never(item, item.encoding.world.some(terms))

    def lost(self, item: Faulty) -> tuple[str, ...]:
        """Return the claims about what must happen that are no longer proved; only if no other claim is broken."""
        claims = (one for one in self.machine.properties if isinstance(one, LeadsTo) and one.name in self.proved)
        return tuple(one.name for one in claims if not self.ranked(item, one))

    def ranked(self, item: Faulty, claim: LeadsTo) -> bool:
        """Return true iff the ranking rule proves `claim` of the fault."""
        stuck = Ranking(item.encoding, claim).stuck(())
        rest = Ranking(replace(item.encoding, moves=item.changed), claim).rest()
        terms = (stuck.at if claim.weak else stuck.by, *(term for one in rest for term in (one.at, one.by)))
        return self.never(item, item.encoding.world.some(terms))

    def never(self, item: Faulty, term: Term) -> bool:
        """Return true iff `term` is true of no value with all proved invariants, and no step from it."""
        return isinstance(item.inductor.one.ask(term, self.kept), Impossible)

    def _differs(self, item: Faulty, event: str, *, stutter: bool) -> Iterator[Term]:
        world = item.encoding.world
        new, old = (
            [(_goes(item.encoding, move, stutter=stutter), move.after) for move in moves if move.event == event]
            for moves in (item.changed, item.was)
        )
        yield z3.Xor(world.some(goes for goes, _ in new), world.some(went for went, _ in old), world.context)
        for goes, after in new:
            for went, before in old:
                yield world.every((goes, went, world.negation(item.encoding.same(after, before))))

    def _outside(self, item: Faulty, event: str, *, stutter: bool) -> Term:
        """Return that the fault takes a payload which the declared system's `event` does not have."""
        world, fields = item.encoding.world, item.encoding.offer.payloads[event]
        inside = world.every(world.inside(fields[one.name], one.sort) for one in self.machine.event(event).payload)
        moves = (move for move in item.changed if move.event == event)
        return world.every(
            (world.negation(inside), world.some(_goes(item.encoding, one, stutter=stutter) for one in moves))
        )


def _goes(encoding: Encoding, move: Move, *, stutter: bool) -> Term:
    still = encoding.world.negation(encoding.same(move.after, encoding.before)) if stutter else encoding.world.every(())
    return encoding.world.every((move.guard, move.fits, still))


def of_any(system: System, found: Iterable[Variant], limits: Limits) -> Side:
    """Return the faults of `system` as one tracked among any number sees them, with all that is proved of it."""
    side = _side(tracked, system, tuple(found), limits)
    every = tuple(item for item in side.machine.properties if isinstance(item, Always))
    kept = side.inductor.greatest(tuple(obligation.always(side.encoding, item) for item in every)).names
    sure = replace(side, kept=kept)
    return replace(sure, proved=kept | _proved_steps(sure))


def of_few(system: System, count: int, known: Side, found: Iterable[Variant]) -> Side:
    """Return the faults of `system` with `count` side by side; what is proved of any number is known of them."""
    side = _side(partial(instance, count=count), system, tuple(found), known.limits)
    every = (item for item in side.machine.properties if isinstance(item, Always))
    kept = tuple(item for item in every if base(item.name) in known.kept)
    runs = Unroll.of(side.encoding, kept, known.limits)
    names = frozenset(item.name for item in kept)
    shared = {name: replace(one, runs=one.runs and runs) for name, one in side.faults.items()}
    return replace(side, kept=names, proved=names, runs=runs, faults=shared)


def base(name: str) -> str:
    """Return the id of the property of a system of which a machine's claim called `name` is an instance."""
    return name.partition("[")[0]


def _proved_steps(side: Side) -> frozenset[str]:
    """Return the claims about steps, ranks and sorts that are proved of the declared system."""
    nothing = Mutant("", "", "", "", "", NOWHERE, side.machine)
    whole = Faulty(nothing, side.encoding, side.encoding.moves, (), side.inductor, side.runs)
    steps = (item for item in side.machine.properties if isinstance(item, Step))
    names = {item.name for item in steps if side.never(whole, whole.obligation(item).by)}
    names |= {item.name for item in side.machine.properties if isinstance(item, LeadsTo) and side.ranked(whole, item)}
    return frozenset(names | ({sorts_name(side.machine)} if side.never(whole, whole.obligation(None).by) else set()))


def _side(meaning: Meaning, system: System, found: tuple[Variant, ...], limits: Limits) -> Side:
    machine = meaning(system)
    known: dict[frozenset[str], tuple[Transition, ...]] = {}
    touched = {item.name: _rows(meaning, system, item, known) for item in found}
    shared = [(item.name, row) for item in found if not item.payload for row in touched[item.name].new]
    extra = tuple(replace(row, name=f"?{number}") for number, (_, row) in enumerate(shared))
    whole = Encoding.of(replace(machine, transitions=(*machine.transitions, *extra)))
    count = len(machine.transitions)
    encoding = replace(whole, machine=machine, moves=whole.moves[:count])
    moves: dict[str, list[Move]] = {item.name: [] for item in found}
    for (name, row), move in zip(shared, whole.moves[count:], strict=True):
        moves[name].append(replace(move, transition=row.name))
    runs = Unroll.of(encoding, (), limits)
    side = Side(machine, limits, encoding, {}, Inductor.of(encoding, limits), frozenset(), frozenset(), runs)
    faults = {
        item.name: _lifted(side, meaning, item, touched[item.name])
        if item.payload
        else _fault(side, item, touched[item.name], tuple(moves[item.name]))
        for item in found
    }
    return replace(side, faults=faults)


def _rows(meaning: Meaning, system: System, item: Variant, known: dict[frozenset[str], tuple[Transition, ...]]) -> Rows:
    """Return the rows in which the fault differs from `system`; `known` are the rows of rules seen before."""
    if item.rules not in known:
        known[item.rules] = _about(meaning, system, item.rules)
    old, new = known[item.rules], _about(meaning, item.system, item.rules)
    was, now = set(map(_bare, old)), set(map(_bare, new))
    return Rows(tuple(row for row in new if _bare(row) not in was), tuple(row for row in old if _bare(row) not in now))


def _about(meaning: Meaning, system: System, rules: frozenset[str]) -> tuple[Transition, ...]:
    chosen = tuple(rule for rule in system.rules if rule.name in rules)
    return meaning(replace(system, rules=chosen, properties=())).transitions


def _bare(item: Transition) -> Transition:
    return replace(item, name="")


def _fault(side: Side, item: Variant, touched: Rows, new: tuple[Move, ...]) -> Faulty:
    old = {row.name for row in touched.old}
    was = tuple(move for move in side.encoding.moves if move.transition in old)
    rest = tuple(move for move in side.encoding.moves if move.transition not in old)
    mutant = _mutant(side.machine, item, touched)
    encoding = replace(side.encoding, machine=mutant.machine, moves=(*rest, *new))
    return Faulty(mutant, encoding, new, was, side.inductor, side.runs)


def _lifted(side: Side, meaning: Meaning, item: Variant, touched: Rows) -> Faulty:
    """Return a fault in which payloads differ, in an encoding of its own."""
    mutant = _mutant(side.machine, item, touched)
    events = meaning(item.system).events
    mutant = replace(mutant, machine=replace(mutant.machine, events=events), old=None, new=None)
    encoding = Encoding.of(mutant.machine)
    names = {row.event for row in touched.new}
    changed = tuple(move for move in encoding.moves if move.event in names)
    return Faulty(mutant, encoding, changed, (), Inductor.of(encoding, side.limits), None)


def _mutant(machine: Machine, item: Variant, touched: Rows) -> Mutant:
    rows = tuple(row for row in machine.transitions if row not in touched.old)
    changed = replace(machine, transitions=(*rows, *touched.new))
    old, new = (next(iter(found), None) for found in (touched.old, touched.new))
    return Mutant(item.name, item.kind, item.place, item.says, item.place, item.span, changed, old, new)
