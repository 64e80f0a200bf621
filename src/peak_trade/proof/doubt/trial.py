"""What one fault does to the claims: asked of the changed transition alone, as all others are proved already.

A proved invariant is kept by every transition of the declared machine. So the claims of a mutant stand as soon as its
one changed transition keeps the invariants too; and if it does not, the first step that leaves them is its step.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import z3

from peak_trade.backends.relation import Encoding, Move
from peak_trade.backends.smt import Term
from peak_trade.lang.check import check
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Property, Step, Witness
from peak_trade.lang.source import NOWHERE, Diagnostic, Source
from peak_trade.lang.step import Taken
from peak_trade.lang.trace import Trace, replay
from peak_trade.proof import obligation
from peak_trade.proof.confirm import confirm
from peak_trade.proof.decide import decide
from peak_trade.proof.doubt.mutate import Mutant
from peak_trade.proof.induct import Inductor
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import Impossible, Limits
from peak_trade.proof.unroll import Path, Unroll

DECIDED_KINDS = frozenset({"set-drop", "set-shift", "target"})
"""Faults that leave all guards as they are; after any other the cells of the event must be decided anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Faulty:
    """A mutant as formulas: its encoding, the moves that differ from the declared machine's, and who answers."""

    mutant: Mutant
    encoding: Encoding
    changed: tuple[Move, ...]
    was: tuple[Move, ...]
    inductor: Inductor
    runs: Unroll | None

    def concerns(self, claim: Property | None) -> bool:
        """Return true iff the fault may refute `claim`: that an event is heard, no fault in another one does."""
        return not isinstance(claim, Heard) or claim.event == self.mutant.event

    def obligation(self, claim: Property | None) -> Obligation:
        """Return what refutes `claim` in a step of the fault, or for want of one; None: that sorts are kept."""
        part = replace(self.encoding, moves=self.changed)
        match claim:
            case Always():
                return obligation.always(part, claim)
            case Step():
                return obligation.step(part, claim)
            case Heard():
                return obligation.heard(self.encoding, claim)
            case _:
                return obligation.sorts(part)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What the mutants of one machine share: one encoding of all of them, the proved invariants, and the runs."""

    machine: Machine
    limits: Limits
    encoding: Encoding
    moves: dict[str, Move]
    inductor: Inductor
    kept: frozenset[str]
    proved: frozenset[str]
    runs: Unroll

    @classmethod
    def of(cls, machine: Machine, mutants: Iterable[Mutant], limits: Limits) -> "Trial":
        """Return the trial of `mutants` of `machine`: only what is proved of it is asked of them."""
        added = {item.name: item.new for item in mutants if item.new is not None}
        extra = tuple(replace(new, name=f"?{number}") for number, new in enumerate(added.values()))
        whole = Encoding.of(replace(machine, transitions=(*machine.transitions, *extra)))
        count = len(machine.transitions)
        encoding = replace(whole, machine=machine, moves=whole.moves[:count])
        moves = {
            name: replace(move, transition=new.name)
            for (name, new), move in zip(added.items(), whole.moves[count:], strict=True)
        }
        inductor = Inductor.of(encoding, limits)
        invariants = tuple(item for item in machine.properties if isinstance(item, Always))
        kept = inductor.greatest(tuple(obligation.always(encoding, item) for item in invariants)).names
        runs = Unroll.of(encoding, tuple(item for item in invariants if item.name in kept), limits)
        plain = cls(machine, limits, encoding, moves, inductor, kept, kept, runs)
        return replace(plain, proved=kept | plain._steps())

    def _steps(self) -> frozenset[str]:
        """Return the claims about steps, ranks, sorts and what is heard that are proved of the declared machine."""
        nobody = Mutant("", "", "", "", "", NOWHERE, self.machine)
        part = Faulty(nobody, self.encoding, self.encoding.moves, (), self.inductor, self.runs)
        names = {
            item.name
            for item in self.machine.properties
            if isinstance(item, Step | Heard) and self._keeps(part, part.obligation(item).by)
        }
        names |= {
            item.name for item in self.machine.properties if isinstance(item, LeadsTo) and not self._ranks(part, item)
        }
        sorts = obligation.sorts_name(self.machine)
        return frozenset(names | ({sorts} if self._keeps(part, part.obligation(None).by) else set()))

    def reached(self) -> dict[Witness, Trace]:
        """Return the witnesses that are reached within the limits, each with a shortest run."""
        found: dict[Witness, Trace] = {}
        for claim in self.machine.properties:
            if isinstance(claim, Witness):
                goal = obligation.reach(self.encoding.only(claim.by), claim, ())
                path = self._runs(claim.by).shortest(goal, self.limits.witness_steps_max)
                if isinstance(path, Path):
                    found[claim] = confirm(self.machine, goal, path)
        return found

    def _runs(self, by: tuple[str, ...]) -> Unroll:
        """Return the runs of the machine as it is declared; with `by`, those of these events alone."""
        if not by:
            return self.runs
        kept = (claim for claim in self.machine.properties if isinstance(claim, Always) and claim.name in self.kept)
        return Unroll.of(self.encoding.only(by), tuple(kept), self.limits)

    def faulty(self, mutant: Mutant) -> Faulty:
        """Return `mutant` as formulas; in the shared encoding unless its fault is in a payload's bounds."""
        if mutant.new is None:
            encoding = Encoding.of(mutant.machine)
            moves = tuple(move for move in encoding.moves if move.event == mutant.event)
            return Faulty(mutant, encoding, moves, (), Inductor.of(encoding, self.limits), None)
        new, moves = self.moves[mutant.name], self.encoding.moves
        was: tuple[Move, ...] = ()
        if mutant.old is not None:
            was = tuple(move for move in moves if move.transition == mutant.old.name)
        now = (*(move for move in moves if move not in was), new)
        encoding = replace(self.encoding, machine=mutant.machine, moves=now)
        return Faulty(mutant, encoding, (new,), was, self.inductor, self.runs)

    def caught(self, mutant: Mutant) -> str | None:
        """Return the code of the first diagnostic of the mutant that the machine does not have, or None iff none."""
        events = () if mutant.kind in DECIDED_KINDS else (mutant.event,)
        return next(iter(flaws(mutant.machine, self.machine, events)), None)

    def same(self, item: Faulty) -> bool:
        """Return true iff from no value with all proved invariants, for no offer, the steps taken differ."""
        world = item.encoding.world
        if item.mutant.new is None:
            fields = item.encoding.offer.payloads[item.mutant.event]
            old = self.machine.event(item.mutant.event).payload
            inside = world.every(world.inside(fields[field.name], field.sort) for field in old)
            new = world.some(world.every((move.guard, move.fits)) for move in item.changed)
            return self._keeps(item, world.every((world.negation(inside), new)))
        (new_move,) = item.changed
        goes = world.every((new_move.guard, new_move.fits))
        if not item.was:
            return self._keeps(item, goes)
        (old_move,) = item.was
        went = world.every((old_move.guard, old_move.fits))
        moved = world.negation(item.encoding.same(new_move.after, old_move.after))
        return self._keeps(item, world.some((z3.Xor(goes, went, world.context), world.every((goes, went, moved)))))

    def broken(self, item: Faulty) -> tuple[str, ...]:
        """Return the proved claims that a step of the fault may break, from a value with all proved invariants."""
        claims = [claim for claim in (*self.machine.properties, None) if self._name(claim) in self.proved]
        items = [item.obligation(claim) for claim in claims if not isinstance(claim, LeadsTo) and item.concerns(claim)]
        if self._keeps(item, item.encoding.world.some(one.by for one in items)):
            return ()
        return tuple(one.name for one in items if not self._keeps(item, one.by))

    def lost(self, item: Faulty) -> tuple[str, ...]:
        """Return the claims about what must happen that are no longer proved; only if no other claim is broken."""
        ranks = (claim for claim in self.machine.properties if isinstance(claim, LeadsTo) and claim.name in self.proved)
        return tuple(claim.name for claim in ranks if self._ranks(item, claim))

    def trace(self, item: Faulty, name: str) -> Trace | None:
        """Return a run of the mutant, replayed, whose last step breaks the claim `name`; None if none was found."""
        claim = next((one for one in self.machine.properties if one.name == name), None)
        if isinstance(claim, LeadsTo):
            stuck = Ranking(item.encoding, claim).stuck(())
            return self._shown(item, stuck, self.own(item).shortest(stuck, self.limits.refutation_steps_max))
        wanted = item.obligation(claim)
        if item.runs is not None:
            found = item.runs.shortest(wanted, self.limits.refutation_steps_max)
            if isinstance(found, Path) and runs_through(item.mutant.machine, found):
                return self._shown(item, wanted, found)
            if found is None and item.mutant.old is None:
                return None
        return self._shown(item, wanted, self.own(item).shortest(wanted, self.limits.refutation_steps_max))

    def own(self, item: Faulty, by: tuple[str, ...] = ()) -> Unroll:
        """Return the runs of the mutant itself that have all proved invariants up to their last step.

        With `by`, those of these events alone.
        """
        kept = (claim for claim in self.machine.properties if isinstance(claim, Always) and claim.name in self.kept)
        return Unroll.of(item.encoding.only(by), tuple(kept), self.limits)

    def unreachable(self, item: Faulty, witness: Witness) -> bool:
        """Return true iff no step of the mutant leads to `witness`, from any value with all proved invariants."""
        goal = obligation.reach(item.encoding, witness, ())
        missing = item.encoding.world.negation(goal.at)
        return self._keeps(item, item.encoding.world.every((missing, goal.by)))

    def lacks(self, item: Faulty, witness: Witness, known: Trace) -> bool:
        """Return true iff the mutant is not seen to reach `witness`, neither by the `known` run nor by a short one."""
        machine = item.mutant.machine
        again = replay(machine, known.start, tuple((link.event, dict(link.payload)) for link in known.links))
        if all(isinstance(link.outcome, Taken) for link in again.links) and obligation.true_in(
            machine, witness.reach, again.last
        ):
            return False
        goal = obligation.reach(item.encoding.only(witness.by), witness, ())
        return not isinstance(self.own(item, witness.by).shortest(goal, self.limits.witness_steps_max), Path)

    def _shown(self, item: Faulty, wanted: Obligation, found: object) -> Trace | None:
        return confirm(item.mutant.machine, wanted, found) if isinstance(found, Path) else None

    def _keeps(self, item: Faulty, term: Term) -> bool:
        return isinstance(item.inductor.one.ask(term, self.kept), Impossible)

    def _ranks(self, item: Faulty, claim: LeadsTo) -> bool:
        """Return true iff the ranking rule does not prove `claim` of the fault."""
        stuck = Ranking(item.encoding, claim).stuck(())
        rest = Ranking(replace(item.encoding, moves=item.changed), claim).rest()
        terms = (stuck.by, *(term for one in rest for term in (one.at, one.by)))
        return not self._keeps(item, item.encoding.world.some(terms))

    def _name(self, claim: Property | None) -> str:
        return obligation.sorts_name(self.machine) if claim is None else claim.name


