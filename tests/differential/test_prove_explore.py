"""Verdicts on random small machines agree with walking every value there is, step by step, through `lang.step`."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import (
    TRUE,
    And,
    Arith,
    Arithmetic,
    Compare,
    Comparison,
    Expr,
    Ite,
    Lit,
    Member,
    Not,
    Or,
    Scope,
    Var,
)
from peak_trade.lang.machine import (
    Always,
    Dismissal,
    Event,
    Field,
    LeadsTo,
    Machine,
    Origin,
    Reason,
    Requirement,
    State,
    Step,
    Transition,
    Update,
    Variable,
    Witness,
)
from peak_trade.lang.sorts import BOOL, INT, EnumSort, IntSort, Scalar
from peak_trade.lang.step import VALUE_BOUNDS, Outcome, Refused, Stepper, Taken, Value, initial
from peak_trade.proof.obligation import sorts_name
from peak_trade.proof.prove import prove
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Unknown, Verdict

SMALL = IntSort(0, 3)
PART = IntSort(0, 1)
STATES = EnumSort("State", ("one", "two", "three"))
EVENTS = EnumSort("Event", ("give", "go"))
COUNT, FLAG = Var("count", SMALL, Scope.CONTEXT), Var("flag", BOOL, Scope.CONTEXT)
AMOUNT = Var("amount", PART, Scope.PAYLOAD)
NEXT_COUNT, NEXT_FLAG = Var("count", SMALL, Scope.NEXT), Var("flag", BOOL, Scope.NEXT)
HERE, THERE, WHAT = (
    Var("state", STATES, Scope.STATE),
    Var("next_state", STATES, Scope.NEXT_STATE),
    Var("event", EVENTS, Scope.EVENT),
)
VALUES_MAX = 3 * 4 * 2
LIMITS = Limits(refutation_steps_max=VALUES_MAX, witness_steps_max=VALUES_MAX)
"""A shortest run visits no value twice, so this search is complete."""

Edge = tuple[Value, str, Outcome, Value]


def sums(names: tuple[Var, ...]) -> st.SearchStrategy[Expr]:
    """Small sums of `names` and constants."""
    leaf: st.SearchStrategy[Expr] = st.sampled_from(names) | st.integers(0, 3).map(lambda value: Lit(value, INT))
    return leaf | st.builds(Arith, st.sampled_from([Arithmetic.ADD, Arithmetic.SUB]), leaf, leaf)


def conditions(names: tuple[Var, ...], flags: tuple[Expr, ...]) -> st.SearchStrategy[Expr]:
    """Small conditions on `names` and `flags`."""
    leaf = st.sampled_from(flags) | st.builds(Compare, st.sampled_from(Comparison), sums(names), sums(names))
    pair = st.tuples(leaf, leaf)
    return leaf | leaf.map(Not) | pair.map(And) | pair.map(Or)


def among(var: Var, sort: EnumSort) -> tuple[Expr, ...]:
    """The conditions that `var` is one member, and that it is one of two."""
    lits = tuple(Lit(name, sort) for name in sort.members)
    return (*(Compare(Comparison.EQ, var, lit) for lit in lits), Member(var, lits[:2]))


STATE_TESTS = conditions((COUNT,), (FLAG, *among(HERE, STATES)))
STEP_TESTS = conditions(
    (COUNT, NEXT_COUNT), (FLAG, NEXT_FLAG, *among(HERE, STATES), *among(THERE, STATES), *among(WHAT, EVENTS))
)


def at_start(expr: Expr) -> Expr:
    """`expr` or its negation, whichever the initial value has."""
    return expr if evaluate(expr, Env({"count": 1, "flag": False}, state="one")) else Not(expr)


STARTING = st.integers(0, 9).flatmap(lambda odd: STATE_TESTS.map(at_start) if odd else STATE_TESTS)


@st.composite
def transitions(draw: st.DrawFn, state: str, name: str) -> Transition:
    """A transition from `state` on the event `name`."""
    numbers, flags = ((COUNT, AMOUNT) if name == "give" else (COUNT,)), (FLAG,)
    guard, lock = conditions(numbers, flags), draw(st.lists(conditions(numbers, flags), max_size=1))
    updates = []
    if draw(st.booleans()):
        updates.append(Update("count", draw(sums(numbers) | st.builds(Ite, guard, sums(numbers), sums(numbers)))))
    if draw(st.booleans()):
        updates.append(Update("flag", draw(guard)))
    target = draw(st.none() | st.sampled_from(STATES.members))
    require = tuple(Requirement("no", one) for one in lock)
    when = draw(st.just(TRUE) | guard)
    return Transition(f"{state}_{name}", (state,), name, target, when, require, tuple(updates))


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A machine of at most VALUES_MAX values in which each cell has at most one transition, and `otherwise` refuses."""
    rows = [
        draw(transitions(state, name)) if draw(st.integers(0, 4)) else None
        for state in STATES.members
        for name in EVENTS.members
    ]
    ranks = st.sampled_from([COUNT, Arith(Arithmetic.SUB, Lit(3, INT), COUNT)])
    fair = st.sampled_from([("give",), ("go",), ("give", "go")])
    claims = (
        *(Always(f"A{number}", "x", draw(STARTING)) for number in range(draw(st.integers(0, 3)))),
        Step("S", "x", draw(STEP_TESTS)),
        Witness("W", "x", draw(STATE_TESTS)),
        LeadsTo("L", "x", draw(STATE_TESTS), draw(STATE_TESTS), draw(ranks), draw(fair)),
    )
    return Machine(
        "small",
        1,
        "Made up.",
        (),
        (Variable("count", SMALL, 1, "x"), Variable("flag", BOOL, False, "x")),
        tuple(State(name, "x", initial=name == "one") for name in STATES.members),
        (Event("give", Origin.VENUE, "x", (Field("amount", PART, "x"),)), Event("go", Origin.CLOCK, "x")),
        (Reason("no", "x"),),
        tuple(row for row in rows if row),
        (Dismissal(STATES.members, EVENTS.members, "no", refused=True, when=None),),
        claims,
    )


