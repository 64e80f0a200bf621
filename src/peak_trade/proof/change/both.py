"""Two machines over one vocabulary of constants, so that one question can be about both.

The vocabulary is that of a merged machine: the states, events, fields, members and variables of either. A variable or
field whose sorts share no value is two things, and the old one is called `NAME (old)`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from peak_trade.backends.relation import Encoding, Frame, Move
from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Event, Field, Machine, State, Transition, Variable
from peak_trade.lang.sorts import INT, EnumSort, IntSort, MapSort, ScalarSort, Sort
from peak_trade.proof.change.pairing import Renamed
from peak_trade.proof.change.reword import EVENT_SORT, STATE_SORT, Wording, reword
from peak_trade.proof.solve import Answer, Limits, Oracle

OLD_SUFFIX: Final = " (old)"
_Named = TypeVar("_Named", bound=State | Event | Variable | Field)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two machines in the common words, with its transitions as formulas."""

    machine: Machine
    moves: Mapping[str, Move]
    offers: Mapping[str, Term]
    """For each event of this machine: the payload is of its sorts here."""

    def takes(self, name: str) -> Term:
        """Return the term that is true iff the transition is chosen and unlocked, for a payload of its sorts."""
        move = self.moves[name]
        return move.guard & self.offers[move.event]


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """The two machines; `oracle` asks about values that both have."""

    encoding: Encoding
    old: Side
    new: Side
    oracle: Oracle

    @classmethod
    def of(cls, old: Machine, new: Machine, names: Renamed, limits: Limits) -> "Both":
        """Return the two machines in the words of `new`."""
        return _Merge(old, new, names).both(limits)

    def ask(self, *terms: Term) -> Answer:
        """Return whether all `terms` can be true of a value that both machines have."""
        return self.oracle.ask(self.encoding.world.every(terms))

    def no(self, term: Term) -> Term:
        """Return the negation of `term`."""
        return self.encoding.world.negation(term)

    def steps(self, side: Side, name: str) -> Term:
        """Return the term that is true iff `side` takes the transition: unlocked, and the new values keep their sorts.

        The value after it is that of the side's move.
        """
        after, written = side.moves[name].after, _written(side.machine.transition(name))
        kept = (self.within(after.context[item.name], item) for item in side.machine.variables if item.name in written)
        return self.encoding.world.every((side.takes(name), *kept))

    def within(self, term: Term, item: Variable | Field) -> Term:
        """Return the term that is true iff `term` is a value of `item` as it was declared on its side."""
        return _within(self.encoding, term, item.sort)

    def same(self, one: Frame, other: Frame) -> Term:
        """Return the term that is true iff both frames have the same value."""
        return self.encoding.same(one, other)


def _written(item: Transition) -> frozenset[str]:
    return frozenset(update.variable for update in item.updates)


def _within(encoding: Encoding, term: Term, sort: Sort) -> Term:
    world = encoding.world
    if not isinstance(sort, EnumSort):
        return world.inside(term, sort)
    whole = next(item for item in world.sorts if item.name == sort.name)
    if len(whole.members) == len(sort.members):
        return world.every(())
    return world.some(term == world.literal(member, whole) for member in sort.members)


