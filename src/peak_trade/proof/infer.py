"""The engine `spacer`: it invents the lemmas that a claim lacks; only what induction makes of them is a proof."""

from collections.abc import Mapping
from dataclasses import replace

from peak_trade.backends.smt import Term
from peak_trade.lang.expr import Expr
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Step
from peak_trade.lang.pretty import expression
from peak_trade.proof.case import Case, Finding, Open
from peak_trade.proof.claim import Automatic, Claim
from peak_trade.proof.horn import Barrier, Horn, Reached
from peak_trade.proof.judge import conditions, induction
from peak_trade.proof.readback import Reader, UnreadableError
from peak_trade.proof.solve import GaveUp
from peak_trade.proof.verdict import Proved

SAYS = "Inferred by Spacer."


def quick(case: Case, claim: Claim) -> Finding | Open:
    """Return what `spacer` says for a fifth of its budget: false claims may waste all of it, and fall to a search."""
    return invented(case, claim, case.limits.inference_rlimit // 5)


def spacer(case: Case, claim: Claim) -> Finding | Open:
    """Return what `invented` says within the limit of the case."""
    return invented(case, claim, case.limits.inference_rlimit)


def invented(case: Case, claim: Claim, rlimit: int) -> Finding | Open:
    """Return what induction makes of `claim` with lemmas that Spacer invents; else that it is open.

    Each lemma is read back into the language, added to the machine, and proved with the claim in a fresh solver; only
    those that the proof needs are kept. A refutation by Spacer is not believed: a run must be found and replayed.
    Limits: `rlimit`; what cannot be read back is no lemma; Spacer is a prover, false claims may cost it all
    of its budget.
    """
    horn = Horn(case.encoding, case.invariants(proved=True))
    found = horn.solve(_bad(case, claim), rlimit)
    if isinstance(found, Reached):
        return Open("a run breaks it, says Spacer, and none was found that does")
    if isinstance(found, GaveUp):
        return Open(f"no lemma was invented: {found.reason}", exhausted=True)
    return _with_lemmas(case, claim, found)


def _with_lemmas(case: Case, claim: Claim, barrier: Barrier) -> Finding | Open:
    try:
        parts = Reader.of(case.encoding, case.encoding.before).conjuncts(barrier.term)
    except UnreadableError as error:
        return Open(str(error))
    lemmas = _lemmas(case.machine, parts)
    fresh = Case.of(replace(case.machine, properties=(*case.machine.properties, *lemmas)), case.limits)
    found = induction(fresh, claim)
    if isinstance(found, Open):
        return Open(f"induction with what Spacer invented: {found.reason}", found.exhausted)
    needed = _needed(found.lemmas, fresh.induction.kept)
    return _renamed(case.machine, found, needed, tuple(item for item in lemmas if item.name in needed), fresh.spent())


def _bad(case: Case, claim: Claim) -> Term:
    """Return what must not be, over a reachable value and an offer in it."""
    if isinstance(claim, LeadsTo):
        return case.encoding.world.some(conditions(case, claim))
    item = case.obligation(claim)
    steps = isinstance(claim, Step | Heard) or (isinstance(claim, Automatic) and claim.kind == "sorts")
    return case.encoding.world.some((item.at, item.by)) if steps else item.at


def _lemmas(machine: Machine, parts: tuple[Expr, ...]) -> tuple[Always, ...]:
    ordered = sorted(parts, key=lambda part: (len(expression(part)), expression(part)))
    return tuple(Always(_name(machine, number), SAYS, part, lemma=True) for number, part in enumerate(ordered, 1))


def _name(machine: Machine, number: int) -> str:
    return f"{machine.name.upper()}-I{number}"


def _needed(start: frozenset[str], kept: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the invariants that `start` rests on, in the end."""
    found, fresh = start, start
    while fresh:
        fresh = frozenset[str]().union(*(kept[name] for name in fresh)) - found
        found |= fresh
    return found


def _renamed(
    machine: Machine, found: Finding, needed: frozenset[str], lemmas: tuple[Always, ...], spent: int
) -> Finding:
    """Return the finding with its lemmas numbered from one, and the method that found them."""
    names = {item.name: _name(machine, number) for number, item in enumerate(lemmas, 1)}
    inferred = tuple(replace(item, name=names[item.name]) for item in lemmas)
    verdict = replace(found.verdict, method="spacer") if isinstance(found.verdict, Proved) else found.verdict
    return Finding(verdict, frozenset(names.get(name, name) for name in needed), inferred, spent)
