"""The step over columns: what its text says, what it refuses, and how far its numbers go."""

from dataclasses import replace

import numpy as np
import pytest

from peak_trade.backends.arrays import Lanes, Undecided, compile_arrays, generate
from peak_trade.backends.vector import WORD_MAX, Growth, Unfit, growth, positive, text
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
from peak_trade.lang.machine import Always, Event, Field, Machine, Origin, State, Transition, Update, Variable
from peak_trade.lang.sorts import BOOL, INT, EnumSort, IntSort, MapSort, Sort
from peak_trade.lang.step import Broken, Refused, Taken, Value

COLOUR = EnumSort("Colour", ("red", "green", "blue", "grey"))
A, B = Var("a", INT, Scope.CONTEXT), Var("b", INT, Scope.CONTEXT)
HUE = Var("hue", COLOUR, Scope.CONTEXT)
X = Var("x", IntSort(0, None), Scope.PAYLOAD)


def machine(*rows: Transition, b: Sort = INT, claims: tuple[Always, ...] = ()) -> Machine:
    """A machine of one event over two numbers and a colour."""
    return Machine(
        name="pair",
        version=1,
        summary="",
        enums=(COLOUR,),
        variables=(
            Variable("a", INT, 1, ""),
            Variable("b", b, 2, ""),
            Variable("hue", COLOUR, "green", ""),
            Variable("on", BOOL, False, ""),
        ),
        states=(State("here", "", initial=True), State("there", "")),
        events=(Event("go", Origin.VENUE, "", (Field("x", IntSort(0, None), ""),)),),
        reasons=(),
        transitions=rows,
        dismissals=(),
        properties=claims,
    )


def go(*updates: Update, when: Expr = TRUE, name: str = "T") -> Transition:
    """A transition from anywhere to `there`."""
    return Transition(name, ("here", "there"), "go", "there", when, updates=updates)


def test_updates_are_all_at_once() -> None:
    """Two variables change places: what is written is read before."""
    arrays = compile_arrays(machine(go(Update("a", B), Update("b", A))))
    lanes = arrays.start(3)
    codes = arrays.step(lanes, *arrays.columns([("go", {"x": 0})] * 3))
    assert [arrays.outcomes[code] for code in codes] == [Taken("T")] * 3
    assert {arrays.value(lanes, lane) for lane in range(3)} == {Value("there", (2, 1, "green", False))}


def test_what_fails_is_named_as_the_definition_names_it() -> None:
    """Bounds come before invariants, the first invariant before the second, and the lanes beside them move."""
    claims = tuple(Always(f"P{most}", "", Compare(Comparison.LT, B, Lit(most, INT))) for most in (9, 5))
    one = machine(go(Update("b", X)), b=IntSort(0, 20), claims=claims)
    arrays = compile_arrays(one)
    lanes = arrays.start(5)
    codes = arrays.step(lanes, *arrays.columns([("go", {"x": x}) for x in (30, 9, 5, 4, 0)]))
    said = [arrays.outcomes[code] for code in codes]
    assert said == [Refused("value_bounds", "b"), Broken("P9"), Broken("P5"), Taken("T"), Taken("T")]
    assert lanes.context[1].tolist() == [2, 2, 2, 4, 0]
    assert lanes.state.tolist() == [0, 0, 0, 1, 1]


def test_a_cell_that_nothing_decides_is_an_error() -> None:
    """A machine that fails the checks raises with the cell, as the kernel does."""
    arrays = compile_arrays(machine(go(when=Compare(Comparison.GT, X, Lit(0, INT)))))
    arrays.step(arrays.start(2), *arrays.columns([("go", {"x": 1})] * 2))
    with pytest.raises(Undecided, match="go in here") as caught:
        arrays.step(arrays.start(2), *arrays.columns([("go", {"x": 1}), ("go", {"x": 0})]))
    assert (caught.value.state, caught.value.event) == ("here", "go")


def test_values_come_back_as_they_went_in() -> None:
    """Columns give back the values and the offers that were put in; a copy runs on its own."""
    arrays = compile_arrays(machine(go()))
    values = [Value("there", (-7, 2**40, "grey", True)), Value("here", (0, 0, "red", False))]
    lanes = arrays.load(values)
    assert [arrays.value(lanes, lane) for lane in (0, 1)] == values
    offers = arrays.columns([("go", {"x": 3}), ("go", {"x": 2**50})])
    assert [arrays.offer(*offers, lane) for lane in (0, 1)] == [("go", {"x": 3}), ("go", {"x": 2**50})]
    other = lanes.copy()
    arrays.step(other, *offers)
    assert [arrays.value(lanes, lane) for lane in (0, 1)] == values
    assert other.state.tolist() == [1, 1]
    assert arrays.load([]).state.size == 0 == len(arrays.load([]).context[0])


