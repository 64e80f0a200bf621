from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.bounds import interval
from peak_trade.backends.facts import Facts
from peak_trade.backends.fold import fold, negation
from peak_trade.backends.pythonic import python
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import (
    FALSE,
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
from peak_trade.lang.sorts import BOOL, INT, EnumSort, IntSort, Scalar

MODE = EnumSort("Mode", ("idle", "busy", "gone"))
STATES = EnumSort("State", ("here", "there"))
A, B, C = (Var(name, sort, Scope.CONTEXT) for name, sort in (("a", IntSort(0, 5)), ("b", INT), ("c", IntSort(None, 2))))
P, Q = (Var(name, BOOL, Scope.CONTEXT) for name in "pq")
M = Var("m", MODE, Scope.CONTEXT)
STATE = Var("state", STATES, Scope.STATE)
ORDERED = list(Comparison)

numbers: st.SearchStrategy[Expr] = st.recursive(
    st.sampled_from([A, B, C]) | st.integers(-4, 6).map(lambda value: Lit(value, INT)),
    lambda inner: (
        st.builds(Arith, st.sampled_from([Arithmetic.ADD, Arithmetic.SUB]), inner, inner)
        | st.builds(lambda by, arg: Arith(Arithmetic.MUL, Lit(by, INT), arg), st.integers(-3, 3), inner)
        | st.builds(Ite, st.sampled_from([P, Q]), inner, inner)
    ),
    max_leaves=4,
)
modes = st.just(M) | st.sampled_from([Lit(name, MODE) for name in MODE.members])
choices = st.lists(st.sampled_from([Lit(name, MODE) for name in MODE.members]), min_size=1, max_size=3).map(tuple)
atoms: st.SearchStrategy[Expr] = (
    st.sampled_from([P, Q, TRUE, FALSE])
    | st.builds(Compare, st.sampled_from(ORDERED), numbers, numbers)
    | st.builds(Compare, st.sampled_from([Comparison.EQ, Comparison.NE]), modes, modes)
    | st.builds(Member, modes, choices)
    | st.builds(
        Compare, st.just(Comparison.EQ), st.just(STATE), st.sampled_from([Lit(n, STATES) for n in STATES.members])
    )
)
truths: st.SearchStrategy[Expr] = st.recursive(
    atoms,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda args: And(tuple(args)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda args: Or(tuple(args)))
        | st.builds(Compare, st.sampled_from([Comparison.EQ, Comparison.NE]), inner, inner)
        | st.builds(Ite, inner, inner, inner)
    ),
    max_leaves=8,
)
worlds = st.fixed_dictionaries(
    {
        "a": st.integers(0, 5),
        "b": st.integers(-9, 9) | st.integers(),
        "c": st.integers(-9, 2),
        "p": st.booleans(),
        "q": st.booleans(),
        "m": st.sampled_from(MODE.members),
    }
)


def known(var: Var) -> Expr:
    """The control state is known; nothing else is."""
    return Lit("here", STATES) if var.scope is Scope.STATE else var


def run(text: str, world: dict[str, Scalar]) -> object:
    """The value of Python text without any builtin."""
    return eval(text, {"__builtins__": {}}, {**world, "state": "here"})  # noqa: S307 - text of our own making


@given(truths | numbers, worlds)
@settings(max_examples=400, deadline=None)
def test_a_folded_expression_keeps_its_value(expr: Expr, world: dict[str, Scalar]) -> None:
    """Folding with the state known changes no value, its type included."""
    folded = fold(expr, known)
    was, now = evaluate(expr, Env(world, state="here")), evaluate(folded, Env(world))
    assert (type(now), now) == (type(was), was)


@given(truths | numbers, worlds)
@settings(max_examples=400, deadline=None)
def test_python_text_means_what_the_expression_means(expr: Expr, world: dict[str, Scalar]) -> None:
    """Python gives the text the value and type that the evaluator gives the expression, folded or not."""
    wanted = evaluate(expr, Env(world, state="here"))
    for text in (python(expr, {}), python(fold(expr, known), {})):
        found = run(text, world)
        assert (type(found), found) == (type(wanted), wanted)


@given(numbers, worlds)
@settings(max_examples=200, deadline=None)
def test_an_interval_holds_every_value(expr: Expr, world: dict[str, Scalar]) -> None:
    """No well-sorted values lead out of the interval of an expression."""
    low, high = interval(expr)
    value = evaluate(expr, Env(world))
    assert low is None or low <= value
    assert high is None or value <= high


@given(truths, truths, worlds)
@settings(max_examples=400, deadline=None)
def test_what_was_tested_before_decides_later_tests_rightly(
    tested: Expr, later: Expr, world: dict[str, Scalar]
) -> None:
    """Folding under the facts of a test keeps the value wherever the test had that answer."""
    first = fold(tested, known)
    answer = evaluate(first, Env(world))
    folded = fold(later, known, Facts().learned(first, truth=answer))
    assert evaluate(folded, Env(world)) == evaluate(later, Env(world, state="here"))


def test_a_comparison_decides_all_comparisons_of_the_same_sides() -> None:
    """After a < b every comparison of a and b is constant, either way round; exhaustively over all pairs."""
    for (one, other), truth, (op, left, right) in product(
        ((A, B), (B, A)), (True, False), [(op, *sides) for op in ORDERED for sides in ((A, B), (B, A))]
    ):
        facts = Facts().learned(Compare(Comparison.LT, one, other), truth)
        samples = [(x, y) for x in range(6) for y in range(-2, 8)]
        seen = {
            evaluate(Compare(op, left, right), Env({"a": x, "b": y}))
            for x, y in samples
            if evaluate(Compare(Comparison.LT, one, other), Env({"a": x, "b": y})) == truth
        }
        assert facts.decides(Compare(op, left, right)) == (seen.pop() if len(seen) == 1 else None)


@given(truths, worlds)
@settings(max_examples=200, deadline=None)
def test_negation_is_the_other_value(expr: Expr, world: dict[str, Scalar]) -> None:
    """The negation of a folded expression is true iff the expression is false."""
    folded = fold(expr, known)
    assert evaluate(negation(folded), Env(world)) is not evaluate(folded, Env(world))


def test_a_bound_name_shares_what_is_known_of_its_value() -> None:
    """What was tested of a sum is known of the name that the sum is bound to."""
    total, name = Arith(Arithmetic.ADD, A, B), Var("a", INT, Scope.NEXT)
    facts = Facts().learned(Compare(Comparison.LT, total, C), truth=True).bound(name, total)
    assert facts.decides(Compare(Comparison.GT, name, C)) is False
    assert facts.decides(Compare(Comparison.LE, name, C)) is True
    assert facts.decides(Compare(Comparison.LE, name, A)) is None
