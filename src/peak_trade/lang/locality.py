"""Where what is proved of one tracked order is proved of any number, and where not.

The rules themselves cannot break it: a rule reads and writes what is shared and what one of the many has, a condition
on all of them stands under `every`, and a sum over them only in properties; the builder admits nothing else. What is
left is looked at here.
"""

from collections.abc import Iterator
from itertools import product

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import TRUE, variables
from peak_trade.lang.machine import LeadsTo
from peak_trade.lang.sorts import BoolSort, EnumSort, Scalar, Sort
from peak_trade.lang.system import Sum, System, names


def obstacles(system: System) -> tuple[str, ...]:
    """Return why the view of one tracked among many is not enough for `system`; none iff it is."""
    return (*_sums(system), *_fairness(system))


def _sums(system: System) -> Iterator[str]:
    """A sum over any number starts with a known value only if each term starts with 0."""
    for item in system.sums:
        if not _starts_with_zero(system, item):
            yield f"the sum {item.name} of any number does not start with 0: its term may start with something else"


def _starts_with_zero(system: System, item: Sum) -> bool:
    """Return true iff the term is 0 at the start whatever free truth values and members are, without a free number."""
    found = names(system)
    every = (*found.once, *found.each)
    spoken = {var.name for var in variables(item.term)}
    free = [one for one in every if one.free and one.name in spoken and _values(one.sort)]
    known = {one.name: one.init for one in every if not one.free}
    try:
        return all(
            evaluate(item.term, Env(known | dict(zip((one.name for one in free), values, strict=True)))) == 0
            for values in product(*(_values(one.sort) for one in free))
        )
    except KeyError:
        return False


def _values(sort: Sort) -> tuple[Scalar, ...]:
    """Return all values of a truth value or an enumeration; none of any other sort."""
    match sort:
        case BoolSort():
            return (False, True)
        case EnumSort(_, members):
            return members
        case _:
            return ()


def _fairness(system: System) -> Iterator[str]:
    """The view of one knows that a rule that waits for everyone can happen only if nobody else is waited for.

    Strong fairness asks that each fair rule happens whenever it is offered, which one alone cannot tell of such a rule.
    Weak fairness of one such rule is told: look at whoever is waited for, or at anyone if nobody is. Several would need
    a case for each combination of who is waited for.
    """
    for claim in system.properties:
        if isinstance(claim, LeadsTo):
            waiting = [name for name in claim.fair if system.rule(name).every != TRUE]
            if waiting and not claim.weak:
                yield f"{claim.name} rests on {' and '.join(waiting)}, which waits for everyone; only weak fairness can"
            elif len(waiting) > 1:
                yield f"{claim.name} is fair to {' and '.join(waiting)}, which both wait for everyone"
