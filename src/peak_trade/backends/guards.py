"""A guard is a formula over its clauses, and each clause has a name: a part without `and`, `or` or `if` between truths.

A `not` before it belongs to it. Names are those of the parts that overlays show: `ID.when.N` for a conjunct of `when`,
`ID.require.REASON` for a lock, with `.M` behind it where that has more than one clause. Rows without a step have no id:
the K-th guarded one for a reason is `REASON#K`.

A clause decides iff its other outcome alone, with all others as they are, opens or closes the whole guard of its row.
Seen both ways, deciding each time, it is covered as masking MC/DC asks (Chilenski, DOT/FAA/AR-01/18).

Limits: a comparison of truth values, and a choice between numbers, are parts of one clause.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from peak_trade.backends.fold import fold
from peak_trade.backends.pythonic import python
from peak_trade.lang.cells import Row
from peak_trade.lang.expr import FALSE, TRUE, And, Expr, Ite, Lit, Not, Or, Scope, Var, conjunction
from peak_trade.lang.machine import Machine, Transition
from peak_trade.lang.sorts import BOOL

Truth: TypeAlias = Callable[..., bool]
"""A guard's truth from the outcomes of its clauses."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: the row that it belongs to and its cells, what it says, and when it alone decides the row's guard.

    `row` is the transition's id, or `REASON#K`. `holds` and `decides` are over the value and the payload.
    """

    name: str
    row: str
    states: tuple[str, ...]
    events: tuple[str, ...]
    holds: Expr
    decides: Expr

    @property
    def outcomes(self) -> tuple[str, str]:
        """The names of its two outcomes."""
        return f"{self.name}=true", f"{self.name}=false"


@dataclass(slots=True)
class Shape:
    """A guard as a formula over its clauses: clause number K is the truth value `xK`."""

    row: str
    names: list[str] = field(default_factory=list)
    holds: list[Expr] = field(default_factory=list)
    when: Expr = TRUE
    choosing: int = 0
    """How many of the clauses belong to `when`; they come first."""
    locks: list[tuple[int, Expr]] = field(default_factory=list)
    """For each lock how many clauses there are up to its last, and its formula."""

    @classmethod
    def of(cls, row: Row, label: str) -> "Shape":
        """Return the shape of a row's guard."""
        shape = cls(label)
        parts = enumerate(_conjuncts(TRUE if row.when is None else row.when), 1)
        shape.when = conjunction(tuple(shape.part(f"{label}.when.{place}", part) for place, part in parts))
        shape.choosing = len(shape.names)
        for lock in row.require if isinstance(row, Transition) else ():
            formula = shape.part(f"{label}.require.{lock.reason}", lock.holds)
            shape.locks.append((len(shape.names), formula))
        return shape

    def part(self, name: str, expr: Expr) -> Expr:
        """Take in a conjunct or a lock, and return its formula."""
        first = len(self.names)
        formula = _formula(expr, self.holds)
        count = len(self.holds) - first
        self.names += [name] if count == 1 else [f"{name}.{place}" for place in range(1, count + 1)]
        return formula

    @property
    def whole(self) -> Expr:
        """The formula of the whole guard: chosen, and every lock open."""
        return conjunction((self.when, *(formula for _, formula in self.locks)))

    def decides(self, place: int) -> Expr:
        """Return when clause number `place` alone decides the whole guard."""

        def known(value: Expr) -> Callable[[Var], Expr]:
            return lambda var: value if var == _clause(place) else self.holds[int(var.name[1:])]

        up, down = fold(self.whole, known(TRUE)), fold(self.whole, known(FALSE))
        return fold(Or((And((up, Not(down))), And((Not(up), down)))), lambda var: var)

    def truth(self, formula: Expr) -> Truth:
        """Return a formula as a function of the outcomes of all clauses."""
        text = f"lambda {', '.join(_clause(place).name for place in range(len(self.names)))}: {python(formula, {})}"
        found: Truth = eval(text, {})  # noqa: S307 - our own text, made from a closed AST
        return found


def shapes(machine: Machine) -> Iterator[tuple[Row, Shape]]:
    """Yield the rows with the shapes of their guards, in declared order."""
    yield from ((row, Shape.of(row, row.name)) for row in machine.transitions)
    counts = Counter[str]()
    for row in machine.dismissals:
        guarded = row.when not in (None, TRUE)
        counts[row.reason] += guarded
        yield row, Shape.of(row, f"{row.reason}#{counts[row.reason]}" if guarded else row.reason)


def places(row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the states and the events of a row."""
    return (row.sources, (row.event,)) if isinstance(row, Transition) else (row.states, row.events)


def _conjuncts(expr: Expr) -> tuple[Expr, ...]:
    """Return the parts that must all hold, numbered as the parts of a machine are (`proof.doubt.anatomy`)."""
    if isinstance(expr, And):
        return tuple(part for arg in expr.args for part in _conjuncts(arg))
    return () if expr == TRUE else (expr,)


def _clause(place: int) -> Var:
    return Var(f"x{place}", BOOL, Scope.CONTEXT)


def _formula(expr: Expr, found: list[Expr]) -> Expr:
    """Return `expr` as a formula over its clauses, which are added to those `found`."""
    match expr:
        case And(args):
            return And(tuple(_formula(arg, found) for arg in args))
        case Or(args):
            return Or(tuple(_formula(arg, found) for arg in args))
        case Not(And() | Or() | Ite() | Not() as arg):
            return Not(_formula(arg, found))
        case Ite(test, then, orelse):
            return Ite(_formula(test, found), _formula(then, found), _formula(orelse, found))
        case Lit():
            return expr
        case _:
            found.append(expr)
            return _clause(len(found) - 1)
