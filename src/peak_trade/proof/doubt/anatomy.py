"""Which parts of a machine each claim rests on: guards, locks and updates as assumptions of the induction.

Every part gets a switch, a truth value that is chosen once and stays: off, a conjunct or lock is open and an update is
not done. A proof names the switches that it needed on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import z3

from peak_trade.backends.relation import Encoding
from peak_trade.backends.smt import Term
from peak_trade.lang.expr import At, Expr, Ite, Not, Or, Scope, Var, conjunction
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Step, Transition, Update, Variable
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import BOOL
from peak_trade.lang.source import NOWHERE, Span
from peak_trade.proof import obligation
from peak_trade.proof.doubt.vary import conjuncts, written
from peak_trade.proof.induct import Inductor
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import Found, Impossible, Limits

SWITCH: Final = "on:"
"""What the name of a switch begins with; no declared name has a colon."""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One conjunct of `when`, one lock or one update of a transition; `name` is that of its mutants without the end."""

    name: str
    transition: str = field(compare=False)
    kind: str = field(compare=False)
    text: str = field(compare=False)
    span: Span = field(default=NOWHERE, compare=False)


def parts(machine: Machine) -> tuple[Part, ...]:
    """Return the parts of `machine` in declared order."""
    found = []
    for item in machine.transitions:
        for place, expr in enumerate(conjuncts(item.when), 1):
            found.append(Part(f"{item.name}.when.{place}", item.name, "guard", expression(expr), item.span))
        for lock in item.require:
            name = f"{item.name}.require.{lock.reason}"
            found.append(Part(name, item.name, "lock", expression(lock.holds), lock.span))
        for update in item.updates:
            text = written(update)
            found.append(Part(f"{item.name}.set.{update.variable}", item.name, "update", text, update.span))
    return tuple(found)


def without(machine: Machine, off: Iterable[str]) -> Machine:
    """Return `machine` with the parts of these names dropped; a reason that nothing uses any more goes with them."""
    gone = frozenset(off)
    kept = tuple(_less(item, gone) for item in machine.transitions)
    used = {item.reason for item in kept} | {row.reason for row in machine.dismissals}
    used |= {lock.reason for item in kept for lock in item.require}
    reasons = tuple(item for item in machine.reasons if item.name in used)
    return replace(machine, transitions=kept, reasons=reasons)


def _less(item: Transition, gone: frozenset[str]) -> Transition:
    if not any(name.startswith(f"{item.name}.") for name in gone):
        return item
    when = [expr for place, expr in enumerate(conjuncts(item.when), 1) if f"{item.name}.when.{place}" not in gone]
    locks = tuple(lock for lock in item.require if f"{item.name}.require.{lock.reason}" not in gone)
    updates = tuple(update for update in item.updates if f"{item.name}.set.{update.variable}" not in gone)
    return replace(item, when=conjunction(tuple(when)), require=locks, updates=updates)


def switched(machine: Machine) -> Machine:
    """Return `machine` with a switch for each part; with every switch on it does what `machine` does."""
    sorts = {item.name: item.sort for item in machine.variables}

    def on(name: str) -> Var:
        return Var(f"{SWITCH}{name}", BOOL, Scope.CONTEXT)

    def guarded(name: str, expr: Expr) -> Expr:
        return Or((Not(on(name)), expr))

    def item(old: Transition) -> Transition:
        whens = [guarded(f"{old.name}.when.{place}", expr) for place, expr in enumerate(conjuncts(old.when), 1)]
        locks = (replace(one, holds=guarded(f"{old.name}.require.{one.reason}", one.holds)) for one in old.require)
        updates = (
            replace(one, value=Ite(on(f"{old.name}.set.{one.variable}"), one.value, unchanged(one)))
            for one in old.updates
        )
        return replace(old, when=conjunction(tuple(whens)), require=tuple(locks), updates=tuple(updates))

    def unchanged(one: Update) -> Expr:
        own = Var(one.variable, sorts[one.variable], Scope.CONTEXT)
        return own if one.index is None else At(own, one.index)

    more = tuple(Variable(on(part.name).name, BOOL, True, part.text, free=True) for part in parts(machine))
    transitions = tuple(item(old) for old in machine.transitions)
    return replace(machine, variables=(*machine.variables, *more), transitions=transitions)


