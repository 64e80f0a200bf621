"""How each transition changed, decided for all values that both machines have and for all payloads."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import z3

from peak_trade.backends.smt import Term
from peak_trade.lang.cells import enabled
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr, Scope, variables
from peak_trade.lang.machine import Transition
from peak_trade.lang.sorts import Datum, Scalar, inhabits
from peak_trade.proof.change.both import Both, Side
from peak_trade.proof.change.delta import Example, Shift, Word
from peak_trade.proof.confirm import ReplayDisagrees
from peak_trade.proof.solve import Answer, Found, GaveUp, Impossible

Pair = tuple[Transition | None, Transition | None]


def shifts(both: Both) -> tuple[Shift, ...]:
    """Return what became of each transition: those of the new machine in declared order, then those that are gone."""
    return tuple(_shift(both, old, new) for old, new in _pairs(both))


def _pairs(both: Both) -> list[Pair]:
    """Return which old transition became which new one.

    First those that are written alike, with the same id if there is a choice; then by id; then by Z3, if they are the
    same for all values.
    """
    old, new = list(both.old.machine.transitions), list(both.new.machine.transitions)
    found: dict[str, Transition] = {}

    def take(one: Transition, other: Transition) -> None:
        found[other.name] = one
        old.remove(one)
        new.remove(other)

    rules: tuple[Callable[[Transition, Transition], bool], ...] = (
        lambda one, other: one.name == other.name and _written(one) == _written(other),
        lambda one, other: _written(one) == _written(other),
        lambda one, other: one.name == other.name,
        lambda one, other: one.event == other.event and _one(both, one, other),
    )
    for rule in rules:
        for other in tuple(new):
            alike = next((one for one in old if rule(one, other)), None)
            if alike is not None:
                take(alike, other)
    gone: list[Pair] = [(one, None) for one in old]
    return [*((found.get(item.name), item) for item in both.new.machine.transitions), *gone]


def _written(item: Transition) -> tuple[object, ...]:
    """Return what decides when the transition is taken and what it does."""
    locks = tuple(lock.holds for lock in item.require)
    return frozenset(item.sources), item.event, item.target, item.when, locks, frozenset(item.updates)


def _one(both: Both, old: Transition, new: Transition) -> bool:
    shift = _shift(both, old, new)
    return shift.word is Word.SAME and shift.effect is Word.SAME


def _shift(both: Both, old: Transition | None, new: Transition | None) -> Shift:
    if new is None:
        assert old is not None
        return Shift(old.name, None, Word.REMOVED)
    if old is None:
        return _admitted(both, new, Shift(None, new.name, Word.ADDED))
    notes = tuple(_notes(old, new))
    event = _same_payload(both, new.event)
    if event and _written(old) == _written(new):
        # The two sides are then one formula, and a question about it would be about nothing.
        return Shift(old.name, new.name, Word.SAME, notes=notes)
    return _admitted(both, new, _Compared(both, old, new).shift(notes))


def _same_payload(both: Both, event: str) -> bool:
    sides = (both.old.machine, both.new.machine)
    payloads = [item.payload for machine in sides for item in machine.events if item.name == event]
    sorts = [tuple((item.name, item.sort) for item in payload) for payload in payloads]
    return len(sorts) == 2 and sorts[0] == sorts[1]


def _notes(old: Transition, new: Transition) -> Iterator[str]:
    if old.reason != new.reason:
        yield f"reason {old.reason or 'none'} → {new.reason or 'none'}"
    was, now = [lock.reason for lock in old.require], [lock.reason for lock in new.require]
    lost, won = [name for name in was if name not in now], [name for name in now if name not in was]
    yield from (f"lock {name} is gone" for name in lost)
    yield from (f"lock {name} is new" for name in won)
    if not (lost or won) and was != now:
        yield f"locks in another order: {', '.join(now)}"


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """One transition before and after, whose formulas differ."""

    both: Both
    old: Transition
    new: Transition

    def shift(self, notes: tuple[str, ...]) -> Shift:
        both = self.both
        was, now = both.old.takes(self.old.name), both.new.takes(self.new.name)
        dropped, gained = both.ask(was, both.no(now)), both.ask(now, both.no(was))
        ends = both.old.moves[self.old.name].after, both.new.moves[self.new.name].after
        differs = both.ask(was, now, both.no(both.same(*ends)))
        names = mentioned((self.old, self.new))
        return Shift(
            self.old.name,
            self.new.name,
            word(dropped, gained),
            {Impossible: Word.SAME, Found: Word.INCOMPARABLE, GaveUp: Word.UNKNOWN}[type(differs)],
            self._confirmed(dropped, names, old=True, new=False),
            self._confirmed(gained, names, old=False, new=True),
            self._confirmed(differs, names, old=True, new=True),
            notes=notes,
        )

    def _confirmed(self, answer: Answer, names: frozenset[str], *, old: bool, new: bool) -> Example | None:
        """Return the model's example after the definition of meaning has said the same of it."""
        if not isinstance(answer, Found):
            return None
        for side, item, expected in ((self.both.old, self.old, old), (self.both.new, self.new, new)):
            was = _taken(self.both, side, item, answer.model)
            if was != expected:
                raise ReplayDisagrees(side.machine.name, item.name, f"taken: {expected}", str(was))
        return example(self.both, answer.model, names)


