"""Tables from which payloads and events are drawn for many lanes at once: a random word picks an entry.

An entry for a number is `plus - minus + off`, where `plus` and `minus` are rows of numbers that each lane has: context
variables and fields drawn before. The entries are biased to where guards turn: a comparison in which a field stands is
solved for the field, so `cum + last_qty == qty` gives `qty - cum`, and one more and one less.

Limits: a comparison is solved if the field stands in it once and what is left is at most one variable less another;
other guards turn by chance.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from peak_trade.backends.vector import positive
from peak_trade.fuzz.engines.dice import NUMBER_MAX, SMALL, Dice
from peak_trade.lang.cells import enabled
from peak_trade.lang.expr import (
    And,
    Arith,
    Arithmetic,
    Compare,
    Comparison,
    Expr,
    Ite,
    Lit,
    Not,
    Or,
    Scope,
    Var,
    children,
    variables,
)
from peak_trade.lang.machine import Event, Field, Machine, Variable
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, MapSort, ScalarSort

TABLE: Final = 1024
"""How many entries a table has: a power of two."""
MIX: Final = 256
"""How many entries the table of a state's events has: a power of two."""
WORDS: Final = 2**40 - 1
"""The bits of a random word that choose an entry of a mix."""
WEIGHTS: Final = (0, 0, 1, 2)
"""How often an event is, next to the others of its mix."""
MIXES: Final = (2, 4, 7, 8, 8)
"""How many eighths of a mix are events that its state may take."""
BOX: Final = 2**31
"""No number is drawn beyond this, whatever its sort allows."""

Place: TypeAlias = tuple[Scope, str]
Rows: TypeAlias = Mapping[Place, int]
"""Where the numbers of a lane are, by scope and name. Row 0 holds zeros."""


class Term(NamedTuple):
    """The number `plus - minus + off`, of two rows."""

    plus: int
    minus: int
    off: int


@dataclass(frozen=True, slots=True)
class Source:
    """From what one field is drawn: entries for `plus`, `minus` and `off`, and the ends that are kept."""

    plus: NDArray[np.int64]
    minus: NDArray[np.int64]
    off: NDArray[np.int64]
    low: int
    high: int

    @property
    def varies(self) -> bool:
        """True iff it depends on what a lane has; else each `off` is the number itself, within the ends."""
        return bool(self.plus.any() or self.minus.any())


def sources(machine: Machine, event: Event, rows: Rows, dice: Dice) -> list[Source]:
    """Return the sources of an event's fields; `rows` has the context's numbers, and a row for each field.

    One entry number is drawn for all fields together: half of the entries are what one transition's guard wishes of
    them, the fields of the other half are drawn apart.
    """
    guards = [positive(enabled(row)) for row in machine.transitions if row.event == event.name]
    wished = [_wishes(guards[dice.below(len(guards))], dice) if guards and dice.below(2) else {} for _ in range(TABLE)]
    known = {place: row for place, row in rows.items() if place[0] is Scope.CONTEXT}
    found = []
    for field in event.payload:
        own = (Scope.PAYLOAD, field.name)
        drawn = _terms(machine, event, field, known, dice)
        terms = [_wished(wish.get(field.name), own, known) or term for wish, term in zip(wished, drawn, strict=True)]
        plus, minus, off = np.array(terms, np.int64).T.copy()
        low, high = _ends(field.sort)
        one = Source(plus, minus, off, low, high)
        found.append(one if one.varies else replace(one, off=off.clip(low, high)))
        if isinstance(field.sort, IntSort):
            known[own] = rows[own]
    return found


def _terms(machine: Machine, event: Event, field: Field, known: Rows, dice: Dice) -> list[Term]:
    """Return entries for one field alone."""
    if not isinstance(field.sort, IntSort):
        return [Term(0, 0, dice.below(_ends(field.sort)[1] + 1)) for _ in range(TABLE)]
    solved = sorted(set(solutions(machine, event, field, known)))
    return [_term(solved, sorted(known.values()), _edges(field.sort), dice) for _ in range(TABLE)]


Wish: TypeAlias = int | Compare
"""A code, or a comparison that the field shall make true."""


def _wishes(guard: Expr, dice: Dice) -> dict[str, Wish]:  # noqa: PLR0911 - one return for each kind of node
    """Return what a guard without inner negations wishes of payload fields, one of each; of an `or` one side."""
    match guard:
        case And(args):
            return {name: wish for arg in args for name, wish in _wishes(arg, dice).items()}
        case Or(args):
            return _wishes(args[dice.below(len(args))], dice)
        case Var(name, _, Scope.PAYLOAD):
            return {name: 1}
        case Not(Var(name, _, Scope.PAYLOAD)):
            return {name: 0}
        case Compare(Comparison.EQ, Var(name, EnumSort(_, members), Scope.PAYLOAD), Lit(str() as value, _)):
            return {name: members.index(value)}
        case Compare():
            fields = [var.name for var in variables(guard) if var.scope is Scope.PAYLOAD]
            return dict.fromkeys(fields, guard)
        case _:
            return {}


def _wished(wish: Wish | None, field: Place, known: Rows) -> Term | None:
    """Return the entry that grants a wish, or None iff there is none, or it is of no known kind."""
    if not isinstance(wish, Compare):
        return None if wish is None else Term(0, 0, wish)
    found = _solved(wish, field, known)
    if found is None:
        return None
    above = {Comparison.LT: -1, Comparison.GT: 1, Comparison.NE: 1}.get(wish.op, 0)
    left = _linear(wish.left)
    return found._replace(off=found.off + (above if left is not None and left[field] else -above))


