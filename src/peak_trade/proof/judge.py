"""One claim at a time: proved by what is known of every step, or refuted by a run, or why neither."""

from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from peak_trade.backends.relation import Encoding
from peak_trade.lang.machine import Always, LeadsTo, Machine, Property, Step, Witness
from peak_trade.lang.pretty import kind_of
from peak_trade.proof import obligation
from peak_trade.proof.confirm import confirm
from peak_trade.proof.induct import Induction, Inductor
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import Found, GaveUp, Impossible, Limits
from peak_trade.proof.unroll import Path, Unroll
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Result, Unknown, Verdict

Finding: TypeAlias = tuple[Verdict, frozenset[str]]
"""A verdict and the invariants that its proof needs."""

SORTS_SAYS = "No update ever leaves the bounds of its variable."


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """What the claims of one machine share: its encoding, its proved invariants, and its runs, unrolled on demand."""

    encoding: Encoding
    limits: Limits
    inductor: Inductor
    induction: Induction
    runs: dict[bool, Unroll] = field(default_factory=dict)

    @classmethod
    def of(cls, machine: Machine, limits: Limits) -> "Judge":
        """Return the judge of `machine`; the greatest inductive set of its invariants is found here."""
        encoding = Encoding.of(machine)
        inductor = Inductor.of(encoding, limits)
        invariants = (item for item in machine.properties if isinstance(item, Always))
        induction = inductor.greatest(tuple(obligation.always(encoding, item) for item in invariants))
        return cls(encoding, limits, inductor, induction)

    def result(self, claim: Property | None) -> Result:
        """Return the result on `claim`; None is the claim that sorts are kept."""
        before = self.inductor.one.spent()
        verdict, lemmas = self._finding(claim)
        spent = self.inductor.one.spent() - before
        if claim is None:
            name, kind, says = obligation.sorts_name(self.encoding.machine), "sorts", SORTS_SAYS
        else:
            name, kind, says = claim.name, kind_of(claim), claim.says
        return Result(name, kind, says, verdict, tuple(sorted(lemmas)), spent + self.induction.spent.get(name, 0))

    def _finding(self, claim: Property | None) -> Finding:
        match claim:
            case None:
                return self._steps(obligation.sorts(self.encoding))
            case Always():
                return self._always(obligation.always(self.encoding, claim))
            case Step():
                return self._steps(obligation.step(self.encoding, claim))
            case Witness():
                return self._witness(obligation.reach(self.encoding, claim, self._invariants(proved=False)))
            case LeadsTo():
                return self._leads_to(claim)
            case _:
                assert_never(claim)

    def _always(self, item: Obligation) -> Finding:
        if item.name in self.induction.kept:
            return Proved("induction"), self.induction.kept[item.name]
        return self._against(item, self._runs(filtered=False), self.induction.names | {item.name}), frozenset()

    def _steps(self, item: Obligation) -> Finding:
        start = self.inductor.start.ask(item.at)
        answer = self.inductor.possible(item.by, self.induction.names)
        if isinstance(start, Impossible) and isinstance(answer, Impossible):
            return Proved("induction"), answer.core
        return self._against(item, self._runs(filtered=False), self.induction.names), frozenset()

    def _witness(self, item: Obligation) -> Finding:
        missing = self.encoding.world.negation(item.at)
        step = self.inductor.possible(self.encoding.world.every((missing, item.by)), self.induction.names)
        if isinstance(step, Impossible) and isinstance(self.inductor.start.ask(item.at), Impossible):
            return Refuted(None, "it cannot be reached: not at the start, and no step leads there"), step.core
        found = self._runs(filtered=True).shortest(item, self.limits.witness_steps_max)
        if isinstance(found, Path):
            return Proved("witness", confirm(self.encoding.machine, item, found)), frozenset()
        reason = f"not reached within {self.limits.witness_steps_max} steps" if found is None else found.reason
        return Unknown(reason), frozenset()

    def _leads_to(self, claim: LeadsTo) -> Finding:
        ranking = Ranking(self.encoding, claim)
        stuck = ranking.stuck(self._invariants(proved=False))
        answer = self.inductor.possible(stuck.by, self.induction.names)
        if not isinstance(answer, Impossible):
            return self._against(stuck, self._runs(filtered=True), self.induction.names), frozenset()
        lemmas = answer.core
        for item in ranking.rest():
            answer = self.inductor.possible(self.encoding.world.some((item.at, item.by)), self.induction.names)
            if not isinstance(answer, Impossible):
                return self._link(item, self.induction.names), frozenset()
            lemmas |= answer.core
        return Proved("ranking"), lemmas

    def _against(self, item: Obligation, runs: Unroll, using: frozenset[str]) -> Verdict:
        """Return a refutation by a shortest run, else why there is no proof."""
        found = runs.shortest(item, self.limits.refutation_steps_max)
        if isinstance(found, Path):
            return Refuted(confirm(self.encoding.machine, item, found), item.why)
        if isinstance(found, GaveUp):
            return Unknown(found.reason)
        if item.name in self.induction.gave_up:
            return Unknown(self.induction.gave_up[item.name])
        return self._link(item, using)

    def _link(self, item: Obligation, using: frozenset[str]) -> Verdict:
        """Return a value and step, or a value alone, that no invariant in `using` excludes."""
        for term, offers in ((item.at, 0), (item.by, 1)):
            # `at` of an invariant is its own negation, which the assumption of it excludes.
            answer = self.inductor.one.ask(term, using)
            if isinstance(answer, GaveUp):
                return Unknown(answer.reason)
            if isinstance(answer, Found):
                start = self.encoding.value(answer.model, self.encoding.before)
                offered = (self.encoding.offered(answer.model, self.encoding.offer),)
                trace = confirm(self.encoding.machine, item, Path((start,), offered[:offers]))
                return NotInductive(start, trace.links, item.why)
        return Unknown("the solver contradicts its own earlier answer within the same limits")

    def _runs(self, *, filtered: bool) -> Unroll:
        """Return the runs of the steps alone, or as `lang.step` filters them by invariants that are not proved."""
        lemmas = self._invariants(proved=True) + (self._invariants(proved=False) if filtered else ())
        if filtered not in self.runs:
            self.runs[filtered] = Unroll.of(self.encoding, lemmas, self.limits)
        return self.runs[filtered]

    def _invariants(self, *, proved: bool) -> tuple[Always, ...]:
        found = (item for item in self.encoding.machine.properties if isinstance(item, Always))
        return tuple(item for item in found if (item.name in self.induction.kept) == proved)
