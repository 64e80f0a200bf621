"""The checked step of one machine, compiled: for each well-sorted value it gives what `lang.step` gives.

A running value is the plain tuple `(state, *context)`, a payload a tuple in declared order; nothing is ever changed in
place. `generate` is the text that a reviewer reads, `compile_kernel` runs that very text.

Units: as declared in the specification.
Limits: a value that is not well sorted is refused by `load`, and only there; `step` trusts what a step has returned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from peak_trade.backends.pythonic import SELECT, constant
from peak_trade.backends.script import STORE, STRAYS, SURPLUS, Script
from peak_trade.lang.cells import cells, enabled
from peak_trade.lang.expr import TRUE
from peak_trade.lang.machine import Dismissal, Machine
from peak_trade.lang.pretty import expression, fingerprint
from peak_trade.lang.reserved import why_reserved
from peak_trade.lang.sorts import Datum, MapSort, describe, inhabits
from peak_trade.lang.step import PAYLOAD_INVALID, UNKNOWN_EVENT, Outcome, Payload, Refused, Value

Running: TypeAlias = tuple[Any, ...]
"""A machine's whole state at one moment: `(state, *context)`, context in declared order."""

Packed: TypeAlias = tuple[Any, ...]
"""An event's payload in declared order."""

Decide: TypeAlias = Callable[[Running, Packed], tuple[Outcome, Running]]
Guard: TypeAlias = Callable[[Running, Packed], bool]
Update: TypeAlias = Callable[[Running, Packed], Running]
Judge: TypeAlias = Callable[[Running], Outcome | None]
Check: TypeAlias = Callable[[Packed], Refused | None]

KERNELS_MAX: Final = 32
"""How many kernels are kept; the others are compiled again."""

_MAPS = f"from peak_trade.lang.maps import select as {SELECT}, store as {STORE}, strays as {STRAYS}\n"
_HEAD = """\
from peak_trade.lang.step import Broken, Ignored, Refused, Taken

_type, _int, _bool, _str, _len = type, int, bool, str, len
_Arity, _Undecided = ValueError, LookupError
"""
_STEP = f'''\
def step(v, e, p):
    """What event `e` with payload `p` does in value `v`, and the value after it; `v` itself unless taken."""
    try:
        decide = TABLE[v[0]][e]
    except KeyError:
        return Refused("{UNKNOWN_EVENT}", e), v
    return decide(v, p)
'''


class Unnameable(ValueError):  # noqa: N818 - named by what the word is
    """A name of the specification cannot be one in the code that is generated; `lang.check` refuses such names."""

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"expected a free name, was {name!r}: {why}; rename it in the specification")


class IllSorted(ValueError):  # noqa: N818 - named by what the value is
    """A value from outside is not one of the machine's; `part` is `state`, `context`, or the variable at fault."""

    def __init__(self, part: str, expected: str, was: object) -> None:
        self.part, self.expected, self.was = part, expected, was
        super().__init__(f"{part}: expected {expected}, was {was!r}; restore the value from its journal")


@dataclass(frozen=True, slots=True)
class Dismissed:
    """An ignored row of one cell; `guard` is None iff it always applies, `text` is the guard as a reader writes it."""

    reason: str
    guard: Guard | None
    text: str


@dataclass(frozen=True, slots=True)
class Kernel:
    """One machine's compiled functions and the tables that name them.

    `step(value, event, payload)` gives the outcome and the value after it, `value` itself unless taken. `table` leads
    from state and event straight to the function that `step` would call. `guards` say whether a transition is chosen
    with every lock open, `updates` give the value after it unchecked, `judges` the outcome that forbids a value in a
    state, `checks` the refusal of a payload.
    """

    machine: Machine
    fingerprint: str
    text: str
    initial: Running
    step: Callable[[Running, str, Packed], tuple[Outcome, Running]]
    table: Mapping[str, Mapping[str, Decide]]
    fields: Mapping[str, tuple[str, ...]]
    checks: Mapping[str, Check]
    judges: Mapping[str, Judge]
    guards: Mapping[str, Guard]
    updates: Mapping[str, Update]
    ignored: Mapping[tuple[str, str], tuple[Dismissed, ...]]

    def pack(self, event: str, payload: Payload) -> Packed | Refused:
        """Return `payload` in declared order, or the refusal that `lang.step` gives iff it does not fit `event`."""
        names = self.fields.get(event)
        if names is None:
            return Refused(UNKNOWN_EVENT, event)
        try:
            packed = tuple(payload[name] for name in names)
        except KeyError:
            present = [name in payload for name in names]
            packed = tuple(payload[name] for name in names[: present.index(False)])
        wrong = self.checks[event](packed)
        if wrong is not None:
            return wrong
        if len(payload) != len(names):
            return Refused(PAYLOAD_INVALID, min(set(payload) - set(names)))
        return packed

    def unpack(self, event: str, packed: Packed) -> dict[str, Any]:
        """Return the mapping that `packed` stands for: items by field name, any surplus together under `*`.

        With this correspondence `step` names the same field as `lang.step` for tuples of any length.
        KeyError iff there is no such event.
        """
        names = self.fields[event]
        surplus = {SURPLUS: packed[len(names) :]} if len(packed) > len(names) else {}
        return dict(zip(names, packed, strict=False)) | surplus

    def offer(self, value: Running, event: str, payload: Payload) -> tuple[Outcome, Running]:
        """Return what `event` with a payload by field name does in `value`, and the value after it."""
        packed = self.pack(event, payload)
        if isinstance(packed, Refused):
            return packed, value
        return self.step(value, event, packed)

    def load(self, value: Value) -> Running:
        """Return `value` as it runs; IllSorted iff it is not one of this machine's values, bounds included."""
        if value.state not in self.table:
            raise IllSorted("state", f"a state of {self.machine.name}", value.state)
        if len(value.context) != len(self.machine.variables):
            raise IllSorted("context", f"{len(self.machine.variables)} variables", len(value.context))
        for variable, scalar in zip(self.machine.variables, value.context, strict=True):
            if not inhabits(scalar, variable.sort):
                raise IllSorted(variable.name, describe(variable.sort), scalar)
        return (value.state, *value.context)

    def dump(self, running: Running) -> Value:
        """Return a running value as the language's own."""
        context: tuple[Datum, ...] = running[1:]
        return Value(running[0], context)