def word(dropped: Answer, gained: Answer) -> Word:
    """Return how two regions compare, given whether the old and the new one have something for themselves."""
    if isinstance(dropped, GaveUp) or isinstance(gained, GaveUp):
        return Word.UNKNOWN
    less, more = isinstance(dropped, Found), isinstance(gained, Found)
    if less and more:
        return Word.INCOMPARABLE
    return Word.STRICTER if less else Word.LOOSER if more else Word.SAME


def _admitted(both: Both, new: Transition, shift: Shift) -> Shift:
    """Return `shift` with an example of a step that the old machine does not make, if there is one."""
    if shift.word in (Word.SAME, Word.STRICTER) and shift.effect is Word.SAME:
        return shift
    answer = both.ask(admitted(both, new.name))
    names = mentioned((new, *(item for item in both.old.machine.transitions if item.name == shift.old)))
    parts = {name: getattr(shift, name) for name in Shift.__slots__}
    match answer:
        case Found(model):
            return Shift(**{**parts, "admits": example(both, model, names, new.event)})
        case GaveUp():
            return Shift(**{**parts, "effect": Word.UNKNOWN})
        case _:
            return shift


def admitted(both: Both, name: str) -> Term:
    """Return the term that is true iff the new machine takes `name` and the old one makes no such step."""
    new = both.new.moves[name]
    olds = (item.name for item in both.old.machine.transitions if item.event == new.event)
    world = both.encoding.world
    made = world.some(
        world.every((both.steps(both.old, old), both.same(both.old.moves[old].after, new.after))) for old in olds
    )
    return world.every((both.steps(both.new, name), both.no(made)))


def mentioned(items: Collection[Transition]) -> frozenset[str]:
    """Return the names of the variables and fields that the transitions speak of."""
    exprs = [part for item in items for part in (enabled(item), *(update.value for update in item.updates))]
    places = [update.index for item in items for update in item.updates if update.index is not None]
    return spoken((*exprs, *places))


def spoken(exprs: Iterable[Expr]) -> frozenset[str]:
    """Return the names of the variables and fields in `exprs`."""
    scopes = (Scope.CONTEXT, Scope.PAYLOAD, Scope.NEXT)
    return frozenset(var.name for expr in exprs for var in variables(expr) if var.scope in scopes)


def example(both: Both, model: z3.ModelRef, names: frozenset[str], event: str | None = None) -> Example:
    """Return the value and offer of `model` that concern `names`; `event` is empty if it is about a value only."""
    context, payload, state, offered = _model(both, model)
    shown = event if event is not None else offered
    values = {**context, **(payload if shown else {})}
    return Example(state, shown, tuple((name, value) for name, value in values.items() if name in names))


def _model(both: Both, model: z3.ModelRef) -> tuple[dict[str, Datum], dict[str, Scalar], str, str]:
    value = both.encoding.value(model, both.encoding.before)
    event, payload = both.encoding.offered(model, both.encoding.offer)
    names = (item.name for item in both.encoding.machine.variables)
    return dict(zip(names, value.context, strict=True)), dict(payload), value.state, event


def _taken(both: Both, side: Side, item: Transition, model: z3.ModelRef) -> bool:
    """Return whether `lang` says that the transition is chosen and unlocked in `model`, its payload of its sorts."""
    context, payload, state, event = _model(both, model)
    if state not in item.sources or event != item.event:
        return False
    fits = all(inhabits(payload[own.name], own.sort) for own in side.machine.event(event).payload)
    return fits and bool(evaluate(enabled(item), Env(context, payload, state, event)))
