"""What can happen in a value: as a formula in which no payload is left, and by trying it in `lang.step`."""

from collections.abc import Iterable, Iterator
from itertools import islice, product

import z3

from peak_trade.backends.relation import Encoding, Move
from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Always, Event
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Scalar, Sort, inhabits, is_whole
from peak_trade.lang.step import Stepper, Taken, Value

OFFERS_MAX = 20_000
"""How many payloads of one event are tried in one value."""


def possible(encoding: Encoding, events: Iterable[str], kept: tuple[Always, ...] = ()) -> Term:
    """Return the term over `before` that is true iff one of `events` is taken with some payload.

    What mirrors somebody else does not count. `kept` are invariants that the value after the step must have. Payloads
    are eliminated where Z3 can do that; otherwise the term is quantified.
    """
    world, others = encoding.world, frozenset(item.event for item in encoding.machine.mirrors)
    wanted = frozenset(events) - others
    return world.some(_some_payload(encoding, move, kept) for move in encoding.moves if move.event in wanted)


def _some_payload(encoding: Encoding, move: Move, kept: tuple[Always, ...]) -> Term:
    world = encoding.world
    literal = world.literal(move.event, encoding.events)
    after = (encoding.at(item.holds, move.after) for item in kept)
    taken_so = z3.substitute(world.every((move.guard, move.fits, *after)), (encoding.offer.event, literal))
    fields = tuple(encoding.offer.payloads[move.event].values())
    return eliminated(z3.Exists(fields, taken_so) if fields else taken_so)


def moving(stepper: Stepper, value: Value, events: Iterable[str] | None = None) -> Iterator[str]:
    """Yield the events (of `events`, or of all) that `lang.step` takes in `value`, with some likely payload.

    Limits: of a field without bounds, only numbers near those in `value` and near its bounds are offered.
    """
    others = frozenset(item.event for item in stepper.machine.mirrors)
    wanted = frozenset(item.name for item in stepper.machine.events) if events is None else frozenset(events)
    for event in stepper.machine.events:
        if event.name in wanted - others and any(
            isinstance(stepper.step(value, event.name, payload)[0], Taken) for payload in likely(event, value)
        ):
            yield event.name


def likely(event: Event, value: Value) -> Iterator[dict[str, Scalar]]:
    """Yield payloads for `event` that a guard over `value` may want: at most OFFERS_MAX."""
    fields = [_likely(item.sort, value) for item in event.payload]
    names = [item.name for item in event.payload]
    yield from (dict(zip(names, found, strict=True)) for found in islice(product(*fields), OFFERS_MAX))


def _likely(sort: Sort, value: Value) -> tuple[Scalar, ...]:
    match sort:
        case BoolSort():
            return (False, True)
        case EnumSort(_, members):
            return members
        case IntSort(low, high):
            known = {0, *(item for item in (*value.context, low, high) if is_whole(item))}
            near = {one - other + odd for one in known for other in known for odd in (-1, 0, 1)} | known
            return tuple(item for item in sorted(near, key=abs) if inhabits(item, sort))
        case _:
            return ()


def eliminated(term: Term) -> Term:
    """Return a term equal to `term` without its quantifiers where Z3 finds one, else `term`."""
    if not z3.is_quantifier(term):
        return term
    try:
        found: Term = z3.Tactic("qe", ctx=term.ctx)(term).as_expr()
    except z3.Z3Exception:
        return term
    return found
