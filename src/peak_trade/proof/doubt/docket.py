"""Whether a system's claims would notice if its rules were wrong: every fault judged, every property credited.

A fault of a part's own machine that the part's own claims notice is noticed; the system judges what they let pass.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from peak_trade.lang.machine import Always, LeadsTo, Property, Witness
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.system import System
from peak_trade.lang.trace import Trace, replay
from peak_trade.proof.confirm import confirm
from peak_trade.proof.doubt import score as parts
from peak_trade.proof.doubt.exam import Exam, Progress
from peak_trade.proof.doubt.scope import Scope, Small
from peak_trade.proof.doubt.score import Equivalent, Fate, Judged, Killed, Score, Stopped, Survived
from peak_trade.proof.doubt.sides import Side, base, of_any, of_few
from peak_trade.proof.doubt.trial import Faulty, Trial, runs_through
from peak_trade.proof.doubt.variants import Variant, variants
from peak_trade.proof.obligation import Obligation, sorts_name
from peak_trade.proof.rank import Ranking
from peak_trade.proof.solve import Limits
from peak_trade.proof.unroll import Path

LIMITS: Final = Limits(question_rlimit=20_000_000, refutation_steps_max=8, witness_steps_max=12)
"""What one fault may spend: most show within a few steps, and where no run is found the claim still stops it."""
EXTRA_STEPS_MAX: Final = 2
"""How much longer a run to a witness may be than the shortest of the declared system."""
COUNT_MAX: Final = 2
"""With how many side by side a run of a fault is looked for."""


@dataclass(frozen=True, slots=True)
class Least(Small):
    """With `orders` side by side, and not fewer, the fault shows; the rest is about that many."""

    orders: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one fault; `orders` are those of the run that shows it, 0 if none does."""

    judged: Judged
    orders: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Docket:
    """The faults of one system, and what they share."""

    system: System
    found: tuple[Variant, ...]
    known: Side
    few: Mapping[int, Side]
    witnesses: Mapping[Witness, Trace]
    parts: dict[str, tuple[Trial, Mapping[Witness, Trace]]] = field(default_factory=dict)

    @classmethod
    def of(cls, system: System, found: Iterable[Variant] | None = None, limits: Limits = LIMITS) -> "Docket":
        """Return the docket of `system`, by default with all its faults."""
        every = variants(system) if found is None else tuple(found)
        known = of_any(system, every, limits)
        few = {count: of_few(system, count, known, every) for count in range(1, COUNT_MAX + 1)}
        return cls(system, every, known, few, few[1].reached())

    def judge(self, item: Variant) -> Finding:
        """Return what becomes of the fault."""
        fate, by, orders = self._fate(item)
        return Finding(Judged(item.name, item.kind, item.place, item.says, fate, by), orders)

    def least(self, found: Finding) -> Least | None:
        """Return the fewest orders and the smallest quantity with which the fault shows; None iff no run shows it."""
        match found.judged.fate:
            case Killed(name, trace) if trace is not None and found.orders:
                side = self.few[found.orders]
                named = _claim(side, name)
                known = sorts_name(side.machine) if named is None else named.name
                small = Scope.of(side).smallest(side.faults[found.judged.name].mutant, known, trace)
                return Least(name, small.mutant, small.quantity, small.trace, found.orders)
            case _:
                return None

    def _fate(self, item: Variant) -> tuple[Fate, tuple[str, ...], int]:
        if item.inner is not None:
            alone = self._in_part(item)
            if not isinstance(alone.fate, Survived) or item.inner.new is None:
                return alone.fate, tuple(f"{item.part}.{name}" for name in alone.by), 0
        fault = self.known.faults[item.name]
        if self.known.same(fault):
            return Equivalent(), (), 0
        broken = self.known.broken(fault) or self.known.lost(fault)
        if not broken:
            if self.known.same(fault, stutter=True):
                return Equivalent(), (), 0
            return (*self._possible(item), 0)
        for count, own in ((1, False), (2, False), (1, True)):
            shown = _run(self.few[count], self.few[count].faults[item.name], broken, own=own)
            if shown is not None:
                return Killed(*shown), broken, count
        return Stopped(broken[0]), broken, 0

    def _in_part(self, item: Variant) -> Judged:
        """Return what the part's own claims say of a fault of the part's own machine."""
        if item.part not in self.parts:
            machine = self.system.part(item.part).machine
            inner = [one.inner for one in self.found if one.part == item.part and one.inner is not None]
            trial = Trial.of(machine, inner, parts.LIMITS)
            self.parts[item.part] = trial, trial.reached()
        assert item.inner is not None, f"expected a fault of a part, was {item.name}"
        trial, witnesses = self.parts[item.part]
        return parts.judged(trial, item.inner, witnesses)

    def _possible(self, item: Variant) -> tuple[Fate, tuple[str, ...]]:
        """Return whether the fault makes impossible what must be possible, as far as one alone shows it.

        Limits: a run to a witness may be EXTRA_STEPS_MAX longer than the shortest of the declared system; only the
        first that is lost is credited.
        """
        said = {claim.name: claim for claim in self.system.properties if isinstance(claim, Witness)}
        fault, here = self.known.faults[item.name], self.few[1].faults[item.name]
        for claim, trace in self.witnesses.items():
            most = replace(self.known.limits, witness_steps_max=len(trace.links) + EXTRA_STEPS_MAX)
            if replace(self.few[1], limits=most).lacks(here, claim, trace):
                name = base(claim.name)
                sure = self.known.unreachable(fault, said[name])
                return (Killed(name, None) if sure else Stopped(name)), (name,)
        return Survived(), ()


