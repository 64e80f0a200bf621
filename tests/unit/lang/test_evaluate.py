"""The evaluator against Python's own: an expression of the language is a Python expression."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from strategies.expressions import (
    COLOUR,
    EVENTS,
    PAYLOAD,
    SIZE,
    STATES,
    WIDE,
    expressions,
    scalars,
    wide_claims,
    wide_guards,
    wide_steps,
)

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr, conjunction, disjunction, sort_of, variables
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import BOOL, INT, Entries, Scalar, comparable, inhabits

VALUES = st.fixed_dictionaries({var.name: scalars(var.sort) for var in (*WIDE, *PAYLOAD)})
WORDS: dict[str, Scalar] = {"true": True, "false": False} | {
    name: name for sort in (COLOUR, SIZE, STATES, EVENTS) for name in sort.members
}


DEFAULTS: dict[str, Scalar] = {"log": 0, "parts": 2, "marks": False, "hues": "red"}


class Total(dict[int, Scalar]):
    """A map as Python would have it: a mapping that knows what it does not hold."""

    def __init__(self, name: str, entries: Entries) -> None:
        super().__init__(entries)
        self.default = DEFAULTS[name.removeprefix("next_")]

    def __missing__(self, index: int) -> Scalar:
        """The default, of the type of the others."""
        assert type(index) is int
        return self.default


def by_python(expr: Expr, names: dict[str, Any]) -> object:
    """Return what Python makes of the text of `expr`."""
    known = {name: Total(name, value) if isinstance(value, tuple) else value for name, value in names.items()}
    return eval(expression(expr), {"__builtins__": {}}, WORDS | known)  # noqa: S307 - the oracle of this test


@given(wide_guards, VALUES)
def test_a_guard_means_what_python_says(expr: Expr, values: dict[str, Any]) -> None:
    """On any values of context and payload the two evaluators agree, type included."""
    found = evaluate(expr, Env(values, values))
    assert found is by_python(expr, values)


@given(expressions(INT, (*WIDE, *PAYLOAD)), VALUES)
def test_a_number_is_exact(expr: Expr, values: dict[str, Any]) -> None:
    """Whole numbers have no size at which they would round or wrap."""
    found = evaluate(expr, Env(values, values))
    assert type(found) is int
    assert found == by_python(expr, values)


@given(wide_steps, VALUES, VALUES, st.data())
def test_a_step_claim_means_what_python_says(
    expr: Expr, before: dict[str, Any], after: dict[str, Any], data: st.DataObject
) -> None:
    """Names before, of, and after the step have their own values."""
    state, target = (data.draw(st.sampled_from(STATES.members)) for _ in range(2))
    event = data.draw(st.sampled_from(EVENTS.members))
    env = Env(before, {}, state, event, after, target)
    names = before | {f"next_{name}": value for name, value in after.items()}
    assert evaluate(expr, env) is by_python(expr, names | {"state": state, "next_state": target, "event": event})


@given(expressions(COLOUR, WIDE), VALUES)
def test_the_value_is_of_the_expressions_sort(expr: Expr, values: dict[str, Any]) -> None:
    """`sort_of` and `evaluate` agree."""
    assert comparable(sort_of(expr), COLOUR)
    assert inhabits(evaluate(expr, Env(values)), sort_of(expr))


@given(expressions(INT, WIDE), VALUES)
def test_a_number_is_within_the_sort_that_is_claimed(expr: Expr, values: dict[str, Any]) -> None:
    """No expression other than a name or constant claims bounds that its value might not keep."""
    assert inhabits(evaluate(expr, Env(values)), sort_of(expr))


@given(st.lists(wide_claims, max_size=3), VALUES)
def test_conjunction_and_disjunction_are_all_and_any(parts: list[Expr], values: dict[str, Any]) -> None:
    """The builders mean what they say for none, one and several parts."""
    env = Env(values, values)
    meanings = [evaluate(part, env) for part in parts]
    assert evaluate(conjunction(tuple(parts)), env) is all(meanings)
    assert evaluate(disjunction(tuple(parts)), env) is any(meanings)


@given(wide_guards)
def test_variables_are_those_in_the_text(expr: Expr) -> None:
    """`variables` finds each name that the text has, and no other; a guard is of sort bool."""
    text = expression(expr)
    for char in "(){}[],=!<>+-*":
        text = text.replace(char, " ")
    declared = {var.name for var in (*WIDE, *PAYLOAD)}
    assert {var.name for var in variables(expr)} == set(text.split()) & declared
    assert sort_of(expr) == BOOL
