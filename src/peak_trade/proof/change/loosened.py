"""What a change loosens, and which clauses that concerns.

A step that the new machine takes and the old one did not concerns the properties that it does not keep by itself, or,
if it keeps all, those that speak of what it writes or of the state that it leads to.
"""

from collections.abc import Iterable, Iterator

from peak_trade.backends.smt import Term
from peak_trade.lang.expr import Expr, Lit, children
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Property, Step, Transition, Witness
from peak_trade.proof.change.both import Both
from peak_trade.proof.change.delta import Claim, Loosening, Part, Shift, Word
from peak_trade.proof.change.reword import STATE_SORT
from peak_trade.proof.change.shifts import admitted, example, spoken
from peak_trade.proof.solve import Found, Impossible


def loosened(
    both: Both, shifts: Iterable[Shift], claims: Iterable[Claim], parts: Iterable[Part]
) -> Iterator[Loosening]:
    """Yield what the new machine admits or no longer claims and a property speaks of, in the order of the report."""
    for shift in shifts:
        if shift.admits is not None and shift.new is not None:
            item = _step(both, shift)
            if item.breaks or item.touches:
                yield item
    for part in parts:
        if part.word is Word.LOOSER:
            yield _wider(both, part)
    if isinstance(both.ask(_starts(both)), Found):
        yield _start(both)
    old = {item.name: item for item in both.old.machine.properties}
    for claim in claims:
        if claim.old is not None and _lost(claim, old[claim.old]):
            yield _claim(claim, old[claim.old])


def _step(both: Both, shift: Shift) -> Loosening:
    item = both.new.machine.transition(shift.name)
    # No step more can make an event unheard, or what must be possible impossible.
    known = [claim for claim in both.old.machine.properties if not isinstance(claim, Witness | Heard)]
    breaks = [claim for claim in known if isinstance(claim, Always | Step) and _breaks(both, item.name, claim)]
    old = both.old.machine.transition(shift.old) if shift.old is not None and shift.gained is None else None
    touches = [claim for claim in known if claim not in breaks and _touches(claim, item, old)]
    why = (
        "it is new"
        if shift.old is None
        else "it is taken where it was not"
        if shift.gained
        else "it does something else"
    )
    return Loosening(
        "transition",
        shift.name,
        f"{why}: {shift.admits}",
        clauses(breaks or touches),
        tuple(claim.name for claim in breaks),
        tuple(claim.name for claim in touches),
        shift.admits,
    )


def _breaks(both: Both, name: str, claim: Always | Step) -> bool:
    """Return whether the new step may not keep `claim`: it does not follow from the claim and the step alone."""
    encoding, after = both.encoding, both.new.moves[name].after
    parts = [both.no(encoding.holds(claim.holds, after))]
    if isinstance(claim, Always):
        parts = [encoding.at(claim.holds, encoding.before), both.no(encoding.at(claim.holds, after))]
    return not isinstance(both.ask(admitted(both, name), *parts), Impossible)


def _touches(claim: Property, item: Transition, old: Transition | None) -> bool:
    """Return whether `claim` speaks of what `item` writes, or writes otherwise than `old`, or of where it leads."""
    updates = set(item.updates) if old is None else set(item.updates) ^ set(old.updates)
    written = {update.variable for update in updates}
    exprs = _exprs(claim)
    arrives = item.target is not None and (
        set(item.sources) != {item.target} if old is None else item.target != old.target
    )
    return bool(spoken(exprs) & written) or (arrives and any(item.target in states(expr) for expr in exprs))


def _exprs(claim: Property) -> tuple[Expr, ...]:
    match claim:
        case Always() | Step():
            return (claim.holds,)
        case Witness():
            return (claim.reach,)
        case LeadsTo():
            return (claim.when, claim.then)
        case Heard():
            return (claim.when,)


def states(expr: Expr) -> frozenset[str]:
    """Return the control states that `expr` names."""
    own = {str(expr.value)} if isinstance(expr, Lit) and getattr(expr.sort, "name", "") == STATE_SORT else set()
    return frozenset(own).union(*map(states, children(expr)))


def _wider(both: Both, part: Part) -> Loosening:
    known = [claim for claim in both.old.machine.properties if part.name in spoken(_exprs(claim))]
    names = tuple(claim.name for claim in known)
    return Loosening(
        part.kind, part.name, f"it may have values that it could not have: {part.what}", clauses(known), (), names
    )


def _starts(both: Both) -> Term:
    """Return the term that is true iff a value is a start of the new machine and none of the old one's."""
    return both.encoding.world.every((_initial(both, both.new.machine), both.no(_initial(both, both.old.machine))))


def _initial(both: Both, machine: Machine) -> Term:
    encoding, world = both.encoding, both.encoding.world
    sorts = {item.name: item.sort for item in encoding.machine.variables}
    values = [
        encoding.before.context[item.name] == world.literal(item.init, sorts[item.name])
        for item in machine.variables
        if not item.free
    ]
    return world.every((encoding.before.state == world.literal(machine.initial.name, encoding.states), *values))


def _start(both: Both) -> Loosening:
    old, new = both.old.machine, both.new.machine
    was = {item.name: (item.init, item.free) for item in old.variables}
    moved = {
        item.name for item in new.variables if was.get(item.name, (item.init, item.free)) != (item.init, item.free)
    }
    known = [
        claim
        for claim in old.properties
        if moved & spoken(_exprs(claim)) or (old.initial.name != new.initial.name and any(map(states, _exprs(claim))))
    ]
    answer = both.ask(_starts(both))
    found = example(both, answer.model, frozenset(moved), "") if isinstance(answer, Found) else None
    names = tuple(claim.name for claim in known)
    return Loosening("start", "start", f"it starts where it did not: {found}", clauses(known), (), names, found)


def _lost(claim: Claim, old: Property) -> bool:
    """Return whether `claim` is weaker than it was and nothing else says the same; a lemma serves only proofs."""
    if claim.lost and claim.new is not None:
        return True
    weaker = claim.word in (Word.REMOVED, Word.LOOSER, Word.INCOMPARABLE) and not claim.follows
    return weaker and not (isinstance(old, Always) and old.lemma and not old.answers)


def _claim(claim: Claim, old: Property) -> Loosening:
    word = {Word.REMOVED: "it is removed", Word.LOOSER: "it claims less", Word.INCOMPARABLE: "it claims something else"}
    said = [word[claim.word]] if claim.word in word and not claim.follows else []
    said += [f"it no longer answers {', '.join(claim.lost)}"] if claim.lost and claim.new is not None else []
    why = "; ".join(said) + (f": {claim.example}" if claim.example else "")
    return Loosening("property", old.name, why, old.answers, (old.name,), (), claim.example)


def clauses(claims: Iterable[Property]) -> tuple[str, ...]:
    """Return the clauses that the properties answer, each once, sorted."""
    return tuple(sorted({answer for claim in claims for answer in claim.answers}))
