"""A python-statemachine class that takes the same steps as the kernel, and a driver that holds the two to it.

Its graph and its choice of transition are python-statemachine's own; guards and updates are the kernel's callables,
never text. An event is `machine.send(name, payload=items_in_declared_order)`, and returns its outcome. What the class
does not take it refuses with an exception: TransitionNotAllowed, or Blocked if the payload, a bound or an invariant
forbids the step. An update is computed whole before it is written, so a refused step leaves nothing half done.

No state is `final`, terminal or not: python-statemachine drops the events of a finished machine without a word, and a
fill can arrive after the close. Refusals in terminal states therefore raise like all others.

Limits: the library's class registry never forgets a class, so there is one class for each fingerprint and no more.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from statemachine import StateChart
from statemachine.exceptions import TransitionNotAllowed
from statemachine.io import create_machine_class_from_definition

from peak_trade.backends.kernel import Dismissed, Kernel, Packed, Running, Unnameable
from peak_trade.lang.cells import enabled
from peak_trade.lang.expr import TRUE
from peak_trade.lang.machine import Transition
from peak_trade.lang.pretty import expression
from peak_trade.lang.reserved import CONVENTIONS
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Ignored, Outcome, Payload, Refused, Taken, Value

CLASSES_MAX = 256
STRICT = {
    "allow_event_without_transition": False,
    "catch_errors_as_events": False,
    "enable_self_transition_entries": False,
    "atomic_configuration_update": True,
}
"""Every one is the strict side: no event is dropped, no error is swallowed, no state is half changed."""

_UNCHECKED = {
    "validate_disconnected_states": False,
    "validate_trap_states": False,
    "validate_final_reachability": False,
}
"""The library's checks of the graph; `lang.check` has done them, and terminal states are traps on purpose."""


OWN = ("initial_state", "state", "value")
"""Attributes that the library and the book have besides those of the library's base class."""

Callback: TypeAlias = Callable[..., Any]
Engine: TypeAlias = StateChart[Any]
"""python-statemachine's base class; with STRICT it behaves as the library's own `StateMachine` does."""


class Blocked(Exception):  # noqa: N818 - named by what happened to the step
    """The step that python-statemachine chose is not allowed; `outcome` says why, and nothing has changed."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(f"expected a step that the specification allows, was {outcome}; correct the event")


class EnginesDisagree(Exception):  # noqa: N818 - named by the fact
    """Kernel and python-statemachine gave different results; neither may be trusted, so the driver stops for good.

    `expected` is the kernel's outcome and value, `was` python-statemachine's; its outcome is None if it found no
    transition.
    """

    def __init__(
        self, event: str, payload: Packed, expected: tuple[Outcome, Running], was: tuple[Outcome | None, Running]
    ) -> None:
        self.event, self.payload, self.expected, self.was = event, payload, expected, was
        super().__init__(f"on {event}{payload}: expected {expected}, was {was}; stop, and restore from the journal")


class Book:
    """What python-statemachine works on: its own `state`, and the running value that guards and updates see."""

    __slots__ = ("state", "value")

    def __init__(self, value: Running) -> None:
        self.state: Any = value[0]
        self.value = value


def machine_class(kernel: Kernel) -> type[Engine]:
    """Return the class of the kernel's machine, made once for each fingerprint; Unnameable iff a name forbids it.

    Limits: the CLASSES_MAX classes used last are kept.
    """
    return _made(_Key(kernel))


class Driver:
    """One running machine, stepped by kernel and python-statemachine together; they agree or it stops."""

    __slots__ = ("_broken", "_places", "book", "engine", "kernel")

    def __init__(self, kernel: Kernel, start: Running | None = None) -> None:
        self.kernel = kernel
        self.book = Book(kernel.initial if start is None else start)
        self.engine = machine_class(kernel)(self.book)
        self._places = {item.name: place for place, item in enumerate(kernel.machine.variables, 1)}
        self._broken: EnginesDisagree | None = None

    @classmethod
    def at(cls, kernel: Kernel, value: Value) -> "Driver":
        """Return a driver that goes on from `value`; IllSorted iff it is none of the machine's values."""
        return cls(kernel, kernel.load(value))

    def restore(self, value: Value) -> None:
        """Go on from `value`, as `at` does, without making a new machine; between events it keeps nothing else.

        IllSorted iff it is none of the machine's values.
        """
        self.book.value = self.kernel.load(value)
        self.book.state = value.state
        self._broken = None

    @property
    def value(self) -> Running:
        """The running value `(state, *context)`."""
        return self.book.value

    @property
    def state(self) -> str:
        """The control state."""
        return str(self.book.value[0])

    def variable(self, name: str) -> Scalar:
        """Return the value of a context variable that is no map; KeyError if the machine has none of this name."""
        scalar: Scalar = self.book.value[self._places[name]]
        return scalar

    def fire(self, event: str, payload: Payload) -> Outcome:
        """Return what `event` with a payload by field name does; the value changes iff it is taken.

        EnginesDisagree iff the engines' outcomes or values differ, now or ever before.
        """
        packed = self.kernel.pack(event, payload)
        return packed if isinstance(packed, Refused) else self.send(event, packed)

    def send(self, event: str, packed: Packed) -> Outcome:
        """Do what `fire` does for an event of the machine and a payload in declared order."""
        if self._broken is not None:
            raise self._broken
        expected = self.kernel.step(self.book.value, event, packed)
        outcome = self._ask(event, packed)
        value = (self.book.state, *self.book.value[1:])
        same = isinstance(expected[0], Refused) if outcome is None else outcome == expected[0]
        if not same or value != expected[1] or self.book.value != expected[1]:
            self._broken = EnginesDisagree(event, packed, expected, (outcome, value))
            raise self._broken
        return expected[0]

    def _ask(self, event: str, packed: Packed) -> Outcome | None:
        """Return the outcome that python-statemachine gives, or None iff it found no transition."""
        try:
            outcome: Outcome | None = self.engine.send(event, payload=packed)
        except TransitionNotAllowed:
            return None
        except Blocked as blocked:
            return blocked.outcome
        return outcome


