"""What must not happen if a claim is true, as formulas and as a judgement on a replayed step."""

from collections.abc import Callable
from dataclasses import dataclass

from peak_trade.backends.relation import Encoding, Move
from peak_trade.backends.smt import Term
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr
from peak_trade.lang.machine import Always, Machine, Property, Step, Witness
from peak_trade.lang.sorts import Scalar, inhabits
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Refused, Taken, Value
from peak_trade.lang.trace import Link


@dataclass(frozen=True, slots=True, eq=False)
class Obligation:
    """What must not be for the claim `name`: `at` of a value, or `by` of a value and the step that an offer causes.

    `seen` is the same judgement on a replay, made by `lang` alone: given the value before the last step and that
    step, or None if it is about the value itself. `guards` are the properties that filter steps in that replay.
    """

    name: str
    why: str
    at: Term
    by: Term
    guards: tuple[Property, ...]
    seen: Callable[[Value, Link | None], bool]


def named(machine: Machine, value: Value) -> dict[str, Scalar]:
    """Return the context of `value` by name."""
    return {item.name: scalar for item, scalar in zip(machine.variables, value.context, strict=True)}


def true_in(machine: Machine, expr: Expr, value: Value) -> bool:
    """Return true iff the state expression `expr` holds in `value`, by `lang.evaluate`."""
    return bool(evaluate(expr, Env(named(machine, value), state=value.state)))


def always(encoding: Encoding, claim: Always) -> Obligation:
    """Return what refutes an invariant: a value without it, or a step to such a value."""

    def seen(before: Value, link: Link | None) -> bool:
        if link is None:
            return not true_in(encoding.machine, claim.holds, before)
        return link.outcome == Broken(claim.name)

    by = taken(encoding, lambda move: encoding.world.negation(encoding.at(claim.holds, move.after)))
    at = encoding.world.negation(encoding.at(claim.holds, encoding.before))
    return Obligation(claim.name, "a reachable value without it", at, by, (claim,), seen)


def step(encoding: Encoding, claim: Step) -> Obligation:
    """Return what refutes a claim about steps: a step taken without it."""
    machine = encoding.machine

    def seen(before: Value, link: Link | None) -> bool:
        if link is None or not isinstance(link.outcome, Taken):
            return False
        old, new = named(machine, before), named(machine, link.value)
        names = Env(old, state=before.state, event=link.event, next_context=new, next_state=link.value.state)
        return not evaluate(claim.holds, names)

    by = taken(encoding, lambda move: encoding.world.negation(encoding.holds(claim.holds, move.after)))
    return Obligation(claim.name, "a step without it", encoding.world.some(()), by, (), seen)


def sorts_name(machine: Machine) -> str:
    """Return the name of the automatic claim that updates keep their variables' bounds."""
    return f"{machine.name.upper()}-SORTS"


def sorts(encoding: Encoding) -> Obligation:
    """Return what refutes the automatic claim that no update ever leaves its variable's bounds."""
    machine, world = encoding.machine, encoding.world

    def seen(before: Value, link: Link | None) -> bool:
        if link is None:
            pairs = zip(machine.variables, before.context, strict=True)
            return not all(inhabits(scalar, item.sort) for item, scalar in pairs)
        return isinstance(link.outcome, Refused) and link.outcome.reason == VALUE_BOUNDS

    by = world.some(world.every((move.guard, encoding.world.negation(move.fits))) for move in encoding.moves)
    at = encoding.world.negation(encoding.sorts(encoding.before))
    return Obligation(sorts_name(machine), "an update leaves its bounds", at, by, (), seen)


def reach(encoding: Encoding, claim: Witness, kept: tuple[Always, ...]) -> Obligation:
    """Return what a witness asks for, as if it must not be: a value, or a step to one.

    `kept` are the invariants that are not proved: the run-time filter takes no step that leaves one of them.
    """

    def seen(before: Value, link: Link | None) -> bool:
        value = before if link is None else link.value
        arrived = link is None or isinstance(link.outcome, Taken)
        return arrived and true_in(encoding.machine, claim.reach, value)

    wanted = (claim.reach, *(item.holds for item in kept))
    by = taken(encoding, lambda move: encoding.world.every(encoding.at(expr, move.after) for expr in wanted))
    at = encoding.at(claim.reach, encoding.before)
    return Obligation(claim.name, "reached", at, by, encoding.machine.properties, seen)


def taken(encoding: Encoding, condition: Callable[[Move], Term]) -> Term:
    """Return the term that is true iff some move is taken for which `condition` holds."""
    world = encoding.world
    return world.some(world.every((move.guard, move.fits, condition(move))) for move in encoding.moves)
