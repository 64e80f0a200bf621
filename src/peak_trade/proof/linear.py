"""Sums over whole numbers in a normal form, and the comparison of one with zero as a person would write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial, reduce

from peak_trade.lang.expr import FALSE, TRUE, Arith, Arithmetic, Compare, Comparison, Expr, Lit
from peak_trade.lang.sorts import INT


@dataclass(frozen=True, slots=True)
class Sum:
    """`constant` and so many times each of `parts`, in the order in which they first came; no count is zero."""

    parts: Mapping[Expr, int]
    constant: int = 0

    def plus(self, other: "Sum", times: int = 1) -> "Sum":
        """Return this sum and `times` the other."""
        keys = dict.fromkeys((*self.parts, *other.parts))
        counts = {key: self.parts.get(key, 0) + times * other.parts.get(key, 0) for key in keys}
        return Sum({key: count for key, count in counts.items() if count}, self.constant + times * other.constant)


def compared(op: Comparison, total: Sum) -> Expr:
    """Return the expression that is true iff `total op 0`: positive terms left, the others right.

    Order is written with the sign that leaves no constant, where there is one: whole numbers have neighbours.
    """
    if not total.parts:
        return _constant(op, total.constant)
    op, total = _neighbour(*_ascending(op, total))
    left = [_times(part, count) for part, count in total.parts.items() if count > 0]
    right = [_times(part, -count) for part, count in total.parts.items() if count < 0]
    if not left and total.constant <= 0:
        return Compare(_mirrored(op), _sum(right), Lit(total.constant, INT))
    number = Lit(abs(total.constant), INT)
    if total.constant > 0:
        left.append(number)
    elif total.constant < 0:
        right.append(number)
    return Compare(op, _sum(left), _sum(right))


def expression(total: Sum) -> Expr:
    """Return the expression whose value is `total`: positive terms first."""
    ordered = sorted(total.parts.items(), key=lambda item: item[1] < 0)
    terms = [*ordered, (Lit(1, INT), total.constant)] if total.constant or not ordered else ordered
    found: Expr | None = None
    for part, count in terms:
        found = _joined(found, part, count)
    return found or Lit(0, INT)


def _joined(found: Expr | None, part: Expr, count: int) -> Expr:
    if found is None:
        return _times(part, count)
    return Arith(Arithmetic.SUB if count < 0 else Arithmetic.ADD, found, _times(part, abs(count)))


def _constant(op: Comparison, value: int) -> Expr:
    truth = {
        Comparison.EQ: value == 0,
        Comparison.NE: value != 0,
        Comparison.LT: value < 0,
        Comparison.LE: value <= 0,
        Comparison.GT: value > 0,
        Comparison.GE: value >= 0,
    }
    return TRUE if truth[op] else FALSE


def _ascending(op: Comparison, total: Sum) -> tuple[Comparison, Sum]:
    """Return the same comparison as `<=`, `==` or `!=`."""
    match op:
        case Comparison.LT:
            return Comparison.LE, total.plus(Sum({}, 1))
        case Comparison.GT:
            return Comparison.LE, Sum({}).plus(total, -1).plus(Sum({}, 1))
        case Comparison.GE:
            return Comparison.LE, Sum({}).plus(total, -1)
        case _:
            return op, total


def _neighbour(op: Comparison, total: Sum) -> tuple[Comparison, Sum]:
    if op is Comparison.LE and total.constant == 1:
        return Comparison.LT, Sum(total.parts)
    return op, total


def _mirrored(op: Comparison) -> Comparison:
    return {Comparison.LE: Comparison.GE, Comparison.LT: Comparison.GT}.get(op, op)


def _times(part: Expr, count: int) -> Expr:
    if isinstance(part, Lit) and type(part.value) is int:
        return Lit(part.value * count, INT)
    return part if count == 1 else Arith(Arithmetic.MUL, Lit(count, INT), part)


def _sum(terms: list[Expr]) -> Expr:
    return reduce(partial(Arith, Arithmetic.ADD), terms) if terms else Lit(0, INT)
