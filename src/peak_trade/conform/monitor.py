"""A record conforms iff one of the values that its machine may have gives it: outcome, reason, state and figures.

The monitor keeps every value that the trace so far leaves possible. Of a trace that is whole that is one, and the
compiled kernel steps it; what a cut or the redaction hides is followed in terms (`conform.symbolic`).

Limits: at most `VALUES_MAX` possible values of one machine are kept; with more, it is not judged any further.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from peak_trade.backends.kernel import Kernel, Running
from peak_trade.conform.breach import REDACTED
from peak_trade.conform.symbolic import ANY, Shadow, Wanted
from peak_trade.conform.terms import Range, World, minus
from peak_trade.journal.record import Body, Record
from peak_trade.lang.machine import Dismissal, Machine, Transition
from peak_trade.lang.sorts import inhabits
from peak_trade.lang.step import PAYLOAD_INVALID, Broken, Ignored, Outcome, Refused, Taken

VALUES_MAX: Final = 256
SHOWN_MAX: Final = 8

Possible: TypeAlias = Running | World
Values: TypeAlias = tuple[Possible, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a record says of one step; None is what it does not say. `watched` are variables after the step."""

    event: str | None
    payload: Mapping[str, Any]
    outcome: str | None
    by: str | None
    detail: str | None
    state: str | None
    watched: Mapping[str, int]
    hides: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """What a step may have done: the values after it, the states before, and of each watched variable both ranges."""

    values: Values
    before: frozenset[str]
    ranges: Mapping[str, tuple[Range, Range]]
    change: Mapping[str, int | None]
    """By how much a watched variable changed, if all possible steps agree on it."""


