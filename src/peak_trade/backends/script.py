"""The Python source of a machine's checked step: the same text for the same machine, whoever asks.

Names of the specification stay what they are inside functions; every global that they could shadow starts with `_`,
which a specification's names may not do. An outcome is made once and shared: a step allocates only the value after it.

Limits: the text takes values for well-sorted, as `Kernel.load` checks them; payloads may be any tuple.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field
from typing import assert_never

from peak_trade.backends.branch import Action, Bind, Branch, Put, Scan, Stop, branches, judgement, variable
from peak_trade.backends.pythonic import Names, constant, local, python
from peak_trade.lang.cells import Table
from peak_trade.lang.expr import TRUE, Arith, Expr, Scope, Var, children, variables
from peak_trade.lang.machine import Event, Machine, Transition, Update
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, MapSort, ScalarSort, example
from peak_trade.lang.step import PAYLOAD_INVALID, Outcome, Refused

STORE, STRAYS = "_put", "_strays"
"""The names under which generated code has those two of `lang.maps`."""

SURPLUS = "*"
"""What stands for the name of the payload's items beyond the declared fields; no field can be called so."""


@dataclass(slots=True)
class Outcomes:
    """The global name of each outcome that the text gives, in the order of first use."""

    names: dict[Outcome, str] = field(default_factory=dict)

    def name(self, outcome: Outcome) -> str:
        """Return the name of `outcome`; two outcomes never share one."""
        if outcome not in self.names:
            words = (type(outcome).__name__.upper(), *astuple(outcome))
            name = "_" + "_".join(re.sub(r"\W", "_", word) for word in words if word)
            taken = set(self.names.values())
            self.names[outcome] = name if name not in taken else f"{name}_{len(taken)}"
        return self.names[outcome]

    def lines(self) -> Iterator[str]:
        """Yield the statements that make the outcomes."""
        for outcome, name in self.names.items():
            words = ", ".join(constant(word) for word in astuple(outcome) if word)
            yield f"{name} = {type(outcome).__name__}({words})"


@dataclass(slots=True)
class Script:
    """Writes one machine's functions; equal bodies are written once."""

    machine: Machine
    table: Table
    outcomes: Outcomes = field(default_factory=Outcomes)
    functions: dict[tuple[str, ...], str] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)

    def function(self, name: str, params: str, body: tuple[str, ...]) -> str:
        """Return the name of a function with this body: `name`, or of the one that is already there."""
        key = (params, *body)
        if key not in self.functions:
            self.functions[key] = name
            self.blocks.append("\n".join((f"def {name}({params}):", *(f"    {line}" for line in body))))
        return self.functions[key]

    def check(self, event: Event) -> str:
        """Write the check of a whole payload: the refusal that names the first field at fault, or None."""
        body = ["n = _len(p)"]
        for index, item in enumerate(event.payload):
            test = f"n < {index + 1} or {_misfit(f'p[{index}]', item.sort)}"
            body += [f"if {test}:", f"    return {self._invalid(item.name)}"]
        body += [f"return {self._invalid(SURPLUS)} if n > {len(event.payload)} else None"]
        return self.function(f"_check_{event.name}", "p", tuple(body))

    def cell(self, state: str, event: Event) -> str:
        """Write the function that decides one cell."""
        decided = branches(self.machine, state, event.name, self.table[state, event.name])
        shared = _shared(decided)
        body = [*self._payload(event), *self._unpack(_read(decided))]
        body += [f"{name} = {python(expr, {})}" for expr, name in shared.items()]
        for branch in decided:
            body += self._branch(branch, shared)
        if not decided or decided[-1].when != TRUE:
            place = f"no row of {self.machine.name} decides {event.name} in {state}; run the checks on it"
            body.append(f"raise _Undecided({constant(place)})")
        return self.function(f"_on_{event.name}_{self._next()}", "v, p", tuple(body))

    def judge(self, state: str) -> str:
        """Write the check of a whole value in `state`: the outcome that forbids it, or None."""
        judged = judgement(self.machine, state)
        body = list(self._unpack(_read((judged,))))
        for action in judged.actions:
            if isinstance(action, Stop | Scan):
                body += [f"if {_test(action, {})}:", f"    return {self.outcomes.name(action.outcome)}"]
        end = "None" if judged.outcome is None else self.outcomes.name(judged.outcome)
        return self.function(f"_judge_{self._next()}", "v", (*body, f"return {end}"))

    def guard(self, event: Event, expr: Expr) -> str:
        """Write the function that says whether `expr` holds."""
        return self.function(
            f"_guard_{self._next()}", "v, p", (*self._inputs(event, (expr,)), f"return {python(expr, {})}")
        )

    def update(self, event: Event, row: Transition) -> str:
        """Write the function that gives the value after `row`, without any check."""
        updates = {update.variable: update for update in row.updates}
        if not updates and row.target is None:
            return self.function("_same", "v, p", ("return v",))
        state = "v[0]" if row.target is None else constant(row.target)
        after = (_after(variable(item), updates.get(item.name)) for item in self.machine.variables)
        items = (state, *after)
        read: list[Expr] = [
            variable(item)
            for item in self.machine.variables
            if item.name not in updates or updates[item.name].index is not None
        ]
        read += [expr for update in row.updates for expr in (update.value, update.index) if expr is not None]
        return self.function(f"_update_{self._next()}", "v, p", (*self._inputs(event, read), f"return {_tuple(items)}"))

    def _next(self) -> int:
        return len(self.functions) + 1

    def _invalid(self, name: str) -> str:
        return self.outcomes.name(Refused(PAYLOAD_INVALID, name))

    def _payload(self, event: Event) -> Iterator[str]:
        if not event.payload:
            yield "if p:"
            yield f"    return {self.check(event)}(p), v"
            return
        names = _tuple(tuple(item.name for item in event.payload))
        yield from ("try:", f"    {names} = p", "except _Arity:", f"    return {self.check(event)}(p), v")
        for item in event.payload:
            yield f"if {_misfit(item.name, item.sort)}:"
            yield f"    return {self._invalid(item.name)}, v"

    def _inputs(self, event: Event, exprs: Iterable[Expr]) -> Iterator[str]:
        """Yield the lines that bind the names which `exprs` use; the payload has been checked."""
        read = frozenset[Var]().union(*map(variables, exprs))
        for index, item in enumerate(event.payload):
            if any(var.scope is Scope.PAYLOAD and var.name == item.name for var in read):
                yield f"{item.name} = p[{index}]"
        yield from self._unpack(read)

    def _unpack(self, exprs: Iterable[Expr]) -> Iterator[str]:
        """Yield the lines that bind the context variables which `exprs` use, all at once if that is most of them."""
        read = {var.name for expr in exprs for var in variables(expr) if var.scope is Scope.CONTEXT}
        names = [item.name for item in self.machine.variables]
        if len(read) * 3 > len(names):
            yield f"{', '.join(('_', *names))} = v"
        else:
            yield from (f"{name} = v[{index}]" for index, name in enumerate(names, 1) if name in read)

    def _branch(self, branch: Branch, shared: dict[Expr, str]) -> Iterator[str]:
        indent = "" if branch.when == TRUE else "    "
        if indent:
            yield f"if {python(branch.when, shared)}:"
        names: dict[Expr, str] = dict(shared)
        for action in branch.actions:
            yield from (indent + line for line in self._action(action, names))
        assert branch.outcome is not None
        after = "v" if branch.after is None else _tuple(tuple(python(expr, names) for expr in branch.after))
        yield f"{indent}return {self.outcomes.name(branch.outcome)}, {after}"

    def _action(self, action: Action, names: dict[Expr, str]) -> Iterator[str]:
        if isinstance(action, Stop | Scan):
            yield f"if {_test(action, names)}:"
            yield f"    return {self.outcomes.name(action.outcome)}, v"
        elif isinstance(action, Put):
            yield f"{local(action.var)} = {_stored(action.old, action.index, action.value, names)}"
        elif action.value in names:
            names[action.var] = names[action.value]
        else:
            yield f"{local(action.var)} = {python(action.value, names)}"


