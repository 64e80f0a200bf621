"""What became of a claim: proved, refuted by a trace, not inductive, or unknown. Only proved passes a gate."""

from dataclasses import dataclass
from typing import TypeAlias

from peak_trade.lang.machine import Always
from peak_trade.lang.step import Value
from peak_trade.lang.trace import Link, Trace


@dataclass(frozen=True, slots=True)
class Proved:
    """The claim is true of every run, of any length and any quantity.

    `method` is `induction`, `2-induction` (or another depth), `spacer`, `ranking`, `exploration` or `witness`; a
    witness has the shortest trace that reaches it.
    """

    method: str
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Refuted:
    """The claim is false: `trace` ends in the violation, replayed by `lang.step`, and none is shorter.

    None for a witness that cannot be reached: there the refutation is a proof.
    """

    trace: Trace | None
    why: str


@dataclass(frozen=True, slots=True)
class NotInductive:
    """Neither proved nor refuted: from `start`, which no proved invariant excludes, `links` break the claim.

    Either a lemma that excludes `start` is missing, or it can be reached in more steps than were searched.
    """

    start: Value
    links: tuple[Link, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The solver or the search gave up within its limits; nobody knows."""

    reason: str


Verdict: TypeAlias = Proved | Refuted | NotInductive | Unknown


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one claim: `kind` is the key under which it is declared, or `sorts` or `deadlock`.

    `lemmas` are the other invariants that its proof needs; those among them that nobody declared are `inferred`, and
    with them in the machine the claim is proved by ordinary induction. `rlimit` is what Z3 spent on it, in Z3's own
    deterministic unit.
    """

    property: str
    kind: str
    says: str
    verdict: Verdict
    lemmas: tuple[str, ...] = ()
    rlimit: int = 0
    inferred: tuple[Always, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one machine in declared order; `fingerprint` is that of the machine that was judged."""

    machine: str
    fingerprint: str
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """True iff there is a result and every one is `Proved`: no evidence is no pass."""
        return bool(self.results) and all(isinstance(item.verdict, Proved) for item in self.results)

    def result(self, name: str) -> Result:
        """Return the result of the claim `name`; KeyError if it was not judged."""
        return {item.property: item for item in self.results}[name]
