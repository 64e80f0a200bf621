"""What is known where a line of code runs: a test that it decides has the same answer whenever that line is reached.

A comparison is one of three orders, less, equal or greater; each test on the way leaves some of them possible.
Other truths are remembered as they stand.

Limits: nothing is concluded from two facts together, so `a < b` and `b < c` say nothing about `a < c`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from peak_trade.backends.bounds import ALL, ORDERS, Orders, answer, interval, possible
from peak_trade.lang.expr import And, Compare, Expr, Lit, Not, Or, sort_of
from peak_trade.lang.sorts import IntSort


@dataclass(frozen=True, slots=True)
class Facts:
    """What has been tested so far, and which expressions bound variables stand for."""

    orders: Mapping[tuple[Expr, Expr], Orders] = field(default_factory=dict)
    truths: Mapping[Expr, bool] = field(default_factory=dict)
    meanings: Mapping[Expr, Expr] = field(default_factory=dict)

    def bound(self, name: Expr, value: Expr) -> "Facts":
        """Return these facts and that `name` stands for `value`."""
        return Facts(self.orders, self.truths, {**self.meanings, name: value})

    def learned(self, expr: Expr, truth: bool) -> "Facts":
        """Return these facts and what follows at once from `expr` having the value `truth`."""
        match expr:
            case Lit():
                return self
            case Not(arg):
                return self.learned(arg, not truth)
            case Compare(op, left, right):
                return self._compared(left, right, ORDERS[op] if truth else ALL - ORDERS[op])
            case And(args) if truth:
                return self._all(args, truth)
            case Or(args) if not truth:
                return self._all(args, truth)
            case _:
                return Facts(self.orders, {**self.truths, expr: truth}, self.meanings)

    def decides(self, expr: Expr) -> bool | None:
        """Return the value that `expr` has under these facts, or None iff they do not say."""
        if not isinstance(expr, Compare):
            return self.truths.get(expr)
        return answer(expr.op, self._orders(expr.left, expr.right))

    def _all(self, args: tuple[Expr, ...], truth: bool) -> "Facts":
        facts = self
        for arg in args:
            facts = facts.learned(arg, truth)
        return facts

    def _compared(self, left: Expr, right: Expr, orders: Orders) -> "Facts":
        known = self._orders(left, right) & orders
        pair = (self._meaning(left), self._meaning(right))
        turned = {pair[::-1]: frozenset(-order for order in known), pair: known}
        return Facts({**self.orders, **turned}, self.truths, self.meanings)

    def _orders(self, left: Expr, right: Expr) -> Orders:
        known = self.orders.get((self._meaning(left), self._meaning(right)), ALL)
        if not isinstance(sort_of(left), IntSort):
            return known
        return known & possible(interval(left), interval(right))

    def _meaning(self, expr: Expr) -> Expr:
        return self.meanings.get(expr, expr)


NOTHING = Facts()