def _ends(sort: ScalarSort) -> tuple[int, int]:
    match sort:
        case BoolSort():
            return 0, 1
        case EnumSort(_, members):
            return 0, len(members) - 1
        case IntSort(low, high):
            return (-BOX if low is None else low), (BOX if high is None else min(high, BOX))


def _term(solved: list[Term], known: list[int], edges: list[int], dice: Dice) -> Term:
    """Return one entry: half of them solutions, a quarter near a number of the lane, the others alone."""
    kind = dice.below(8)
    if kind < 4 and solved:
        term = solved[dice.below(len(solved))]
        return term._replace(off=term.off + (0, 0, 1, -1)[dice.below(4)])
    if kind < 6 and known:
        return Term(known[dice.below(len(known))], 0, (0, 0, 1, -1)[dice.below(4)])
    return Term(0, 0, _alone(edges, dice))


def _alone(edges: list[int], dice: Dice) -> int:
    """Return a number that depends on none of the lane's: an edge, a small one above the first edge, seldom any."""
    kind = dice.below(16)
    if kind < 8:
        return edges[dice.below(len(edges))]
    return edges[0] + dice.below(SMALL if kind < 15 else NUMBER_MAX)


def initials(item: Variable, dice: Dice) -> NDArray[np.int64]:
    """Return a table of codes with which a free variable starts."""
    assert not isinstance(item.sort, MapSort), f"expected no map, was {item.name}"
    low, high = _ends(item.sort)
    edges = _edges(item.sort) if isinstance(item.sort, IntSort) else list(range(high + 1))
    return np.array([_alone(edges, dice) for _ in range(TABLE)], np.int64).clip(low, high)


def _edges(sort: IntSort) -> list[int]:
    low = [0, 1] if sort.min is None else [sort.min, sort.min + 1]
    return low if sort.max is None else [*low, sort.max - 1, sort.max]


def solutions(machine: Machine, event: Event, field: Field, rows: Rows) -> Iterator[Term]:
    """Yield the terms at which a comparison in a guard of `event` turns, if `field` takes them."""
    for guard in _guards(machine, event):
        for part in _compared(guard):
            term = _solved(part, (Scope.PAYLOAD, field.name), rows)
            if term is not None:
                yield term


def _guards(machine: Machine, event: Event) -> Iterator[Expr]:
    for row in machine.transitions:
        if row.event == event.name:
            yield row.when
            yield from (lock.holds for lock in row.require)
            yield from (update.value for update in row.updates)
    yield from (row.when for row in machine.dismissals if event.name in row.events and row.when is not None)


def _compared(expr: Expr) -> Iterator[Compare]:
    if isinstance(expr, Compare):
        yield expr
    for part in children(expr):
        yield from _compared(part)


def _solved(compare: Compare, field: Place, rows: Rows) -> Term | None:
    """Return the number at which both sides are equal, or None iff it is no term."""
    left, right = _linear(compare.left), _linear(compare.right)
    if left is None or right is None:
        return None
    left.subtract(right)
    own = left.pop(field, 0)
    if abs(own) != 1:
        return None
    off = -own * left.pop(None, 0)
    rest = {place: -own * times for place, times in left.items() if times and place is not None}
    plus = [place for place, times in rest.items() if times == 1]
    minus = [place for place, times in rest.items() if times == -1]
    if len(plus) > 1 or len(minus) > 1 or len(plus) + len(minus) < len(rest) or not rows.keys() >= rest.keys():
        return None
    return Term(rows[plus[0]] if plus else 0, rows[minus[0]] if minus else 0, off)


def _linear(expr: Expr) -> Counter[Place | None] | None:
    """Return how often each variable stands in a sum, and the constant under None; None iff it is no sum."""
    match expr:
        case Lit(int() as value, IntSort()):
            return Counter({None: value})
        case Var(name, IntSort(), scope):
            return Counter({(scope, name): 1})
        case Arith(Arithmetic.ADD | Arithmetic.SUB as op, left, right):
            one, other = _linear(left), _linear(right)
            if one is None or other is None:
                return None
            (one.update if op is Arithmetic.ADD else one.subtract)(other)
            return one
        case Ite(_, then, _):
            return _linear(then)
        case _:
            return None


def choices(machine: Machine, blocks: int, dice: Dice) -> NDArray[np.int16]:
    """Return a table of MIX events for each block of lanes and each state, one after the other.

    In the first block half of the entries are any event and half one that a transition from the state takes. In the
    others the share is drawn, and how often each event is, which is one of WEIGHTS: by the block in half of them, by
    block and state in the other half.
    Source: Groce et al., Swarm Testing, ISSTA 2012: what is left out of a run lets the rest go further.
    """
    taken = {(source, row.event) for row in machine.transitions for source in row.sources}
    rows = []
    for block in range(blocks):
        weights = _weights(machine, dice) if block else [1] * len(machine.events)
        share = MIXES[dice.below(len(MIXES))] if block else 4
        for state in machine.states:
            own = _weights(machine, dice) if block % 2 else weights
            moving = [place for place, one in enumerate(machine.events) if (state.name, one.name) in taken]
            often = [place for place in moving for _ in range(own[place])] or moving
            rows.append(_mixed(len(machine.events), often, share, dice))
    return np.concatenate(rows)


def _weights(machine: Machine, dice: Dice) -> list[int]:
    return [WEIGHTS[dice.below(len(WEIGHTS))] for _ in machine.events]


def _mixed(events: int, often: list[int], share: int, dice: Dice) -> NDArray[np.int16]:
    """Return MIX events, of which `share` eighths are of `often` and the others any."""
    words = np.random.PCG64(dice.below(2**32)).random_raw(MIX).astype(np.int64) & WORDS
    some = np.array(often, np.int64).take(words // 8 % len(often)) if often else words // 8 % events
    return np.where(words % 8 < share, some, words // 8 % events).astype(np.int16)
