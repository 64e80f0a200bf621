"""What no engine reached, explained: it cannot be reached, and this engine proved it; or here is a run; or unknown.

A goal is put to the prover as what must not be. `induction` proves it unreachable if no value with all proved
invariants has it or steps to it; `houdini` is the same with guessed invariants, that a variable is
still as it began in a control state; `spacer` invents what is missing, and induction checks it; `bmc` finds a shortest
run, which `lang.step` replays before anyone sees it.

Limits: those of `proof.solve.Limits`, in Z3's own deterministic unit and in steps, for each goal anew. Unknown is never
an explanation. The guesses cost a few seconds for each machine, once, if they are needed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.cover.targets import following, target
from peak_trade.lang.expr import Compare, Comparison, Expr, Lit, Or, Scope, Var
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import EnumSort
from peak_trade.lang.step import Taken
from peak_trade.lang.trace import Trace, plain, replay
from peak_trade.proof.case import Case
from peak_trade.proof.confirm import ReplayDisagrees, confirm
from peak_trade.proof.horn import Barrier, Horn
from peak_trade.proof.readback import Reader, UnreadableError
from peak_trade.proof.solve import GaveUp, Impossible, Limits
from peak_trade.proof.succession import unquantified
from peak_trade.proof.unroll import Path, Unroll

LIMITS: Final = Limits(question_rlimit=5_000_000, refutation_steps_max=10, inference_rlimit=5_000_000)
"""What is spent on one goal; `refutation_steps_max` is how long a run is searched for."""

GUESSED: Final = "Guessed, and kept by Houdini."
SPACER: Final = "Inferred by Spacer."


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No run reaches `goal`: `engine` proved it from the invariants `lemmas`; `invented` are those nobody declared."""

    goal: Goal
    engine: str
    lemmas: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """The run `trace` reaches `goal`, and none is shorter."""

    goal: Goal
    trace: Trace


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether `goal` can be reached, within the limits."""

    goal: Goal
    reason: str


Explained: TypeAlias = Unreachable | Reached | Unknown


def explained(machine: Machine, goals: Iterable[Goal], limits: Limits = LIMITS) -> tuple[Explained, ...]:
    """Return for each of `goals`, all of `machine`, why it was not reached, or how it is, in their order.

    Raises LookupError for a goal that is none of the machine's, and ReplayDisagrees on a bug of ours.
    """
    prover = Prover.of(machine, limits)
    return tuple(map(prover.explain, goals))


def reached(coverage: Coverage, found: Iterable[Explained], seed: int) -> None:
    """Count in `coverage` the goals that the prover has reached, each once with `seed`."""
    for item in found:
        if isinstance(item, Reached):
            coverage.hit(item.goal, seed)


def shown(machine: Machine, item: Explained) -> dict[str, Any]:
    """Return `item` as plain data; the run to what is reached is its seed program: a start, and events to offer."""
    head = {"goal": str(item.goal), "verdict": type(item).__name__.lower()}
    match item:
        case Unreachable(_, engine, lemmas, invented):
            return {**head, "by": engine, "lemmas": list(lemmas), "invented": list(invented)}
        case Reached(_, trace):
            return {**head, "by": "bmc", **plain(machine, trace)}
        case Unknown(_, reason):
            return {**head, "reason": reason}


@dataclass(slots=True, eq=False)
class Prover:
    """The case of one machine, shared by all questions about it, and its runs as they step at run time.

    `strong` is the case of the machine with the `invented` invariants as well, all proved: those guessed, and those
    that some proof had need of.
    """

    case: Case
    runs: Unroll
    strong: Case
    limits: Limits
    invented: tuple[Always, ...] = ()
    numbered: int = 0
    """How many lemmas were numbered so far: those guessed, then those that Spacer invented."""

    @classmethod
    def of(cls, machine: Machine, limits: Limits) -> "Prover":
        """Return the prover of `machine`, whose invariants are proved here, as far as induction goes."""
        case = Case.of(machine, limits)
        filtered = case.invariants(proved=True) + case.invariants(proved=False)
        return cls(case, Unroll.of(case.encoding, filtered, limits), case, limits)

    def explain(self, goal: Goal) -> Explained:
        """Return why `goal` is not reached, or how it is."""
        short = min(self.limits.short_steps_max, self.limits.refutation_steps_max)
        return (
            self._excluded(self.strong, goal, self.invented)
            or self._run(goal, 0, short)
            or self._guess(goal)
            or self._invent(goal)
            or self._run(goal, short + 1, self.limits.refutation_steps_max)
            or Unknown(goal, f"no proof, and no run of at most {self.limits.refutation_steps_max} steps")
        )

    def _guess(self, goal: Goal) -> Unreachable | None:
        """Return the proof that the guessed invariants give, which are made when they are first asked for."""
        if self.numbered:
            return None
        guessed = _lemmas(self.case.machine, _untouched(self.case.machine), 0, GUESSED)
        self.strong, self.invented = _stronger(self.case.machine, guessed, self.limits)
        self.numbered = len(guessed)
        return self._excluded(self.strong, goal, self.invented)

    def _run(self, goal: Goal, steps_min: int, steps_max: int) -> Reached | Unknown | None:
        """Return the goal as reached by a run of so many steps; unknown iff the solver gave up, None iff there is none.

        Shorter runs than `steps_min` are known not to be.
        """
        wanted, machine = target(self.case, goal), self.case.machine
        found = self.runs.shortest(wanted.item, steps_max, steps_min)
        if isinstance(found, GaveUp):
            return Unknown(goal, found.reason)
        if not isinstance(found, Path):
            return None
        trace = confirm(machine, wanted.item, found)
        if wanted.then is None:
            return Reached(goal, trace)
        last = following(self.case, wanted.then, trace.last)
        both = replay(machine, trace.start, (*((link.event, dict(link.payload)) for link in trace.links), last))
        if both.links[-1].outcome != Taken(wanted.then.transition):
            raise ReplayDisagrees(
                machine.name, str(goal), f"{wanted.then.transition} taken", str(both.links[-1].outcome)
            )
        return Reached(goal, both)

    def _invent(self, goal: Goal) -> Unreachable | None:
        """Return the proof that Spacer's invariants give, checked by induction in a fresh solver; None iff none.

        What the proof needed is kept for other goals.
        """
        encoding = self.strong.encoding
        found = Horn(encoding, self.strong.invariants(proved=True)).solve(
            target(self.strong, goal).bad, self.limits.inference_rlimit
        )
        if not isinstance(found, Barrier):
            return None
        try:
            parts = Reader.of(encoding, encoding.before).conjuncts(unquantified(encoding, found.term))
        except UnreadableError:
            return None
        lemmas = (*self.invented, *_lemmas(self.case.machine, parts, self.numbered, SPACER))
        fresh, kept = _stronger(self.case.machine, lemmas, self.limits)
        proof = self._excluded(fresh, goal, kept)
        if proof is not None:
            self.numbered += len(parts)
            self.strong, self.invented = fresh, kept
        return proof

    def _excluded(self, case: Case, goal: Goal, lemmas: tuple[Always, ...]) -> Unreachable | None:
        """Return that neither the start nor any step from a value with the proved invariants has what is asked for."""
        item, world = target(case, goal).item, case.encoding.world
        if not isinstance(case.inductor.start.ask(item.at), Impossible):
            return None
        step = case.inductor.one.ask(world.every((world.negation(item.at), item.by)), case.induction.names)
        if not isinstance(step, Impossible):
            return None
        rests = _needed(step.core, case)
        told = tuple(expression(one.holds) for one in lemmas if one.name in rests)
        by = {one.says for one in lemmas if one.name in rests}
        engine = "spacer" if SPACER in by else "houdini" if by else "induction"
        return Unreachable(goal, engine, tuple(sorted(step.core)), told)


def _stronger(machine: Machine, lemmas: tuple[Always, ...], limits: Limits) -> tuple[Case, tuple[Always, ...]]:
    """Return the case of `machine` with those of `lemmas` that are proved beside what it declares, and these.

    The others must not stay: a declared invariant that is not proved filters steps, and nobody declared these.
    """
    tried = Case.of(replace(machine, properties=(*machine.properties, *lemmas)), limits)
    kept = tuple(item for item in lemmas if item.name in tried.induction.kept)
    if len(kept) == len(lemmas):
        return tried, kept
    return Case.of(replace(machine, properties=(*machine.properties, *kept)), limits), kept


def _needed(start: Iterable[str], case: Case) -> frozenset[str]:
    """Return the invariants on which those named in `start` rest, with themselves."""
    found, fresh = frozenset(start), frozenset(start)
    while fresh:
        fresh = frozenset[str]().union(*(case.induction.kept[name] for name in fresh)) - found
        found |= fresh
    return found


def _lemmas(machine: Machine, parts: Iterable[Expr], known: int, says: str) -> tuple[Always, ...]:
    """Return `parts` as invariants, numbered after the `known` ones, the short first."""
    ordered = sorted(parts, key=lambda part: (len(expression(part)), expression(part)))
    name = f"{machine.name.upper()}-U"
    return tuple(Always(f"{name}{number}", says, part, lemma=True) for number, part in enumerate(ordered, known + 1))


def _untouched(machine: Machine) -> Iterator[Expr]:
    """Yield for each control state and variable that there the variable is still as it began.

    These are guesses, of which Houdini keeps the greatest set that every step keeps.
    """
    states = EnumSort("State", tuple(state.name for state in machine.states))
    here = Var("state", states, Scope.STATE)
    for item in machine.variables:
        if item.free or isinstance(item.init, tuple):
            continue
        began = Compare(Comparison.EQ, Var(item.name, item.sort, Scope.CONTEXT), Lit(item.init, item.sort))
        for state in machine.states:
            yield Or((Compare(Comparison.NE, here, Lit(state.name, states)), began))