def _test(action: Stop | Scan, names: Names) -> str:
    if isinstance(action, Stop):
        return python(action.test, names)
    return f"{STRAYS}({local(action.var)}, {action.bounds.min}, {action.bounds.max})"


def _stored(array: Var, index: Expr, value: Expr, names: Names) -> str:
    assert isinstance(array.sort, MapSort), f"expected a map, was {array.name}"
    default = constant(example(array.sort.element))
    return f"{STORE}({local(array)}, {python(index, names)}, {python(value, names)}, {default})"


def _after(var: Var, update: Update | None) -> str:
    """Return the text of the value that `var` has after `update`."""
    if update is None:
        return python(var, {})
    return python(update.value, {}) if update.index is None else _stored(var, update.index, update.value, {})


def _misfit(place: str, sort: ScalarSort) -> str:
    """Return the test that what is at `place` is not of `sort`."""
    match sort:
        case BoolSort():
            return f"_type({place}) is not _bool"
        case IntSort(low, high):
            ends = ((low, "<"), (high, ">"))
            return " or ".join(
                (f"_type({place}) is not _int", *(f"{place} {op} {end}" for end, op in ends if end is not None))
            )
        case EnumSort(_, members):
            return f"_type({place}) is not _str or {place} not in {{{', '.join(map(constant, members))}}}"


def _tuple(items: tuple[str, ...]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _read(decided: tuple[Branch, ...]) -> Iterator[Expr]:
    for branch in decided:
        yield branch.when
        for action in branch.actions:
            yield from _spoken(action)
        yield from branch.after or ()


def _spoken(action: Action) -> tuple[Expr, ...]:
    match action:
        case Bind(_, value):
            return (value,)
        case Put(_, old, index, value):
            return old, index, value
        case Scan(var):
            return (var,)
        case Stop(test):
            return (test,)
        case _:
            assert_never(action)


def _shared(decided: tuple[Branch, ...]) -> dict[Expr, str]:
    """Return names for the sums that the first test needs in any case and that come up again."""
    counts = Counter(part for expr in _read(decided) for part in _sums(expr))
    first = dict.fromkeys(_sums(decided[0].when)) if decided else {}
    again = [part for part in first if counts[part] > 1]
    return {part: f"_{number}" for number, part in enumerate(again, 1)}


def _sums(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Arith):
        yield expr
    else:
        for part in children(expr):
            yield from _sums(part)
