"""Whether a claim says something: its interesting case is reached by a run, or it holds for want of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from peak_trade.backends.relation import Encoding
from peak_trade.lang.expr import (
    And,
    Compare,
    Comparison,
    Expr,
    Ite,
    Lit,
    Not,
    Or,
    Scope,
    Var,
    conjunction,
    disjunction,
    variables,
)
from peak_trade.lang.machine import Always, Heard, Machine, Property, Step, Witness
from peak_trade.lang.pretty import expression
from peak_trade.lang.trace import Trace
from peak_trade.proof import obligation
from peak_trade.proof.confirm import confirm
from peak_trade.proof.doubt.vary import opposite
from peak_trade.proof.induct import Inductor
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.solve import Impossible, Limits
from peak_trade.proof.unroll import Path, Unroll

LIMITS: Final = Limits(question_rlimit=5_000_000, witness_steps_max=12)


@dataclass(frozen=True, slots=True)
class Shown:
    """A run reaches the case `case` of the claim `property`, replayed by `lang.step`."""

    property: str
    case: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Vacuous:
    """No run was found to the case `case` of the claim `property`; `proved` iff none exists."""

    property: str
    case: str
    proved: bool


Interest: TypeAlias = Shown | Vacuous


def interesting(machine: Machine, claim: Always | Step | Heard) -> tuple[Expr, ...]:
    """Return the cases in which `claim` says something; more than one for a conjunction.

    Of `not a or b`: that `a` holds; of `x if a else y`: that `a` holds, and that it does not; of anything else: that
    one of its variables is not what it was at the start, or before the step. Of what is heard: that it is spoken of.
    """
    if isinstance(claim, Heard):
        return (claim.when,)
    return tuple(dict.fromkeys(_cases(machine, claim.holds, step=isinstance(claim, Step))))


def _cases(machine: Machine, expr: Expr, *, step: bool) -> Iterator[Expr]:
    match expr:
        case And(args):
            for arg in args:
                yield from _cases(machine, arg, step=step)
        case Or(args) if (rest := _others(args, step=step)) is not None:
            yield rest
        case Ite(test, _, _):
            yield from (test, opposite(test))
        case _:
            yield _changed(machine, expr, step=step)


def _others(args: tuple[Expr, ...], *, step: bool) -> Expr | None:
    """Return the antecedent of a disjunction: what it says nothing about is left out; None if there is none."""
    first = tuple(opposite(arg) for arg in args[:-1] if not step or isinstance(arg, Not) or not _after(arg))
    return conjunction(first) if first else None


def _after(expr: Expr) -> bool:
    return any(var.scope in (Scope.NEXT, Scope.NEXT_STATE) for var in variables(expr))


def _changed(machine: Machine, expr: Expr, *, step: bool) -> Expr:
    found = sorted(variables(expr), key=lambda var: (var.scope.value, var.name))
    starts = {item.name: item for item in machine.variables}
    moved: list[Expr] = []
    for var in found:
        if var.scope is Scope.NEXT:
            moved.append(Compare(Comparison.NE, var, Var(var.name, var.sort, Scope.CONTEXT)))
        elif var.scope is Scope.CONTEXT and not step:
            start = starts[var.name].init
            if not isinstance(start, tuple):  # a map has no literal to compare with
                moved.append(Compare(Comparison.NE, var, Lit(start, var.sort)))
        elif var.scope is Scope.STATE and not step:
            moved.append(Compare(Comparison.NE, var, Lit(machine.initial.name, var.sort)))
    return disjunction(tuple(moved)) if moved else expr


def interests(machine: Machine, limits: Limits = LIMITS) -> tuple[Interest, ...]:
    """Return for each case of each claim of `machine` a run to it, or that none was found.

    What must be possible is a run itself, and what must happen has none of a finite length; both are left out.

    Limits: `limits.witness_steps_max` steps; a case that is further away is called vacuous, and not `proved` to be.
    """
    encoding = Encoding.of(machine)
    inductor = Inductor.of(encoding, limits)
    invariants = tuple(item for item in machine.properties if isinstance(item, Always))
    kept = inductor.greatest(tuple(obligation.always(encoding, item) for item in invariants)).names
    lemmas = tuple(item for item in invariants if item.name in kept)
    runs = Unroll.of(encoding, lemmas, limits)
    found: list[Interest] = []
    for claim in machine.properties:
        if isinstance(claim, Always | Step | Heard):
            for case in interesting(machine, claim):
                goal = _goal(encoding, claim, case)
                found.append(_interest(encoding, (inductor, runs, kept), goal, expression(case), limits))
    return tuple(found)


def _goal(encoding: Encoding, claim: Property, case: Expr) -> Obligation:
    if isinstance(claim, Step):
        return obligation.step(encoding, Step(claim.name, claim.says, opposite(case)))
    if isinstance(claim, Heard):
        return obligation.asked(encoding, claim)
    return obligation.reach(encoding, Witness(claim.name, claim.says, case), ())


def _interest(
    encoding: Encoding,
    engines: tuple[Inductor, Unroll, frozenset[str]],
    goal: Obligation,
    case: str,
    limits: Limits,
) -> Interest:
    inductor, runs, kept = engines
    start = inductor.start.ask(goal.at)
    if isinstance(start, Impossible) and isinstance(inductor.one.ask(goal.by, kept), Impossible):
        return Vacuous(goal.name, case, proved=True)
    path = runs.shortest(goal, limits.witness_steps_max)
    if isinstance(path, Path):
        return Shown(goal.name, case, confirm(encoding.machine, goal, path))
    return Vacuous(goal.name, case, proved=False)
