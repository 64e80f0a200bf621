"""The step of one machine over many lanes at once: for each lane it gives what `lang.step` gives.

A lane is one running machine. Their states, context variables and payloads are columns of NumPy; lanes in cells that
read alike are run together by one generated function. `generate` is the text that a reviewer reads, `compile_arrays`
runs that very text.

Units: as declared in the specification.
Limits: no maps (`vector.Unfit`). Numbers are int64: a step is exact from numbers for which `Growth.steps` allows one,
and it is the caller who stops in time. Payloads are trusted to be of their sorts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from peak_trade.backends.groups import NONE, plan
from peak_trade.backends.vector import WHERE, Growth, code, growth
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import BoolSort, EnumSort, Scalar, Sort
from peak_trade.lang.step import Outcome, Payload, Value, initial

Column: TypeAlias = NDArray[Any]
"""One item for each lane: bool, int64, or int16 for states, members of an enumeration, events and outcomes."""
Columns: TypeAlias = tuple[Column, ...]
Function: TypeAlias = Callable[[Columns, Columns, Column, Column, Column], None]

ARRAYS_MAX: Final = 32
"""How many compiled machines are kept; the others are compiled again."""
UNDECIDED: Final = 0
"""The code of a lane whose cell nothing decides; a machine that passes the checks has none."""


class Undecided(LookupError):  # noqa: N818 - named by what the lane is
    """No row decides what `event` does in `state`; the machine does not pass the checks."""

    def __init__(self, machine: str, state: str, event: str) -> None:
        self.machine, self.state, self.event = machine, state, event
        super().__init__(f"expected a row of {machine} that decides {event} in {state}, was none; run `peak check`")


@dataclass(frozen=True, slots=True)
class Lanes:
    """Running machines: the place of each one's state among the states, and a column for each context variable."""

    state: Column
    context: Columns

    def copy(self) -> "Lanes":
        """Return lanes with the same values that run on their own."""
        return Lanes(self.state.copy(), tuple(column.copy() for column in self.context))


@dataclass(frozen=True, slots=True)
class Arrays:
    """One machine's compiled step. `outcomes` by code; `base` and `chosen` by cell, `event * states + state`."""

    machine: Machine
    fingerprint: str
    text: str
    growth: Growth
    outcomes: tuple[Outcome | None, ...]
    base: Column
    chosen: Column
    functions: tuple[Function, ...]

    @property
    def slots(self) -> int:
        """How many payload columns the widest event needs."""
        return max((len(event.payload) for event in self.machine.events), default=0)

    def step(self, lanes: Lanes, events: Column, payload: Columns) -> Column:
        """Return the code of what its event does in each lane, and move those that take it, in place.

        `payload` has `slots` columns of int64, of which an event reads as many as it has fields, in declared order;
        each item is of its field's sort.

        Raises:
            Undecided: nothing decides a lane; then the others have moved.
        """
        cell = events.astype(np.intp) * len(self.machine.states) + lanes.state
        out: Column = self.base.take(cell)
        chosen = self.chosen.take(cell)
        moving = np.flatnonzero(chosen)
        keys = chosen.take(moving)
        order = moving.take(np.argsort(keys, kind="stable"))
        ends = np.cumsum(np.bincount(keys, minlength=len(self.functions))).tolist()
        begin = 0
        for function, end in zip(self.functions, ends, strict=True):
            if begin < end:
                function(lanes.context, payload, lanes.state, out, order[begin:end])
            begin = end
        if not out.all():
            self._undecided(lanes, events, int(np.flatnonzero(out == UNDECIDED)[0]))
        return out

    def _undecided(self, lanes: Lanes, events: Column, lane: int) -> None:
        state, event = self.machine.states[lanes.state[lane]], self.machine.events[events[lane]]
        raise Undecided(self.machine.name, state.name, event.name)

    def start(self, count: int) -> Lanes:
        """Return `count` lanes in the initial value; a free variable has the example of it."""
        one = self.load([initial(self.machine)])
        return Lanes(one.state.repeat(count), tuple(column.repeat(count) for column in one.context))

    def load(self, values: Sequence[Value]) -> Lanes:
        """Return lanes with these values; OverflowError iff a number is none of 64 bits."""
        places = {item.name: place for place, item in enumerate(self.machine.states)}
        context = zip(*(value.context for value in values), strict=True) if values else iter([()] * self._width)
        return Lanes(
            np.array([places[value.state] for value in values], np.int16),
            tuple(_column(items, item.sort) for item, items in zip(self.machine.variables, context, strict=True)),
        )

    @property
    def _width(self) -> int:
        return len(self.machine.variables)

    def value(self, lanes: Lanes, lane: int) -> Value:
        """Return the value of one lane as the language has it."""
        pairs = zip(self.machine.variables, lanes.context, strict=True)
        return Value(
            self.machine.states[int(lanes.state[lane])].name,
            tuple(scalar(int(column[lane]), item.sort) for item, column in pairs),
        )

    def offer(self, events: Column, payload: Columns, lane: int) -> tuple[str, dict[str, Scalar]]:
        """Return what is offered to one lane as the language has it: the event's name and its payload."""
        event = self.machine.events[int(events[lane])]
        pairs = zip(event.payload, payload, strict=False)
        return event.name, {item.name: scalar(int(column[lane]), item.sort) for item, column in pairs}

    def columns(self, offers: Sequence[tuple[str, Payload]]) -> tuple[Column, Columns]:
        """Return the events and the payload columns of offers, one for each lane; the payloads fit their events."""
        places = {item.name: place for place, item in enumerate(self.machine.events)}
        payload = tuple(np.zeros(len(offers), np.int64) for _ in range(self.slots))
        for lane, (event, given) in enumerate(offers):
            for item, column in zip(self.machine.event(event).payload, payload, strict=False):
                column[lane] = code(given[item.name], item.sort)
        return np.array([places[event] for event, _ in offers], np.int16), payload