class _Key:
    """A kernel that equals every other kernel of the same text."""

    __slots__ = ("kernel",)

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def __hash__(self) -> int:
        return hash(self.kernel.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.kernel.fingerprint == other.kernel.fingerprint


@lru_cache(maxsize=CLASSES_MAX)
def _made(key: _Key) -> type[Engine]:
    kernel = key.kernel
    machine = kernel.machine
    for word in (*(state.name for state in machine.states), *(event.name for event in machine.events)):
        if word.startswith(CONVENTIONS) or word in OWN or hasattr(StateChart, word):
            raise Unnameable(word, "python-statemachine gives it a meaning")
    name = "".join(word.capitalize() for word in machine.name.split("_"))
    states: dict[str, Any] = {
        state.name: {"initial": state.initial, "name": state.name, "on": _transitions(kernel, state.name)}
        for state in machine.states
    }
    return create_machine_class_from_definition(name, states=states, **STRICT, **_UNCHECKED)


def _transitions(kernel: Kernel, state: str) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in kernel.machine.transitions:
        if state in row.sources:
            rows.setdefault(row.event, []).append(_transition(kernel, row, state))
    for event in kernel.machine.events:
        for dismissed in kernel.ignored.get((state, event.name), ()):
            rows.setdefault(event.name, []).append(_ignored(kernel, dismissed, (state, event.name)))
    return rows


def _transition(kernel: Kernel, row: Transition, state: str) -> dict[str, Any]:
    guard = enabled(row)
    cond = None if guard == TRUE else _guard(kernel, kernel.guards[row.name], expression(guard), row.name)
    return {
        "target": row.target or state,
        "internal": row.target in (None, state),
        "validators": _validator(kernel, row.event),
        "cond": cond,
        "on": _update(kernel, row),
    }


def _ignored(kernel: Kernel, row: Dismissed, cell: tuple[str, str]) -> dict[str, Any]:
    guard = None if row.guard is None else _guard(kernel, row.guard, row.text, "_".join((*cell, row.reason)))
    ignored = Ignored(row.reason)

    def ignore(model: Book, payload: Packed) -> Outcome:  # noqa: ARG001 - one signature for all callbacks
        return ignored

    return {
        "target": cell[0],
        "internal": True,
        "validators": _validator(kernel, cell[1]),
        "cond": guard,
        "on": _named(kernel, ignore, row.reason, f"ignore_{'_'.join(cell)}"),
    }


def _validator(kernel: Kernel, event: str) -> Callback:
    check = kernel.checks[event]

    def validate(model: Book, payload: Packed) -> None:  # noqa: ARG001 - one signature for all callbacks
        wrong = check(payload)
        if wrong is not None:
            raise Blocked(wrong)

    return _named(kernel, validate, f"payload of {event}", f"check_{event}")


def _guard(kernel: Kernel, holds: Callable[[Running, Packed], bool], text: str, word: str) -> Callback:
    def guard(model: Book, payload: Packed) -> bool:
        return holds(model.value, payload)

    return _named(kernel, guard, text, f"guard_{word}")


def _update(kernel: Kernel, row: Transition) -> Callback:
    compute, judges, taken = kernel.updates[row.name], kernel.judges, Taken(row.name)

    def update(model: Book, payload: Packed) -> Outcome:
        after = compute(model.value, payload)
        forbidden = judges[after[0]](after)
        if forbidden is not None:
            raise Blocked(forbidden)
        model.value = after
        return taken

    return _named(kernel, update, row.name, f"update_{row.name}")


def _named(kernel: Kernel, callback: Callback, shown: str, word: str) -> Callback:
    """Return `callback` under the name that diagrams show, and a qualified name of its own.

    The library caches signatures by qualified name and parameters for the whole process.
    """
    callback.__name__ = shown
    callback.__qualname__ = f"{kernel.machine.name}_{kernel.fingerprint}.{word}"
    return callback


def flags(engine: type[Engine]) -> Mapping[str, bool]:
    """Return the four flags of a class that decide whether it fails loudly."""
    return {name: bool(getattr(engine, name)) for name in STRICT}
