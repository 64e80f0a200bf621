"""Whether what is claimed would notice if what is declared were wrong: every mutant judged, every property credited."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from peak_trade.lang.machine import Machine, Witness
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.trace import Trace
from peak_trade.proof.doubt.mutate import Mutant, mutants
from peak_trade.proof.doubt.trial import Faulty, Trial
from peak_trade.proof.solve import Limits

LIMITS: Final = Limits(question_rlimit=5_000_000, refutation_steps_max=8, witness_steps_max=12)
"""What one mutant may spend: most faults show within a few steps, and where none is found the claim still stops it."""
SCORE_PERCENT_MIN: Final = 95


@dataclass(frozen=True, slots=True)
class Killed:
    """The claim `property` is false of the mutant: `trace` is a replayed run of it, or None for a lost witness."""

    property: str
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The claim `property` is no longer proved, though no run was found: the merge gate stops the mutant too."""

    property: str


@dataclass(frozen=True, slots=True)
class Caught:
    """`peak check` reports the mutant under `code`."""

    code: str


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Proved: from every value with the proved invariants each offer is answered by the same step, if by any."""


@dataclass(frozen=True, slots=True)
class Survived:
    """Every claim is proved as before: nothing that is declared forbids the fault."""


Fate: TypeAlias = Killed | Stopped | Caught | Equivalent | Survived


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one mutant; `by` are all claims that it breaks, in declared order."""

    name: str
    kind: str
    place: str
    says: str
    fate: Fate
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The mutants of one machine with their fates; `fingerprint` is that of the machine."""

    machine: str
    fingerprint: str
    judged: tuple[Judged, ...]

    @property
    def real(self) -> int:
        """How many mutants differ from the machine at all."""
        return sum(not isinstance(item.fate, Equivalent) for item in self.judged)

    @property
    def noticed(self) -> int:
        """How many are killed, stopped or caught."""
        return self.real - len(self.survivors)

    @property
    def survivors(self) -> tuple[Judged, ...]:
        """Those that nothing notices, in order."""
        return tuple(item for item in self.judged if isinstance(item.fate, Survived))

    @property
    def enough(self) -> bool:
        """True iff there are mutants, and at least SCORE_PERCENT_MIN of 100 are noticed."""
        return self.real > 0 and 100 * self.noticed >= SCORE_PERCENT_MIN * self.real

    def credit(self) -> Mapping[str, tuple[str, ...]]:
        """Return for each property the mutants that it kills or stops, in order."""
        found: dict[str, list[str]] = {}
        for item in self.judged:
            for name in item.by:
                found.setdefault(name, []).append(item.name)
        return {name: tuple(names) for name, names in found.items()}


def score(
    machine: Machine,
    limits: Limits = LIMITS,
    of: Iterable[Mutant] | None = None,
    progress: Callable[[Judged], None] = lambda _: None,
) -> Score:
    """Return the fates of the mutants `of` the machine, by default all; the machine must be well formed.

    `progress` is told each one. Limits: `limits` for each question; claims that are not proved of the machine, and
    those proved otherwise than by induction of the declared invariants, kill nothing.
    """
    found = tuple(mutants(machine) if of is None else of)
    trial = Trial.of(machine, found, limits)
    known = trial.reached()
    fates = []
    for item in found:
        fates.append(judged(trial, item, known))
        progress(fates[-1])
    return Score(machine.name, fingerprint(machine), tuple(fates))


def judged(trial: Trial, mutant: Mutant, known: Mapping[Witness, Trace]) -> Judged:
    """Return what becomes of `mutant` in its `trial`; `known` are the runs that reach the machine's witnesses."""
    fate, by = _fate(trial, mutant, known)
    return Judged(mutant.name, mutant.kind, mutant.place, mutant.says, fate, by)


def _fate(trial: Trial, mutant: Mutant, known: Mapping[Witness, Trace]) -> tuple[Fate, tuple[str, ...]]:
    code = trial.caught(mutant)
    if code is not None:
        return Caught(code), ()
    item = trial.faulty(mutant)
    if trial.same(item):
        return Equivalent(), ()
    broken = trial.broken(item) or trial.lost(item)
    for name in broken:
        trace = trial.trace(item, name)
        if trace is not None:
            return Killed(name, trace), broken
    if broken:
        return Stopped(broken[0]), broken
    return _possible(trial, item, known)


def _possible(trial: Trial, item: Faulty, known: Mapping[Witness, Trace]) -> tuple[Fate, tuple[str, ...]]:
    gone = tuple(claim.name for claim, trace in known.items() if trial.lacks(item, claim, trace))
    if not gone:
        return Survived(), ()
    sure = next((claim.name for claim in known if claim.name in gone and trial.unreachable(item, claim)), None)
    return (Killed(sure, None) if sure else Stopped(gone[0])), gone
