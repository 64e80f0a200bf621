"""All engines judge the same made-up machines, each by itself: no two of them may contradict each other.

And on the steps that are walked, the formulas must say what `lang.step` says. Specification number n of a seed is the
same for any number of workers.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice, product
from random import Random
from typing import Any

import z3

from peak_trade.backends.domains import domains
from peak_trade.backends.relation import Encoding
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import document
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Payload, Stepper, Taken, Value, initial
from peak_trade.proof.case import Case, Finding
from peak_trade.proof.claim import claims_of
from peak_trade.proof.confirm import ReplayDisagrees
from peak_trade.proof.lockstep.sample import VALUES_MAX, sample
from peak_trade.proof.planner import EnginesContradict, opinions
from peak_trade.proof.solve import Limits

SHARD_SPECS = 20
STEPS_MAX = 24
"""How many steps of each machine are compared between Z3 and `lang.step`."""

LIMITS = Limits(
    refutation_steps_max=6, witness_steps_max=6, inference_rlimit=200_000, exploration_values_max=VALUES_MAX
)
"""Runs that are longer are found by exploration alone."""


@dataclass(frozen=True, slots=True)
class Clash:
    """The first contradiction: in which specification, what was said, and the specification itself."""

    number: int
    said: str
    document: str


@dataclass(slots=True)
class Contest:
    """What a campaign did: claims judged, how often each engine gave each verdict, steps compared, the first clash."""

    seed: int
    specs: int = 0
    claims: int = 0
    steps: int = 0
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: Clash | None = None

    def add(self, other: "Contest") -> None:
        """Add what `other` counted."""
        self.specs += other.specs
        self.claims += other.claims
        self.steps += other.steps
        self.verdicts.update(other.verdicts)
        self.first = self.first or other.first


def contest(
    specs: int, seed: int, progress: Callable[[int], None] = lambda _: None, executor: Executor | None = None
) -> Contest:
    """Return what comes of `specs` specifications from `seed`; it ends with the shard of the first clash.

    Limits: machines of at most VALUES_MAX values; LIMITS.
    """
    total = Contest(seed)
    starts = range(0, specs, SHARD_SPECS)
    shard = partial(_shard, seed, specs)
    for found in map(shard, starts) if executor is None else executor.map(shard, starts):
        total.add(found)
        progress(total.specs)
        if total.first is not None:
            break
    return total


def plain(found: Contest) -> dict[str, Any]:
    """Return the campaign as plain data."""
    engines: dict[str, dict[str, int]] = {}
    for (engine, word), count in sorted(found.verdicts.items()):
        engines.setdefault(engine, {})[word] = count
    clash = None if found.first is None else {"specification": found.first.number, "said": found.first.said}
    counts = {"specifications": found.specs, "claims": found.claims, "steps": found.steps}
    return {"seed": found.seed, **counts, "engines": engines, "contradiction": clash}


def _shard(seed: int, specs: int, start: int) -> Contest:
    found = Contest(seed)
    for number in range(start, min(specs, start + SHARD_SPECS)):
        machine = sample(Random(f"{seed}:{number}"))  # noqa: S311 - seeded on purpose, no cryptography
        try:
            _judge(machine, found)
        except (EnginesContradict, ReplayDisagrees) as error:
            found.first = Clash(number, str(error), document(machine))
            break
    return found


def _judge(machine: Machine, found: Contest) -> None:
    case = Case.of(machine, LIMITS)
    for claim in claims_of(machine):
        for engine, said in opinions(case, claim).items():
            word = type(said.verdict).__name__.lower() if isinstance(said, Finding) else "open"
            found.verdicts[engine, word] += 1
        found.claims += 1
    found.steps += compare(case.encoding)
    found.specs += 1


def compare(encoding: Encoding) -> int:
    """Return how many steps were compared, breadth first: Z3's reading of each transition with `lang.step`'s.

    Raises ReplayDisagrees iff they differ.
    """
    machine, stepper = encoding.machine, Stepper.of(replace(encoding.machine, properties=()))
    offers, queue, seen, done = list(_offers(machine)), [initial(machine)], set[Value](), 0
    while queue and done < STEPS_MAX:
        value = queue.pop(0)
        if value in seen:
            continue
        seen.add(value)
        for event, payload in islice(offers, STEPS_MAX - done):
            outcome, after = stepper.step(value, event, payload)
            expected = after if isinstance(outcome, Taken) else None
            was = by_formula(encoding, value, event, payload)
            if was != expected:
                raise ReplayDisagrees(machine.name, f"{event} in {value}", str(expected), f"{was} by Z3")
            queue.append(after)
            done += 1
    return done


def by_formula(encoding: Encoding, value: Value, event: str, payload: Payload) -> Value | None:
    """Return the value after the step that Z3 reads from the transitions, all names fixed; None iff none is taken."""
    world, machine = encoding.world, encoding.machine
    pairs = [(encoding.before.state, world.literal(value.state, encoding.states))]
    pairs.append((encoding.offer.event, world.literal(event, encoding.events)))
    for item, scalar in zip(machine.variables, value.context, strict=True):
        pairs.append((encoding.before.context[item.name], world.literal(scalar, item.sort)))
    fields = encoding.offer.payloads[event]
    pairs += [(fields[one.name], world.literal(payload[one.name], one.sort)) for one in machine.event(event).payload]
    model = _model(encoding, pairs)
    for move in encoding.moves:
        if z3.is_true(model.eval(world.every((move.guard, move.fits)), model_completion=True)):
            return encoding.value(model, move.after)
    return None


def _model(encoding: Encoding, pairs: list[tuple[z3.ExprRef, z3.ExprRef]]) -> z3.ModelRef:
    solver = z3.Solver(ctx=encoding.world.context)
    solver.add([constant == literal for constant, literal in pairs])
    found = solver.check()
    assert found == z3.sat, f"expected a model of equations with constants, was {found}"
    return solver.model()


def _offers(machine: Machine) -> Iterator[tuple[str, dict[str, Scalar]]]:
    tried = domains(machine)
    for event in machine.events:
        names = [item.name for item in event.payload]
        for found in product(*tried.payloads[event.name]):
            yield event.name, dict(zip(names, found, strict=True))