def generate(machine: Machine) -> str:
    """Return the Python text of the machine's checked step: a module that needs `lang.step` and `lang.maps` only.

    Unnameable iff a name that the text uses as it stands is none in Python, or is reserved.
    """
    words = [item.name for item in machine.variables] + [event.name for event in machine.events]
    for word in words + [item.name for event in machine.events for item in event.payload]:
        why = why_reserved(word) if word.isidentifier() else "it is no Python name"
        if why:
            raise Unnameable(word, why)
    script = Script(machine, cells(machine))
    checks = {event.name: script.check(event) for event in machine.events}
    table = {
        state.name: {event.name: script.cell(state.name, event) for event in machine.events} for state in machine.states
    }
    judges = {state.name: script.judge(state.name) for state in machine.states}
    guards = {row.name: script.guard(machine.event(row.event), enabled(row)) for row in machine.transitions}
    updates = {row.name: script.update(machine.event(row.event), row) for row in machine.transitions}
    initial = (machine.initial.name, *(item.init for item in machine.variables))
    names = {event.name: tuple(item.name for item in event.payload) for event in machine.events}
    name = constant(machine.name)
    mark = f"# Generated by peak_trade.backends.kernel from machine {name}, fingerprint {fingerprint(machine)}."
    tables = (
        f"INITIAL = {_literal(initial)}",
        _mapping("FIELDS", {event: _literal(fields) for event, fields in names.items()}),
        _mapping("CHECKS", checks),
        "\n".join(("TABLE = {", *(_row(state, row) for state, row in table.items()), "}")),
        _mapping("JUDGES", judges),
        _mapping("GUARDS", guards),
        _mapping("UPDATES", updates),
        _ignores(script),
    )
    head = f"{mark}\n# Do not edit: change the specification and generate again."
    outcomes = "\n".join(script.outcomes.lines())
    imports = _MAPS if any(isinstance(item.sort, MapSort) for item in machine.variables) else ""
    return "\n\n".join((head, imports + _HEAD + "\n" + outcomes, *script.blocks, *tables, _STEP))


@lru_cache(maxsize=KERNELS_MAX)
def compile_kernel(machine: Machine) -> Kernel:
    """Return the kernel that the generated text of `machine` makes; equal machines share one, as it never changes.

    Limits: a machine that fails the checks may have undecided cells; there a step raises LookupError.
    """
    text = generate(machine)
    made: dict[str, Any] = {"__name__": f"kernel_of_{machine.name}"}
    exec(compile(text, f"<kernel of {machine.name}>", "exec"), made)  # noqa: S102 - our own text, made from a closed AST
    return Kernel(
        machine,
        fingerprint(machine),
        text,
        made["INITIAL"],
        made["step"],
        made["TABLE"],
        made["FIELDS"],
        made["CHECKS"],
        made["JUDGES"],
        made["GUARDS"],
        made["UPDATES"],
        {cell: tuple(Dismissed(*row) for row in rows) for cell, rows in made["IGNORES"].items()},
    )


def _ignores(script: Script) -> str:
    """Return the table of ignored rows; the condition of an `otherwise` row is written out."""
    lines = ["IGNORES = {"]
    for (state, name), choices in script.table.items():
        rows = []
        for choice in choices:
            if isinstance(choice.row, Dismissal) and not choice.row.refused:
                event = script.machine.event(name)
                guard = "None" if choice.when == TRUE else script.guard(event, choice.when)
                rows.append(f"({constant(choice.row.reason)}, {guard}, {constant(expression(choice.when))})")
        if rows:
            lines.append(f"    ({constant(state)}, {constant(name)}): ({', '.join(rows)},),")
    return "\n".join((*lines, "}"))


def _literal(items: tuple[Datum, ...]) -> str:
    return f"({', '.join(map(constant, items))}{',' if len(items) == 1 else ''})"


def _mapping(name: str, items: Mapping[str, str]) -> str:
    return "\n".join((f"{name} = {{", *(f"    {constant(key)}: {value}," for key, value in items.items()), "}"))


def _row(state: str, row: Mapping[str, str]) -> str:
    inner = "".join(f"        {constant(event)}: {function},\n" for event, function in row.items())
    return f"    {constant(state)}: {{\n{inner}    }},"
