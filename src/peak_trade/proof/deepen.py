"""The engine `kinduction`: what holds in k consecutive moments holds in the next one."""

import z3

from peak_trade.backends.relation import Encoding
from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Always
from peak_trade.proof.case import Case, Finding, Open
from peak_trade.proof.claim import Claim
from peak_trade.proof.confirm import confirm
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.solve import GaveUp, Impossible, Oracle
from peak_trade.proof.unroll import Path
from peak_trade.proof.verdict import Proved, Refuted


def kinduction(case: Case, claim: Claim) -> Finding | Open:
    """Return a proof of an invariant by k-induction, k from 2, or a refutation of fewer than k steps; else it is open.

    The step from k moments assumes the proved invariants and the claim itself in each of them, of whoever acts: where
    one of many is tracked, the claim is proved of all of them at once, so it holds of the other in each earlier moment.
    Limits: `Always` only; k is at most `induction_steps_max`; `question_rlimit` for each question.
    """
    if not isinstance(claim, Always):
        return Open("k-induction is about invariants only")
    item, steps = case.obligation(claim), _Steps(case, claim)
    why: Open = Open("k-induction is not tried")
    for depth in range(2, case.limits.induction_steps_max + 1):
        start = case.shortest(claim, item, depth - 1)
        if isinstance(start, Path):
            return Finding(Refuted(confirm(case.machine, item, start), item.why))
        if isinstance(start, GaveUp):
            return Open(start.reason, exhausted=True)
        answer = steps.broken(item, depth)
        if isinstance(answer, Impossible):
            return Finding(Proved(f"{depth}-induction"), answer.core)
        gave_up = isinstance(answer, GaveUp)
        why = Open(answer.reason if isinstance(answer, GaveUp) else f"not {depth}-inductive", exhausted=gave_up)
    return why


class _Steps:
    """Consecutive moments anywhere, each with the claim; and with the proved invariants, which go by their names."""

    def __init__(self, case: Case, claim: Always) -> None:
        self.case, self.encoding = case, case.encoding
        self.oracle = Oracle.of(case.encoding.world, case.limits)
        self.claim = case.encoding.hypothesis(claim.holds)
        self.invariants = {item.name: case.encoding.hypothesis(item.holds) for item in case.invariants(proved=True)}
        self.relation = case.encoding.relation()
        self.constants = [_terms(case.encoding, 0)]
        self.oracle.always(case.encoding.sorts(case.encoding.before))
        self._holds(0)

    def broken(self, item: Obligation, depth: int) -> Impossible | GaveUp | None:
        """Return whether `depth` moments with the claim can be followed by one without it; None iff they can."""
        while len(self.constants) < depth:
            moment = len(self.constants)
            self.constants.append(_terms(self.encoding, moment))
            self.oracle.always(self._moved(self.relation, moment - 1))
            self._holds(moment)
        term = self._moved(item.by, depth - 1)
        answer = self.oracle.ask(term, self.invariants)
        if isinstance(answer, Impossible):
            return Impossible(self.oracle.least(term, answer.core))
        return answer if isinstance(answer, GaveUp) else None

    def _holds(self, moment: int) -> None:
        self.oracle.always(self._moved(self.claim, moment))
        for name, term in self.invariants.items():
            self.oracle.assume(name, self._moved(term, moment))

    def _moved(self, term: Term, moment: int) -> Term:
        after = _terms(self.encoding, moment + 1)[: len(self.encoding.after.terms())]
        here = (*_terms(self.encoding, 0), *self.encoding.after.terms())
        return z3.substitute(term, *zip(here, (*_terms(self.encoding, moment), *after), strict=True))


def _terms(encoding: Encoding, moment: int) -> tuple[Term, ...]:
    frame, offer = encoding.constants(moment)
    return (*frame.terms(), *offer.terms())
