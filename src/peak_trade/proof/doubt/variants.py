"""All small faults that a system might have: each a system that differs from the declared one in one place.

A rule's condition, payload and updates are varied as a machine's are (`proof.doubt.mutate`), by way of a machine with
the rule as its one transition; what only systems have is varied here: what everyone must have, what parts are offered,
and what they must answer. The faults of a part's own machine are faults of the system, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from peak_trade.lang.compose import COMPOSED
from peak_trade.lang.expr import TRUE, Expr
from peak_trade.lang.machine import Event, Field, Machine, Origin, State, Transition, Update, Variable
from peak_trade.lang.source import Span
from peak_trade.lang.system import Answer, Move, Part, Rule, System, names, scalar
from peak_trade.proof.doubt.mutate import Mutant, mutants


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One fault: `says` in one sentence what is wrong in `system`; only the rows of `rules` can differ.

    `inner` is the fault of the part `part` if it is one of a part's own machine. `payload` iff a rule takes payloads
    that it should not.
    """

    name: str
    kind: str
    place: str
    says: str
    span: Span
    system: System
    rules: frozenset[str]
    part: str = ""
    inner: Mutant | None = None
    payload: bool = False


def variants(system: System) -> tuple[Variant, ...]:
    """Return the mutants of `system`, each different from all others: those of its rules, then those of its parts.

    Of each rule: what `proof.doubt.mutate` makes of its condition, updates and payload; the same of what everyone must
    have; no condition at all; each move left out, answered by a refusal, or by whatever; each argument one more or
    less. A rule by which an event of a part happens by itself says nothing of its own: what it does is the part's.

    Limits: one fault at a time.
    """
    found: dict[object, Variant] = {}
    for rule in system.rules:
        if not alone(rule):
            for item in _of_rule(system, rule):
                found.setdefault(item.system.rule(rule.name), item)
    return (*found.values(), *(item for part in system.parts for item in _of_part(system, part)))


def alone(rule: Rule) -> bool:
    """Return true iff by `rule` an event of a part happens by itself."""
    return [f"{move.part}.{move.event}" for move in rule.moves] == [rule.name]


def _of_rule(system: System, rule: Rule) -> Iterator[Variant]:
    known = names(system)
    for one in _varied(rule.name, rule.when, (rule.updates, rule.parameters), (*known.once, *known.each)):
        (new,) = one.machine.transitions
        payload = one.machine.events[0].payload
        changed = replace(rule, when=new.when, updates=new.updates, parameters=payload)
        yield _changed(system, changed, (one.name, one.kind, one.says), payload=one.kind == "payload")
    for one in _varied(f"{rule.name}.every", rule.every, ((), ()), ()):
        (new,) = one.machine.transitions
        name = one.name.replace(".every.when.", ".every.")
        yield _changed(system, replace(rule, every=new.when), (name, one.kind.replace("when", "every"), one.says))
    if rule.when != TRUE or rule.every != TRUE:
        says = f"{rule.name} may happen whenever its parts let it."
        yield _changed(system, replace(rule, when=TRUE, every=TRUE), (f"{rule.name}.unguarded", "unguarded", says))
    for place, move in enumerate(rule.moves):
        yield from _of_move(system, rule, place, move)


def _of_move(system: System, rule: Rule, place: int, move: Move) -> Iterator[Variant]:
    before, after = rule.moves[:place], rule.moves[place + 1 :]
    label = f"{rule.name}.do.{move.part}.{move.event}"
    said = f"{rule.name} does not offer {move.event} to {move.part}."
    yield _changed(system, replace(rule, moves=before + after), (f"{label}.drop", "move-drop", said))
    wanted: dict[str, tuple[Answer, ...]] = {"refused": (Answer.REFUSED,), "any": tuple(Answer)}
    wanted |= {f"not-{one.value}": tuple(item for item in move.answers if item is not one) for one in move.answers}
    for word, answers in wanted.items():
        if answers and set(answers) != set(move.answers):
            said = f"{rule.name} happens when {move.part} answers {move.event} by {_words(answers)}."
            now = replace(move, answers=answers)
            yield _changed(
                system, replace(rule, moves=(*before, now, *after)), (f"{label}.{word}", "move-answer", said)
            )
    part = system.part(move.part)
    sorts = {one.name: scalar(part, one.sort) for one in part.machine.event(move.event).payload}
    fields = tuple(Variable(name, sort, 0, "") for name, sort in sorts.items())
    given = tuple(Update(name, value) for name, value in move.arguments)
    for one in _varied(label, TRUE, (given, ()), fields):
        if one.kind == "set-shift":
            (new,) = one.machine.transitions
            now = replace(move, arguments=tuple((update.variable, update.value) for update in new.updates))
            changed = replace(rule, moves=(*before, now, *after))
            yield _changed(system, changed, (one.name.replace(".set.", ".with."), "argument", one.says))


def _of_part(system: System, part: Part) -> Iterator[Variant]:
    for one in mutants(part.machine):
        parts = tuple(replace(item, machine=one.machine) if item is part else item for item in system.parts)
        moved = frozenset(
            rule.name
            for rule in system.rules
            if any((move.part, move.event) == (part.name, one.event) for move in rule.moves)
        )
        yield Variant(
            f"{part.name}/{one.name}",
            one.kind,
            f"{part.name}/{one.place}",
            one.says,
            one.span,
            replace(system, parts=parts),
            moved,
            part.name,
            one,
        )


def _varied(
    label: str,
    when: Expr,
    written: tuple[tuple[Update, ...], tuple[Field, ...]],
    variables: tuple[Variable, ...],
) -> tuple[Mutant, ...]:
    """Return the mutants of a machine with one transition, `label`, which has this condition, updates and payload."""
    updates, payload = written
    state = State(COMPOSED, "", initial=True)
    event = Event(label, Origin.ENVIRONMENT, "", payload)
    item = Transition(label, (COMPOSED,), label, None, when, (), updates)
    return mutants(Machine(label, 1, "", (), variables, (state,), (event,), (), (item,), (), ()))


def _changed(system: System, rule: Rule, said: tuple[str, str, str], *, payload: bool = False) -> Variant:
    name, kind, says = said
    rules = tuple(rule if item.name == rule.name else item for item in system.rules)
    changed = replace(system, rules=rules)
    return Variant(name, kind, rule.name, says, rule.span, changed, frozenset({rule.name}), payload=payload)


def _words(answers: tuple[Answer, ...]) -> str:
    return " or ".join(f"`{answer.value}`" for answer in answers)
