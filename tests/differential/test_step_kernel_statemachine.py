from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.lang.expr import (
    TRUE,
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
)
from peak_trade.lang.machine import (
    Always,
    Dismissal,
    Event,
    Field,
    Machine,
    Origin,
    Requirement,
    State,
    Transition,
    Update,
    Variable,
)
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import BOOL, INT, EnumSort, IntSort, MapSort, ScalarSort, Sort, inhabits, start
from peak_trade.lang.step import Stepper, Value
from peak_trade.proof.lockstep.agree import SHARD_EVENTS, Agreement, agree, compare, plain
from peak_trade.proof.lockstep.draw import Dealer, Pool, pick, spoil

ROOT = Path(__file__).resolve().parents[2]
MODE = EnumSort("Mode", ("idle", "busy", "gone"))
MAPS = {
    "parts": MapSort(IntSort(-1, 4)),
    "log": MapSort(INT),
    "marks": MapSort(BOOL),
    "modes": MapSort(MODE),
}
EVENTS = 4_000


def declared(name: str) -> Machine:
    """The machine that the project declares under this name."""
    machine = parse_file(ROOT / "spec" / f"{name}.yaml").machine
    assert machine is not None
    return machine


ORDER = declared("order")


@pytest.mark.parametrize("name", ["order", "session"])
def test_the_engines_agree_on_the_project_s_machines(name: str) -> None:
    """Definition, kernel and python-statemachine say the same of thousands of events, right and wrong."""
    machine = declared(name)
    found = agree(machine, EVENTS, seed=2)
    assert found.first is None, plain(found)
    assert found.events == EVENTS == found.taken + found.ignored + found.broken + found.refused.total()
    assert found.states.total() == EVENTS
    assert found.transitions.total() == found.taken
    assert min(found.taken, found.ignored, found.broken) > 0
    assert {"payload_invalid", "unknown_event"} < set(found.refused)
    assert 0 < found.astray < found.events
    assert found.asked_statemachine == EVENTS - found.refused["payload_invalid"] - found.refused["unknown_event"]


def test_the_same_seed_gives_the_same_campaign_on_any_executor() -> None:
    """Shards have seeds of their own: who runs them does not matter, the seed does."""
    events = SHARD_EVENTS // 10
    told: list[int] = []
    alone = agree(ORDER, events, 5, told.append)
    with ThreadPoolExecutor(1) as pool:
        assert agree(ORDER, events, 5, executor=pool) == alone
    assert told == [events]
    assert plain(agree(ORDER, events, 6))["transitions"] != plain(alone)["transitions"]


Sabotage = Callable[[Kernel], Kernel]


def loose_guard(kernel: Kernel) -> Kernel:
    """A guard of python-statemachine that always holds."""
    return replace(kernel, fingerprint="loose guard", guards={**kernel.guards, "O10": lambda _, __: True})


def lost_update(kernel: Kernel) -> Kernel:
    """An update of python-statemachine that forgets the late fill."""
    return replace(kernel, fingerprint="lost update", updates={**kernel.updates, "O14": lambda value, _: value})


def swallowed_check(kernel: Kernel) -> Kernel:
    """A judge of python-statemachine that forbids nothing."""
    return replace(kernel, fingerprint="swallowed", judges=dict.fromkeys(kernel.judges, lambda _: None))


def other_kernel(kernel: Kernel) -> Kernel:
    """The kernel of a machine that allows an overfill of one."""
    rows = tuple(
        replace(row, when=Compare(Comparison.GE, *_sides(row.when))) if row.name == "O11" else row
        for row in kernel.machine.transitions
    )
    return replace(compile_kernel(replace(kernel.machine, transitions=rows)), machine=kernel.machine)


def _sides(expr: Expr) -> tuple[Expr, Expr]:
    """The two sides of a comparison."""
    assert isinstance(expr, Compare)
    return expr.left, expr.right


@pytest.mark.parametrize("sabotage", [loose_guard, lost_update, swallowed_check, other_kernel])
def test_sabotage_is_found_with_a_trace(sabotage: Sabotage) -> None:
    """Whichever engine is changed, the campaign stops at the first difference, and the trace leads to it."""
    found = compare(ORDER, sabotage(compile_kernel(ORDER)), Random(3), (0, 3, EVENTS))
    assert found.first is not None
    assert found.events < EVENTS
    said = dict(found.first.said)
    last = found.first.trace.links[-1]
    assert said["definition"] == (last.outcome, last.value)
    wrong = {name for name, other in said.items() if other != said["definition"]}
    assert wrong
    stepper = Stepper.of(ORDER)
    value = found.first.trace.start
    for link in found.first.trace.links:
        outcome, value = stepper.step(value, link.event, dict(link.payload))
        assert (outcome, value) == (link.outcome, link.value)
    assert plain(found)["first"]["steps"] == len(found.first.trace.links)


