"""A machine as Python text that lists what follows a value: the hot part of an exploration, equal to `lang.step`.

A value is one flat tuple, and each control state has a function of its own, in which positions are local names,
constants are folded, and a loop over a payload field stands inside every test that does not need it. `left` is told
the values in which an update leaves the bounds of its variable, `cut` those in which one leaves those of the
exploration: neither step is listed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from peak_trade.backends.bounds import interval
from peak_trade.backends.domains import Domains, Flat, Scalars
from peak_trade.backends.fold import fold
from peak_trade.backends.pythonic import constant, python
from peak_trade.lang.cells import enabled
from peak_trade.lang.expr import FALSE, TRUE, And, Expr, Lit, Scope, Var, variables
from peak_trade.lang.machine import Event, Machine, Transition, Variable
from peak_trade.lang.sorts import IntSort, Scalar

Arrow: TypeAlias = tuple[int, tuple[Scalar, ...], Flat]
"""A step: the index of its event, the payload in declared order, the value after it."""

Listed: TypeAlias = Mapping[str, Callable[[Flat], list[Flat]]]
Arrows: TypeAlias = Mapping[str, Callable[[Flat], list[Arrow]]]


@dataclass(frozen=True, slots=True)
class Steps:
    """What follows a value, by its control state: the values alone, and with the steps to them.

    `left` and `cut` hold the values whose steps were not listed, once for each such step that `listed` met.
    """

    listed: Listed
    arrows: Arrows
    left: list[Flat] = field(default_factory=list)
    cut: list[Flat] = field(default_factory=list)


def steps(machine: Machine, tried: Domains) -> Steps:
    """Return the compiled functions of `machine`."""
    left: list[Flat] = []
    cut: list[Flat] = []
    plain: dict[str, Any] = {"left": left.append, "cut": cut.append}
    exec(compile(source(machine, tried, labels=False), f"<successors of {machine.name}>", "exec"), plain)  # noqa: S102 - our own text
    named: dict[str, Any] = {"left": _nothing, "cut": _nothing}
    exec(compile(source(machine, tried, labels=True), f"<steps of {machine.name}>", "exec"), named)  # noqa: S102 - as above
    return Steps(plain["TABLE"], named["TABLE"], left, cut)


def predicate(machine: Machine, expr: Expr) -> Callable[[Flat], bool]:
    """Return the compiled state expression `expr` as a function of a value."""
    found: Callable[[Flat], bool] = eval(_function(machine, expr, ("v",)), {})  # noqa: S307 - our own text
    return found


def relation(machine: Machine, expr: Expr) -> Callable[[Flat, str, Flat], bool]:
    """Return the compiled step expression `expr` as a function of a value, an event and the value after it."""
    found: Callable[[Flat, str, Flat], bool] = eval(_function(machine, expr, ("v", "e", "w")), {})  # noqa: S307 - our own text
    return found


def source(machine: Machine, tried: Domains, *, labels: bool) -> str:
    """Return the Python text: one function a control state, and the `TABLE` of them.

    With `labels` a function lists arrows, else values. The machine's cells are each decided by one row.
    Limits: every domain has an end.
    """
    writer = _Writer(machine, tried, labels)
    lines: list[str] = []
    for number, state in enumerate(machine.states):
        lines += writer.function(number, state.name)
    table = ", ".join(f"{constant(state.name)}: _s{number}" for number, state in enumerate(machine.states))
    return "\n".join([*lines, f"TABLE = {{{table}}}", ""])


@dataclass(frozen=True, slots=True)
class _Writer:
    machine: Machine
    tried: Domains
    labels: bool

    def function(self, number: int, state: str) -> Iterator[str]:
        """Yield the function of one control state."""
        yield f"def _s{number}(v):"
        yield f"    {_unpacked('v', 'c', self.machine)}"
        yield "    out = []"
        yield "    add = out.append"
        for row in self.machine.transitions:
            if state in row.sources:
                yield from ("    " + line for line in self._row(row, state))
        yield "    return out"

    def _row(self, row: Transition, state: str) -> Iterator[str]:
        event = self.machine.event(row.event)
        names = _Names.of(self.machine, event)
        guard = fold(enabled(row), _itself)
        if guard == FALSE:
            return
        parts = guard.args if isinstance(guard, And) else () if guard == TRUE else (guard,)
        scalars = self.tried.payloads[event.name]
        indent = ""
        for place in range(-1, len(scalars)):
            if place >= 0:
                yield f"{indent}for p{place} in {_scalars(scalars[place])}:"
                indent += "    "
            tests = [part for part in parts if names.last(part) == place]
            if tests:
                yield f"{indent}if {python(And(tuple(tests)) if len(tests) > 1 else tests[0], names.texts(tests))}:"
                indent += "    "
        yield from (indent + line for line in self._take(row, state, names))

    def _take(self, row: Transition, state: str, names: "_Names") -> Iterator[str]:
        updates = {update.variable: update for update in row.updates}
        after: list[str] = [constant(row.target or state)]
        tests: tuple[list[str], list[str]] = ([], [])
        for place, item in enumerate(self.machine.variables):
            if item.name not in updates:
                after.append(f"c{place}")
                continue
            value = fold(updates[item.name].value, _itself)
            text = python(value, names.texts((value,)))
            checks = self._checks(item, value, place)
            if isinstance(value, Lit) and not any(checks):
                after.append(text)
                continue
            yield f"n{place} = {text}"
            after.append(f"n{place}")
            tests[0].extend(checks[0])
            tests[1].extend(checks[1])
        yield from self._add(row, after, *tests)

    def _checks(self, item: Variable, value: Expr, place: int) -> tuple[list[str], list[str]]:
        """Return the tests that a new value leaves its sort, and that it leaves the exploration."""
        if not isinstance(item.sort, IntSort):
            return [], []
        found, tried = interval(value), self.tried.variables[place]
        assert isinstance(tried, range), f"expected numbers, was {tried}"
        sort, bounds = (item.sort.min, item.sort.max), (tried.start, tried.stop - 1)
        wide = bounds[0] == sort[0] and bounds[1] == sort[1]
        return _outside(f"n{place}", found, sort), [] if wide else _outside(f"n{place}", found, bounds)

    def _add(self, row: Transition, after: list[str], leaves: list[str], cuts: list[str]) -> Iterator[str]:
        event = next(index for index, item in enumerate(self.machine.events) if item.name == row.event)
        payload = "".join(f"p{place}, " for place in range(len(self.machine.events[event].payload)))
        value = f"({', '.join(after)},)"
        add = f"add(({event}, ({payload}), {value}))" if self.labels else f"add({value})"
        word = "if"
        for tests, told in ((leaves, "left(v)"), (cuts, "cut(v)")):
            if tests:
                yield f"{word} {' or '.join(tests)}:"
                yield f"    {told}"
                word = "elif"
        if word == "if":
            yield add
        else:
            yield from ("else:", f"    {add}")


@dataclass(frozen=True, slots=True)
class _Names:
    """The local names of one machine and event: positions, so that any name may be declared."""

    context: Mapping[str, str]
    payload: Mapping[str, int]

    @classmethod
    def of(cls, machine: Machine, event: Event | None = None) -> "_Names":
        context = {item.name: f"c{place}" for place, item in enumerate(machine.variables)}
        return cls(context, {item.name: place for place, item in enumerate(event.payload if event else ())})

    def last(self, expr: Expr) -> int:
        """Return the place of the last payload field that `expr` needs, -1 if it needs none."""
        return max((self.payload[var.name] for var in variables(expr) if var.scope is Scope.PAYLOAD), default=-1)

    def texts(self, exprs: Iterable[Expr]) -> dict[Expr, str]:
        """Return the local name of each variable of `exprs`."""
        return {var: self._text(var) for expr in exprs for var in variables(expr)}

    def _text(self, var: Var) -> str:
        match var.scope:
            case Scope.CONTEXT:
                return self.context[var.name]
            case Scope.NEXT:
                return "n" + self.context[var.name]
            case Scope.PAYLOAD:
                return f"p{self.payload[var.name]}"
            case Scope.STATE:
                return "s"
            case Scope.NEXT_STATE:
                return "ns"
            case Scope.EVENT:
                return "e"


def _function(machine: Machine, expr: Expr, parameters: tuple[str, ...]) -> str:
    names = _Names.of(machine)
    places = {"s": "v[0]", "ns": "w[0]"}
    for place in range(len(machine.variables)):
        places |= {f"c{place}": f"v[{place + 1}]", f"nc{place}": f"w[{place + 1}]"}
    found = {var: places.get(name, name) for var, name in names.texts((expr,)).items()}
    return f"lambda {', '.join(parameters)}: {python(expr, found)}"


def _unpacked(value: str, letter: str, machine: Machine) -> str:
    return f"{', '.join(('_', *(f'{letter}{place}' for place in range(len(machine.variables)))))}, = {value}"


def _scalars(found: Scalars) -> str:
    if isinstance(found, range):
        return f"range({found.start}, {found.stop})"
    return f"({', '.join(map(constant, found))},)"


def _outside(name: str, found: tuple[int | None, int | None], ends: tuple[int | None, int | None]) -> list[str]:
    """Return the tests that `name`, which lies in `found`, lies outside `ends`."""
    low, high = ends
    below = low is not None and (found[0] is None or found[0] < low)
    above = high is not None and (found[1] is None or found[1] > high)
    return ([f"{name} < {low}"] if below else []) + ([f"{name} > {high}"] if above else [])


def _itself(var: Var) -> Expr:
    return var


def _nothing(_: Flat) -> None:
    """Do nothing."""