def examine(system: System, progress: Progress = lambda _: None, *, whole: bool = False) -> Exam:
    """Return the exam of `system`: all its faults, and with `whole` the smallest scope in which each shows.

    `progress` is told what is done. Limits: LIMITS for each question; runs with up to COUNT_MAX side by side; roles,
    cuts and interesting cases are those of its machines and not looked for here.
    """
    docket = Docket.of(system)
    findings = []
    for item in docket.found:
        findings.append(docket.judge(item))
        progress(item.name)
    mark = fingerprint(docket.known.machine)
    found = Score(system.name, mark, tuple(one.judged for one in findings))
    small = tuple(least for one in findings if (least := docket.least(one)) is not None) if whole else ()
    return Exam(system.name, mark, found, (), small=small)


def _claim(side: Side, name: str) -> Property | None:
    """Return the first claim of the machine that says `name`; None is the claim that sorts are kept."""
    return next((item for item in side.machine.properties if base(item.name) == name), None)


def _run(side: Side, fault: Faulty, names: tuple[str, ...], *, own: bool) -> tuple[str, Trace] | None:
    """Return a run of the fault that breaks one of the claims, replayed, and which: own steps only at its end, or all.

    Claims come before lemmas. The first step that leaves the proved invariants is one of the fault's own.
    """
    runs = side.own(fault) if own or fault.runs is None else fault.runs
    wanted = [(name, _wanted(side, fault, name)) for name in sorted(names, key=lambda one: _rank(side, one))]
    told = [(name, one) for name, one in wanted if one is not None]
    world = fault.encoding.world
    at, by = (world.some(getattr(one, what) for _, one in told) for what in ("at", "by"))
    path = runs.shortest(Obligation("", "", at, by, (), lambda *_: False), side.limits.refutation_steps_max)
    if not isinstance(path, Path) or not runs_through(fault.mutant.machine, path):
        return None
    shown = next(((name, one) for name, one in told if _shows(fault, one, path)), None)
    return None if shown is None else (shown[0], confirm(fault.mutant.machine, shown[1], path))


def _shows(fault: Faulty, wanted: Obligation, path: Path) -> bool:
    """Return true iff the replay of `path` ends in what is `wanted`: one run may break one claim of several."""
    trace = replay(replace(fault.mutant.machine, properties=wanted.guards), path.values[0], path.offers)
    before = trace.links[-2].value if len(trace.links) > 1 else trace.start
    return wanted.seen(before, trace.links[-1] if trace.links else None)


def _rank(side: Side, name: str) -> bool:
    claim = _claim(side, name)
    return isinstance(claim, Always) and claim.lemma


def _wanted(side: Side, fault: Faulty, name: str) -> Obligation | None:
    """Return what a run must show to refute the claim `name`; None if the machine makes no such claim."""
    claim = _claim(side, name)
    if claim is None and not name.endswith("-SORTS"):
        return None
    if isinstance(claim, LeadsTo):
        return Ranking(fault.encoding, claim).stuck(())
    return fault.obligation(claim)
