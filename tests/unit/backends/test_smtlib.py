"""The printed text means to cvc5 what the expression means to `lang.evaluate`."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.expressions import CONTEXT, EVENTS, PAYLOAD, STATES, STEP, expressions, scalars, sorts

from peak_trade.backends import smtlib
from peak_trade.backends.definitions import Definitions
from peak_trade.backends.smtlib import Function, Moment, define, inside, literal, symbol
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Expr, Scope, Var, variables
from peak_trade.lang.machine import Event, Machine, Origin, State, Variable
from peak_trade.lang.sorts import BOOL, INT, EnumSort, IntSort, Scalar, Sort
from peak_trade.proof.warrant.second import Checked, Judgement, Rejected, recheck

NAMES = (*CONTEXT, *PAYLOAD, *STEP)


def ask(*asserts: str, declares: tuple[str, ...] = ()) -> Judgement:
    """What cvc5 says to one question."""
    lines = ["; questions: 1", "(set-logic ALL)", *declares, "(push 1)", *(f"(assert {item})" for item in asserts)]
    return recheck("\n".join((*lines, "(check-sat)", "(pop 1)", "")))


def datatypes() -> tuple[str, ...]:
    """The enumerations of the strategies."""
    enums = dict.fromkeys(var.sort for var in NAMES if isinstance(var.sort, EnumSort))
    members = {enum: " ".join(f"({literal(item, enum)})" for item in enum.members) for enum in enums}
    return tuple(f"(declare-datatype {smtlib.sort(enum)} ({text}))" for enum, text in members.items())


def env_of(values: dict[Var, Scalar]) -> Env:
    """The environment in which each name has its value."""
    scopes: dict[Scope, dict[str, Scalar]] = {scope: {} for scope in Scope}
    for var, value in values.items():
        scopes[var.scope][var.name] = value
    control = {var.scope: str(value) for var, value in values.items()}
    return Env(
        scopes[Scope.CONTEXT],
        scopes[Scope.PAYLOAD],
        control.get(Scope.STATE, ""),
        control.get(Scope.EVENT, ""),
        scopes[Scope.NEXT],
        control.get(Scope.NEXT_STATE, ""),
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Expr, Sort, dict[Var, Scalar]]:
    """An expression, its sort, and values for its names."""
    sort = draw(sorts)
    expr = draw(expressions(sort, NAMES))
    return expr, sort, {var: draw(scalars(var.sort)) for var in sorted(variables(expr), key=str)}


@settings(max_examples=150, deadline=None)
@given(questions())
def test_cvc5_reads_what_evaluate_means(question: tuple[Expr, Sort, dict[Var, Scalar]]) -> None:
    """With every name bound to its value, the printed expression equals the printed result and nothing else."""
    expr, sort, values = question
    called = Function("It", expr)
    bound = tuple(f"(= {smtlib.name(var)} {literal(value, var.sort)})" for var, value in values.items())
    constants = (f"(declare-const {smtlib.name(var)} {smtlib.sort(var.sort)})" for var in values)
    declares = (*datatypes(), *constants, called.define())
    result = literal(evaluate(expr, env_of(values)), sort)
    same = f"(= {called.at()} {result})"
    assert ask(*bound, f"(not {same})", declares=declares) == Checked(1)
    assert isinstance(ask(*bound, same, declares=declares), Rejected)


@pytest.mark.parametrize("name", ["order.cum", "order[1].cum", "a b", "näme", "3rd", "x'"])
def test_any_name_is_a_symbol(name: str) -> None:
    """Names that are no plain symbols are quoted, and cvc5 reads each as one symbol of its own."""
    own, other = symbol(f"now.{name}"), symbol(f"next.{name}")
    declares = (f"(declare-const {own} Int)", f"(declare-const {other} Int)")
    assert ask(f"(= {own} 1)", f"(= {own} 2)", declares=declares) == Checked(1)
    assert isinstance(ask(f"(= {own} 1)", f"(= {other} 2)", declares=declares), Rejected)


@pytest.mark.parametrize("name", ["a|b", "a\\b"])
def test_what_no_symbol_can_be_called_is_refused(name: str) -> None:
    """A bar or a backslash would end the quotation: the printer does not write such a name."""
    with pytest.raises(AssertionError):
        symbol(name)


def test_negative_numbers_and_bounds() -> None:
    """SMT-LIB has no negative numerals; bounds that are not there ask nothing."""
    assert literal(-3, INT) == "(- 3)"
    assert inside("x", IntSort(-1, 2)) == ("(<= (- 1) x)", "(<= x 2)")
    assert inside("x", INT) == inside("x", BOOL) == inside("x", STATES) == ()
    assert define("It", (("x", INT),), "true") == "(define-fun It ((x Int)) Bool true)"


def test_a_function_is_said_of_another_moment_or_of_somebody_else() -> None:
    """The parameters of a function are its variables; the arguments are those of a moment, or are replaced."""
    count = CONTEXT[0]
    called = Function("It", count)
    assert called.define() == "(define-fun It ((now.count Int)) Int now.count)"
    assert called.at(Moment(now="at2")) == "(It at2.count)"
    assert called.at(other={count: "with.theirs"}) == "(It with.theirs)"


def machine(*variables: Variable, enums: tuple[EnumSort, ...] = ()) -> Machine:
    """A machine with these variables that does nothing."""
    states = tuple(State(name, "", initial=name == "ON") for name in STATES.members)
    events = tuple(Event(name, Origin.CLOCK, "") for name in EVENTS.members)
    return Machine("idle", 1, "", enums, variables, states, events, (), (), (), ())


def test_free_variables_start_anywhere_within_their_bounds() -> None:
    """`Init` fixes what is not free, and leaves what is free to its bounds."""
    free = Variable("a[1].x", IntSort(0, 5), 0, "", free=True)
    terms = Definitions(machine(free, Variable("y", INT, -7, "")))
    declares = (*terms.datatypes(), *terms.constants(), *terms.beginning(), terms.bounds())
    assert ask("Init", "(not (= now.y (- 7)))", declares=declares) == Checked(1)
    assert ask("Init", "(> |now.a[1].x| 5)", declares=declares) == Checked(1)
    assert isinstance(ask("Init", "(= |now.a[1].x| 5)", declares=declares), Rejected)
    assert ask(terms.whole("Start"), "(not Init)", declares=declares) == Checked(1)
    assert terms.within() == "(Sorts |now.a[1].x|)"


def test_no_two_symbols_of_a_machine_are_one() -> None:
    """Names that differ only by what they name stay apart: a variable, an enumeration and its member called alike."""
    same = EnumSort("now", ("x", "state"))
    terms = Definitions(machine(Variable("x", INT, 0, ""), Variable("y", same, "x", ""), enums=(same,)))
    text = "\n".join((*terms.datatypes(), *terms.constants(), *terms.constants(scope=Scope.NEXT)))
    declared = re.findall(r"\(declare-(?:const|datatype) (\S+)", text) + re.findall(r"\((\w+/\w+)\)", text)
    assert len(declared) == len(set(declared)) == 3 + 6 + 3 + 2 + 2
    assert ask("(= now.y now/x)", "(= now.y now/state)", declares=tuple(text.splitlines())) == Checked(1)
