"""From a Z3 term back to an expression of the language: what a solver found becomes a lemma that a person can read."""

from dataclasses import dataclass, field

import z3

from peak_trade.backends.relation import Encoding, Frame
from peak_trade.backends.smt import Term
from peak_trade.lang.expr import (
    FALSE,
    TRUE,
    And,
    At,
    Compare,
    Comparison,
    Expr,
    Ite,
    Lit,
    Member,
    Not,
    Or,
    Scope,
    Var,
    conjunction,
    disjunction,
)
from peak_trade.lang.sorts import EnumSort
from peak_trade.proof.linear import Sum, compared, expression

NODES_MAX = 20_000
"""Terms share their parts, expressions do not: a term that unfolds to more nodes is not read."""

ORDERS = {
    z3.Z3_OP_LE: Comparison.LE,
    z3.Z3_OP_GE: Comparison.GE,
    z3.Z3_OP_LT: Comparison.LT,
    z3.Z3_OP_GT: Comparison.GT,
}
NEGATED = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GE,
    Comparison.LE: Comparison.GT,
    Comparison.GT: Comparison.LE,
    Comparison.GE: Comparison.LT,
}


class UnreadableError(Exception):
    """A term has no expression in the language; `what` is the part of it that has none."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"expected a term of the language, was {what}; the lemma cannot be written down")


@dataclass(slots=True, eq=False)
class Reader:
    """Reads terms over one frame of an encoding."""

    names: dict[str, Var]
    members: dict[tuple[str, str], Lit]
    nodes: int = field(default=0)

    @classmethod
    def of(cls, encoding: Encoding, frame: Frame) -> "Reader":
        """Return the reader of terms over `frame`."""
        names = {str(frame.state.decl().name()): Var("state", encoding.states, Scope.STATE)}
        for item in encoding.machine.variables:
            names[str(frame.context[item.name].decl().name())] = Var(item.name, item.sort, Scope.CONTEXT)
        enums = (encoding.states, *encoding.machine.enums)
        members = {(enum.name, name): Lit(name, enum) for enum in enums for name in enum.members}
        return cls(names, members)

    def conjuncts(self, term: Term) -> tuple[Expr, ...]:
        """Return expressions whose conjunction has the meaning of `term`; UnreadableError iff there are none here.

        Limits: NODES_MAX; no quantifiers, divisions, products of two variables.
        """
        found = self._truth(term, positive=True)
        parts = found.args if isinstance(found, And) else (found,)
        return tuple(part for part in dict.fromkeys(parts) if part != TRUE)

    def _truth(self, term: Term, *, positive: bool) -> Expr:  # noqa: PLR0911 - one return for each kind of term
        """Return `term`, or its negation, with negations pushed down to where they vanish."""
        self._count()
        kind, args = _kind(term), _args(term)
        match kind:
            case z3.Z3_OP_TRUE | z3.Z3_OP_FALSE:
                return TRUE if (kind == z3.Z3_OP_TRUE) == positive else FALSE
            case z3.Z3_OP_NOT:
                return self._truth(args[0], positive=not positive)
            case z3.Z3_OP_AND | z3.Z3_OP_OR:
                return _joined(
                    [self._truth(arg, positive=positive) for arg in args], every=(kind == z3.Z3_OP_AND) == positive
                )
            case z3.Z3_OP_IMPLIES:
                sides = [self._truth(args[0], positive=not positive), self._truth(args[1], positive=positive)]
                return _joined(sides, every=not positive)
            case z3.Z3_OP_ITE:
                test = self._truth(args[0], positive=True)
                return Ite(test, *(self._truth(arg, positive=positive) for arg in args[1:]))
            case z3.Z3_OP_EQ | z3.Z3_OP_DISTINCT if len(args) == 2:
                return self._equal(args, same=(kind == z3.Z3_OP_EQ) == positive)
            case z3.Z3_OP_DT_IS | z3.Z3_OP_DT_RECOGNISER:
                return self._is(term, args[0], positive=positive)
            case _ if kind in ORDERS:
                op = ORDERS[kind] if positive else NEGATED[ORDERS[kind]]
                return compared(op, self._sum(args[0]).plus(self._sum(args[1]), -1))
            case _:
                found = self._atom(term)
                return found if positive else Not(found)

    def _equal(self, args: list[Term], *, same: bool) -> Expr:
        op = Comparison.EQ if same else Comparison.NE
        if z3.is_int(args[0]):
            return compared(op, self._sum(args[0]).plus(self._sum(args[1]), -1))
        if z3.is_bool(args[0]):
            sides = [self._truth(arg, positive=True) for arg in args]
            for one, other in (sides, reversed(sides)):
                if isinstance(one, Lit):
                    return other if bool(one.value) == same else Not(other)
            return Compare(op, *sides)
        return Compare(op, self._item(args[0]), self._item(args[1]))

    def _is(self, term: Term, arg: Term, *, positive: bool) -> Expr:
        params = term.decl().params()
        name = str(params[0].name()) if params else str(term.decl().name()).removeprefix("is-")
        literal = self.members.get((str(arg.sort().name()), name))
        if literal is None:
            raise UnreadableError(_short(term))
        return Compare(Comparison.EQ if positive else Comparison.NE, self._item(arg), literal)

    def _sum(self, term: Term) -> Sum:  # noqa: PLR0911 - one return for each kind of term
        self._count()
        kind, args = _kind(term), _args(term)
        match kind:
            case z3.Z3_OP_ANUM if z3.is_int_value(term):
                return Sum({}, term.as_long())
            case z3.Z3_OP_ADD:
                return _total([(self._sum(arg), 1) for arg in args])
            case z3.Z3_OP_SUB:
                return _total([(self._sum(arg), 1 if index == 0 else -1) for index, arg in enumerate(args)])
            case z3.Z3_OP_UMINUS:
                return _total([(self._sum(args[0]), -1)])
            case z3.Z3_OP_MUL:
                return self._product([self._sum(arg) for arg in args], term)
            case z3.Z3_OP_ITE:
                test = self._truth(args[0], positive=True)
                return Sum({Ite(test, *(expression(self._sum(arg)) for arg in args[1:])): 1})
            case _:
                return Sum({self._atom(term): 1})

    def _product(self, factors: list[Sum], term: Term) -> Sum:
        found = Sum({}, 1)
        for one in factors:
            if one.parts and found.parts:
                raise UnreadableError(_short(term))
            found = _total([(one, found.constant)]) if one.parts or not found.parts else _total([(found, one.constant)])
        return found

    def _item(self, term: Term) -> Expr:
        if _kind(term) == z3.Z3_OP_ITE:
            test, *sides = _args(term)
            return Ite(self._truth(test, positive=True), *map(self._item, sides))
        return self._atom(term)

    def _atom(self, term: Term) -> Expr:
        self._count()
        if z3.is_app(term) and term.num_args() == 0:
            name = str(term.decl().name())
            found: Expr | None = self.names.get(name) or self.members.get((str(term.sort().name()), name))
            if found is not None:
                return found
        if _kind(term) == z3.Z3_OP_SELECT:
            array, index = _args(term)
            held = self._atom(array)
            if isinstance(held, Var):
                return At(held, expression(self._sum(index)))
        raise UnreadableError(_short(term))

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise UnreadableError(f"a term of more than {NODES_MAX} nodes")


def _joined(parts: list[Expr], *, every: bool) -> Expr:
    """Return the conjunction or disjunction of `parts`, flat, where one item's alternatives are one membership."""
    zero, unit = (FALSE, TRUE) if every else (TRUE, FALSE)
    junction = And if every else Or
    flat = [one for part in parts for one in (part.args if isinstance(part, junction) else (part,))]
    kept = tuple(one for one in dict.fromkeys(flat) if one != unit)
    if zero in kept:
        return zero
    return conjunction(kept) if every else disjunction(_merged(kept))


def _merged(parts: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """Return `parts` with the equations of one item with several members as one membership."""
    found: dict[Expr, list[Lit]] = {}
    for part in parts:
        match part:
            case Compare(Comparison.EQ, item, Lit(_, EnumSort()) as literal):
                found.setdefault(item, []).append(literal)
            case _:
                found.setdefault(part, [])
    return tuple(_among(item, choices) for item, choices in found.items())


def _among(item: Expr, choices: list[Lit]) -> Expr:
    if not choices:
        return item
    return Member(item, tuple(choices)) if len(choices) > 1 else Compare(Comparison.EQ, item, choices[0])


def _total(parts: list[tuple[Sum, int]]) -> Sum:
    found = Sum({})
    for one, times in parts:
        found = found.plus(one, times)
    return found


def _kind(term: Term) -> int:
    return int(term.decl().kind()) if z3.is_app(term) else -1


def _args(term: Term) -> list[Term]:
    return list(term.children())


def _short(term: Term) -> str:
    words = " ".join(str(term).split())
    return words if len(words) <= 80 else f"{words[:77]}..."
