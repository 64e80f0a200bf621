"""How a claim follows once its invariants hold for ever: the definitions and questions of each kind of proof.

Each function answers with an `Argument`; the questions that the invariants themselves need are `Questions.inductive`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from peak_trade.backends import smtlib
from peak_trade.backends.smtlib import STEP, Function, Moment, symbol
from peak_trade.lang.expr import Scope, Var
from peak_trade.lang.machine import Always, Heard, LeadsTo, Step, Transition, Witness
from peak_trade.lang.step import Taken
from peak_trade.lang.trace import Link, Trace
from peak_trade.proof.warrant.questions import AFTER, Question, Questions, invariant


@dataclass(frozen=True, slots=True)
class Argument:
    """What an argument defines beside the machine, and what it asks."""

    defines: tuple[str, ...]
    asks: tuple[Question, ...]


def always(on: Questions, claim: Always) -> Argument:
    """Return: the invariants imply the claim."""
    holds = Function(symbol(f"Claim.{claim.name}"), claim.holds)
    asks = Question("the invariants imply the claim", (*on.hypotheses(), f"(not {holds.at()})"))
    return Argument((holds.define(),), (asks,))


def sorts(on: Questions) -> Argument:
    """Return: no transition's update leaves the bounds of its variable."""

    def wrong(item: Transition) -> tuple[str, ...]:
        return (f"(not {on.terms.said('Fits', item)})",) if item.updates else ()

    return Argument((), tuple(on.moves("stays within all bounds", wrong, "Guard")))


def step(on: Questions, claim: Step) -> Argument:
    """Return: no transition breaks a claim about steps."""
    holds = Function(symbol(f"Claim.{claim.name}"), claim.holds)
    event = Var("event", on.terms.events, Scope.EVENT)

    def wrong(item: Transition) -> tuple[str, ...]:
        return (f"(not {holds.at(STEP, {event: smtlib.literal(item.event, on.terms.events)})})",)

    return Argument((holds.define(),), tuple(on.moves(f"satisfies {claim.name}", wrong)))


def deadlock(on: Questions) -> Argument:
    """Return: in every value with the invariants that is not terminal some event can be taken, by some payload."""
    ends = on.machine.tagged("terminal")
    going = (f"(not (= now.state {smtlib.literal(name, on.terms.states)}))" for name in ends)
    stuck = on.movable(event.name for event in on.machine.events)
    shows = "in every value that is not terminal some event can be taken"
    return Argument((), (Question(shows, (*on.hypotheses(), *going, *stuck)),))


def witness(on: Questions, claim: Witness, trace: Trace) -> Argument:
    """Return: `trace` begins where the machine starts, each of its steps is one of its transitions, and it arrives.

    Each value of a run is a predicate that is true of nothing else, so every question is about constants. What the
    machine would refuse because of an invariant is not taken: each value has all of them.
    """
    values = (trace.start, *(link.value for link in trace.links))
    reach = Function(symbol(f"Claim.{claim.name}"), claim.reach)
    defines = (reach.define(), *(on.terms.value(f"Value.{number}", value) for number, value in enumerate(values)))
    last = on.terms.whole(f"Value.{len(values) - 1}")
    kept = smtlib.every((on.terms.within(), *(invariant(item).at() for item in on.kept)))
    asks = [Question("the run begins where the machine starts", (on.terms.whole("Value.0"), "(not Init)"))]
    asks += [_link(on, number, link) for number, link in enumerate(trace.links)]
    asks += [
        Question(f"value {number} is within all bounds and has every declared invariant", (whole, f"(not {kept})"))
        for number in range(1, len(values))
        for whole in (on.terms.whole(f"Value.{number}"),)
    ]
    return Argument(defines, (*asks, Question("the run arrives", (last, f"(not {reach.at()})"))))


def _link(on: Questions, number: int, link: Link) -> Question:
    assert isinstance(link.outcome, Taken), f"expected a step that is taken, was {link.outcome}"
    payload = on.terms.given(on.machine.event(link.event), dict(link.payload))
    move = smtlib.apply(symbol(f"Move.{link.outcome.transition}"), payload)
    before, after = on.terms.whole(f"Value.{number}"), on.terms.whole(f"Value.{number + 1}", STEP, Scope.NEXT)
    return Question(f"step {number + 1} is {link.outcome.transition} ({link.event})", (before, after, f"(not {move})"))


