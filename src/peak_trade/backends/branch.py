"""What one (state, event) cell does, as branches: a test, the checks after it in the order of `lang.step`, an outcome.

Everything that the known states and the sorts decide is folded away here; what is left is rendered by `kernel`.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from peak_trade.backends.bounds import Interval, interval
from peak_trade.backends.facts import NOTHING, Facts
from peak_trade.backends.fold import Known, fold, negation
from peak_trade.lang.cells import Choice
from peak_trade.lang.expr import FALSE, TRUE, Compare, Comparison, Expr, Lit, Scope, Var, disjunction
from peak_trade.lang.machine import Always, Machine, Transition, Variable
from peak_trade.lang.sorts import INT, EnumSort, IntSort, MapSort, Sort
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Ignored, Outcome, Refused, Taken, written_sort


@dataclass(frozen=True, slots=True)
class Bind:
    """`var`, a variable after the step, takes `value`, an expression over the values before it."""

    var: Var
    value: Expr


@dataclass(frozen=True, slots=True)
class Put:
    """`var`, a map after the step, is `old`, the same map before it, but has `value` at `index`."""

    var: Var
    old: Var
    index: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class Scan:
    """If some element of `var` lies outside `bounds`, the step ends here with `outcome` and nothing changes."""

    var: Var
    bounds: IntSort
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stop:
    """If `test` holds, the step ends here with `outcome` and nothing changes."""

    test: Expr
    outcome: Outcome


Action: TypeAlias = Bind | Put | Scan | Stop


@dataclass(frozen=True, slots=True)
class Branch:
    """If `when` holds and no action stops it: `outcome`, and the value `after` (state and context), or no change.

    A judgement has no outcome of its own: None.
    """

    when: Expr
    actions: tuple[Action, ...]
    outcome: Outcome | None
    after: tuple[Expr, ...] | None = None


def branches(machine: Machine, state: str, event: str, choices: tuple[Choice, ...]) -> tuple[Branch, ...]:
    """Return the branches of a cell in the order of its choices, without those that no values can reach."""
    found: list[Branch] = []
    facts = NOTHING
    for choice in choices:
        when = fold(choice.when, before(state, event), facts)
        if when == FALSE:
            continue
        if isinstance(choice.row, Transition):
            found.append(_taken(machine, state, when, choice.row, facts))
        else:
            reason = choice.row.reason
            found.append(Branch(when, (), Refused(reason) if choice.row.refused else Ignored(reason)))
        if when == TRUE:
            break
        facts = facts.learned(when, truth=False)
    return tuple(found)


def before(state: str, event: str) -> Known:
    """Return what is known of the variables of a guard or an update in one cell."""
    return lambda var: _named(var, state, event)


def after_state(state: str, changed: dict[str, Expr]) -> Known:
    """Return what is known of the variables of an invariant: the control state, and what the step `changed`."""
    return lambda var: changed.get(var.name, var) if var.scope is Scope.CONTEXT else _named(var, state, "")


def variable(item: Variable) -> Var:
    """Return the expression that denotes a context variable before the step."""
    return Var(item.name, item.sort, Scope.CONTEXT)


def judgement(machine: Machine, state: str) -> Branch:
    """Return the checks of a whole value in `state`: each variable's bounds, then each declared invariant."""
    path = _Path(NOTHING)
    for item in machine.variables:
        if isinstance(item.sort, MapSort):
            path.scan(variable(item), item.sort, Refused(VALUE_BOUNDS, item.name))
            continue
        unchecked = Var(item.name, INT, Scope.CONTEXT)
        path.stop(_outside(variable(item), unchecked, item.sort, path.facts), Refused(VALUE_BOUNDS, item.name))
    for claim in _invariants(machine):
        path.stop(negation(fold(claim.holds, after_state(state, {}), path.facts)), Broken(claim.name))
    return path.branch(TRUE, None, None)


def _named(var: Var, state: str, event: str) -> Expr:
    match var.scope:
        case Scope.STATE:
            return Lit(state, var.sort)
        case Scope.EVENT:
            return Lit(event, var.sort)
        case _:
            return var