def test_a_number_beyond_64_bits_is_not_loaded() -> None:
    """What no column holds raises instead of being cut."""
    with pytest.raises(OverflowError):
        compile_arrays(machine(go())).load([Value("here", (2**70, 0, "red", False))])


def test_maps_and_great_constants_are_refused() -> None:
    """A map has no fixed width, and a constant beyond 64 bits is none: each refusal names its part."""
    one = machine(go())
    log = Variable("log", MapSort(INT), (), "")
    with pytest.raises(Unfit, match="log"):
        compile_arrays(replace(one, variables=(*one.variables, log)))
    with pytest.raises(Unfit, match="constant"):
        compile_arrays(machine(go(when=Compare(Comparison.LT, A, Lit(WORD_MAX + 1, INT)))))
    with pytest.raises(Unfit, match="bound"):
        compile_arrays(machine(go(), b=IntSort(0, 2**80)))


def test_growth_bounds_what_a_step_makes() -> None:
    """A sum adds up, a product multiplies, a choice is the greater, a bounded number is its bound."""
    tripled = Arith(Arithmetic.MUL, Lit(3, INT), Arith(Arithmetic.SUB, A, Lit(5, INT)))
    made = growth(machine(go(Update("a", Ite(Compare(Comparison.EQ, A, B), tripled, X)))))
    assert made == Growth(3, 15)
    assert growth(machine(go(Update("a", Arith(Arithmetic.ADD, A, B))), b=IntSort(-100, 50))).plus == 100
    assert growth(machine(go(Update("a", Arith(Arithmetic.ADD, A, B))))) == Growth(2, 0)


@pytest.mark.parametrize("found", [Growth(1, 0), Growth(1, 7), Growth(2, 1), Growth(10**6, 0), Growth(2**40, 3)])
def test_steps_stop_before_the_word_is_full(found: Growth) -> None:
    """The steps that are allowed stay inside the word, and one more would not, unless there are as many as asked."""
    start, count = 2**31, found.steps(2**31, 100)
    reached = start
    for _ in range(count):
        reached = found.factor * reached + found.plus
    assert reached <= WORD_MAX
    assert count == 100 or found.factor * reached + found.plus > WORD_MAX


def test_negations_go_inside() -> None:
    """A negation turns comparisons and junctions round; the text of a membership of neighbours is a range."""
    less, among = (
        Compare(Comparison.LT, A, B),
        Member(HUE, tuple(Lit(one, COLOUR) for one in ("green", "blue", "grey"))),
    )
    assert positive(Not(Or((less, Not(among))))) == And((Compare(Comparison.GE, A, B), among))
    assert positive(Not(among)) == Not(among)
    names = {(Scope.CONTEXT, "hue"): "h"}
    assert text(among, names, {}) == "((h >= 1) & (h <= 3))"
    assert text(Not(among), names, {}) == "((h < 1) | (h > 3))"
    two = Member(HUE, (Lit("red", COLOUR), Lit("blue", COLOUR)))
    assert text(Not(two), names, {}) == "((h != 0) & (h != 2))"


def test_equal_machines_have_one_text() -> None:
    """The text is a function of the machine, names it, and says what each code means; equal machines share a step."""
    one, other = machine(go(Update("a", X))), machine(go(Update("a", X)))
    assert generate(one) == generate(other)
    assert "machine 'pair'" in generate(one)
    assert "# outcome 1: Taken(transition='T')" in generate(one)
    assert compile_arrays(one) is compile_arrays(other)


def test_cells_that_read_alike_share_a_function() -> None:
    """A transition from two states that writes the same is one function."""
    arrays = compile_arrays(machine(replace(go(Update("a", X)), target=None)))
    assert len(arrays.functions) == 2  # the one that does nothing, and the one of both states
    assert len(set(arrays.chosen.tolist())) == 1


def test_no_lane_is_no_work() -> None:
    """A step of no lanes gives no outcomes."""
    arrays = compile_arrays(machine(go()))
    lanes = arrays.load([])
    assert isinstance(lanes, Lanes)
    assert arrays.step(lanes, np.zeros(0, np.int16), (np.zeros(0, np.int64),)).size == 0
