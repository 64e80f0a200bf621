"""From expression text to a well-sorted expression: a typed subset of Python's expressions."""

import ast
from dataclasses import dataclass
from typing import TypeAlias

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
    Var,
    sort_of,
)
from peak_trade.lang.sorts import BOOL, INT, BoolSort, EnumSort, IntSort, Sort, comparable, describe, is_whole
from peak_trade.lang.source import Findings, Span, suggestion

DEPTH_MAX = 32
INTEGER_DIGITS_MAX = 100

Names: TypeAlias = dict[str, Expr]
"""What each name stands for: a variable, an enumeration's member, or a tag's predicate."""

COMPARISONS = {
    ast.Eq: Comparison.EQ,
    ast.NotEq: Comparison.NE,
    ast.Lt: Comparison.LT,
    ast.LtE: Comparison.LE,
    ast.Gt: Comparison.GT,
    ast.GtE: Comparison.GE,
}
ARITHMETIC = {ast.Add: Arithmetic.ADD, ast.Sub: Arithmetic.SUB, ast.Mult: Arithmetic.MUL}
FORBIDDEN = {
    ast.Call: "a call",
    ast.Attribute: "an attribute access",
    ast.Subscript: "a subscript",
    ast.Lambda: "a function",
    ast.Div: "a division",
    ast.FloorDiv: "a division",
    ast.Mod: "a remainder",
    ast.Pow: "a power",
    ast.JoinedStr: "a formatted text",
    ast.NamedExpr: "an assignment",
}