def flaws(machine: Machine, base: Machine, events: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the codes of what `peak check` says of `machine` and not of `base`; of cells, only those of `events`.

    A machine that was composed has names that no text has, so even the sound one has diagnostics.
    """
    found = _told(check, machine) - _told(check, base)
    for event in events:
        now = _told(decide, about(machine, event))
        found |= now - _told(decide, about(base, event)) if now else set()
    return tuple(code for code, _ in sorted(found))


def _told(examine: Callable[[Machine, Source], tuple[Diagnostic, ...]], machine: Machine) -> set[tuple[str, str]]:
    return {(item.code, item.message) for item in examine(machine, Source(machine.name, ""))}


def about(machine: Machine, event: str) -> Machine:
    """Return the part of `machine` that decides the cells of `event`."""
    rows = tuple(replace(row, events=(event,)) for row in machine.dismissals if event in row.events)
    kept = tuple(item for item in machine.transitions if item.event == event)
    return replace(machine, events=(machine.event(event),), transitions=kept, dismissals=rows)


def runs_through(machine: Machine, path: Path) -> bool:
    """Return true iff `machine` takes each step of `path` but the last, to the very values of it."""
    trace = replay(replace(machine, properties=()), path.values[0], path.offers[:-1])
    return path.values[1:] == tuple(link.value for link in trace.links)
