"""The evaluator against Python's own: an expression of the language is a Python expression."""

from hypothesis import given
from hypothesis import strategies as st
from strategies.expressions import COLOUR, CONTEXT, EVENTS, PAYLOAD, SIZE, STATES, expressions, guards, scalars, steps

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr, conjunction, disjunction, sort_of, variables
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import BOOL, INT, Scalar, comparable, inhabits

VALUES = st.fixed_dictionaries({var.name: scalars(var.sort) for var in (*CONTEXT, *PAYLOAD)})
WORDS: dict[str, Scalar] = {"true": True, "false": False} | {
    name: name for sort in (COLOUR, SIZE, STATES, EVENTS) for name in sort.members
}


def by_python(expr: Expr, names: dict[str, Scalar]) -> object:
    """Return what Python makes of the text of `expr`."""
    return eval(expression(expr), {"__builtins__": {}}, WORDS | names)  # noqa: S307 - the oracle of this test


@given(guards, VALUES)
def test_a_guard_means_what_python_says(expr: Expr, values: dict[str, Scalar]) -> None:
    """On any values of context and payload the two evaluators agree, type included."""
    found = evaluate(expr, Env(values, values))
    assert found is by_python(expr, values)


@given(expressions(INT, (*CONTEXT, *PAYLOAD)), VALUES)
def test_a_number_is_exact(expr: Expr, values: dict[str, Scalar]) -> None:
    """Whole numbers have no size at which they would round or wrap."""
    found = evaluate(expr, Env(values, values))
    assert type(found) is int
    assert found == by_python(expr, values)


@given(steps, VALUES, VALUES, st.data())
def test_a_step_claim_means_what_python_says(
    expr: Expr, before: dict[str, Scalar], after: dict[str, Scalar], data: st.DataObject
) -> None:
    """Names before, of, and after the step have their own values."""
    state, target = (data.draw(st.sampled_from(STATES.members)) for _ in range(2))
    event = data.draw(st.sampled_from(EVENTS.members))
    env = Env(before, {}, state, event, after, target)
    names = before | {f"next_{name}": value for name, value in after.items()}
    assert evaluate(expr, env) is by_python(expr, names | {"state": state, "next_state": target, "event": event})


@given(expressions(COLOUR, CONTEXT), VALUES)
def test_the_value_is_of_the_expressions_sort(expr: Expr, values: dict[str, Scalar]) -> None:
    """`sort_of` and `evaluate` agree."""
    assert comparable(sort_of(expr), COLOUR)
    assert inhabits(evaluate(expr, Env(values)), sort_of(expr))


@given(expressions(INT, CONTEXT), VALUES)
def test_a_number_is_within_the_sort_that_is_claimed(expr: Expr, values: dict[str, Scalar]) -> None:
    """No expression other than a name or constant claims bounds that its value might not keep."""
    assert inhabits(evaluate(expr, Env(values)), sort_of(expr))


@given(st.lists(guards, max_size=3), VALUES)
def test_conjunction_and_disjunction_are_all_and_any(parts: list[Expr], values: dict[str, Scalar]) -> None:
    """The builders mean what they say for none, one and several parts."""
    env = Env(values, values)
    meanings = [evaluate(part, env) for part in parts]
    assert evaluate(conjunction(tuple(parts)), env) is all(meanings)
    assert evaluate(disjunction(tuple(parts)), env) is any(meanings)


@given(guards)
def test_variables_are_those_in_the_text(expr: Expr) -> None:
    """`variables` finds each name that the text has, and no other; a guard is of sort bool."""
    text = expression(expr)
    for char in "(){},=!<>+-*":
        text = text.replace(char, " ")
    declared = {var.name for var in (*CONTEXT, *PAYLOAD)}
    assert {var.name for var in variables(expr)} == set(text.split()) & declared
    assert sort_of(expr) == BOOL
