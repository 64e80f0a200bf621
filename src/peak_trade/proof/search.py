"""The engine `bmc`: shortest runs to what a claim forbids or asks for; and steps that no proved invariant excludes."""

from collections.abc import Iterator

from peak_trade.lang.machine import Always, LeadsTo, Witness
from peak_trade.proof.case import Case, Finding, Open
from peak_trade.proof.claim import Claim
from peak_trade.proof.confirm import confirm
from peak_trade.proof.judge import conditions
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import Found, GaveUp, Impossible
from peak_trade.proof.unroll import Path
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Unknown, Verdict


def shallow(case: Case, claim: Claim) -> Finding | Open:
    """Return what runs of at most `short_steps_max` steps show: before anything dearer is tried."""
    return reached(case, claim, case.limits.short_steps_max)


def deep(case: Case, claim: Claim) -> Finding | Open:
    """Return what runs of as many steps as the limits admit show; proved invariants are assumed at each moment."""
    witness = isinstance(claim, Witness)
    return reached(case, claim, case.limits.witness_steps_max if witness else case.limits.refutation_steps_max)


def reached(case: Case, claim: Claim, steps_max: int) -> Finding | Open:
    """Return a refutation of `claim`, or a proof if it is a witness, by a shortest run, replayed; else that it is open.

    Limits: runs of at most `steps_max` steps, no more than the limits of the case; `question_rlimit` for each length.
    """
    most = case.limits.witness_steps_max if isinstance(claim, Witness) else case.limits.refutation_steps_max
    length = min(steps_max, most)
    if isinstance(claim, LeadsTo) and _never_stuck(case, claim):
        return Open("no run gets stuck")
    item = case.obligation(claim)
    found = case.shortest(claim, item, length)
    if isinstance(found, Path):
        trace = confirm(case.machine, item, found)
        return Finding(Proved("witness", trace) if isinstance(claim, Witness) else Refuted(trace, item.why))
    if isinstance(found, GaveUp):
        return Open(found.reason, exhausted=True)
    return Open(f"not reached within {length} steps")


def link(case: Case, claim: Claim) -> Verdict:
    """Return a value and step, or a value alone, that breaks `claim` and that no proved invariant excludes."""
    using = case.induction.names | ({claim.name} if isinstance(claim, Always) else frozenset())
    for item in _broken(case, claim):
        for term, offers in ((item.at, 0), (item.by, 1)):
            # `at` of an invariant is its own negation, which the assumption of it excludes.
            answer = case.inductor.one.ask(term, using)
            if isinstance(answer, GaveUp):
                return Unknown(answer.reason)
            if isinstance(answer, Found):
                start = case.encoding.value(answer.model, case.encoding.before)
                offered = (case.encoding.offered(answer.model, case.encoding.offer),)
                trace = confirm(case.machine, item, Path((start,), offered[:offers]))
                return NotInductive(start, trace.links, item.why)
    return Unknown("the solver contradicts its own earlier answer within the same limits")


def _never_stuck(case: Case, claim: LeadsTo) -> bool:
    stuck = conditions(case, claim)[0]
    return isinstance(case.inductor.one.ask(stuck, case.induction.names), Impossible)


def _broken(case: Case, claim: Claim) -> Iterator[Obligation]:
    """Yield what must not be for `claim`, in the order in which it was asked; of what must happen, each condition."""
    item = case.obligation(claim)
    if not isinstance(claim, LeadsTo):
        yield item
        return
    if not _never_stuck(case, claim):
        yield item
    yield from Ranking(case.encoding, claim).rest()
