"""The fold to Z3 means what `lang.evaluate` says: expressions, and whole steps of the shipped machines."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peak_trade.backends.relation import Encoding
from peak_trade.backends.smt import World, ground
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import (
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
    sort_of,
    variables,
)
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import BOOL, INT, BoolSort, EnumSort, IntSort, Scalar, Sort
from peak_trade.lang.step import Stepper, Taken, Value

SPEC = Path(__file__).resolve().parents[2] / "spec"
COLOUR = EnumSort("Colour", ("red", "green", "blue"))
SHAPE = EnumSort("Shape", ("round", "square"))
STATES = EnumSort("State", ("idle", "busy"))
EVENTS = EnumSort("Event", ("go", "halt"))
LEVELS = 4
ORDERED = [comparison for comparison in Comparison if comparison not in (Comparison.EQ, Comparison.NE)]

DECLARED = (
    ("flag", BOOL),
    ("count", INT),
    ("part", IntSort(0, 9)),
    ("floor", IntSort(-3)),
    ("hue", COLOUR),
    ("form", SHAPE),
)
VARIABLES = (
    *(Var(name, sort, scope) for scope in (Scope.CONTEXT, Scope.PAYLOAD, Scope.NEXT) for name, sort in DECLARED),
    Var("state", STATES, Scope.STATE),
    Var("next_state", STATES, Scope.NEXT_STATE),
    Var("event", EVENTS, Scope.EVENT),
)


def scalars(sort: Sort) -> st.SearchStrategy[Scalar]:
    """Values of `sort`; large numbers too."""
    match sort:
        case BoolSort():
            return st.booleans()
        case IntSort(low, high):
            return (
                st.integers(low, high) if high is not None else st.one_of(st.integers(low, 5), st.integers(0, 10**40))
            )
        case EnumSort(_, members):
            return st.sampled_from(members)


def leaves(sort: Sort) -> st.SearchStrategy[Expr]:
    """Constants and variables of `sort`, bounds of numbers aside."""
    named = [
        var for var in VARIABLES if var.sort == sort or (isinstance(sort, IntSort) and isinstance(var.sort, IntSort))
    ]
    return st.one_of(st.sampled_from(named), scalars(sort).map(lambda value: Lit(value, sort)))


def numbers(depth: int) -> st.SearchStrategy[Expr]:
    """Whole-number expressions; a product has a constant side."""
    if depth == 0:
        return leaves(INT)
    inner, constant = numbers(depth - 1), st.integers(-5, 5).map(lambda value: Lit(value, INT))
    sums = st.builds(Arith, st.sampled_from([Arithmetic.ADD, Arithmetic.SUB]), inner, inner)
    products = st.one_of(
        st.builds(Arith, st.just(Arithmetic.MUL), inner, constant),
        st.builds(Arith, st.just(Arithmetic.MUL), constant, inner),
    )
    return st.one_of(leaves(INT), sums, products, st.builds(Ite, truths(depth - 1), inner, inner))


def words(depth: int, sort: EnumSort) -> st.SearchStrategy[Expr]:
    """Expressions of one enumeration."""
    if depth == 0:
        return leaves(sort)
    inner = words(depth - 1, sort)
    return st.one_of(leaves(sort), st.builds(Ite, truths(depth - 1), inner, inner))


def truths(depth: int) -> st.SearchStrategy[Expr]:
    """Truth-valued expressions of every kind of node."""
    if depth == 0:
        return leaves(BOOL)
    inner, several = truths(depth - 1), st.lists(truths(depth - 1), min_size=2, max_size=3).map(tuple)
    enums = st.sampled_from([COLOUR, SHAPE, STATES, EVENTS])
    equal = st.sampled_from([Comparison.EQ, Comparison.NE])
    return st.one_of(
        st.builds(Not, inner),
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Ite, inner, inner, inner),
        st.builds(Compare, st.sampled_from(ORDERED), numbers(depth - 1), numbers(depth - 1)),
        st.builds(Compare, equal, numbers(depth - 1), numbers(depth - 1)),
        st.builds(Compare, equal, inner, inner),
        enums.flatmap(lambda sort: st.builds(Compare, equal, words(depth - 1, sort), words(depth - 1, sort))),
        enums.flatmap(lambda sort: st.builds(Member, words(depth - 1, sort), choices(sort))),
        st.builds(Member, numbers(depth - 1), choices(INT)),
    )


def choices(sort: Sort) -> st.SearchStrategy[tuple[Lit, ...]]:
    """The constants after `in`."""
    values = st.integers(-5, 5) if isinstance(sort, IntSort) else scalars(sort)
    return st.lists(values.map(lambda value: Lit(value, sort)), min_size=1, max_size=3).map(tuple)


EXPRESSIONS = st.one_of(truths(LEVELS), numbers(LEVELS), words(LEVELS, COLOUR))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Expr, Env]:
    """An expression with values for all names it uses."""
    expr = draw(EXPRESSIONS)
    scopes: dict[Scope, dict[str, Scalar]] = {scope: {} for scope in Scope}
    words: dict[Scope, str] = {Scope.STATE: "idle", Scope.NEXT_STATE: "idle", Scope.EVENT: "go"}
    for var in sorted(variables(expr), key=lambda var: (var.scope.value, var.name)):
        value = draw(scalars(var.sort))
        scopes[var.scope][var.name] = value
        if var.scope in words:
            words[var.scope] = str(value)
    env = Env(
        scopes[Scope.CONTEXT],
        scopes[Scope.PAYLOAD],
        words[Scope.STATE],
        words[Scope.EVENT],
        scopes[Scope.NEXT],
        words[Scope.NEXT_STATE],
    )
    return expr, env


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_z3_agrees_with_the_meaning_of_expressions(case: tuple[Expr, Env]) -> None:
    """In Z3's model of any values, a well-sorted expression has the value that `lang.evaluate` gives, type included."""
    expr, env = case
    found, meant = ground(expr, env, sort_of(expr)), evaluate(expr, env)
    assert (type(found), found) == (type(meant), meant)


