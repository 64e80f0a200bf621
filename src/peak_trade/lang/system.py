"""A system as declared: machines side by side, one of each or any number, and the rules by which they move together.

Data, no behaviour. What a system means is said by `lang.compose`: for a given number it is a plain machine.
"""

from dataclasses import dataclass, field
from enum import Enum

from peak_trade.lang.expr import TRUE, Expr
from peak_trade.lang.machine import Field, Machine, Origin, Property, Update, Variable
from peak_trade.lang.sorts import EnumSort, MapSort, ScalarSort, Sort
from peak_trade.lang.source import NOWHERE, Span


class Answer(Enum):
    """What a part does with an event, so that the rule may happen."""

    TAKEN = "taken"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Part:
    """A machine in the system: one, or one for `each` of the many."""

    name: str
    machine: Machine
    each: bool
    span: Span = field(default=NOWHERE, compare=False)

    def enums(self) -> tuple[EnumSort, ...]:
        """Return the sort of the part's states and its enumerations, as the system names them."""
        lists = (EnumSort(f"{self.name}.{item.name}", item.members) for item in self.machine.enums)
        return (states(self), *lists)


@dataclass(frozen=True, slots=True)
class Sum:
    """A ghost: the sum of `term` over the many, which no rule writes and properties may name.

    A `positive` one has no negative term, which is proved; so it is known to be at least each of its terms.
    """

    name: str
    term: Expr
    doc: str
    positive: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Move:
    """The part `part` is offered `event` with `arguments`, and answers with one of `answers`."""

    part: str
    event: str
    arguments: tuple[tuple[str, Expr], ...]
    answers: tuple[Answer, ...] = (Answer.TAKEN,)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """What may happen at one moment: all `moves` and `updates` together, or nothing.

    It may happen iff `when` holds, `every` holds of each of the many, and each move gets its answer. `each` rules
    happen to one of the many; they read and write only that one and what is shared.
    """

    name: str
    doc: str
    origin: Origin
    each: bool
    parameters: tuple[Field, ...] = ()
    when: Expr = TRUE
    every: Expr = TRUE
    moves: tuple[Move, ...] = ()
    updates: tuple[Update, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class System:
    """One declared system. `own` are the variables that each of the many has beside its parts.

    In expressions the names of parts are dotted (`order.cum`, `order.state`), others stand as they are.
    """

    name: str
    version: int
    summary: str
    enums: tuple[EnumSort, ...]
    parts: tuple[Part, ...]
    shared: tuple[Variable, ...]
    own: tuple[Variable, ...]
    sums: tuple[Sum, ...]
    rules: tuple[Rule, ...]
    properties: tuple[Property, ...]

    def all_enums(self) -> tuple[EnumSort, ...]:
        """Return the enumerations of the system and, under the system's names, of its parts and their states."""
        theirs = (
            sort
            for part in self.parts
            for sort in (
                states(part),
                *(EnumSort(f"{part.name}.{item.name}", item.members) for item in part.machine.enums),
            )
        )
        return (*self.enums, *theirs)

    def part(self, name: str) -> Part:
        """Return the part called `name`; KeyError if there is none."""
        return {part.name: part for part in self.parts}[name]

    def rule(self, name: str) -> Rule:
        """Return the rule called `name`; KeyError if there is none."""
        return {rule.name: rule for rule in self.rules}[name]


@dataclass(frozen=True, slots=True)
class Names:
    """The variables of a system as expressions name them: those that exist once, and those that each one has."""

    once: tuple[Variable, ...]
    each: tuple[Variable, ...]

    @property
    def local(self) -> frozenset[str]:
        """The names of the variables that each one has."""
        return frozenset(variable.name for variable in self.each)


def states(part: Part) -> EnumSort:
    """Return the sort of the control states of `part`."""
    return EnumSort(f"{part.name}.State", tuple(state.name for state in part.machine.states))


def names(system: System) -> Names:
    """Return the variables of `system`: its own, and those of its parts with the part's name before a dot."""
    once = [*system.shared, *(item for part in system.parts if not part.each for item in _variables(part))]
    each = [*(item for part in system.parts if part.each for item in _variables(part)), *system.own]
    return Names(tuple(once), tuple(each))


def _variables(part: Part) -> tuple[Variable, ...]:
    control = Variable(f"{part.name}.state", states(part), part.machine.initial.name, f"Control state of {part.name}")
    rest = (
        Variable(f"{part.name}.{item.name}", lifted(part, item.sort), item.init, item.doc, item.unit, free=item.free)
        for item in part.machine.variables
    )
    return (control, *rest)


def lifted(part: Part, sort: Sort) -> Sort:
    """Return `sort` of a variable of the part's machine as the system names it."""
    return MapSort(scalar(part, sort.element)) if isinstance(sort, MapSort) else scalar(part, sort)


def scalar(part: Part, sort: ScalarSort) -> ScalarSort:
    """Return `sort` of the part's machine, which is no map, as the system names it."""
    return EnumSort(f"{part.name}.{sort.name}", sort.members) if isinstance(sort, EnumSort) else sort