@dataclass(slots=True, eq=False)
class Anatomy:
    """The claims of one machine and the parts that their proofs rest on; `kept` are the inductive invariants."""

    machine: Machine
    encoding: Encoding
    inductor: Inductor
    names: frozenset[str]
    claims: dict[str, Term]
    kept: frozenset[str]
    obligations: dict[str, Obligation] = field(default_factory=dict)
    lefts: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, machine: Machine, limits: Limits) -> "Anatomy":
        """Return the anatomy of `machine`; claims that induction does not prove are not in `claims`."""
        encoding = Encoding.of(switched(machine))
        inductor = Inductor.of(encoding, limits)
        names = frozenset(part.name for part in parts(machine))
        for name in sorted(names):
            inductor.one.assume(_using(name), encoding.before.context[f"{SWITCH}{name}"])
        items = dict(_obligations(encoding))
        found = {name: item.by for name, item in items.items()} | dict(_ranks(encoding))
        invariants = {
            item.name
            for item in machine.properties
            if isinstance(item, Always) and isinstance(inductor.start.ask(items[item.name].at), Impossible)
        }
        plain = cls(machine, encoding, inductor, names, found, frozenset(invariants), items)
        plain.kept = plain.left(frozenset())
        plain.lefts.clear()
        plain.claims = {name: term for name, term in found.items() if plain.proof(name) is not None}
        return plain

    def left(self, off: frozenset[str]) -> frozenset[str]:
        """Return the greatest set of invariants that the steps without the parts `off` keep (Houdini)."""
        if off not in self.lefts:
            self.lefts[off] = self._greatest(off)
        return self.lefts[off]

    def _greatest(self, off: frozenset[str]) -> frozenset[str]:
        left = set(self.kept)
        while left:
            world = self.encoding.world
            terms = {name: self.claims[name] for name in sorted(left)}
            answer = self.inductor.one.ask(world.some(terms.values()), self._assumed(frozenset(left), off))
            if isinstance(answer, Impossible):
                break
            if not isinstance(answer, Found):
                return frozenset()
            left -= {name for name, term in terms.items() if z3.is_true(answer.model.eval(term, model_completion=True))}
        return frozenset(left)

    def proof(self, name: str, off: frozenset[str] = frozenset(), *, least: bool = False) -> frozenset[str] | None:
        """Return the parts that a proof of the claim `name` without `off` rests on, or None iff there is none.

        With `least`, no part can be left out of any one step of the proof.
        """
        left, done, rests = self.left(off), set[str](), set[str]()
        if name in self.kept and name not in left:
            return None
        queue = [name]
        while queue:
            claim = queue.pop()
            done.add(claim)
            answer = self.inductor.one.ask(self.claims[claim], self._assumed(left, off))
            if not isinstance(answer, Impossible):
                return None
            core = self.inductor.one.least(self.claims[claim], answer.core) if least else answer.core
            rests |= {self._part(item) for item in core} - {""}
            queue += sorted(item for item in core & left if item not in done and item not in queue)
        return frozenset(rests)

    def _assumed(self, left: frozenset[str], off: frozenset[str]) -> frozenset[str]:
        return left | {_using(name) for name in self.names - off}

    def _part(self, assumption: str) -> str:
        return assumption.removeprefix(SWITCH) if assumption.startswith(SWITCH) else ""


def _using(name: str) -> str:
    return f"{SWITCH}{name}"


def _obligations(encoding: Encoding) -> Iterable[tuple[str, Obligation]]:
    for claim in encoding.machine.properties:
        if isinstance(claim, Always):
            yield claim.name, obligation.always(encoding, claim)
        elif isinstance(claim, Step):
            yield claim.name, obligation.step(encoding, claim)
        elif isinstance(claim, Heard):
            yield claim.name, obligation.heard(encoding, claim)
    yield obligation.sorts_name(encoding.machine), obligation.sorts(encoding)


def _ranks(encoding: Encoding) -> Iterable[tuple[str, Term]]:
    for claim in encoding.machine.properties:
        if isinstance(claim, LeadsTo):
            ranking = Ranking(encoding, claim)
            items = (ranking.stuck(()), *ranking.rest())
            yield claim.name, encoding.world.some(term for item in items for term in (item.at, item.by))