@given(st.sampled_from([BOOL, INT, IntSort(0, 9), IntSort(-3), IntSort(None, 4), COLOUR]), st.integers(-5, 12))
def test_bounds_are_the_sorts_own(sort: Sort, number: int) -> None:
    """`inside` is true of a constant iff the sort's bounds admit it."""
    world = World.of((COLOUR,))
    if not isinstance(sort, IntSort):
        assert z3.is_true(z3.simplify(world.inside(world.constant("x", sort), sort)))
        return
    admitted = (sort.min is None or number >= sort.min) and (sort.max is None or number <= sort.max)
    assert z3.is_true(z3.simplify(world.inside(world.literal(number, INT), sort))) == admitted


def test_two_encodings_of_one_machine_do_not_clash() -> None:
    """Each encoding has a context of its own, so the same enumeration can be declared again."""
    assert World.of((COLOUR, SHAPE)).context is not World.of((COLOUR, SHAPE)).context


@dataclass(frozen=True)
class Bench:
    """One shipped machine without its run-time filter, its encoding, and a solver that knows its step relation."""

    machine: Machine
    encoding: Encoding
    solver: z3.Solver
    stepper: Stepper


@pytest.fixture(scope="module", params=["order", "session"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A bench for each shipped machine."""
    machine = parse_file(SPEC / f"{request.param}.yaml").machine
    assert machine is not None
    encoding = Encoding.of(machine)
    solver = z3.SimpleSolver(ctx=encoding.world.context)
    solver.add(encoding.relation())
    return Bench(machine, encoding, solver, Stepper.of(replace(machine, properties=())))


def near(sort: Sort) -> st.SearchStrategy[Scalar]:
    """Values of `sort`, mostly small, so that guards are often true."""
    return (
        st.one_of(st.integers(sort.min, (sort.min or 0) + 3), scalars(sort))
        if isinstance(sort, IntSort)
        else scalars(sort)
    )


def cells(machine: Machine) -> st.SearchStrategy[tuple[str, str]]:
    """Any state with any event, or one in which a transition may be taken."""
    starts = [(source, item.event) for item in machine.transitions for source in item.sources]
    states, events = [item.name for item in machine.states], [item.name for item in machine.events]
    return st.sampled_from(starts) | st.tuples(st.sampled_from(states), st.sampled_from(events))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_z3_takes_the_steps_that_the_definition_takes(bench: Bench, data: st.DataObject) -> None:
    """From any value, reachable or not, any event is taken by the relation iff `lang.step` takes it, to that value."""
    machine, encoding, world = bench.machine, bench.encoding, bench.encoding.world
    state, event = data.draw(cells(machine))
    value = Value(state, tuple(data.draw(near(item.sort)) for item in machine.variables))
    payload = {item.name: data.draw(near(item.sort)) for item in machine.event(event).payload}
    fields = encoding.offer.payloads[event]
    outcome, after = bench.stepper.step(value, event, payload)
    bench.solver.push()
    bench.solver.add(encoding.is_value(value), encoding.is_event(event))
    bench.solver.add(
        [fields[item.name] == world.literal(payload[item.name], item.sort) for item in machine.event(event).payload]
    )
    found = bench.solver.check()
    model = bench.solver.model() if found == z3.sat else None
    bench.solver.pop()
    assert (found == z3.sat) == isinstance(outcome, Taken)
    if model is not None:
        assert encoding.value(model, encoding.after) == after
        assert encoding.value(model, encoding.before) == value
        assert encoding.offered(model, encoding.offer) == (event, payload)