def scalar(number: int, sort: Sort) -> Scalar:
    """Return what `number` stands for in a column of this sort."""
    match sort:
        case BoolSort():
            return bool(number)
        case EnumSort(_, members):
            return members[number]
        case _:
            return number


def generate(machine: Machine) -> str:
    """Return the Python text of the machine's step over columns: a module that needs NumPy only.

    Raises:
        Unfit: the machine has a map, or numbers beyond 64 bits.
    """
    growth(machine)
    made = plan(machine)
    names = tuple(dict.fromkeys(name for name in made.functions.values() if name != NONE))
    codes = {outcome: number for number, outcome in enumerate(made.outcomes, 1)}
    cells = [(state.name, event.name) for event in machine.events for state in machine.states]
    base = [UNDECIDED if (found := made.base[cell]) is None else codes[found] for cell in cells]
    chosen = [names.index(name) + 1 if (name := made.functions[cell]) != NONE else 0 for cell in cells]
    mark = f"# Generated by peak_trade.backends.arrays from machine {machine.name!r}, {fingerprint(machine)}."
    head = f"{mark}\n# Do not edit: change the specification and generate again.\n\nfrom numpy import where as {WHERE}"
    legend = "\n".join(f"# outcome {number}: {outcome}" for outcome, number in codes.items())
    tables = f"BASE = {base}\nCHOSEN = {chosen}\nFUNCTIONS = ({''.join(f'{name}, ' for name in names)})"
    return "\n\n".join((head, legend, *made.blocks, tables)) + "\n"


@lru_cache(maxsize=ARRAYS_MAX)
def compile_arrays(machine: Machine) -> Arrays:
    """Return the step that the generated text of `machine` makes; equal machines share one, as it never changes.

    Raises:
        Unfit: the machine has a map, or numbers beyond 64 bits.
    """
    written = generate(machine)
    made: dict[str, Any] = {"__name__": f"arrays_of_{machine.name}"}
    exec(compile(written, f"<arrays of {machine.name}>", "exec"), made)  # noqa: S102 - our own text, made from a closed AST
    functions: tuple[Function, ...] = made["FUNCTIONS"]
    return Arrays(
        machine,
        fingerprint(machine),
        written,
        growth(machine),
        (None, *plan(machine).outcomes),
        np.array(made["BASE"], np.int16),
        np.array(made["CHOSEN"], np.min_scalar_type(len(functions) + 1)),
        (_nothing, *functions),
    )


def _nothing(*_: Any) -> None:  # noqa: ANN401 - whatever is given, the lanes of no function stay
    """Run the lanes that `base` decides alone: none is ever among the moving."""


def _column(items: Sequence[Any], sort: Sort) -> Column:
    kind = np.bool_ if isinstance(sort, BoolSort) else np.int16 if isinstance(sort, EnumSort) else np.int64
    return np.array([code(item, sort) for item in items], kind)
