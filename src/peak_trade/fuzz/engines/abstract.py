"""What a walk tells values apart by: control state, enumerations, truth values, and the guards' own comparisons.

Numbers are seen only as far as a guard compares them: `cum == qty` is a part of the abstract value, `cum` is not,
except whether it is above 0. So the abstract values are few, and two values with the same one are led by the same
guards, payloads aside. In a composed machine each one of the many is looked at by itself, together with what is shared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from peak_trade.backends.kernel import Packed, Running
from peak_trade.backends.pythonic import SELECT, constant, python
from peak_trade.lang.cells import enabled
from peak_trade.lang.expr import At, Compare, Expr, Member, Scope, Var, children, element, variables
from peak_trade.lang.machine import Event, Heard, Machine, Step, Variable
from peak_trade.lang.maps import select
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, example

Abstract: TypeAlias = tuple[Any, ...]
"""An abstract value: the control state, then what is seen of the context. Equal for values that look the same."""

View: TypeAlias = Callable[[Running], Abstract]
Judge: TypeAlias = Callable[[Running, str, Packed, Running], bool]

SHARED: Final = ""
"""The group of what is not one's own."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim about steps, compiled: `holds` of the value before, the event, the payload and the value after.

    A claim that an event is heard (`heard`) says with `holds` when it speaks of an offer.
    """

    name: str
    heard: str
    holds: Judge


def views(machine: Machine) -> tuple[View, ...]:
    """Return the compiled abstractions of `machine`: one, or of a composed machine one for each of the many."""
    groups = sorted({_group(item.name) for item in machine.variables} - {SHARED})
    return tuple(_view(machine, group) for group in groups or [SHARED])


def regions(machine: Machine) -> tuple[int, ...]:
    """Return the places in a running value that hold control states: the machine's own, and those of its parts."""
    parts = (place for place, item in enumerate(machine.variables, 1) if _is_state(item))
    return (0, *parts)


def _is_state(item: Variable) -> bool:
    return isinstance(item.sort, EnumSort) and item.sort.name.endswith(".State")


def atoms(machine: Machine) -> tuple[Expr, ...]:
    """Return the comparisons in the guards of `machine` that are about the context alone, in order of first use."""
    guards = (enabled(row) for row in machine.transitions)
    others = (row.when for row in machine.dismissals if row.when is not None)
    found = (atom for expr in (*guards, *others) for atom in _atoms(expr))
    return tuple(dict.fromkeys(found))


def judged(machine: Machine) -> tuple[Judged, ...]:
    """Return the claims of `machine` about steps and about what is heard, compiled, in declared order."""
    found = []
    for claim in machine.properties:
        if isinstance(claim, Step):
            found.append(Judged(claim.name, "", _judge(machine, claim.holds, None)))
        elif isinstance(claim, Heard):
            found.append(Judged(claim.name, claim.event, _judge(machine, claim.when, machine.event(claim.event))))
    return tuple(found)


def literals(machine: Machine) -> tuple[int, ...]:
    """Return the numbers that stand in the guards and updates of `machine`, each with its neighbours, rising."""
    updates = (update.value for row in machine.transitions for update in row.updates)
    guards = (enabled(row) for row in machine.transitions)
    found = {value for expr in (*guards, *updates) for value in _numbers(expr)}
    return tuple(sorted({value + by for value in found for by in (-1, 0, 1)}))


def _numbers(expr: Expr) -> Iterator[int]:
    value = getattr(expr, "value", None)
    if type(value) is int:
        yield value
    for part in children(expr):
        yield from _numbers(part)


def _atoms(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Compare | Member):
        found = variables(expr)
        counted = any(isinstance(var.sort, IntSort) for var in found) or _reads(expr)
        if found and counted and all(var.scope is Scope.CONTEXT for var in found):
            yield expr
        return
    for part in children(expr):
        yield from _atoms(part)


def _reads(expr: Expr) -> bool:
    return isinstance(expr, At) or any(_reads(part) for part in children(expr))


def _group(name: str) -> str:
    """Return whose variable it is: the number in `cum[2]`, or SHARED."""
    return name.partition("[")[2]


def _view(machine: Machine, group: str) -> View:
    mine = {SHARED, group}
    parts = ["v[0]"]
    for place, item in enumerate(machine.variables, 1):
        if _group(item.name) in mine:
            parts += _seen(item, f"v[{place}]")
    texts = _Names(machine, None)
    for atom in atoms(machine):
        if {_group(var.name) for var in variables(atom)} <= mine:
            parts.append(python(atom, texts))
    return _function("v", f"({', '.join(parts)},)")


def _seen(item: Variable, text: str) -> list[str]:
    match item.sort:
        case BoolSort() | EnumSort():
            return [text]
        case IntSort():
            return [f"{text} > 0"]
        case _:
            return []


def _judge(machine: Machine, expr: Expr, event: Event | None) -> Judge:
    return _function("v, e, p, w", python(expr, _Names(machine, event)))


def _function(parameters: str, text: str) -> Callable[..., Any]:
    made: Callable[..., Any] = eval(f"lambda {parameters}: {text}", {SELECT: select})  # noqa: S307 - our own text, made from a closed AST
    return made


class _Names(dict[Expr, str]):
    """The Python text of each variable, by position, so that any name may be declared."""

    def __init__(self, machine: Machine, event: Event | None) -> None:
        super().__init__()
        self.places = {item.name: place for place, item in enumerate(machine.variables, 1)}
        self.fields = {item.name: place for place, item in enumerate(event.payload if event else ())}

    def __contains__(self, expr: object) -> bool:
        return isinstance(expr, Var | At)

    def __missing__(self, expr: Expr) -> str:  # noqa: PLR0911 - one return for each scope
        if isinstance(expr, At):
            return f"{SELECT}({self[expr.map]}, {python(expr.index, self)}, {constant(example(element(expr)))})"
        assert isinstance(expr, Var), f"expected a variable, was {expr}"
        match expr.scope:
            case Scope.CONTEXT:
                return f"v[{self.places[expr.name]}]"
            case Scope.NEXT:
                return f"w[{self.places[expr.name]}]"
            case Scope.PAYLOAD:
                return f"p[{self.fields[expr.name]}]"
            case Scope.STATE:
                return "v[0]"
            case Scope.NEXT_STATE:
                return "w[0]"
            case Scope.EVENT:
                return "e"
