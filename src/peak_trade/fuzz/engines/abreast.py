"""Many lanes of one machine that walk side by side: what each is offered, and when it starts again.

Each step draws an event for every lane, at random or one that its state may take, and a payload near where its guards
turn. A lane starts again by chance, sooner where little can happen. All chance is PCG64's raw bits, which NumPy
promises to keep, so a seed means the same in every version.

Limits: a lane whose numbers have grown so far that the columns might not hold them starts again.
"""

from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from peak_trade.backends.arrays import Arrays, Column, Columns, Lanes
from peak_trade.backends.vector import Unfit
from peak_trade.fuzz.engines.biased import BOX, MIX, TABLE, Rows, Source, choices, initials, sources
from peak_trade.fuzz.engines.dice import Dice
from peak_trade.lang.expr import Scope
from peak_trade.lang.machine import Event, Machine
from peak_trade.lang.sorts import IntSort

BLOCKS: Final = 64
"""How many mixes of events there are; the lanes are dealt to them in turn."""
CHECK_STEPS_MAX: Final = 64
"""After at most so many steps it is looked whether numbers have grown too far."""
ENDS: Final = (64, 256, 1024, 4096)
"""Of 65,536 lanes so many start again at each step, in a quarter of the blocks each: a walk has 16 to 1,024 steps."""
TERMINAL: Final = "terminal"
ENDS_TERMINAL: Final = 8_192
"""The same, at least, in a state with that tag."""
ENDS_DEAD: Final = 16_384
"""The same, at least, where no transition leads on."""
SPREAD: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
"""Odd factors: the high bits of their products with a random word are drawn for a payload or a free variable."""

Numbers: TypeAlias = NDArray[np.int64]


class Walk:
    """Lanes that walk by themselves; the same arrays, seed and width give the same walk."""

    def __init__(self, arrays: Arrays, seed: int, width: int) -> None:
        machine = arrays.machine
        whole = [place for place, item in enumerate(machine.variables) if isinstance(item.sort, IntSort)]
        self.arrays, self.width = arrays, width
        self.steps, self.safe = 0, arrays.growth.steps(BOX, CHECK_STEPS_MAX)
        if not self.safe:
            raise Unfit(machine.name, "its growth", f"one step from {BOX} may leave 64 bits")
        self.numbers: Numbers = np.zeros((1 + len(whole) + arrays.slots, width), np.int64)
        first = 1 + len(whole)
        self.payload: Columns = tuple(self.numbers[first:])
        made = arrays.start(width)
        for row, place in enumerate(whole, 1):
            self.numbers[row] = made.context[place]
        rows = {place: row for row, place in enumerate(whole, 1)}
        context = (self.numbers[rows[place]] if place in rows else one for place, one in enumerate(made.context))
        self.lanes = Lanes(made.state, tuple(context))
        self.fresh = arrays.start(1)
        dice = Dice(seed)
        self.bits = np.random.PCG64(dice.below(2**32))
        self.blocks = np.arange(width) % BLOCKS * len(machine.states)
        self.choices = choices(machine, BLOCKS, dice)
        named: Rows = {(Scope.CONTEXT, machine.variables[place].name): row for place, row in rows.items()}
        self.sources = [self._sources(event, named, dice) for event in machine.events]
        self.free = [(place, initials(item, dice)) for place, item in enumerate(machine.variables) if item.free]
        stops = [
            max(ENDS[block % len(ENDS)], _stops(machine, one.name)) for block in range(BLOCKS) for one in machine.states
        ]
        self.stops = np.array(stops, np.uint16)

    def draw(self) -> tuple[Column, Column]:
        """Draw what every lane is offered next; return which lanes started anew before that, and the events."""
        words = self.bits.random_raw(self.width)
        cell = self.blocks + self.lanes.state
        ends = (words >> np.uint64(48)).astype(np.uint16) < self.stops.take(cell)
        if self.steps == 0:
            ends[:] = True
        elif self.steps % self.safe == 0:
            self._grown(ends)
        begun = np.flatnonzero(ends)
        self._begin(begun, words)
        cell[begun] = self.blocks.take(begun) + self.fresh.state[0]
        cell *= MIX
        cell += (words & np.uint64(MIX - 1)).view(np.int64)
        events = self.choices.take(cell)
        self._pay(events, words)
        self.steps += 1
        return begun, events

    def move(self, events: Column) -> Column:
        """Take the step that was drawn; return the outcomes' codes."""
        return self.arrays.step(self.lanes, events, self.payload)

    def _grown(self, ends: Column) -> None:
        """End the walks that have a number beyond the box."""
        for row in self.numbers:
            if row.max() > BOX or row.min() < -BOX:
                ends |= abs(row) > BOX

    def _begin(self, begun: Column, words: Column) -> None:
        """Put lanes into an initial value; a free variable has any of its table."""
        self.lanes.state[begun] = self.fresh.state[0]
        for column, initial in zip(self.lanes.context, self.fresh.context, strict=True):
            column[begun] = initial[0]
        for number, (place, table) in enumerate(self.free):
            self.lanes.context[place][begun] = table.take(_picked(words.take(begun), number))

    def _pay(self, events: Column, words: Column) -> None:
        """Draw the payload of every lane's event."""
        flat = self.numbers.ravel()
        for event, fields in enumerate(self.sources):
            if not fields:
                continue
            at = np.flatnonzero(events == event)
            entry = _picked(words.take(at), 0)
            for one, column in zip(fields, self.payload, strict=False):
                drawn = one.off.take(entry)
                if one.varies:
                    drawn += flat.take(one.plus.take(entry) + at)
                    drawn -= flat.take(one.minus.take(entry) + at)
                    drawn.clip(one.low, one.high, out=drawn)
                column[at] = drawn

    def _sources(self, event: Event, named: Rows, dice: Dice) -> list[Source]:
        """Return the sources of an event's fields, with rows as places in the flat numbers."""
        first = len(self.numbers) - self.arrays.slots
        fields = {(Scope.PAYLOAD, item.name): first + slot for slot, item in enumerate(event.payload)}
        found = sources(self.arrays.machine, event, {**named, **fields}, dice)
        for item, made in zip(event.payload, found, strict=True):
            if made.low > made.high or abs(made.low) > BOX:
                raise Unfit(self.arrays.machine.name, item.name, f"nothing of it is within {BOX}")
        return [replace(made, plus=made.plus * self.width, minus=made.minus * self.width) for made in found]


def _stops(machine: Machine, state: str) -> int:
    """Return of how many of 65,536 lanes in `state` the walk ends at each step, at least."""
    if not any(state in row.sources for row in machine.transitions):
        return ENDS_DEAD
    return ENDS_TERMINAL if TERMINAL in machine.state(state).tags else 0


def _picked(words: Column, number: int) -> Numbers:
    """Return an entry of a table for each word; another one for each number."""
    product: Column = words * np.uint64(SPREAD[number % len(SPREAD)] + 2 * number)
    return (product >> np.uint64(64 - TABLE.bit_length() + 1)).view(np.int64)
