"""Ask Z3: a model, an impossibility with what it rests on, or an honest "gave up"."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import z3

from peak_trade.backends.smt import Term, World

SEED = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a proof may spend: Z3's own deterministic unit for each question, depths in steps, sizes in values.

    `short_steps_max` is how deep a run is searched before lemmas are invented; `induction_steps_max` is the k of
    k-induction; `inference_rlimit` is for one invention.
    """

    question_rlimit: int = 20_000_000
    refutation_steps_max: int = 15
    witness_steps_max: int = 12
    short_steps_max: int = 8
    induction_steps_max: int = 3
    inference_rlimit: int = 20_000_000
    exploration_values_max: int = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The formula can be true, as in `model`."""

    model: z3.ModelRef


@dataclass(frozen=True, slots=True)
class Impossible:
    """The formula cannot be true; only these of the named assumptions were needed to say so."""

    core: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Z3 does not know, or its limit was reached."""

    reason: str


Answer: TypeAlias = Found | Impossible | GaveUp


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """One incremental Z3 solver with named assumptions.

    Limits: `question_rlimit` for each question; no wall time, so that the same question gives the same answer on
    any machine. The seeds are fixed.
    """

    world: World
    solver: z3.Solver

    @classmethod
    def of(cls, world: World, limits: Limits) -> "Oracle":
        """Return an oracle without assertions."""
        solver = z3.SimpleSolver(ctx=world.context)
        solver.set("random_seed", SEED)
        solver.set("rlimit", limits.question_rlimit)
        return cls(world, solver)

    def assume(self, name: str, term: Term) -> None:
        """Make `term` an assumption that questions may use by `name`."""
        self.solver.add(z3.Implies(self._switch(name), term))

    def always(self, term: Term) -> None:
        """Make `term` part of every question."""
        self.solver.add(term)

    def ask(self, term: Term, using: Iterable[str] = ()) -> Answer:
        """Return whether `term` can be true under the assumptions `using`."""
        names = sorted(using)
        self.solver.push()
        try:
            self.solver.add(term)
            found = self.solver.check(*map(self._switch, names))
            if found == z3.sat:
                return Found(self.solver.model())
            if found == z3.unsat:
                switches = {str(switch) for switch in self.solver.unsat_core()}
                return Impossible(frozenset(name for name in names if f"use.{name}" in switches))
            return GaveUp(self.solver.reason_unknown())
        except z3.Z3Exception as error:
            # Some limits come as an exception and not as `unknown`.
            return GaveUp(str(error))
        finally:
            self.solver.pop()

    def least(self, term: Term, core: frozenset[str]) -> frozenset[str]:
        """Return a part of `core` under which `term` is still impossible, and of which nothing can be left out."""
        whole = self.ask(term, core)
        core = whole.core if isinstance(whole, Impossible) else core
        for name in sorted(core):
            if name not in core:
                continue
            match self.ask(term, core - {name}):
                case Impossible(smaller):
                    core = smaller
                case Found() | GaveUp():
                    continue
        return core

    def spent(self) -> int:
        """Return what Z3 has spent in this oracle's world so far."""
        statistics = self.solver.statistics()
        return int(statistics.get_key_value("rlimit count")) if "rlimit count" in statistics.keys() else 0  # noqa: SIM118 - Z3's own class

    def _switch(self, name: str) -> Term:
        return z3.Bool(f"use.{name}", self.world.context)
