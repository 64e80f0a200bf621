"""What must not happen if a claim is true, as formulas and as a judgement on a replayed step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import z3

from peak_trade.backends.relation import Encoding, Move
from peak_trade.backends.smt import Term
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr, Scope, Var, variables
from peak_trade.lang.machine import Always, Heard, Machine, Property, Step, Witness
from peak_trade.lang.sorts import Datum, inhabits
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Refused, Stepper, Taken, Value, misfit
from peak_trade.lang.trace import Link
from peak_trade.proof.able import moving, possible


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


def named(machine: Machine, value: Value) -> dict[str, Datum]:
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

    # A move that writes nothing of what the claim names cannot lead from a value with it to one without it.
    moves = tuple(move for move in encoding.moves if writes(encoding, move, variables(claim.holds)))
    by = taken(encoding, lambda move: encoding.world.negation(encoding.at(claim.holds, move.after)), moves)
    at = encoding.world.negation(encoding.at(claim.holds, encoding.before))
    return Obligation(claim.name, "a reachable value without it", at, by, (claim,), seen)


def writes(encoding: Encoding, move: Move, names: Iterable[Var]) -> bool:
    """Return true iff `move` writes one of the variables `names`, or the control state if it is among them."""
    before, after = encoding.before, move.after
    return any(
        after.state is not before.state
        if var.scope is Scope.STATE
        else after.context[var.name] is not before.context[var.name]
        for var in names
    )


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


def heard(encoding: Encoding, claim: Heard, kept: tuple[Always, ...] = ()) -> Obligation:
    """Return what refutes a claim that an event is heard: an offer of which it speaks that no transition takes.

    `kept` are the invariants that are not proved: the run-time filter takes no step that leaves one of them.
    """
    machine, world = encoding.machine, encoding.world
    moves = (move for move in encoding.moves if move.event == claim.event)
    goes = world.some(
        world.every((move.guard, move.fits, *(encoding.at(item.holds, move.after) for item in kept))) for move in moves
    )

    def seen(before: Value, link: Link | None) -> bool:
        return link is not None and meant(machine, claim, before, link) and not isinstance(link.outcome, Taken)

    by = world.every((spoken(encoding, claim), world.negation(goes)))
    return Obligation(claim.name, "it is offered and not taken", world.some(()), by, kept, seen)


def asked(encoding: Encoding, claim: Heard) -> Obligation:
    """Return, as if it must not be, an offer of which a claim that an event is heard speaks, whatever comes of it."""

    def seen(before: Value, link: Link | None) -> bool:
        return link is not None and meant(encoding.machine, claim, before, link)

    return Obligation(claim.name, "offered", encoding.world.some(()), spoken(encoding, claim), (), seen)


def spoken(encoding: Encoding, claim: Heard) -> Term:
    """Return the term that is true iff `claim` speaks of `before` and `offer`."""
    return encoding.world.every((encoding.is_event(claim.event), encoding.given(claim.when, claim.event)))


def meant(machine: Machine, claim: Heard, before: Value, link: Link) -> bool:
    """Return true iff `claim` speaks of what `link` offers in `before`, by `lang.evaluate`."""
    if link.event != claim.event or misfit(machine.event(claim.event), dict(link.payload)) is not None:
        return False
    return bool(evaluate(claim.when, Env(named(machine, before), dict(link.payload), before.state, link.event)))


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


def deadlock_name(machine: Machine) -> str:
    """Return the name of the automatic claim that something can always happen, until the end."""
    return f"{machine.name.upper()}-DEADLOCK"


def may_end(machine: Machine) -> tuple[str, ...] | None:
    """Return the states in which nothing need happen any more; None iff `machine` does not say where it ends.

    It says so by the tag `terminal`; a machine of several states without the tag says that it never ends.
    """
    ends = machine.tagged("terminal")
    return ends if ends or len(machine.states) > 1 else None


def deadlock(encoding: Encoding) -> Obligation:
    """Return what refutes the automatic claim that an event can be taken in every value that is not terminal.

    What somebody else does (`Machine.mirrors`) does not count. Nothing is filtered by declared invariants.
    """
    machine, world, before = encoding.machine, encoding.world, encoding.before
    ends = frozenset(may_end(machine) or ())
    over = (before.state == world.literal(name, encoding.states) for name in sorted(ends))
    moves = world.some(possible(encoding, (event.name,)) for event in machine.events)
    at = world.negation(world.some((*over, moves)))
    stepper = Stepper.of(replace(machine, properties=()))

    def seen(before: Value, link: Link | None) -> bool:
        value = arrived(before, link)
        return value is not None and value.state not in ends and not any(moving(stepper, value))

    return Obligation(deadlock_name(machine), "no event can be taken", at, arriving(encoding, at), (), seen)


def reach(encoding: Encoding, claim: Witness, kept: tuple[Always, ...]) -> Obligation:
    """Return what a witness asks for, as if it must not be: a value, or a step to one.

    `kept` are the invariants that are not proved: the run-time filter takes no step that leaves one of them.
    """

    def seen(before: Value, link: Link | None) -> bool:
        value = arrived(before, link)
        return value is not None and true_in(encoding.machine, claim.reach, value)

    at = encoding.at(claim.reach, encoding.before)
    return Obligation(claim.name, "reached", at, arriving(encoding, at, kept), encoding.machine.properties, seen)


def taken(encoding: Encoding, condition: Callable[[Move], Term], moves: tuple[Move, ...] | None = None) -> Term:
    """Return the term that is true iff some move, of `moves` or of all, is taken for which `condition` holds."""
    world = encoding.world
    some = encoding.moves if moves is None else moves
    return world.some(world.every((move.guard, move.fits, condition(move))) for move in some)


def arriving(encoding: Encoding, at: Term, kept: tuple[Always, ...] = ()) -> Term:
    """Return the term that is true iff a step is taken to a value of which `at`, said of `before`, is true.

    `kept` are invariants that the value must have too.
    """
    world, before = encoding.world, encoding.before.terms()

    def there(move: Move) -> Term:
        moved = z3.substitute(at, *zip(before, move.after.terms(), strict=True))
        return world.every((moved, *(encoding.at(item.holds, move.after) for item in kept)))

    return taken(encoding, there)


def arrived(before: Value, link: Link | None) -> Value | None:
    """Return the value at the end of a replay: the start if there was no step, else that after a step taken."""
    if link is None:
        return before
    return link.value if isinstance(link.outcome, Taken) else None
