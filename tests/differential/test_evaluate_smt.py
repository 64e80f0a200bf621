"""The fold to Z3 means what `lang.evaluate` says: expressions, and whole steps of the shipped machines."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
    At,
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
from peak_trade.lang.machine import Dismissal, Event, Field, Machine, Origin, State, Transition, Update, Variable
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import (
    BOOL,
    INT,
    BoolSort,
    Datum,
    EnumSort,
    IntSort,
    MapSort,
    Scalar,
    ScalarSort,
    Sort,
    comparable,
    example,
    inhabits,
    start,
)
from peak_trade.lang.step import Stepper, Taken, Value, initial, written_sort

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


MAPS = (
    ("log", MapSort(INT)),
    ("parts", MapSort(IntSort(2, 9))),
    ("marks", MapSort(BOOL)),
    ("hues", MapSort(COLOUR)),
)
ARRAYS = tuple(Var(name, sort, scope) for scope in (Scope.CONTEXT, Scope.NEXT) for name, sort in MAPS)


def scalars(sort: ScalarSort) -> st.SearchStrategy[Scalar]:
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


def data(sort: Sort) -> st.SearchStrategy[Datum]:
    """Values of `sort`; a map has few entries, most of them near each other."""
    if not isinstance(sort, MapSort):
        return scalars(sort)
    indices, default = st.integers(-5, 9) | st.integers(-(10**40), 10**40), example(sort.element)
    found = st.dictionaries(indices, scalars(sort.element), max_size=4)
    return found.map(lambda known: tuple(sorted((at, item) for at, item in known.items() if item != default)))


def elements(depth: int, sort: ScalarSort) -> st.SearchStrategy[Expr]:
    """Elements of `sort` of a map; the index can be an element again."""
    named = [var for var in ARRAYS if isinstance(var.sort, MapSort) and comparable(var.sort.element, sort)]
    return st.builds(At, st.sampled_from(named), numbers(depth))


def leaves(sort: ScalarSort) -> st.SearchStrategy[Expr]:
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
    choice = st.builds(Ite, truths(depth - 1), inner, inner)
    return st.one_of(leaves(INT), elements(depth - 1, INT), sums, products, choice)


def words(depth: int, sort: EnumSort) -> st.SearchStrategy[Expr]:
    """Expressions of one enumeration."""
    if depth == 0:
        return leaves(sort)
    inner = words(depth - 1, sort)
    own = leaves(sort) | elements(depth - 1, sort) if sort == COLOUR else leaves(sort)
    return st.one_of(own, st.builds(Ite, truths(depth - 1), inner, inner))


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
        elements(depth - 1, BOOL),
    )


def choices(sort: ScalarSort) -> st.SearchStrategy[tuple[Lit, ...]]:
    """The constants after `in`."""
    values = st.integers(-5, 5) if isinstance(sort, IntSort) else scalars(sort)
    return st.lists(values.map(lambda value: Lit(value, sort)), min_size=1, max_size=3).map(tuple)


EXPRESSIONS = st.one_of(truths(LEVELS), numbers(LEVELS), words(LEVELS, COLOUR))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Expr, Env]:
    """An expression with values for all names it uses."""
    expr = draw(EXPRESSIONS)
    scopes: dict[Scope, dict[str, Any]] = {scope: {} for scope in Scope}
    words: dict[Scope, str] = {Scope.STATE: "idle", Scope.NEXT_STATE: "idle", Scope.EVENT: "go"}
    for var in sorted(variables(expr), key=lambda var: (var.scope.value, var.name)):
        value = draw(data(var.sort))
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
    found, meant = ground(expr, env, written_sort(sort_of(expr))), evaluate(expr, env)
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
    return benched(machine)


def benched(machine: Machine) -> Bench:
    """A bench for `machine`."""
    encoding = Encoding.of(machine)
    solver = z3.SimpleSolver(ctx=encoding.world.context)
    solver.add(encoding.relation())
    return Bench(machine, encoding, solver, Stepper.of(replace(machine, properties=())))


def near(sort: Sort) -> st.SearchStrategy[Datum]:
    """Values of `sort`, mostly small, so that guards are often true."""
    if isinstance(sort, IntSort):
        return st.integers(sort.min, (sort.min or 0) + 3) | scalars(sort)
    return data(sort)


def cells(machine: Machine) -> st.SearchStrategy[tuple[str, str]]:
    """Any state with any event, or one in which a transition may be taken."""
    starts = [(source, item.event) for item in machine.transitions for source in item.sources]
    states, events = [item.name for item in machine.states], [item.name for item in machine.events]
    return st.sampled_from(starts) | st.tuples(st.sampled_from(states), st.sampled_from(events))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_z3_takes_the_steps_that_the_definition_takes(bench: Bench, data: st.DataObject) -> None:
    """From any value, reachable or not, any event is taken by the relation iff `lang.step` takes it, to that value."""
    one_step(bench, data)


def one_step(bench: Bench, data: st.DataObject) -> None:
    """Draw a value and an offer, and compare the relation with the definition there."""
    machine, encoding, world = bench.machine, bench.encoding, bench.encoding.world
    state, event = data.draw(cells(machine))
    value = Value(state, tuple(data.draw(near(item.sort)) for item in machine.variables))
    payload: dict[str, Any] = {item.name: data.draw(near(item.sort)) for item in machine.event(event).payload}
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


@st.composite
def logs(draw: st.DrawFn) -> Machine:
    """A machine of one state that reads and writes maps, with variables that start free."""
    scope = Scope.CONTEXT
    variables = tuple(
        Variable(name, sort, start(sort), "", free=not isinstance(sort, MapSort)) for name, sort in (*DECLARED, *MAPS)
    )
    own = {var.name: Var(var.name, var.sort, scope) for var in variables}

    def inner(sort: ScalarSort) -> Expr:
        names = [var for var in own.values() if not isinstance(var.sort, MapSort) and comparable(var.sort, sort)]
        arrays = [var for var in own.values() if isinstance(var.sort, MapSort) and comparable(var.sort.element, sort)]
        plain = st.sampled_from(names) | scalars(sort).map(lambda value: Lit(value, sort))
        whole = st.sampled_from(
            [own["count"], own["part"], Lit(1, INT), Arith(Arithmetic.ADD, own["part"], Lit(1, INT))]
        )
        return draw(plain | st.builds(At, st.sampled_from(arrays), whole) if arrays else plain)

    rows = []
    for number in range(draw(st.integers(1, 3))):
        names = draw(st.lists(st.sampled_from(sorted(own)), unique=True, max_size=4))
        updates = tuple(
            Update(name, inner(written_sort(own[name].sort)), index=inner(INT) if name in dict(MAPS) else None)
            for name in names
        )
        rows.append(Transition(f"T{number}", ("idle",), f"e{number}", None, inner(BOOL), (), updates))
    events = tuple(Event(row.event, Origin.CLOCK, "", (Field("x", BOOL, ""),)) for row in rows)
    states = (State("idle", "", initial=True),)
    return Machine("log", 1, "", (COLOUR, SHAPE), variables, states, events, (), tuple(rows), (), ())


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(logs(), st.data())
def test_z3_takes_the_steps_of_machines_with_maps(machine: Machine, data: st.DataObject) -> None:
    """From any value of any maps the relation steps as the definition does, and each map is read back exactly."""
    machine = replace(
        machine, dismissals=tuple(Dismissal(("idle",), (row.event,), "no", True, None) for row in machine.transitions)
    )
    one_step(benched(machine), data)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(logs(), st.lists(st.tuples(st.sampled_from(MAPS), st.integers(-2, 2)), max_size=4), st.data())
def test_what_z3_finds_possible_of_maps_is_shown_by_a_value(
    machine: Machine, reads: list[tuple[tuple[str, MapSort], int]], data: st.DataObject
) -> None:
    """Where claims about elements can be true, Z3's value is well-sorted and makes them true, by the definition."""
    encoding = Encoding.of(machine)
    claims = []
    for (name, sort), index in reads:
        wanted = Lit(data.draw(scalars(sort.element)), sort.element)
        found = At(
            Var(name, sort, Scope.CONTEXT),
            Arith(Arithmetic.ADD, Var("part", IntSort(0, 9), Scope.CONTEXT), Lit(index, INT)),
        )
        claims.append(Compare(data.draw(st.sampled_from([Comparison.EQ, Comparison.NE])), found, wanted))
    solver = z3.SimpleSolver(ctx=encoding.world.context)
    solver.add(encoding.sorts(encoding.before), *(encoding.at(claim, encoding.before) for claim in claims))
    if solver.check() != z3.sat:
        return
    value = encoding.value(solver.model(), encoding.before)
    names = {item.name: datum for item, datum in zip(machine.variables, value.context, strict=True)}
    assert all(inhabits(names[item.name], item.sort) for item in machine.variables)
    assert all(evaluate(claim, Env(names)) for claim in claims)


@given(logs())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_start_is_free_exactly_where_it_is_declared_so(machine: Machine) -> None:
    """The example is a start, any other value of free variables is one, a written map is none."""
    encoding = Encoding.of(machine)
    solver = z3.SimpleSolver(ctx=encoding.world.context)
    solver.add(encoding.initial())
    first = initial(machine)
    other = Value(first.state, (True, 12, 9, -3, "blue", "square", *first.context[len(DECLARED) :]))
    beyond = replace(other, context=(True, 12, 10, *other.context[3:]))
    mapped = replace(first, context=(*first.context[:-1], ((1, "blue"),)))
    answers = [solver.check(encoding.is_value(value)) for value in (first, other, beyond, mapped)]
    assert answers == [z3.sat, z3.sat, z3.unsat, z3.unsat]