def _taken(machine: Machine, state: str, when: Expr, row: Transition, facts: Facts) -> Branch:
    path = _Path(facts.learned(when, truth=True))
    known = before(state, row.event)
    for lock in row.require:
        path.stop(negation(fold(lock.holds, known, path.facts)), Refused(lock.reason, row.name))
    values = {update.variable: fold(update.value, known, path.facts) for update in row.updates}
    values = {name: value for name, value in values.items() if not _is_same(name, value)}
    at = {update.variable: fold(update.index, known, path.facts) for update in row.updates if update.index is not None}
    written = {
        item.name: values[item.name] if item.name in at else path.bind(item, values[item.name])
        for item in machine.variables
        if item.name in values
    }
    for item in machine.variables:
        if item.name in values:
            test = _outside(written[item.name], values[item.name], written_sort(item.sort), path.facts)
            path.stop(test, Refused(VALUE_BOUNDS, item.name))
    changed = {
        item.name: path.put(item, at[item.name], value) if item.name in at else value
        for item in machine.variables
        if (value := written.get(item.name)) is not None
    }
    target = row.target or state
    for claim in _invariants(machine):
        path.stop(negation(fold(claim.holds, after_state(target, changed), path.facts)), Broken(claim.name))
    return path.branch(when, Taken(row.name), _after(machine, state, target, changed))


@dataclass(slots=True)
class _Path:
    """The way to one transition's end while it is written: what is known by now, and whether it ends before."""

    facts: Facts
    actions: list[Action] = field(default_factory=list)
    end: Outcome | None = None

    def stop(self, test: Expr, outcome: Outcome) -> None:
        if test == TRUE and self.end is None:
            self.end = outcome
        if test != FALSE and self.end is None:
            self.actions.append(Stop(test, outcome))
            self.facts = self.facts.learned(test, truth=False)

    def bind(self, item: Variable, value: Expr) -> Expr:
        """Return what stands for `item` after the step: a constant or a name as it is, else a new name."""
        if isinstance(value, Lit | Var):
            return value
        var = Var(item.name, _narrowed(item.sort, interval(value)), Scope.NEXT)
        if self.end is None:
            self.actions.append(Bind(var, value))
        self.facts = self.facts.bound(var, value)
        return var

    def put(self, item: Variable, index: Expr, value: Expr) -> Expr:
        """Return what stands for the map `item` after the step that writes `value` at `index`."""
        var = Var(item.name, item.sort, Scope.NEXT)
        if self.end is None:
            self.actions.append(Put(var, variable(item), index, value))
        return var

    def scan(self, var: Var, sort: MapSort, outcome: Outcome) -> None:
        """End here if an element of `var` has left the bounds of its sort."""
        bounds = sort.element
        if self.end is None and isinstance(bounds, IntSort) and bounds != INT:
            self.actions.append(Scan(var, bounds, outcome))

    def branch(self, when: Expr, outcome: Outcome | None, after: tuple[Expr, ...] | None) -> Branch:
        if self.end is not None:
            return Branch(when, tuple(self.actions), self.end)
        return Branch(when, tuple(self.actions), outcome, after)


def _is_same(name: str, value: Expr) -> bool:
    return isinstance(value, Var) and value.scope is Scope.CONTEXT and value.name == name


def _narrowed(sort: Sort, found: Interval) -> Sort:
    """Return the sort of a variable once its bounds are checked: both what is declared and what was found."""
    if not isinstance(sort, IntSort):
        return sort
    lows = [end for end in (sort.min, found[0]) if end is not None]
    highs = [end for end in (sort.max, found[1]) if end is not None]
    return IntSort(max(lows, default=None), min(highs, default=None))


def _outside(shown: Expr, value: Expr, sort: Sort, facts: Facts) -> Expr:
    """Return the test that what is `shown`, which has the value of `value`, is not of `sort`."""
    tests: list[Expr] = []
    ends = ((Comparison.LT, sort.min), (Comparison.GT, sort.max)) if isinstance(sort, IntSort) else ()
    for op, end in ends:
        if end is not None:
            known = facts.decides(Compare(op, value, Lit(end, INT)))
            tests += [Compare(op, shown, Lit(end, INT))] if known is None else [TRUE] if known else []
    return TRUE if TRUE in tests else disjunction(tuple(tests))


def _invariants(machine: Machine) -> tuple[Always, ...]:
    return tuple(claim for claim in machine.properties if isinstance(claim, Always))


def _after(machine: Machine, state: str, target: str, changed: dict[str, Expr]) -> tuple[Expr, ...] | None:
    if target == state and not changed:
        return None
    return (
        Lit(target, EnumSort("State", (target,))),
        *(changed.get(item.name, variable(item)) for item in machine.variables),
    )
