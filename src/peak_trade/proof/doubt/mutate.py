"""All small faults that a specification might have: each a machine that differs from the declared one in one place.

Pure and deterministic: the same machine gives the same mutants, in declared order, under ids that stay when other parts
change. The table of cells stays whole where the fault allows it: a cell that a row loses is refused, a cell that a row
gains is taken from the row that had it; so what stops a mutant is what the specification claims and not its form.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from peak_trade.lang.cells import Choice, cells
from peak_trade.lang.expr import TRUE, Expr, Scope, Var, conjunction
from peak_trade.lang.machine import Dismissal, Event, Field, Heard, Machine, Transition
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import IntSort
from peak_trade.lang.source import Span
from peak_trade.proof.doubt.vary import conjuncts, near, opposite, put, written, wrong


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """One fault: `says` in one sentence what is wrong in `machine`.

    `old` is the transition that it changes, `new` what it is instead or the one that is added; a fault in the bounds of
    a payload has neither, `event` names where. `place` is the transition or cell, `span` where that is declared.
    """

    name: str
    kind: str
    place: str
    says: str
    event: str
    span: Span
    machine: Machine
    old: Transition | None = None
    new: Transition | None = None


def mutants(machine: Machine) -> tuple[Mutant, ...]:
    """Return the mutants of `machine`, each different from all others.

    Of each transition: drop or negate each conjunct of `when` and each lock; every number of them one more or less and
    every bound strict or not; drop or shift each update; lead it to where it stays, to the next state and to the first
    live one; take one of its sources out, and let the next state that refuses its event in. Of each event: taken
    without a guard to each live state (if none is live, to the first that is neither initial nor terminal) from the
    first refusing state of each kind (set of tags); each row that ignores or refuses it taken, changing nothing; each
    bound of its payload lifted.

    Limits: one fault at a time; bounds of context variables are not faults, the automatic claim on sorts holds them.
    """
    maker = _Maker(machine)
    found: dict[object, Mutant] = {}
    for item in (*maker.of_transitions(), *maker.of_events()):
        key = (item.old and item.old.name, item.new) if item.new else item.name
        found.setdefault(key, item)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Maker:
    machine: Machine

    def of_transitions(self) -> Iterator[Mutant]:
        for item in self.machine.transitions:
            yield from self._guards(item)
            yield from self._locks(item)
            yield from self._updates(item)
            yield from self._targets(item)
            yield from self._sources(item)

    def of_events(self) -> Iterator[Mutant]:
        for event in self.machine.events:
            yield from self._unguarded(event)
            yield from self._loops(event)
            yield from self._payloads(event)

    def _guards(self, item: Transition) -> Iterator[Mutant]:
        parts = conjuncts(item.when)
        for place, part in enumerate(parts):
            text = expression(part)
            others = parts[:place], parts[place + 1 :]
            for kind, word, now in (("when-drop", "without", ()), ("when-negate", "with the negation of", (part,))):
                when = conjunction((*others[0], *map(opposite, now), *others[1]))
                name = f"{item.name}.when.{place + 1}.{kind.removeprefix('when-')}"
                yield self._changed(name, kind, f"{word} `{text}`", item, replace(item, when=when))
            for number, other in enumerate(near(part), 1):
                name, says = f"{item.name}.when.{place + 1}.near.{number}", f"with `{expression(other)}` for `{text}`"
                when = conjunction((*others[0], other, *others[1]))
                yield self._changed(name, "when-near", says, item, replace(item, when=when))

    def _locks(self, item: Transition) -> Iterator[Mutant]:
        for place, lock in enumerate(item.require):
            others = item.require[:place], item.require[place + 1 :]
            name = f"{item.name}.require.{lock.reason}"
            less = replace(item, require=(*others[0], *others[1]))
            says = f"without the lock `{expression(lock.holds)}`"
            yield self._changed(f"{name}.drop", "lock-drop", says, item, less)
            ways: list[tuple[str, str, Expr]] = [(f"{name}.negate", "lock-negate", opposite(lock.holds))]
            ways += [(f"{name}.near.{number}", "lock-near", to) for number, to in enumerate(near(lock.holds), 1)]
            for called, kind, holds in ways:
                locks = (*others[0], replace(lock, holds=holds), *others[1])
                says = f"with the lock `{expression(holds)}` for `{expression(lock.holds)}`"
                yield self._changed(called, kind, says, item, replace(item, require=locks))

    def _updates(self, item: Transition) -> Iterator[Mutant]:
        sorts = {variable.name: variable.sort for variable in self.machine.variables}
        for place, update in enumerate(item.updates):
            others = item.updates[:place], item.updates[place + 1 :]
            name, text = f"{item.name}.set.{update.variable}", written(update)
            less = replace(item, updates=(*others[0], *others[1]))
            yield self._changed(f"{name}.drop", "set-drop", f"without `{text}`", item, less)
            for number, now in enumerate(wrong(update, sorts[update.variable]), 1):
                changed = replace(item, updates=(*others[0], now, *others[1]))
                says = f"with `{written(now)}` for `{text}`"
                yield self._changed(f"{name}.shift.{number}", "set-shift", says, item, changed)

    def _targets(self, item: Transition) -> Iterator[Mutant]:
        names = [state.name for state in self.machine.states]
        own = item.target or item.sources[0]
        after = next(name for name in (names * 2)[names.index(own) + 1 :] if name != own or len(names) == 1)
        wanted: list[str | None] = [None, after, *self.machine.tagged("live")[:1]]
        for target in dict.fromkeys(wanted):
            if (
                target == item.target
                or {target} == set(item.sources)
                or (target is None and {own} == set(item.sources))
            ):
                continue
            says = f"leads to {target}" if target else "stays where it is"
            changed = replace(item, target=target, reason=item.reason or self._some_reason())
            yield self._changed(f"{item.name}.to.{target or 'stay'}", "target", says, item, changed)

    def _sources(self, item: Transition) -> Iterator[Mutant]:
        if len(item.sources) > 1:
            for source in item.sources:
                less = replace(item, sources=tuple(name for name in item.sources if name != source))
                row = Dismissal((source,), (item.event,), self._some_reason(item.event), refused=True, when=item.when)
                says, name = f"is refused in {source}", f"{item.name}.from.{source}.out"
                yield self._changed(name, "source-out", says, item, less, (*self.machine.dismissals, row))
        names = [state.name for state in self.machine.states]
        places = names[names.index(item.sources[-1]) + 1 :] + names
        free = next((name for name in places if self._dismissed(name, item.event)), None)
        if free is not None:
            more = replace(item, sources=(*item.sources, free), reason=item.reason or self._some_reason())
            rows = self._carved((free,), item.event)
            row = Dismissal(
                (free,), (item.event,), self._some_reason(item.event), refused=True, when=opposite(item.when)
            )
            says, name = f"is also taken in {free}", f"{item.name}.from.{free}.in"
            rows = rows if item.when == TRUE else (*rows, row)
            yield self._changed(name, "source-in", says, item, more, rows)

    def _unguarded(self, event: Event) -> Iterator[Mutant]:
        plain = (state.name for state in self.machine.states if not state.initial and "terminal" not in state.tags)
        goals = self.machine.tagged("live") or tuple(plain)[:1]
        kinds: set[tuple[str, ...]] = set()
        for state in self.machine.states:
            row = self._dismissed(state.name, event.name)
            if row is None or not row.refused or state.tags in kinds:
                continue
            kinds.add(state.tags)
            for goal in goals:
                if goal != state.name:
                    name, says = f"{event.name}@{state.name}.to.{goal}", f"leads from {state.name} to {goal}"
                    yield self._added(name, "unguarded", says, event, (row, (state.name,), goal))

    def _loops(self, event: Event) -> Iterator[Mutant]:
        for row in self.machine.dismissals:
            if event.name in row.events:
                says = (
                    f"is taken in {', '.join(row.states)}, changing nothing, instead of {_word(row)} for {row.reason}"
                )
                name = f"{event.name}@{row.states[0]}.{row.reason}.taken"
                yield self._added(name, "self-loop", says, event, (row, row.states, None))

    def _payloads(self, event: Event) -> Iterator[Mutant]:
        for field in event.payload:
            match field.sort:
                case IntSort(low, high):
                    ways = ([("min", low, IntSort(None, high))] if low is not None else []) + (
                        [("max", high, IntSort(low, None))] if high is not None else []
                    )
                case _:
                    ways = []
            for word, bound, sort in ways:
                says = f"`{event.name}` takes a `{field.name}` {'below' if word == 'min' else 'above'} {bound}"
                machine = self._with_field(event, replace(field, sort=sort))
                name = f"{event.name}.{field.name}.{word}"
                yield Mutant(name, "payload", event.name, f"{says}.", event.name, field.span, machine)

    def _with_field(self, event: Event, field: Field) -> Machine:
        old = next(item for item in event.payload if item.name == field.name)
        ways = Var(old.name, old.sort, Scope.PAYLOAD), Var(field.name, field.sort, Scope.PAYLOAD)
        payload = tuple(field if item is old else item for item in event.payload)
        changed = replace(event, payload=payload)
        machine = self.machine
        return replace(
            machine,
            events=tuple(changed if item is event else item for item in machine.events),
            transitions=tuple(
                _resorted(item, *ways) if item.event == event.name else item for item in machine.transitions
            ),
            dismissals=tuple(
                replace(row, when=row.when and put(row.when, *ways)) if event.name in row.events else row
                for row in machine.dismissals
            ),
            properties=tuple(
                replace(item, when=put(item.when, *ways))
                if isinstance(item, Heard) and item.event == event.name
                else item
                for item in machine.properties
            ),
        )

    def _changed(  # noqa: PLR0913, PLR0917 - one place builds what a changed transition makes of the machine
        self,
        name: str,
        kind: str,
        says: str,
        old: Transition,
        new: Transition,
        dismissals: tuple[Dismissal, ...] | None = None,
    ) -> Mutant:
        transitions = tuple(new if item is old else item for item in self.machine.transitions)
        machine = replace(self.machine, transitions=transitions, dismissals=dismissals or self.machine.dismissals)
        return Mutant(name, kind, old.name, f"{old.name} {says}.", old.event, old.span, _tidy(machine), old, new)

    def _added(
        self, name: str, kind: str, says: str, event: Event, where: tuple[Dismissal, tuple[str, ...], str | None]
    ) -> Mutant:
        row, states, goal = where
        when = _stated(self.machine, row, states[0], event.name)
        new = Transition(self._free_id(), states, event.name, goal, when, reason=row.reason, span=row.span)
        rows = self._carved(states, event.name, row)
        machine = replace(self.machine, transitions=(*self.machine.transitions, new), dismissals=rows)
        place = f"{event.name} in {states[0]}"
        return Mutant(name, kind, place, f"`{event.name}` {says}.", event.name, row.span, _tidy(machine), None, new)

    def _free_id(self) -> str:
        taken = {item.name for item in (*self.machine.transitions, *self.machine.properties)}
        return next(name for name in (f"ADDED-{number}" for number in count(1)) if name not in taken)

    def _dismissed(self, state: str, event: str) -> Dismissal | None:
        """Return the row that alone decides the cell without taking it, if there is one."""
        rows = [row for row in self.machine.dismissals if state in row.states and event in row.events]
        taken = any(item.event == event and state in item.sources for item in self.machine.transitions)
        return rows[0] if len(rows) == 1 and not taken else None

    def _carved(self, states: Iterable[str], event: str, only: Dismissal | None = None) -> tuple[Dismissal, ...]:
        """Return the dismissals without the cells of `event` in `states`, or without those of the row `only`."""
        gone, rows = frozenset(states), []
        for row in self.machine.dismissals:
            if event not in row.events or not gone & set(row.states) or (only is not None and row is not only):
                rows.append(row)
                continue
            rest = tuple(name for name in row.events if name != event)
            left = tuple(name for name in row.states if name not in gone)
            rows += [replace(row, events=rest)] if rest else []
            rows += [replace(row, events=(event,), states=left)] if left else []
        return tuple(rows)

    def _some_reason(self, event: str = "") -> str:
        rows = [row.reason for row in self.machine.dismissals if event in row.events]
        return (rows or [item.name for item in self.machine.reasons] or [""])[0]


def _resorted(item: Transition, old: Var, new: Var) -> Transition:
    """Return `item` with the field `new` for `old`: an expression knows the sort of each name in it."""
    locks = tuple(replace(lock, holds=put(lock.holds, old, new)) for lock in item.require)
    updates = tuple(
        replace(update, value=put(update.value, old, new), index=update.index and put(update.index, old, new))
        for update in item.updates
    )
    return replace(item, when=put(item.when, old, new), require=locks, updates=updates)


def _stated(machine: Machine, row: Dismissal, state: str, event: str) -> Expr:
    found: tuple[Choice, ...] = cells(machine)[state, event]
    return next(choice.when for choice in found if choice.row is row)


def _word(row: Dismissal) -> str:
    return "being refused" if row.refused else "being ignored"


def _tidy(machine: Machine) -> Machine:
    """Return `machine` without reasons that nothing uses any more: unused words are not the fault."""
    used = {item.reason for item in machine.transitions} | {row.reason for row in machine.dismissals}
    used |= {lock.reason for item in machine.transitions for lock in item.require}
    return replace(machine, reasons=tuple(item for item in machine.reasons if item.name in used))
