"""How each property changed: whether it claims more or less, decided for all values that both machines have."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from peak_trade.backends.smt import Term
from peak_trade.lang.expr import Expr
from peak_trade.lang.machine import Always, Heard, LeadsTo, Property, Step, Witness
from peak_trade.lang.pretty import kind_of
from peak_trade.proof.change.both import Both
from peak_trade.proof.change.delta import Claim, Word
from peak_trade.proof.change.shifts import example, spoken, word
from peak_trade.proof.solve import Found, Impossible

AFTERWARDS: Final = " afterwards"
BOUNDS: Final = "the declared bounds"
"""From which a property follows that says no more than its variables' sorts."""


def claims(both: Both) -> tuple[Claim, ...]:
    """Return what became of each property: those of the new machine in declared order, then those that are gone."""
    old, new = list(both.old.machine.properties), both.new.machine.properties
    named = {item.name: item for item in old}
    left = [item for item in old if item.name not in {other.name for other in new}]
    found = []
    for item in new:
        was = named.get(item.name) or _alike(both, left, item)
        if was in left:
            left.remove(was)
        found.append(_claim(both, was, item))
    return tuple(_backed(both, claim) for claim in (*found, *(_claim(both, item, None) for item in left)))


def _alike(both: Both, left: Iterable[Property], new: Property) -> Property | None:
    """Return the property that is gone and claims the same as `new`, if there is one."""
    return next((item for item in left if _claim(both, item, new).word is Word.SAME), None)


def _claim(  # noqa: PLR0911 - one return for each kind of the closed union
    both: Both, old: Property | None, new: Property | None
) -> Claim:
    if new is None:
        assert old is not None
        return Claim(old.name, None, kind_of(old), Word.REMOVED, lost=old.answers)
    if old is None:
        return Claim(None, new.name, kind_of(new), Word.ADDED)
    lost = tuple(item for item in old.answers if item not in new.answers)
    claim = Claim(old.name, new.name, kind_of(new), Word.SAME, lost=lost)
    match old, new:
        case (Always(holds=was), Always(holds=now)) | (Step(holds=was), Step(holds=now)):
            return _compared(both, claim, was, now)
        case Witness(), Witness():
            return _reached(both, claim, old, new)
        case LeadsTo(), LeadsTo():
            return _led(both, claim, old, new)
        case Heard(event=was), Heard(event=now) if was == now:
            # It claims more the more it speaks of.
            return _compared(both, claim, new.when, old.when, now)
        case _:
            return replace(claim, word=Word.INCOMPARABLE)


def _compared(both: Both, claim: Claim, old: Expr, new: Expr, event: str | None = None) -> Claim:
    """Return `claim` with the word for `old` that became `new`; `event` is the one whose payload they are about."""
    if old == new:
        return claim
    encoding = both.encoding
    was, now = (encoding.holds(one) if event is None else encoding.given(one, event) for one in (old, new))
    space = _after(both) if event is None else _offers(both, event)
    dropped, gained = both.ask(space, was, both.no(now)), both.ask(space, now, both.no(was))
    shown = gained if isinstance(gained, Found) else dropped
    names, about = spoken((old, new)), None if claim.kind in ("step", "heard") else ""
    found = example(both, shown.model, names, about) if isinstance(shown, Found) else None
    return replace(claim, word=word(dropped, gained), example=found)


def _after(both: Both) -> Term:
    """Return the term that is true iff the value after the step is one that both machines have."""
    sides = (both.old.machine, both.new.machine)
    context = both.encoding.after.context
    return both.encoding.world.every(
        both.within(context[item.name], item) for machine in sides for item in machine.variables
    )


def _offers(both: Both, event: str) -> Term:
    """Return the term that is true iff `event` is offered with a payload that both machines know."""
    encoding = both.encoding
    return encoding.world.every((encoding.is_event(event), both.old.offers[event], both.new.offers[event]))


def _reached(both: Both, claim: Claim, old: Witness, new: Witness) -> Claim:
    """Compare what must be reachable: it claims more the fewer values satisfy it, and the fewer events lead there."""
    goal = _compared(both, claim, old.reach, new.reach)
    every = {event.name for side in (both.old, both.new) for event in side.machine.events}
    was, now = (frozenset(item.by or every) for item in (old, new))
    way = Word.SAME if was == now else Word.STRICTER if now < was else Word.LOOSER if was < now else Word.INCOMPARABLE
    return replace(goal, word=_both({goal.word, way}))


def _led(both: Both, claim: Claim, old: LeadsTo, new: LeadsTo) -> Claim:
    """Compare two promises: one claims more that starts from more values, ends in fewer, or asks for less fairness."""
    start = _compared(both, claim, new.when, old.when)
    end = _compared(both, claim, old.then, new.then)
    words = {start.word, end.word}
    if old.weak != new.weak:
        words.add(Word.INCOMPARABLE)
    if set(old.fair) != set(new.fair):
        words.add(
            Word.STRICTER
            if set(old.fair) < set(new.fair)
            else Word.LOOSER
            if set(new.fair) < set(old.fair)
            else Word.INCOMPARABLE
        )
    return replace(claim, word=_both(words), example=start.example or end.example)


def _both(words: set[Word]) -> Word:
    if Word.UNKNOWN in words:
        return Word.UNKNOWN
    words = words - {Word.SAME}
    return words.pop() if len(words) == 1 else Word.INCOMPARABLE if words else Word.SAME


def _backed(both: Both, claim: Claim) -> Claim:
    """Return `claim` with the new properties of which what it claimed still follows, if it claims less now."""
    if claim.old is None or claim.word not in (Word.REMOVED, Word.LOOSER, Word.INCOMPARABLE):
        return claim
    old = next(item for item in both.old.machine.properties if item.name == claim.old)
    if not isinstance(old, Always | Step):
        return claim
    encoding = both.encoding
    terms = {item.name: encoding.holds(item.holds) for item in both.new.machine.properties if isinstance(item, Always)}
    if isinstance(old, Step):
        ends = [item for item in both.new.machine.properties if isinstance(item, Always)]
        terms |= {f"{item.name}{AFTERWARDS}": encoding.at(item.holds, encoding.after) for item in ends}
        steps = [item for item in both.new.machine.properties if isinstance(item, Step)]
        terms |= {item.name: encoding.holds(item.holds) for item in steps}
    kept = dict(terms)
    missing = encoding.world.every((_after(both), both.no(encoding.holds(old.holds))))
    if not isinstance(both.ask(missing, *kept.values()), Impossible):
        return claim
    for name in tuple(kept):
        rest = [term for other, term in kept.items() if other != name]
        if isinstance(both.ask(missing, *rest), Impossible):
            del kept[name]
    names = dict.fromkeys(name.removesuffix(AFTERWARDS) for name in kept)
    return replace(claim, follows=tuple(names) or (BOUNDS,))