@st.composite
def drains(draw: st.DrawFn) -> Machine:
    """A machine that often brings its count down to zero, as `go` keeps coming."""
    machine = draw(machines())
    one, guards = Lit(1, INT), st.sampled_from([TRUE, Compare(Comparison.GT, COUNT, Lit(0, INT)), FLAG])
    less: Expr = Arith(Arithmetic.SUB, COUNT, one)
    downs = st.sampled_from([less, Lit(0, INT), Ite(FLAG, less, Lit(0, INT)), Ite(FLAG, less, COUNT)])
    rows = tuple(
        Transition(f"{state}_go", (state,), "go", None, draw(guards), (), (Update("count", draw(downs)),))
        for state in STATES.members
    )
    others = tuple(row for row in machine.transitions if row.event == "give" and draw(st.booleans()))
    zero = Compare(Comparison.EQ, COUNT, Lit(0, INT))
    claims = tuple(item for item in machine.properties if isinstance(item, Always) and draw(st.booleans()))
    claim = LeadsTo("L", "x", Compare(Comparison.GE, COUNT, Lit(0, INT)), zero, COUNT, ("go",))
    return replace(machine, transitions=rows + others, properties=(*claims, claim))


@dataclass(frozen=True)
class World:
    """All reachable values with their distance from the start, and all offers in them."""

    distance: dict[Value, int]
    edges: tuple[Edge, ...]


def walked(machine: Machine) -> World:
    """Every value that `lang.step` reaches, breadth first."""
    stepper, start = Stepper.of(machine), initial(machine)
    distance, edges, queue = {start: 0}, [], deque([start])
    while queue:
        value = queue.popleft()
        for name, payload in offers():
            outcome, after = stepper.step(value, name, payload)
            edges.append((value, name, outcome, after))
            if after not in distance:
                distance[after] = distance[value] + 1
                queue.append(after)
    return World(distance, tuple(edges))


def offers() -> Iterator[tuple[str, dict[str, Scalar]]]:
    """Everything that can be offered."""
    yield from (("give", {"amount": amount}) for amount in (0, 1))
    yield "go", {}


def names(value: Value) -> dict[str, Scalar]:
    """The context by name."""
    return dict(zip(("count", "flag"), value.context, strict=True))


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
@given(machines())
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
@given(machines())
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
@given(machines() | drains())
def test_claims_about_what_must_happen(machine: Machine) -> None:
    """What is proved to happen cannot be put off for ever by any run in which fair events keep coming.

    What is refuted can, at the end of the shown run: a fair event that changes nothing.
    """
    verdict = prove(machine, LIMITS, frozenset(("L",))).result("L").verdict
    (claim,) = [item for item in machine.properties if isinstance(item, LeadsTo)]
    world = walked(machine)
    waiting = [value for value in world.distance if holds(claim.when, value) and not holds(claim.then, value)]
    event(f"{type(verdict).__name__}, {'waits' if waiting else 'never waits'}")
    if isinstance(verdict, Proved):
        assert not _forever(world, claim, waiting)
    if isinstance(verdict, Refuted):
        assert verdict.trace is not None
        assert verdict.trace.last in waiting
        assert verdict.trace.links[-1].event in claim.fair
        assert not isinstance(verdict.trace.links[-1].outcome, Taken)


def _forever(world: World, claim: LeadsTo, waiting: list[Value]) -> bool:
    """Whether some run from a waiting value offers fair events again and again and never has `then`."""
    steps = [edge for edge in world.edges if not holds(claim.then, edge[0]) and not holds(claim.then, edge[3])]
    late = _reach(steps, waiting)
    return any(
        before in late and before in _reach(steps, [after]) for before, name, _, after in steps if name in claim.fair
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