def leads_to(on: Questions, claim: LeadsTo) -> Argument:
    """Return the ranking rule (`proof.rank`): while the claim waits, some fair event comes and the rank falls."""
    when, then, rank = (
        Function(symbol(f"{word}.{claim.name}"), expr)
        for word, expr in (("From", claim.when), ("To", claim.then), ("Rank", claim.rank))
    )
    waits = (when.at(), f"(not {then.at()})")
    on_or_there = smtlib.some((when.at(AFTER), then.at(AFTER)))
    still = (when.at(AFTER), f"(not {then.at(AFTER)})")

    def astray(_: Transition) -> tuple[str, ...]:
        return (*waits, f"(not {on_or_there})")

    def grows(item: Transition) -> tuple[str, ...]:
        word = ">=" if item.event in claim.fair else ">"
        return (*waits, *still, f"({word} {rank.at(AFTER)} {rank.at()})")

    asks = (
        *_comes(on, claim, waits),
        Question("the rank is never negative while it waits", (*on.hypotheses(), *waits, f"(< {rank.at()} 0)")),
        *on.moves("leads on or to the goal", astray),
        *on.moves("does not raise the rank, and lowers it if it is fair", grows),
    )
    return Argument((when.define(), then.define(), rank.define()), asks)


def _comes(on: Questions, claim: LeadsTo, waits: tuple[str, ...]) -> Iterator[Question]:
    """Yield that a fair event is taken with any payload; if fairness is weak, that some one can be."""
    if claim.weak:
        shows = "while it waits some fair event can be taken"
        yield Question(shows, (*on.hypotheses(), *waits, *on.movable(claim.fair)))
        return
    for event in claim.fair:
        yield _goes(on, event, waits, f"while it waits {event} is taken, whatever its payload")


def heard(on: Questions, claim: Heard) -> Argument:
    """Return: an event of which the claim speaks is taken, whatever the value and the payload."""
    when = Function(symbol(f"When.{claim.name}"), claim.when)
    asks = _goes(on, claim.event, (when.at(),), f"{claim.event} is taken whenever the claim speaks of it")
    return Argument((when.define(),), (asks,))


def _goes(on: Questions, event: str, given: tuple[str, ...], shows: str) -> Question:
    """Return: under `given` some transition takes `event`, with each payload of its sorts."""
    moves = (item for item in on.machine.transitions if item.event == event)
    goes = smtlib.some(smtlib.every((on.terms.said("Guard", item), on.terms.said("Fits", item))) for item in moves)
    fits = (part for name, of in on.terms.payload(event) for part in smtlib.inside(name, of))
    return Question(shows, (*on.hypotheses(event), *given, *fits, f"(not {goes})"), on.payload(event))


def deeper(on: Questions, claim: Always, depth: int) -> Argument:
    """Return k-induction: no run of fewer than `depth` steps breaks the claim, nor a step after so many."""
    holds = Function(symbol(f"Inv.{claim.name}"), claim.holds)
    moments = [_moment(number) for number in range(depth)]
    defines = [holds.define()]
    for number, moment in enumerate(moments):
        defines += _beyond(Questions(on.machine, (*on.kept, claim)), number, moment)
    starts = [Question("the start has the claim", ("Init", f"(not {holds.at()})"))]
    for length in range(1, depth):
        asserts = ("Init", *(f"Step@{number}" for number in range(length)), f"(not {holds.at(_after(length - 1))})")
        starts.append(Question(f"no run of {length} steps ends without the claim", asserts))
    every = (part for moment in moments for part in (*on.hypotheses(None, moment), holds.at(moment)))
    steps = (f"Step@{number}" for number in range(depth))
    end = f"(not {holds.at(_after(depth - 1))})"
    more = Question(f"{depth} consecutive values with it are followed by one with it", (*every, *steps, end))
    return Argument(tuple(defines), (*starts, more))


def _moment(number: int) -> Moment:
    names = [STEP.now, STEP.next, *(f"at{later}" for later in range(2, number + 2))]
    return Moment(names[number], names[number + 1])


def _after(number: int) -> Moment:
    return Moment(now=_moment(number).next)


def _beyond(on: Questions, number: int, moment: Moment) -> Iterator[str]:
    """Yield the definitions of `Step@number`: some transition is taken from one moment to the next.

    Whoever else acts in it has had the claim up to now, like everybody (`proof.deepen`).
    """
    if number:
        yield from on.terms.constants(moment, Scope.NEXT)
        yield from on.terms.moves(moment, f"@{number}")
    suffix = f"@{number}" if number else ""
    taken = []
    for item in on.machine.transitions:
        given = Moment(moment.now, moment.next, f"with{number}.{item.name}")
        fields = on.terms.payload(item.event, given)
        yield from (f"(declare-const {name} {smtlib.sort(of)})" for name, of in fields)
        move = smtlib.apply(symbol(f"Move.{item.name}{suffix}"), (name for name, _ in fields))
        taken.append(smtlib.every((move, *on.theirs(item.event, given))))
    yield smtlib.define(f"Step@{number}", (), smtlib.some(taken))
