"""The engine `induction`: a claim follows from the invariants that every step keeps, or from a rank that falls."""

from typing import assert_never

from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Always, Heard, LeadsTo, Step, Witness
from peak_trade.proof.case import Case, Finding, Open
from peak_trade.proof.claim import Automatic, Claim
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import Answer, GaveUp, Impossible
from peak_trade.proof.verdict import Proved, Refuted

UNREACHABLE = "it cannot be reached: not at the start, and no step leads there"


def induction(case: Case, claim: Claim) -> Finding | Open:
    """Return a proof by induction or ranking, or that a witness cannot be reached; else that it is open.

    Limits: only the declared invariants are there to help; `question_rlimit` for each question.
    """
    match claim:
        case Always():
            return _always(case, claim)
        case Step() | Heard() | Automatic(kind="sorts"):
            return _steps(case, case.obligation(claim))
        case Automatic():
            return _values(case, case.obligation(claim))
        case Witness():
            return _witness(case, case.obligation(claim))
        case LeadsTo():
            return _leads_to(case, claim)
        case _:
            assert_never(claim)


def opened(answer: Answer) -> Open:
    """Return why `answer`, which is not Impossible, proves nothing."""
    if isinstance(answer, GaveUp):
        return Open(answer.reason, exhausted=True)
    return Open("no proved invariant excludes a step that breaks it")


def _always(case: Case, claim: Always) -> Finding | Open:
    if claim.name in case.induction.kept:
        return Finding(Proved("induction"), case.induction.kept[claim.name])
    if claim.name in case.induction.gave_up:
        return Open(case.induction.gave_up[claim.name], exhausted=True)
    return Open("not inductive")


def _steps(case: Case, item: Obligation) -> Finding | Open:
    start = case.inductor.start.ask(item.at)
    if not isinstance(start, Impossible):
        return opened(start)
    answer = case.inductor.possible(item.by, case.induction.names)
    return Finding(Proved("induction"), answer.core) if isinstance(answer, Impossible) else opened(answer)


def _values(case: Case, item: Obligation) -> Finding | Open:
    """Return whether the proved invariants alone exclude every value that `item` forbids."""
    answer = case.inductor.possible(item.at, case.induction.names)
    return Finding(Proved("induction"), answer.core) if isinstance(answer, Impossible) else opened(answer)


def _witness(case: Case, item: Obligation) -> Finding | Open:
    missing = case.encoding.world.negation(item.at)
    start = case.inductor.start.ask(item.at)
    if not isinstance(start, Impossible):
        return opened(start)
    step = case.inductor.possible(case.encoding.world.every((missing, item.by)), case.induction.names)
    return Finding(Refuted(None, UNREACHABLE), step.core) if isinstance(step, Impossible) else opened(step)


def _leads_to(case: Case, claim: LeadsTo) -> Finding | Open:
    lemmas: frozenset[str] = frozenset()
    for term in conditions(case, claim):
        answer = case.inductor.possible(term, case.induction.names)
        if not isinstance(answer, Impossible):
            return opened(answer)
        lemmas |= answer.core
    return Finding(Proved("ranking"), lemmas)


def conditions(case: Case, claim: LeadsTo) -> tuple[Term, ...]:
    """Return what the ranking rule forbids, over one value and step: first what refutes the claim if it is reached."""
    ranking = Ranking(case.encoding, claim)
    stuck = ranking.stuck(case.invariants(proved=False))
    first = stuck.at if claim.weak else stuck.by
    return (first, *(case.encoding.world.some((item.at, item.by)) for item in ranking.rest()))
