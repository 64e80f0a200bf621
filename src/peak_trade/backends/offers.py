"""What may be offered to a machine so that something happens: by value, by event, and from the beginning.

Limits: of an event's payloads only the likely ones are looked at (`backends.payloads`), so an event that only others
would make possible counts as one that is not taken. Openings are looked for in `VALUES_MAX` values.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from peak_trade.backends.kernel import Kernel, Packed, Running, Unnameable, compile_kernel
from peak_trade.backends.mangle import Names, mangled
from peak_trade.backends.payloads import likely, literals, near
from peak_trade.lang.cells import Table, cells
from peak_trade.lang.machine import Event, Machine, Transition
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Taken

KEPT_MAX: Final = 10_000
"""Of how many values it is kept what may be taken there."""
VALUES_MAX: Final = 600
"""How many values are walked in search of openings."""

Offer: TypeAlias = tuple[str, dict[str, Scalar]]
"""An event and its payload."""
Taking: TypeAlias = Mapping[str, Mapping[str, tuple[Packed, ...]]]
"""By event and transition, the likely payloads that it takes."""


@dataclass(slots=True)
class Offers:
    """What one machine takes; its kernel calls things by `names`, which are the machine's own where Python takes them.

    `numbers` are those in the rows of each event.
    """

    machine: Machine
    kernel: Kernel
    names: Names
    table: Table
    numbers: Mapping[str, tuple[int, ...]]
    _kept: dict[Running, Taking] = field(default_factory=dict)
    _openings: tuple[tuple[Offer, ...], ...] = ()

    @classmethod
    def of(cls, machine: Machine) -> "Offers":
        """Return the offers of `machine`."""
        kernel, names = _compiled(machine)
        numbers = {event.name: literals(machine, event.name) for event in machine.events}
        return cls(machine, kernel, names, cells(machine), numbers)

    def near(self, event: Event, value: Running) -> tuple[int, ...]:
        """Return the numbers that decide about `event` in `value`."""
        return near(self.numbers[event.name], value[1:])

    def live(self, value: Running) -> Taking:
        """Return the events that may be taken in `value`, each with the transitions and likely payloads."""
        found = self._kept.get(value)
        if found is None:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            taking = {event.name: self._taking(event, value) for event in self.machine.events}
            found = self._kept[value] = {name: rows for name, rows in taking.items() if rows}
        return found

    def _taking(self, event: Event, value: Running) -> dict[str, tuple[Packed, ...]]:
        found: dict[str, tuple[Packed, ...]] = {}
        if any(isinstance(choice.row, Transition) for choice in self.table[value[0], event.name]):
            for packed in likely(event, self.near(event, value)):
                outcome, _ = self.kernel.step(value, self.names.events[event.name], packed)
                if isinstance(outcome, Taken):
                    found[outcome.transition] = (*found.get(outcome.transition, ()), packed)
        return found

    def openings(self) -> tuple[tuple[Offer, ...], ...]:
        """Return short runs from the beginning, the empty one first: to each transition that was found, one."""
        if not self._openings:
            self._openings = tuple(self._found())
        return self._openings

    def _found(self) -> list[tuple[Offer, ...]]:
        """Walk breadth first; a value is walked on from iff a state and the transition into it are new together."""
        begin = self.kernel.initial
        runs: list[tuple[Offer, ...]] = [()]
        seen: set[str] = set()
        walked, waiting = {begin}, deque([(begin, runs[0])])
        while waiting and len(walked) < VALUES_MAX:
            value, run = waiting.popleft()
            for name, rows in self.live(value).items():
                for row, payloads in rows.items():
                    packed = payloads[0]
                    longer = (*run, (name, self.facts(name, packed)))
                    _, after = self.kernel.step(value, self.names.events[name], packed)
                    if row not in seen:
                        seen.add(row)
                        runs.append(longer)
                    if after not in walked:
                        walked.add(after)
                        waiting.append((after, longer))
        return runs

    def facts(self, event: str, packed: Packed) -> dict[str, Scalar]:
        """Return a payload by the names of its fields."""
        fields = self.machine.event(event).payload
        return {item.name: scalar for item, scalar in zip(fields, packed, strict=True)}


def _compiled(machine: Machine) -> tuple[Kernel, Names]:
    """Return the kernel of `machine` and how it calls things: by their names, unless they are none in Python."""
    fields = [item.name for event in machine.events for item in event.payload]
    plain = ((item.name for item in machine.variables), (event.name for event in machine.events), fields)
    try:
        return compile_kernel(machine), Names(*({name: name for name in names} for names in plain))
    except Unnameable:
        names = Names.of(machine)
        return compile_kernel(mangled(machine, names)), names
