"""The one interface of all engines: a case, a claim, and what an engine finds.

An engine is a function from a case (one machine and its limits) and a claim to a `Finding`, or to `Open` where it
cannot say. What engines share (formulas, proved invariants, unrolled runs) is in the case and made once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from peak_trade.backends.relation import Encoding
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Step, Witness
from peak_trade.proof import obligation
from peak_trade.proof.claim import Automatic, Claim
from peak_trade.proof.explore import Graph
from peak_trade.proof.induct import Induction, Inductor
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import GaveUp, Limits, Oracle
from peak_trade.proof.unroll import Path, Unroll
from peak_trade.proof.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, the invariants that its proof needs, and those of them that the engine invented.

    `spent` is what Z3 spent in contexts other than the case's.
    """

    verdict: Verdict
    lemmas: frozenset[str] = frozenset()
    inferred: tuple[Always, ...] = ()
    spent: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """The engine cannot say, for this reason; `exhausted` iff a limit of the solver was reached."""

    reason: str
    exhausted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What the engines share about one machine: its encoding, its proved invariants, its runs, unrolled on demand."""

    machine: Machine
    limits: Limits
    encoding: Encoding
    inductor: Inductor
    induction: Induction
    runs: dict[tuple[bool, tuple[str, ...]], Unroll] = field(default_factory=dict)
    searched: dict[str, int] = field(default_factory=dict)
    graphs: list[tuple[object, Graph | GaveUp]] = field(default_factory=list)

    @classmethod
    def of(cls, machine: Machine, limits: Limits) -> "Case":
        """Return the case of `machine`; the greatest inductive set of its invariants is found here."""
        encoding = Encoding.of(machine)
        inductor = Inductor.of(encoding, limits)
        invariants = (item for item in machine.properties if isinstance(item, Always))
        induction = inductor.greatest(tuple(obligation.always(encoding, item) for item in invariants))
        return cls(machine, limits, encoding, inductor, induction)

    @classmethod
    def bare(cls, machine: Machine, limits: Limits) -> "Case":
        """Return the case of `machine` in which nothing is proved yet: enough to replay runs."""
        encoding = Encoding.of(machine)
        inductor = Inductor(Oracle.of(encoding.world, limits), Oracle.of(encoding.world, limits))
        return cls(machine, limits, encoding, inductor, Induction({}, {}, {}))

    def invariants(self, *, proved: bool) -> tuple[Always, ...]:
        """Return the declared invariants that are proved by induction, or those that are not."""
        found = (item for item in self.machine.properties if isinstance(item, Always))
        return tuple(item for item in found if (item.name in self.induction.kept) == proved)

    def obligation(self, claim: Claim) -> Obligation:  # noqa: PLR0911 - one return for each kind of the closed union
        """Return what must not be if `claim` is true; of a witness and what must happen, what a run shows of it."""
        match claim:
            case Always():
                return obligation.always(self.encoding, claim)
            case Step():
                return obligation.step(self.encoding, claim)
            case Witness():
                return obligation.reach(self.encoding.only(claim.by), claim, self.invariants(proved=False))
            case LeadsTo():
                return Ranking(self.encoding, claim).stuck(self.invariants(proved=False))
            case Heard():
                return obligation.heard(self.encoding, claim, self.invariants(proved=False))
            case Automatic(kind="sorts"):
                return obligation.sorts(self.encoding)
            case Automatic():
                return obligation.deadlock(self.encoding)
            case _:
                assert_never(claim)

    def unrolled(self, claim: Claim) -> Unroll:
        """Return the runs that `claim` is about: of the steps alone, or as `lang.step` filters them by invariants.

        What must be possible, must happen or must be heard is about the machine that runs; what must not happen, about
        its steps.
        """
        filtered = isinstance(claim, Witness | LeadsTo | Heard)
        key = filtered, claim.by if isinstance(claim, Witness) else ()
        if key not in self.runs:
            lemmas = self.invariants(proved=True) + (self.invariants(proved=False) if filtered else ())
            self.runs[key] = Unroll.of(self.encoding.only(key[1]), lemmas, self.limits)
        return self.runs[key]

    def shortest(self, claim: Claim, item: Obligation, steps_max: int) -> Path | GaveUp | None:
        """Return a shortest run to what `item` of `claim` forbids, or None; lengths searched before are left out."""
        begin = self.searched.get(claim.name, 0)
        found = self.unrolled(claim).shortest(item, steps_max, begin)
        if found is None:
            self.searched[claim.name] = max(begin, steps_max + 1)
        return found

    def spent(self) -> int:
        """Return what Z3 has spent on this case so far, in its own deterministic unit."""
        return self.inductor.one.spent()


Engine: TypeAlias = Callable[[Case, Claim], Finding | Open]