@dataclass(frozen=True, slots=True)
class Missed:
    """No possible value gives what the record says: what could have been, and the line of the row that decides it."""

    expected: tuple[str, ...]
    enabled: tuple[str, ...]
    row: str
    line: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """More values are possible than are kept."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """One machine's rules for reading a trace; what it keeps of an instance is the instance's `Values`."""

    kernel: Kernel
    shadow: Shadow
    watched: tuple[str, ...]
    places: Mapping[str, int]

    @classmethod
    def of(cls, kernel: Kernel, watched: tuple[str, ...] = ()) -> "Monitor":
        """Return the monitor of the kernel's machine, whose records tell the variables `watched` after each step."""
        names = [item.name for item in kernel.machine.variables]
        return cls(kernel, Shadow.of(kernel.machine), watched, {name: names.index(name) for name in watched})

    @property
    def machine(self) -> Machine:
        """The machine."""
        return self.kernel.machine

    def told(self, record: Record) -> Told:
        """Return what a record says of a step."""
        body, hides = record.body, REDACTED in record.body
        said: dict[str, Any] = {name: body.get(name) for name in ("event", "outcome", "by", "state")}
        names = self.kernel.fields.get(said["event"] or "", ())
        payload = {name: body[name] for name in names if body.get(name) is not None}
        watched = {name: value for name in self.watched if type(value := body.get(name)) is int}
        detail = body.get("detail")
        said["detail"] = None if detail is None and hides else str(detail or "")
        return Told(payload=payload, watched=watched, hides=hides, **said)

    def absent(self, told: Told, record: Record) -> str | None:
        """Return the field that the record must have and has not, or None: what is redacted is not missed."""
        if told.hides:
            return None
        names = ("event", "outcome", "by", "state", *self.kernel.fields.get(told.event or "", ()))
        missing = (name for name in names if record.body.get(name) is None)
        return next(missing, next((name for name in self.watched if name not in told.watched), None))

    def start(self, told: Told) -> Values:
        """Return every value in which what is told may have begun, if nothing is known of before."""
        rows = {row.name: row for row in self.machine.transitions}
        if told.outcome == "taken" and told.by in rows:
            states: Iterable[str] = rows[told.by or ""].sources
        elif told.outcome not in (None, "taken") and told.state is not None:
            states = (told.state,)
        else:
            states = (state.name for state in self.machine.states)
        known = {state.name for state in self.machine.states}
        return self._plain(world for state in states if state in known for world in self.shadow.anywhere(state))

    def quick(self, values: Values, body: Body) -> Moved | None:
        """Return what a record's step did, if one value is possible and it gives the whole record; else None."""
        value, event = values[0] if len(values) == 1 else None, str(body.get("event"))
        names = self.kernel.fields.get(event)
        if names is None or not isinstance(value, tuple) or REDACTED in body:
            return None
        payload = tuple([body.get(name) for name in names])
        outcome, after = self.kernel.step(value, event, payload)
        by, kind, detail = said(outcome)
        told = (body.get("by"), body.get("outcome"), body.get("state"), body.get("detail") or "")
        if None in payload or told != (by, kind, after[0], detail):
            return None
        ranges, change = {}, {}
        for name, place in self.places.items():
            old, new = value[place + 1], after[place + 1]
            if type(watched := body.get(name)) is not int or watched != new:
                return None
            ranges[name], change[name] = ((old, old), (new, new)), new - old
        return Moved((after,), frozenset((value[0],)), ranges, change)

    def take(self, values: Values, told: Told) -> Moved | Missed | Crowd:
        """Return what the step did if one of `values` gives what is told, or what each of them gives instead."""
        pairs = [(value, after) for value in values for after in self._after(value, told)]
        if not pairs:
            return self._missed(values, told)
        if len(pairs) > VALUES_MAX:
            return Crowd()
        ranges = {name: _joined(self._ends(name, pair) for pair in pairs) for name in self.watched}
        change = {name: self._change(name, pairs) for name in self.watched}
        before = frozenset(_state(value) for value, _ in pairs)
        return Moved(self._plain(after.tidy() for _, after in pairs), before, ranges, change)

    def _after(self, value: Possible, told: Told) -> Iterator[World]:
        for outcome, after in self._moves(value, told, (told.outcome, told.by)):
            if fits(outcome, told) and told.state in (None, after.state):
                yield from self.shadow.pinned(after, told.watched)

    def _moves(self, value: Possible, told: Told, wanted: Wanted = ANY) -> Iterator[tuple[Outcome, World]]:
        world = self.shadow.lifted(value) if isinstance(value, tuple) else value
        for event in [item.name for item in self.machine.events] if told.event is None else [told.event]:
            wrong = self._wrong(event, told.payload)
            if wrong is not None:
                yield wrong, world
            else:
                yield from self.shadow.moves(world, event, told.payload, wanted)

    def _wrong(self, event: str, payload: Mapping[str, Any]) -> Refused | None:
        """Return the refusal of a field that is told and not of its sort."""
        if event not in self.kernel.fields:
            return None
        ill = (
            item.name for item in self.machine.event(event).payload if not inhabits(payload.get(item.name), item.sort)
        )
        return next((Refused(PAYLOAD_INVALID, name) for name in ill if name in payload), None)

    def _ends(self, name: str, pair: tuple[Possible, World]) -> tuple[Range, Range]:
        value, after = pair
        place = self.places[name]
        before = value[place + 1] if isinstance(value, tuple) else value.terms[place]
        return after.range_of(before), after.range_of(after.terms[place])

    def _change(self, name: str, pairs: list[tuple[Possible, World]]) -> int | None:
        place, found = self.places[name], set()
        for value, after in pairs:
            before = value[place + 1] if isinstance(value, tuple) else value.terms[place]
            low, high = after.range_of(minus(after.terms[place], before))
            found.add(low if low == high else None)
        return found.pop() if len(found) == 1 else None

    def _plain(self, worlds: Iterable[World]) -> Values:
        """Return the worlds without those that are there twice, and as running values where they are one."""
        found: dict[object, Possible] = {}
        for world in worlds:
            value = self.shadow.known(world)
            found.setdefault(world if value is None else value, world if value is None else value)
        return tuple(found.values())

    def _missed(self, values: Values, told: Told) -> Missed:
        moves = [move for value in values for move in self._moves(value, told)]
        shown = dict.fromkeys(self._shown(outcome, after) for outcome, after in moves)
        row, line = next(
            ((said(outcome)[0], self.line(outcome, after.state, told)) for outcome, after in moves), ("", 0)
        )
        states = dict.fromkeys(_state(value) for value in values)
        enabled = tuple(
            event.name for event in self.machine.events if any(self._can(one, event.name) for one in values)
        )
        return Missed(tuple(shown)[:SHOWN_MAX] or (f"another state than {', '.join(states)}",), enabled, row, line)

    def _can(self, value: Possible, event: str) -> bool:
        world = self.shadow.lifted(value) if isinstance(value, tuple) else value
        return any(isinstance(outcome, Taken) for outcome, _ in self.shadow.moves(world, event, {}))

    def _shown(self, outcome: Outcome, after: World) -> str:
        by, kind, detail = said(outcome)
        watched = [f"{name} {_figure(after.range_of(after.terms[place]))}" for name, place in self.places.items()]
        return " ".join(
            part for part in (kind, "by", by, detail and f"({detail})", "to", after.state, *watched) if part
        )

    def line(self, outcome: Outcome, state: str, told: Told) -> int:
        """Return the line of the specification that gives `outcome`; 0 iff it is the language's own."""
        machine, event = self.machine, told.event or ""
        match outcome:
            case Taken(name):
                return machine.transition(name).span.line
            case Broken(name):
                return next(item.span.line for item in machine.properties if item.name == name)
            case Ignored(reason) | Refused(reason, ""):
                rows = (choice.row for choice in self.shadow.table.get((state, event), ()))
                return next((row.span.line for row in rows if isinstance(row, Dismissal) and row.reason == reason), 0)
            case Refused(reason, detail):
                return next((_lock(row, reason) for row in machine.transitions if row.name == detail), 0)


def said(outcome: Outcome) -> tuple[str, str, str]:
    """Return who decided (transition, reason or property), what was decided, and the detail, as records say it."""
    match outcome:
        case Taken(transition):
            return transition, "taken", ""
        case Ignored(reason):
            return reason, "ignored", ""
        case Refused(reason, detail):
            return reason, "refused", detail
        case Broken(name):
            return name, "broken", ""


def fits(outcome: Outcome, told: Told) -> bool:
    """Return true iff the outcome is the one that is told, as far as it is."""
    by, kind, detail = said(outcome)
    return told.outcome in (None, kind) and told.by in (None, by) and told.detail in (None, detail)


def _lock(row: Transition, reason: str) -> int:
    return next((lock.span.line for lock in row.require if lock.reason == reason), row.span.line)


def _state(value: Possible) -> str:
    return str(value[0]) if isinstance(value, tuple) else value.state


def _joined(ends: Iterable[tuple[Range, Range]]) -> tuple[Range, Range]:
    found = list(ends)
    return _span([one for one, _ in found]), _span([other for _, other in found])


def _span(ranges: list[Range]) -> Range:
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    low = None if None in lows else min(one for one in lows if one is not None)
    return low, None if None in highs else max(one for one in highs if one is not None)


def _figure(ends: Range) -> str:
    low, high = ends
    if low == high and low is not None:
        return str(low)
    return f"{'' if low is None else low}..{'' if high is None else high}"
