"""Names of parts and elements of maps in expressions, and what is said of wrong ones."""

import pytest

from peak_trade.lang.elaborate import Names, elaborate
from peak_trade.lang.expr import Arith, Arithmetic, At, Compare, Comparison, Expr, Lit, Scope, Var
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import BOOL, INT, IntSort, MapSort, Sort
from peak_trade.lang.source import Diagnostic, Findings, Source, Span
from peak_trade.lang.syntax import Text

CUM = Var("cum", INT, Scope.CONTEXT)
LOG = Var("log", MapSort(IntSort(0, None)), Scope.CONTEXT)
PART, PARTS = Var("order.cum", INT, Scope.CONTEXT), Var("venue.log", MapSort(INT), Scope.CONTEXT)
NAMES: Names = {"cum": CUM, "log": LOG, "next_log": Var("log", LOG.sort, Scope.NEXT)}
DOTTED: Names = NAMES | {"order.cum": PART, "venue.log": PARTS}


def read(text: str, names: Names, sort: Sort = BOOL, unsure: frozenset[str] = frozenset()) -> Expr | Diagnostic | None:
    """The expression that `text` denotes, or the diagnostic that says why it denotes none, or neither."""
    findings = Findings(Source("text", text))
    found = elaborate(findings, Text(text, Span(1, 1)), names, sort, unsure)
    assert (found is None) or not findings.items
    return found if found is not None else next(iter(findings.items), None)


@pytest.mark.parametrize(
    ("text", "sort", "expr"),
    [
        ("log[cum]", INT, At(LOG, CUM)),
        ("log[log[cum + 1]]", INT, At(LOG, At(LOG, Arith(Arithmetic.ADD, CUM, Lit(1, INT))))),
        (
            "next_log[0] == log[0]",
            BOOL,
            Compare(Comparison.EQ, At(Var("log", LOG.sort, Scope.NEXT), Lit(0, INT)), At(LOG, Lit(0, INT))),
        ),
        ("order.cum", INT, PART),
        ("venue.log[order.cum]", INT, At(PARTS, PART)),
    ],
)
def test_elements_and_parts_are_read_and_written(text: str, sort: Sort, expr: Expr) -> None:
    """An element is the map and its index; a dotted name stands for what `names` has under it. Pretty inverts it."""
    assert read(text, DOTTED, sort) == expr
    assert expression(expr) == text


@pytest.mark.parametrize(
    ("text", "names", "code", "place"),
    [
        ("order.cum > 0", NAMES, "PT031", "order.cum"),  # as in any machine's file
        ("order.cmu > 0", DOTTED, "PT032", "order.cmu"),
        ("cum.order.cum > 0", DOTTED, "PT031", "cum.order.cum"),
        ("(cum + 1).x > 0", DOTTED, "PT031", "(cum + 1).x"),
        ("lgo[1] > 0", NAMES, "PT032", "lgo"),
        ("venue.lgo[1] > 0", DOTTED, "PT032", "venue.lgo"),
        ("venue.log > 0", DOTTED, "PT036", "venue.log"),
        ("log == log", NAMES, "PT036", "log"),
        ("log[log] > 0", NAMES, "PT036", "log"),
        ("log in {1}", NAMES, "PT036", "log"),
        ("cum[1] > 0", NAMES, "PT031", "cum[1]"),
        ("(log)[1][2] > 0", NAMES, "PT031", "(log)[1][2]"),
        ("log[1:2] > 0", NAMES, "PT031", "1:2"),
        ("log[1, 2] > 0", NAMES, "PT031", "1, 2"),
        ("log[true] > 0", NAMES, "PT033", "true"),
        ("log[1]", NAMES, "PT033", "log[1]"),
        ("log[cum] * cum > 0", NAMES, "PT034", "log[cum] * cum"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, names: Names, code: str, place: str) -> None:
    """The code and the characters of the first mistake."""
    found = read(text, names)
    assert isinstance(found, Diagnostic)
    assert found.code == code
    begin = found.span.column - 1
    assert text[begin : begin + found.span.width] == place


def test_a_near_name_of_a_part_is_suggested() -> None:
    """Dotted names take part in suggestions."""
    found = read("order.cmu > 0", DOTTED)
    assert isinstance(found, Diagnostic)
    assert found.hint == "did you mean `order.cum`?"


def test_nothing_is_said_of_a_part_whose_declaration_is_wrong() -> None:
    """Unsure names may be dotted too."""
    assert read("order.qty > 0", DOTTED, unsure=frozenset(("order.qty",))) is None


def test_an_element_may_stand_in_two_comparisons_of_a_chain() -> None:
    """Its index is plain, so nothing grows; a choice in the index is refused as anywhere else."""
    assert isinstance(read("0 <= log[cum] <= 9", NAMES), Expr)
    found = read("0 <= log[1 if cum > 0 else 2] <= 9", NAMES)
    assert isinstance(found, Diagnostic)
    assert found.code == "PT031"
