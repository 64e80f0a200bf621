"""Verdicts on random small machines agree with walking every value there is, step by step, through `lang.step`."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr
from peak_trade.lang.machine import Always, LeadsTo, Machine, Step, Witness
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import VALUE_BOUNDS, Outcome, Refused, Stepper, Taken, Value, initial
from peak_trade.proof.lockstep.sample import HUE, VALUES_MAX, sample
from peak_trade.proof.obligation import sorts_name
from peak_trade.proof.prove import prove
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Unknown, Verdict

LIMITS = Limits(refutation_steps_max=VALUES_MAX, witness_steps_max=VALUES_MAX, exploration_values_max=1)
"""A shortest run visits no value twice, so this search is complete; what explores is what is asked here."""

Edge = tuple[Value, str, Outcome, Value]


machines = st.integers(0, 2**32).map(lambda seed: sample(Random(seed)))
claiming = machines.filter(lambda machine: any(isinstance(item, Witness) for item in machine.properties))


@dataclass(frozen=True)
class World:
    """All reachable values with their distance from the start, and all offers in them."""

    distance: dict[Value, int]
    edges: tuple[Edge, ...]


def walked(machine: Machine) -> World:
    """Every value that `lang.step` reaches, breadth first."""
    stepper, edges = Stepper.of(machine), []
    distance = dict.fromkeys(starts(machine), 0)
    queue = deque(distance)
    while queue:
        value = queue.popleft()
        for name, payload in offers():
            outcome, after = stepper.step(value, name, payload)
            edges.append((value, name, outcome, after))
            if after not in distance:
                distance[after] = distance[value] + 1
                queue.append(after)
    return World(distance, tuple(edges))


def starts(machine: Machine) -> list[Value]:
    """The initial values: one for each value of what is free."""
    start = initial(machine)
    hues = HUE.members if machine.variables[2].free else ("red",)
    return [Value(start.state, (*start.context[:2], hue)) for hue in hues]


def offers() -> Iterator[tuple[str, dict[str, Scalar]]]:
    """Everything that can be offered."""
    yield from (("give", {"amount": amount}) for amount in (0, 1))
    yield "go", {}


def names(value: Value) -> dict[str, Scalar]:
    """The context by name."""
    return dict(zip(("count", "flag", "tint"), value.context, strict=True))


def holds(expr: Expr, value: Value) -> bool:
    """Whether a state expression is true."""
    return bool(evaluate(expr, Env(names(value), state=value.state)))


def nearest(world: World, condition: Callable[[Value], bool]) -> int | None:
    """The length of a shortest run to a value with `condition`."""
    return min((steps for value, steps in world.distance.items() if condition(value)), default=None)


def soonest(world: World, condition: Callable[[Edge], bool]) -> int | None:
    """The length of a shortest run that ends in a step with `condition`."""
    return min((world.distance[edge[0]] + 1 for edge in world.edges if condition(edge)), default=None)


def agree(verdict: Verdict, shortest: int | None) -> None:
    """A violation that the walk finds is refuted by a run of that length; otherwise nothing is refuted."""
    event(f"{type(verdict).__name__}, {'none' if shortest is None else 'some'}")
    assert not isinstance(verdict, Unknown)
    if shortest is None:
        assert isinstance(verdict, Proved | NotInductive)
        return
    assert isinstance(verdict, Refuted)
    assert verdict.trace is not None
    assert len(verdict.trace.links) == shortest


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(machines)
def test_claims_about_what_must_not_happen(machine: Machine) -> None:
    """Invariants, steps and sorts are refuted iff a run breaks them, by a shortest one; proved only if none does."""
    report = prove(machine, LIMITS)
    raw = walked(replace(machine, properties=()))
    for claim in machine.properties:
        if isinstance(claim, Always):
            agree(
                report.result(claim.name).verdict,
                nearest(raw, lambda value, claim=claim: not holds(claim.holds, value)),
            )
        if isinstance(claim, Step):

            def breaks(edge: Edge, claim: Step = claim) -> bool:
                before, name, outcome, after = edge
                env = Env(names(before), {}, before.state, name, names(after), after.state)
                return isinstance(outcome, Taken) and not evaluate(claim.holds, env)

            agree(report.result(claim.name).verdict, soonest(raw, breaks))
    leaves = soonest(raw, lambda edge: isinstance(edge[2], Refused) and edge[2].reason == VALUE_BOUNDS)
    agree(report.result(sorts_name(machine)).verdict, leaves)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(claiming)
def test_claims_about_what_must_be_possible(machine: Machine) -> None:
    """A witness is proved iff the machine, invariants filtering its steps, reaches it, and by a shortest run."""
    verdict = prove(machine, LIMITS, frozenset(("W",))).result("W").verdict
    (claim,) = [item for item in machine.properties if isinstance(item, Witness)]
    shortest = nearest(walked(machine), lambda value: holds(claim.reach, value))
    event(f"{type(verdict).__name__}")
    assert isinstance(verdict, Proved) == (shortest is not None)
    if isinstance(verdict, Proved):
        assert verdict.trace is not None
        assert len(verdict.trace.links) == shortest


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(machines)
def test_claims_about_what_must_happen(machine: Machine) -> None:
    """What is proved to happen cannot be put off for ever by any run in which fair events keep coming.

    What is refuted can, at the end of the shown run: a fair event that changes nothing.
    """
    verdict = prove(machine, LIMITS, frozenset(("L",))).result("L").verdict
    (claim,) = [item for item in machine.properties if isinstance(item, LeadsTo)]
    world = walked(machine)
    waiting = [value for value in world.distance if holds(claim.when, value) and not holds(claim.then, value)]
    event(f"{type(verdict).__name__}, {'waits' if waiting else 'never waits'}")
    assert not (isinstance(verdict, Proved) and _forever(world, claim, waiting))
    assert not isinstance(verdict, Refuted) or _forever(world, claim, waiting)
    walk = prove(machine, only=frozenset(("L",)), engines=("explore",)).result("L").verdict
    assert isinstance(walk, Refuted) == _forever(world, claim, waiting)
    assert isinstance(walk, Proved) != isinstance(walk, Refuted)


def _forever(world: World, claim: LeadsTo, waiting: list[Value]) -> bool:
    """Whether some run from a waiting value offers fair events again and again and never has `then`."""
    steps = [edge for edge in world.edges if not holds(claim.then, edge[0]) and not holds(claim.then, edge[3])]
    late = _reach(steps, waiting)
    able = {before for before, name, outcome, _ in world.edges if name in claim.fair and isinstance(outcome, Taken)}
    if claim.weak and late - able:
        return True
    return any(
        before in late and before in _reach(steps, [after])
        for before, name, outcome, after in steps
        if name in claim.fair and (not claim.weak or isinstance(outcome, Taken))
    )


def _reach(steps: list[Edge], start: list[Value]) -> set[Value]:
    found, queue = set(start), deque(start)
    while queue:
        value = queue.popleft()
        for before, _, _, after in steps:
            if before == value and after not in found:
                found.add(after)
                queue.append(after)
    return found
