"""A machine as constrained Horn clauses: what an invariant must be to keep something bad away, put to Spacer.

`Inv` stands for the invariant sought. In an event in which another one of many acts (`Machine.mirrors`) it is asked
of both, the tracked one and the other, whose variables are the payload: a thread-modular proof (Hoenicke, Majumdar,
Podelski, "Thread modularity at many levels", POPL 2017).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import z3

from peak_trade.backends.relation import Encoding
from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Always, Mirror
from peak_trade.proof.solve import SEED, GaveUp


@dataclass(frozen=True, slots=True, eq=False)
class Barrier:
    """A term over `before` that the start has, that every step keeps, and that excludes what is bad."""

    term: Term


@dataclass(frozen=True, slots=True)
class Reached:
    """Spacer says that what is bad can be reached."""


Solution: TypeAlias = Barrier | Reached | GaveUp


@dataclass(frozen=True, slots=True, eq=False)
class Horn:
    """The clauses of one machine; `known` are invariants that are proved already."""

    encoding: Encoding
    known: tuple[Always, ...]

    def solve(self, bad: Term, rlimit: int) -> Solution:
        """Return what keeps `bad`, a term over `before` and `offer`, away; or that nothing does.

        Limits: `rlimit` in Z3's own deterministic unit, never wall time; the seed is fixed. Spacer may not end at all
        without it, and ends with an exception at it.
        """
        try:
            return self._solve(bad, rlimit)
        except z3.Z3Exception as error:
            return GaveUp(_first_line(error))

    def _solve(self, bad: Term, rlimit: int) -> Solution:
        context, before = self.encoding.world.context, self.encoding.before.terms()
        engine = z3.Fixedpoint(ctx=context)
        engine.set("engine", "spacer")
        engine.set("rlimit", rlimit)
        engine.set("spacer.random_seed", SEED)
        boolean = z3.BoolSort(context)
        invariant = z3.Function("Inv", *(term.sort() for term in before), boolean)
        reached = z3.Function("Bad", boolean)
        engine.register_relation(invariant, reached)
        engine.declare_var(*before, *self.encoding.offer.terms())
        engine.rule(invariant(*before), self.encoding.initial())
        for head, body in (*self._steps(invariant), *self._bad(invariant, reached, bad)):
            engine.rule(head, body)
        found = engine.query(reached())
        if found == z3.sat:
            return Reached()
        if found != z3.unsat:
            return GaveUp(engine.reason_unknown())
        return Barrier(z3.substitute_vars(engine.get_cover_delta(-1, invariant), *before))

    def _steps(self, invariant: z3.FuncDeclRef) -> Iterator[tuple[Term, list[Term]]]:
        for move in self.encoding.moves:
            event = (self.encoding.offer.event, self.encoding.world.literal(move.event, self.encoding.events))
            taken = z3.simplify(z3.substitute(self.encoding.world.every((move.guard, move.fits)), event))
            others = (item for item in self.encoding.machine.mirrors if item.event == move.event)
            yield invariant(*move.after.terms()), [*self._assumed(invariant, others), taken]

    def _bad(self, invariant: z3.FuncDeclRef, reached: z3.FuncDeclRef, bad: Term) -> Iterator[tuple[Term, list[Term]]]:
        world, mirrors = self.encoding.world, self.encoding.machine.mirrors
        acts = {
            item.event: self.encoding.offer.event == world.literal(item.event, self.encoding.events) for item in mirrors
        }
        yield reached(), [*self._assumed(invariant, ()), world.negation(world.some(acts.values())), bad]
        for item in mirrors:
            yield reached(), [*self._assumed(invariant, (item,)), acts[item.event], bad]

    def _assumed(self, invariant: z3.FuncDeclRef, others: Iterable[Mirror]) -> list[Term]:
        """Return what may be assumed before a step: the invariant of whoever acts, and what is proved.

        The bounds of the variables, which hold as well, are left to Spacer: given them, it takes three times as long.
        """
        encoding = self.encoding
        frames = [encoding.before.terms()]
        for mirror in others:
            fields = encoding.offer.payloads[mirror.event]
            theirs = {name: fields[field] for name, field in mirror.fields}
            context = {**encoding.before.context, **theirs}
            frames.append((encoding.before.state, *context.values()))
        known = (encoding.hypothesis(item.holds) for item in self.known)
        return [*(invariant(*frame) for frame in frames), *known]


def _first_line(error: z3.Z3Exception) -> str:
    value = error.value
    words = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return words.splitlines()[0] if words else "Z3 gave up"