@dataclass(slots=True)
class _Merge:
    """The making of one vocabulary."""

    old: Machine
    new: Machine
    names: Renamed
    enums: dict[str, EnumSort] = field(default_factory=dict)

    def both(self, limits: Limits) -> Both:
        """Return the two machines over one set of constants."""
        states = [self.names.states.get(item.name, item.name) for item in self.old.states]
        for enum in (*self.new.enums, *self.old.enums):
            self._enum(enum.name, enum.members)
        self._enum(STATE_SORT, (*(item.name for item in self.new.states), *states))
        self._enum(EVENT_SORT, (item.name for item in (*self.new.events, *self.old.events)))
        old, new = self._reworded()
        merged = self._merged(old, new)
        encoding = Encoding.of(merged)
        sides = self._side(encoding, old, "old"), self._side(encoding, new, "new")
        oracle = Oracle.of(encoding.world, limits)
        for machine in (old, new):
            for item in machine.variables:
                oracle.always(_within(encoding, encoding.before.context[item.name], item.sort))
        return Both(encoding, *sides, oracle)

    def _enum(self, name: str, members: Iterable[str]) -> None:
        known = self.enums[name].members if name in self.enums else ()
        self.enums[name] = EnumSort(name, tuple(dict.fromkeys((*known, *members))))

    def _open(self, sort: ScalarSort) -> ScalarSort:
        """Return the sort without bounds, and with the members that either machine knows."""
        match sort:
            case EnumSort(name, _):
                return self.enums[name]
            case IntSort():
                return INT
            case _:
                return sort

    def _reworded(self) -> tuple[Machine, Machine]:
        """Return the machines in the common words; sorts of variables and fields stay those of their side."""
        variables = dict(self.names.variables)
        now = {item.name: item for item in self.new.variables}
        for item in self.old.variables:
            name = variables.get(item.name, item.name)
            if name in now and not _meet(item.sort, now[name].sort):
                variables[item.name] = f"{name}{OLD_SUFFIX}"
        fields = {
            (event.name, item.name): f"{item.name}{OLD_SUFFIX}"
            for event in self.old.events
            for other in self.new.events
            if other.name == event.name
            for item in event.payload
            for its in other.payload
            if its.name == item.name and not _meet(item.sort, its.sort)
        }
        old = self._side_words(self.old, Wording(self.names.states, variables, fields, self._open))
        return old, self._side_words(self.new, Wording(sort=self._open))

    @staticmethod
    def _side_words(machine: Machine, words: Wording) -> Machine:
        said = reword(machine, words)
        own = zip(said.variables, machine.variables, strict=True)
        events = zip(said.events, machine.events, strict=True)
        return replace(
            said,
            variables=tuple(replace(item, sort=was.sort) for item, was in own),
            events=tuple(
                replace(
                    event,
                    payload=tuple(
                        replace(item, sort=its.sort) for item, its in zip(event.payload, was.payload, strict=True)
                    ),
                )
                for event, was in events
            ),
        )

    def _merged(self, old: Machine, new: Machine) -> Machine:
        opened = Wording(sort=self._open)
        first, second = reword(new, opened), reword(old, opened)
        payloads = {event.name: event.payload for event in second.events}
        events = (
            replace(event, payload=_union(event.payload, payloads.get(event.name, ())))
            for event in _union(first.events, second.events)
        )
        moves = [
            replace(item, name=f"{side} {item.name}")
            for side, machine in (("old", old), ("new", new))
            for item in machine.transitions
        ]
        return replace(
            new,
            enums=tuple(item for name, item in self.enums.items() if name not in (STATE_SORT, EVENT_SORT)),
            states=_union(new.states, old.states),
            variables=_union(first.variables, second.variables),
            events=tuple(events),
            transitions=tuple(moves),
            dismissals=(),
            properties=(),
            mirrors=(),
            enum_places=(),
        )

    @staticmethod
    def _side(encoding: Encoding, machine: Machine, word: str) -> Side:
        named = {move.transition: move for move in encoding.moves}
        moves = {item.name: named[f"{word} {item.name}"] for item in machine.transitions}
        offers = {
            event.name: encoding.world.every(
                _within(encoding, encoding.offer.payloads[event.name][item.name], item.sort) for item in event.payload
            )
            for event in machine.events
        }
        return Side(machine, moves, offers)


def _union(first: tuple[_Named, ...], second: tuple[_Named, ...]) -> tuple[_Named, ...]:
    known = {item.name for item in first}
    return first + tuple(item for item in second if item.name not in known)


def _meet(one: Sort, other: Sort) -> bool:
    """Return whether the two sorts are of one kind and share a value."""
    match one, other:
        case IntSort(low, high), IntSort(other_low, other_high):
            return not (_above(low, other_high) or _above(other_low, high))
        case EnumSort(name, members), EnumSort(other_name, others):
            return name == other_name and bool(set(members) & set(others))
        case MapSort(element), MapSort(its):
            return _meet(element, its)
        case _:
            return one == other


def _above(low: int | None, high: int | None) -> bool:
    return low is not None and high is not None and low > high
