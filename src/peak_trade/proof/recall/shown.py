"""Whether a trace shows what it is said to show, judged by `lang` alone: no solver, no formula, no engine.

A second definition on purpose, beside `Obligation.seen`, which the engines use: a file may come from anywhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, assert_never

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Property, Step, Witness
from peak_trade.lang.sorts import Datum, inhabits
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Refused, Stepper, Taken, Value, misfit
from peak_trade.lang.trace import Link, Trace
from peak_trade.proof.able import moving
from peak_trade.proof.claim import Automatic, Claim, claims_of

PROVED, REFUTED, NOT_INDUCTIVE = "proved", "refuted", "not inductive"
VERDICTS: Final = (PROVED, REFUTED, NOT_INDUCTIVE)
"""The verdicts that have a trace."""


def claim_named(machine: Machine, name: str) -> Claim:
    """Return the claim of `machine` that is called `name`; KeyError if it makes none.

    Where several stand side by side (`lang.compose`), what is claimed of each is found as the claim about the first.
    """
    found = {claim.name: claim for claim in claims_of(machine)}
    return found[name] if name in found else found[f"{name}[1]"]


def guards(machine: Machine, claim: Claim) -> tuple[Property, ...]:
    """Return the properties that filter the steps of a trace about `claim`.

    What must not happen is about the steps alone, and an invariant filters only its own breach, so that it is seen.
    What must be possible, must happen or must be heard is about the machine that runs, filtered by all its invariants.
    """
    match claim:
        case Always():
            return (claim,)
        case Step() | Automatic():
            return ()
        case Witness() | LeadsTo() | Heard():
            return machine.properties
        case _:
            assert_never(claim)


def shows(machine: Machine, claim: Claim, verdict: str, trace: Trace) -> bool:
    """Return true iff `trace` shows what `verdict` says of `claim`.

    It starts where the machine may start, unless it is about a step from anywhere (`not inductive`); every step but the
    last is taken; and what it ends in reaches a witness or breaks the claim.
    """
    starts = verdict == NOT_INDUCTIVE or may_start(machine, trace.start)
    runs = all(isinstance(link.outcome, Taken) for link in trace.links[:-1])
    if not starts or not runs or (verdict == PROVED) != isinstance(claim, Witness):
        return False
    if isinstance(claim, LeadsTo) and verdict == NOT_INDUCTIVE:
        return unexplained(machine, claim, trace)
    return ends(machine, claim, trace)


def may_start(machine: Machine, value: Value) -> bool:
    """Return true iff `machine` may start in `value`."""
    pairs = zip(machine.variables, value.context, strict=True)
    fits = (inhabits(scalar, item.sort) and (item.free or scalar == item.init) for item, scalar in pairs)
    return value.state == machine.initial.name and all(fits)


def ends(  # noqa: PLR0911 - one return for each kind of the closed union
    machine: Machine, claim: Claim, trace: Trace
) -> bool:
    """Return true iff the end of `trace` reaches a witness, or breaks what else `claim` says."""
    before = trace.links[-2].value if len(trace.links) > 1 else trace.start
    last = trace.links[-1] if trace.links else None
    arrived = last is None or isinstance(last.outcome, Taken)
    match claim:
        case Witness(reach=reach, by=by):
            led = not by or all(link.event.partition("[")[0] in by for link in trace.links)
            return led and arrived and holds(machine, reach, trace.last)
        case Always(name=name, holds=expr):
            return not holds(machine, expr, before) if last is None else last.outcome == Broken(name)
        case Step(holds=expr):
            return last is not None and arrived and not kept(machine, expr, before, last)
        case LeadsTo():
            return _put_off(machine, claim, trace)
        case Heard():
            return last is not None and not arrived and _meant(machine, claim, before, last)
        case Automatic(kind="sorts"):
            return _out_of_bounds(machine, before, last)
        case Automatic():
            over = trace.last.state in machine.tagged("terminal")
            return arrived and not over and not any(moving(Stepper.of(replace(machine, properties=())), trace.last))
        case _:
            assert_never(claim)


def holds(machine: Machine, expr: Expr, value: Value) -> bool:
    """Return true iff `expr`, said of a value, is true of `value`."""
    return bool(evaluate(expr, Env(_named(machine, value), state=value.state)))


def kept(machine: Machine, expr: Expr, before: Value, link: Link) -> bool:
    """Return true iff `expr`, said of a step, is true of the step from `before`."""
    after = _named(machine, link.value)
    old = _named(machine, before)
    env = Env(old, state=before.state, event=link.event, next_context=after, next_state=link.value.state)
    return bool(evaluate(expr, env))


def _meant(machine: Machine, claim: Heard, before: Value, last: Link) -> bool:
    """Return true iff `claim` speaks of what `last` offers in `before`."""
    payload = dict(last.payload)
    fits = last.event == claim.event and misfit(machine.event(claim.event), payload) is None
    return fits and bool(evaluate(claim.when, Env(_named(machine, before), payload, before.state, last.event)))


def _out_of_bounds(machine: Machine, before: Value, last: Link | None) -> bool:
    if last is None:
        return not all(inhabits(one, item.sort) for item, one in zip(machine.variables, before.context, strict=True))
    return isinstance(last.outcome, Refused) and last.outcome.reason == VALUE_BOUNDS


def _put_off(machine: Machine, claim: LeadsTo, trace: Trace) -> bool:
    """Return true iff what `claim` promises can be put off for ever at the end of `trace`, where it is still awaited.

    Either a fair event is not taken, and so changes nothing however often it comes; or, fairness being weak, none can
    be taken, and none need come; or the run has come back to an earlier value, and going round is fair.
    """
    values = [trace.start, *(link.value for link in trace.links)]
    done = max((place for place, value in enumerate(values) if holds(machine, claim.then, value)), default=-1)
    if not any(holds(machine, claim.when, value) for value in values[done + 1 :]):
        return False
    last = trace.links[-1] if trace.links else None
    if last is not None and not isinstance(last.outcome, Taken):
        return last.event in claim.fair and not claim.weak
    if _stuck(machine, claim, values[-1]):
        return True
    rounds = (place for place in range(done + 1, len(values) - 1) if values[place] == values[-1])
    return any(_fair(machine, claim, values[place:], trace.links[place:]) for place in rounds)


def _fair(machine: Machine, claim: LeadsTo, values: Sequence[Value], links: Sequence[Link]) -> bool:
    """Return true iff going round by `links` through `values` is fair: a fair event comes, or it need not."""
    comes = any(link.event in claim.fair for link in links)
    return comes or any(_stuck(machine, claim, value) for value in values)


def unexplained(machine: Machine, claim: LeadsTo, trace: Trace) -> bool:
    """Return true iff at the end of `trace` the rank of `claim` does not explain why what it promises must come."""
    before = trace.links[-2].value if len(trace.links) > 1 else trace.start
    last = trace.links[-1] if trace.links else None
    if not _waits(machine, claim, before):
        return last is not None and _waits(machine, claim, last.value) and _stuck(machine, claim, last.value)
    if last is None:
        return _rank(machine, claim, before) < 0 or _stuck(machine, claim, before)
    if not isinstance(last.outcome, Taken):
        return last.event in claim.fair and not claim.weak
    if not _waits(machine, claim, last.value):
        return not holds(machine, claim.then, last.value)
    change = _rank(machine, claim, last.value) - _rank(machine, claim, before)
    idles = last.event in claim.fair and change >= 0
    return change > 0 or idles or _stuck(machine, claim, last.value)


def _stuck(machine: Machine, claim: LeadsTo, value: Value) -> bool:
    """Return true iff fairness is weak and asks for nothing in `value`: no fair event can be taken there."""
    return claim.weak and not any(moving(Stepper.of(machine), value, claim.fair))


def _waits(machine: Machine, claim: LeadsTo, value: Value) -> bool:
    return holds(machine, claim.when, value) and not holds(machine, claim.then, value)


def _rank(machine: Machine, claim: LeadsTo, value: Value) -> int:
    return int(evaluate(claim.rank, Env(_named(machine, value), state=value.state)))


def _named(machine: Machine, value: Value) -> dict[str, Datum]:
    return {item.name: scalar for item, scalar in zip(machine.variables, value.context, strict=True)}