class _WrongError(Exception):
    """A mistake found inside one expression; never leaves this module."""

    def __init__(self, code: str, node: ast.AST, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.node, self.message, self.hint = code, node, message, hint


@dataclass(frozen=True, slots=True)
class Text:
    """An expression's text and the place of its first character."""

    text: str
    place: Span


def elaborate(findings: Findings, text: Text, names: Names, wanted: Sort) -> Expr | None:
    """Return the expression that `text` denotes, of the sort `wanted`, or None iff a diagnostic says why not.

    Limits: at most DEPTH_MAX levels and numbers of INTEGER_DIGITS_MAX digits; the first mistake of each
    expression is reported.
    """
    try:
        tree = _parsed(text.text)
        expr = _expr(tree, names, 0)
        _expect(expr, wanted, tree)
    except _WrongError as wrong:
        findings.add(wrong.code, _place(text, wrong.node), wrong.message, wrong.hint)
        return None
    return expr


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        node = ast.Constant(value=0)
        node.lineno, node.col_offset = 1, max(0, (getattr(error, "offset", 1) or 1) - 1)
        node.end_col_offset = node.col_offset + 1
        problem = error.msg if isinstance(error, SyntaxError) else "too long or too deep"
        raise _WrongError("PT030", node, f"this is not an expression: {problem}", "see docs/language.md") from error


def _place(text: Text, node: ast.AST) -> Span:
    """Return the place of `node`; a folded text of several lines is marked at its start."""
    if getattr(node, "lineno", 1) != 1 or "\n" in text.text:
        return text.place
    column = getattr(node, "col_offset", 0)
    before = len(text.text.encode()[:column].decode(errors="ignore"))
    return text.place.shifted(before, max(1, (getattr(node, "end_col_offset", None) or column + 1) - column))


def _expect(expr: Expr, wanted: Sort, node: ast.AST) -> Expr:
    found = sort_of(expr)
    if not comparable(found, wanted):
        raise _WrongError("PT033", node, f"expected a value of sort {describe(wanted)}, was {describe(found)}")
    return expr


def _expr(node: ast.expr, names: Names, depth: int) -> Expr:  # noqa: PLR0911 - one return for each kind of node
    if depth > DEPTH_MAX:
        raise _WrongError("PT035", node, f"expected at most {DEPTH_MAX} levels, was more", "name a part of it")
    match node:
        case ast.Constant():
            return _constant(node)
        case ast.Name(id=name):
            return _name(node, name, names)
        case ast.UnaryOp():
            return _unary(node, names, depth)
        case ast.BoolOp(op=op, values=values):
            args = tuple(_expect(_expr(value, names, depth + 1), BOOL, value) for value in values)
            return And(args) if isinstance(op, ast.And) else Or(args)
        case ast.Compare():
            return _compare(node, names, depth)
        case ast.BinOp():
            return _arith(node, names, depth)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            then = _expr(body, names, depth + 1)
            other = _expect(_expr(orelse, names, depth + 1), sort_of(then), orelse)
            return Ite(_expect(_expr(test, names, depth + 1), BOOL, test), then, other)
        case _:
            raise _forbidden(node)


def _forbidden(node: ast.AST) -> _WrongError:
    what = FORBIDDEN.get(type(node), f"{type(node).__name__}")
    return _WrongError("PT031", node, f"{what} is not part of the language", "`peak explain PT031` lists what is")


def _constant(node: ast.Constant) -> Lit:
    value = node.value
    if isinstance(value, bool):
        return Lit(value, BOOL)
    if isinstance(value, int):
        if abs(value) >= 10**INTEGER_DIGITS_MAX:
            raise _WrongError("PT035", node, f"expected at most {INTEGER_DIGITS_MAX} digits, was more")
        return Lit(value, INT)
    what = "a float" if isinstance(value, float) else "a text" if isinstance(value, str) else "this constant"
    raise _WrongError("PT031", node, f"{what} is not part of the language", "use whole numbers and names")


def _name(node: ast.Name, name: str, names: Names) -> Expr:
    if name in ("true", "false"):
        return Lit(name == "true", BOOL)
    if name not in names:
        raise _WrongError("PT032", node, f"unknown name `{name}`", suggestion(name, names.keys() | {"true", "false"}))
    return names[name]


def _unary(node: ast.UnaryOp, names: Names, depth: int) -> Expr:
    arg = _expr(node.operand, names, depth + 1)
    match node.op:
        case ast.Not():
            return Not(_expect(arg, BOOL, node.operand))
        case ast.USub():
            _expect(arg, INT, node.operand)
            return (
                Lit(-arg.value, INT)
                if isinstance(arg, Lit) and is_whole(arg.value)
                else Arith(Arithmetic.SUB, Lit(0, INT), arg)
            )
        case _:
            raise _forbidden(node.op if hasattr(node.op, "lineno") else node)


def _arith(node: ast.BinOp, names: Names, depth: int) -> Expr:
    if type(node.op) not in ARITHMETIC:
        what = FORBIDDEN.get(type(node.op), type(node.op).__name__)
        raise _WrongError("PT031", node, f"{what} is not part of the language", "there are `+`, `-` and `*`")
    left = _expect(_expr(node.left, names, depth + 1), INT, node.left)
    right = _expect(_expr(node.right, names, depth + 1), INT, node.right)
    arithmetic = ARITHMETIC[type(node.op)]
    if arithmetic is Arithmetic.MUL and not (isinstance(left, Lit) or isinstance(right, Lit)):
        raise _WrongError(
            "PT034", node, "a product of two variables", "one side must be a constant: proofs stay decidable"
        )
    return Arith(arithmetic, left, right)


def _compare(node: ast.Compare, names: Names, depth: int) -> Expr:
    parts: list[Expr] = []
    left_node = node.left
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        left = _expr(left_node, names, depth + 1)
        if isinstance(op, ast.In | ast.NotIn):
            member = _member(left, right_node, names)
            parts.append(member if isinstance(op, ast.In) else Not(member))
        elif type(op) in COMPARISONS:
            parts.append(_ordered(COMPARISONS[type(op)], left, _expr(right_node, names, depth + 1), node))
        else:
            raise _WrongError("PT031", node, "identity is not part of the language", "use `==`")
        left_node = right_node
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _ordered(op: Comparison, left: Expr, right: Expr, node: ast.AST) -> Expr:
    one, other = sort_of(left), sort_of(right)
    if not comparable(one, other):
        raise _WrongError("PT033", node, f"expected two values of one sort, was {describe(one)} and {describe(other)}")
    if op not in (Comparison.EQ, Comparison.NE) and not isinstance(one, IntSort):
        raise _WrongError("PT033", node, f"expected whole numbers to compare by `{op.value}`, was {describe(one)}")
    return Compare(op, left, right)


def _member(item: Expr, node: ast.expr, names: Names) -> Expr:
    if not isinstance(node, ast.Set | ast.Tuple | ast.List):
        raise _WrongError("PT031", node, "expected a list of constants after `in`", "write `in {a, b}`")
    choices = []
    for element in node.elts:
        choice = _expr(element, names, 1)
        if not isinstance(choice, Lit):
            raise _WrongError("PT031", element, "expected a constant", "only constants may stand after `in`")
        _expect(choice, sort_of(item), element)
        choices.append(choice)
    return Member(item, tuple(choices))


def members(sort: Sort) -> tuple[Lit, ...]:
    """Return the constants of an enumeration; no constants for other sorts."""
    match sort:
        case EnumSort(_, names):
            return tuple(Lit(name, sort) for name in names)
        case BoolSort() | IntSort():
            return ()


def predicate(var: Var, names: tuple[str, ...]) -> Expr:
    """Return the expression that is true iff `var` is one of its sort's members `names`."""
    if not names:
        return Lit(False, BOOL)
    return Member(var, tuple(Lit(name, var.sort) for name in names))
