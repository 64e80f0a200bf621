"""Prove what a system claims of any number of the many, or refute it with a few of them.

What is proved of one tracked among any number (`lang.track`) is proved of every number from one. What is not is looked
for with one, two and three side by side (`lang.compose`): a refutation is a run of such a machine, replayed like any.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from peak_trade.backends.relation import Encoding
from peak_trade.lang.compose import instance
from peak_trade.lang.locality import obstacles
from peak_trade.lang.machine import Always, Machine, Property, Witness
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.promise import is_local, spoken
from peak_trade.lang.system import System
from peak_trade.lang.track import positive_name, tracked
from peak_trade.proof.cache import Cache, keys
from peak_trade.proof.case import Case, Finding
from peak_trade.proof.claim import claims_of
from peak_trade.proof.induct import Induction, Inductor
from peak_trade.proof.many import Job, prove_job
from peak_trade.proof.planner import ENGINES, result
from peak_trade.proof.prove import LIMITS, NoSuchClaim, Progress
from peak_trade.proof.search import reached
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Report, Result, Unknown

COUNT_MAX = 3
"""With how many side by side a refutation or a witness is looked for."""
NONE: frozenset[str] = frozenset()
ABSTRACT = frozenset({"bmc", "explore"})
"""Engines whose runs mean nothing where the others are arbitrary."""


@dataclass(frozen=True, slots=True)
class Task:
    """One system, what is to be judged of it (None: everything), and by whom."""

    system: System
    only: frozenset[str] | None = None
    limits: Limits = LIMITS
    engines: tuple[str, ...] = ENGINES


def claims(system: System) -> tuple[str, ...]:
    """Return the names of all that is to be proved of `system`: what it declares, and what nobody need declare."""
    of_any = (item.name for item in claims_of(tracked(system)))
    return tuple(dict.fromkeys((*(item.name for item in system.properties), *of_any)))


def prove_system(task: Task, cache: Cache | None = None, progress: Progress = lambda _: None) -> Report:
    """Return the verdicts on the claims of the task's system, for any number of the many, in declared order.

    The fingerprint is that of the tracked machine. Where `lang.locality` names an obstacle, or a sum is called positive
    and that is not proved, nothing is `Proved` but witnesses: what is not refuted is `Unknown`, with the reason.
    Raises NoSuchClaim, and ReplayDisagrees or EnginesContradict on a bug of ours.
    Limits: `limits`; refutations and witnesses have at most COUNT_MAX side by side.
    """
    system, names = task.system, claims(task.system)
    wanted = frozenset(names) if task.only is None else task.only
    if not wanted or wanted - frozenset(names):
        raise NoSuchClaim(system.name, wanted - frozenset(names), names)
    machine = tracked(system)
    known = _of_any(task, machine, wanted, cache)
    reason = "; ".join((*obstacles(system), *_unfounded(system, known)))
    # What may not be concluded of any number is not known of a few either: assumed, it could hide their runs.
    proved = () if reason else (name for name, one in known.items() if isinstance(one.verdict, Proved))
    judge = _Judge(task, machine, _Few(task, frozenset(proved), cache), reason)
    results = []
    for name in names:
        if name in wanted:
            results.append(judge.result(name, known.get(name)))
            progress(results[-1])
    return Report(system.name, fingerprint(machine), tuple(results))


def _of_any(task: Task, machine: Machine, wanted: frozenset[str], cache: Cache | None) -> dict[str, Result]:
    """Return what is known of any number: the wanted claims, and those on which what is known of sums rests."""
    founded = {positive_name(item) for item in task.system.sums if item.positive}
    told = frozenset(item.name for item in claims_of(machine) if item.name in wanted | founded)
    if not told:
        return {}
    job = Job(machine, told, task.limits, ("induction",))
    return {one.property: _abstract(one) for one in prove_job(job, cache).results}


def _abstract(found: Result) -> Result:
    """Return `found` of the tracked machine as it is of any number: a run in it refutes nothing.

    What others do in such a run is what the invariants allow, which may be more than anybody can do.
    """
    verdict = found.verdict
    if not isinstance(verdict, Refuted):
        return found
    if verdict.trace is None or not verdict.trace.links:
        return replace(found, verdict=Unknown(f"{verdict.why}, in the view of one among any number"))
    *before, last = verdict.trace.links
    start = before[-1].value if before else verdict.trace.start
    return replace(found, verdict=NotInductive(start, (last,), f"{verdict.why}, in the view of one among any number"))


def _unfounded(system: System, known: dict[str, Result]) -> Iterator[str]:
    for item in system.sums:
        if item.positive and not isinstance(known[positive_name(item)].verdict, Proved):
            yield f"the sum {item.name} is called positive, and {positive_name(item)} is not proved"


@dataclass(frozen=True, slots=True, eq=False)
class _Judge:
    """Judges the claims of one system; `reason` is why nothing may be concluded for any number, empty if it may."""

    task: Task
    machine: Machine
    few: "_Few"
    reason: str

    def result(self, name: str, known: Result | None) -> Result:
        """Return the result on the claim `name`; `known` is what induction says of any number, None for a witness.

        What induction does not prove is first looked for in short runs with a few, which costs little; then the dearer
        engines may prove it, and longer runs refute it.
        """
        if self._stands(known):
            assert known is not None
            return known
        declared = next((item for item in self.task.system.properties if item.name == name), None)
        steps = self.task.limits.short_steps_max
        short = None if declared is None or known is None else self.few.reached(declared, steps)
        later = known if known is None or short is not None or self.reason else self._dearer(known)
        found = short
        if found is None and declared is not None and not self._stands(later):
            found = self.few.reached(declared, self.few.most(declared))
        if found is not None:
            return replace(found, property=name)
        if later is not None:
            return replace(later, verdict=Unknown(f"not for any number: {self.reason}")) if self.reason else later
        assert declared is not None, f"expected a claim of any number or a witness, was {name}"
        why = f"not reached with up to {COUNT_MAX} side by side within the limits"
        return result(declared, Finding(Unknown(why)))

    def _stands(self, known: Result | None) -> bool:
        return known is not None and isinstance(known.verdict, Proved) and not self.reason

    def _dearer(self, known: Result) -> Result:
        """Return what the engines beyond induction say of any number."""
        able = tuple(name for name in self.task.engines if name not in ABSTRACT)
        if not set(able) - {"induction"}:
            return known
        slim = tracked(_slim(self.task.system))
        machine = slim if any(item.name == known.property for item in claims_of(slim)) else self.machine
        job = Job(machine, frozenset({known.property}), self.task.limits, able)
        return _abstract(prove_job(job, self.few.cache).results[0])


def _slim(system: System) -> System:
    """Return `system` without its sums and what is claimed of them: what holds without them holds with them.

    Engines that invent lemmas would look for them among the sums, too, and seldom find them.
    """
    ghosts = frozenset(item.name for item in system.sums)
    kept = (item for item in system.properties if not any(var.name in ghosts for var in spoken(item)))
    return replace(system, sums=(), properties=tuple(kept))


@dataclass(frozen=True, slots=True, eq=False)
class _Few:
    """Runs with a few side by side; what is `proved` of any number is known of them, and so are cached runs."""

    task: Task
    proved: frozenset[str]
    cache: Cache | None
    cases: dict[int, Case] = field(default_factory=dict)

    def most(self, claim: Property) -> int:
        """Return how many steps a run about `claim` may have."""
        limits = self.task.limits
        return limits.witness_steps_max if isinstance(claim, Witness) else limits.refutation_steps_max

    def reached(self, claim: Property, steps_max: int) -> Result | None:
        """Return the result on `claim` that a run with the fewest side by side gives; None if no run is found."""
        for count in range(1, COUNT_MAX + 1):
            found = self._with(count, claim, steps_max)
            if found is not None and isinstance(found.verdict, Proved | Refuted):
                return found
        return None

    def _with(self, count: int, claim: Property, steps_max: int) -> Result | None:
        machine = instance(self.task.system, count)
        name = f"{claim.name}[1]" if is_local(self.task.system, claim) else claim.name
        said = next(item for item in machine.properties if item.name == name)
        key = keys(machine, (said,), self.task.limits, self.task.engines)[name]
        kept = None if self.cache is None else self.cache.read(key, said, partial(Case.bare, machine, self.task.limits))
        if kept is not None:
            return kept
        found = reached(self._case(count, machine), said, steps_max)
        fresh = result(said, found) if isinstance(found, Finding) else None
        if fresh is not None and self.cache is not None:
            self.cache.write(key, said, fresh)
        return fresh

    def _case(self, count: int, machine: Machine) -> Case:
        if count not in self.cases:
            encoding, limits = Encoding.of(machine), self.task.limits
            invariants = (item for item in machine.properties if isinstance(item, Always))
            known = {item.name: NONE for item in invariants if item.name.partition("[")[0] in self.proved}
            self.cases[count] = Case(machine, limits, encoding, Inductor.of(encoding, limits), Induction(known, {}, {}))
        return self.cases[count]