def test_counts_add_up() -> None:
    """Adding a shard adds every count and keeps the earlier disagreement."""
    one, other = agree(ORDER, 300, 1), agree(ORDER, 200, 2)
    total = Agreement("order", 1)
    total.add(one)
    total.add(other)
    assert total.events == 500
    assert total.transitions == one.transitions + other.transitions
    assert total.refused == one.refused + other.refused
    assert total.first is None


@given(
    st.integers(0, 2**32),
    st.sampled_from([INT, IntSort(1, 3), IntSort(None, -2), IntSort(5, None), BOOL, MODE, *MAPS.values()]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_picked_is_of_its_sort(seed: int, sort: Sort) -> None:
    """A picked scalar inhabits its sort, whatever is near."""
    assert inhabits(pick(Random(seed), sort, Value("s", (3, -7, True, "idle", ((1, 2),)))), sort)


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_what_is_spoilt_is_another_payload(seed: int) -> None:
    """Spoiling drops, adds or replaces one item, and never two."""
    payload = {"qty": 3, "flag": True}
    spoilt = dict(payload)
    spoil(Random(seed), spoilt)
    names = payload.keys() | spoilt.keys()
    changed = [name for name in names if (name in payload, payload.get(name)) != (name in spoilt, spoilt.get(name))]
    assert len(changed) <= 1
    assert len(changed) == 1 or spoilt == payload


def test_the_pool_keeps_a_shallow_and_a_deep_value_of_each_kind() -> None:
    """Of values of one kind the first and the one with the longest path stay; another kind has a place of its own."""
    pool = Pool(ORDER)
    step = ("fill", {"last_qty": 1})
    rest = (False, 0, 0, "plain")
    asked = (True, 0, 0, "plain")
    pool.add(Value("new", (5, 1, 4, *rest)), (step,) * 2)
    pool.add(Value("new", (7, 2, 5, *rest)), (step,) * 9)
    pool.add(Value("new", (9, 3, 6, *rest)), (step,) * 4)
    pool.add(Value("new", (9, 0, 9, *rest)), (step,) * 3)
    pool.add(Value("new", (9, 1, 8, *asked)), (step,) * 3)
    rng = Random(1)
    drawn = {pool.draw(rng, {})[0] for _ in range(200)}
    assert {value.context for value in drawn if value.state == "new"} == {
        (5, 1, 4, *rest),
        (7, 2, 5, *rest),
        (9, 0, 9, *rest),
        (9, 1, 8, *asked),
    }
    assert ORDER.initial.name in {value.state for value in drawn}


def test_the_dealer_knows_what_moves() -> None:
    """The events that can move the machine in a state are those of its transitions from there."""
    moving = Dealer.of(ORDER).moving
    assert [event.name for event in moving["canceled"]] == ["fill", "bust", "correct", "inform"]
    assert [event.name for event in moving["rejected"]] == ["inform"]
    assert {"bust", "correct", "restate", "replaced"} <= {event.name for event in moving["filled"]}
    assert moving["denied"] == ()


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Small machines in which each cell has disjoint rows: with a test, without it, or one row only."""
    states = tuple(State(name, "", initial=name == "s0") for name in ("s0", "s1", "s2")[: draw(st.integers(1, 3))])
    variables = (
        Variable("a", IntSort(draw(st.integers(-2, 0)), draw(st.integers(1, 4))), 0, ""),
        Variable("b", INT, 0, ""),
        Variable("p", BOOL, False, ""),
        Variable("m", MODE, "idle", "", free=draw(st.booleans())),
        *(Variable(name, sort, start(sort), "") for name, sort in MAPS.items()),
    )
    payload = (Field("x", IntSort(0, 3), ""), Field("y", BOOL, ""), Field("z", MODE, ""))
    events = tuple(
        Event(f"e{number}", Origin.VENUE, "", payload[: draw(st.integers(0, 3))])
        for number in range(draw(st.integers(1, 3)))
    )
    transitions: list[Transition] = []
    dismissals: list[Dismissal] = []
    for state in states:
        for event in events:
            test = draw(truths(event))
            kinds = draw(st.sampled_from(["t", "tt", "ti", "tr", "i", "r", "to"]))
            for kind, when in zip(kinds, (test, Not(test)) if len(kinds) > 1 else (TRUE,), strict=True):
                if kind == "t":
                    name = f"T{len(transitions)}"
                    transitions.append(draw(rows(name, state.name, event, when, [item.name for item in states])))
                else:
                    guard = None if kind == "o" else when
                    dismissals.append(Dismissal((state.name,), (event.name,), f"r{kind}", kind == "r", guard))
    where = EnumSort("State", tuple(item.name for item in states))
    here = Compare(Comparison.EQ, Var("state", where, Scope.STATE), Lit(draw(st.sampled_from(where.members)), where))
    junctions: list[Callable[[tuple[Expr, ...]], Expr]] = [Or, And]
    claims = tuple(
        Always(f"P{number}", "", draw(st.sampled_from(junctions))((here, draw(truths(None)))))
        for number in range(draw(st.integers(0, 2)))
    )
    return Machine(
        "small", 1, "", (MODE,), variables, states, events, (), tuple(transitions), tuple(dismissals), claims
    )


def named(event: Event | None, sort: ScalarSort) -> list[Expr]:
    """The variables and elements of one kind of sort that a guard of `event` sees; a property sees no payload."""
    context = [("a", INT), ("b", INT), ("p", BOOL), ("m", MODE)]
    found: list[Expr] = [Var(name, kind, Scope.CONTEXT) for name, kind in context if kind == sort]
    count, parts = Var("b", INT, Scope.CONTEXT), Var("parts", MAPS["parts"], Scope.CONTEXT)
    indices = (count, Var("a", INT, Scope.CONTEXT), Arith(Arithmetic.ADD, count, Lit(1, INT)), At(parts, count))
    arrays = [Var(name, kind, Scope.CONTEXT) for name, kind in MAPS.items() if isinstance(kind.element, type(sort))]
    found += [At(array, index) for array in arrays for index in indices]
    fields = event.payload if event else ()
    return found + [Var(item.name, item.sort, Scope.PAYLOAD) for item in fields if isinstance(item.sort, type(sort))]


def numbers(event: Event | None) -> st.SearchStrategy[Expr]:
    """Sums over the names that are seen."""
    leaves = st.sampled_from(named(event, INT)) | st.integers(-2, 4).map(lambda value: Lit(value, INT))
    return leaves | st.builds(Arith, st.sampled_from([Arithmetic.ADD, Arithmetic.SUB]), leaves, leaves)


def modes(event: Event | None) -> st.SearchStrategy[Expr]:
    """Members, or names of that sort."""
    return st.sampled_from([*named(event, MODE), *(Lit(name, MODE) for name in MODE.members)])


def truths(event: Event | None) -> st.SearchStrategy[Expr]:
    """Tests over the names that are seen."""
    some = st.lists(st.sampled_from([Lit(name, MODE) for name in MODE.members]), min_size=1, max_size=2).map(tuple)
    return st.recursive(
        st.sampled_from(named(event, BOOL))
        | st.builds(Compare, st.sampled_from(list(Comparison)), numbers(event), numbers(event))
        | st.builds(Member, modes(event), some),
        lambda inner: (
            st.builds(Not, inner)
            | st.tuples(inner, inner).map(And)
            | st.tuples(inner, inner).map(Or)
            | st.builds(Ite, inner, inner, inner)
        ),
        max_leaves=4,
    )


@st.composite
def rows(draw: st.DrawFn, name: str, state: str, event: Event, when: Expr, targets: list[str]) -> Transition:  # noqa: PLR0913, PLR0917 - the parts of a row
    """A transition with locks and updates."""
    ints, bools = numbers(event), truths(event)
    values = {"a": ints, "b": ints, "p": bools, "m": modes(event)}
    values |= {"parts": ints, "log": ints, "marks": bools, "modes": modes(event)}
    changed = draw(st.lists(st.sampled_from(sorted(values)), unique=True))
    updates = tuple(
        Update(variable, draw(values[variable]), index=draw(ints) if variable in MAPS else None) for variable in changed
    )
    locks = tuple(Requirement(f"lock{n}", draw(truths(event))) for n in range(draw(st.integers(0, 2))))
    target = draw(st.sampled_from([None, *targets]))
    return Transition(name, (state,), event.name, target, when, locks, updates)


@given(machines(), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_the_engines_agree_on_any_small_machine(machine: Machine, seed: int) -> None:
    """Definition, kernel and python-statemachine say the same of machines that nobody wrote."""
    found = compare(machine, compile_kernel(machine), Random(seed), (0, seed, 60))
    assert found.first is None, plain(found)
