"""From expression text to a well-sorted expression: a typed subset of Python's expressions."""

import ast
from typing import TypeAlias

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
    Var,
    children,
    sort_of,
)
from peak_trade.lang.sorts import BOOL, INT, BoolSort, EnumSort, IntSort, MapSort, Sort, comparable, describe, is_whole
from peak_trade.lang.source import Findings, suggestion, within
from peak_trade.lang.syntax import Text, WrongError, characters, syntax

DEPTH_MAX = 32
SYNTAX_DEPTH_MAX = 4 * DEPTH_MAX
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
    ast.Invert: "an operation on bits",
    ast.BitAnd: "an operation on bits",
    ast.BitOr: "an operation on bits",
    ast.BitXor: "an operation on bits",
    ast.LShift: "an operation on bits",
    ast.RShift: "an operation on bits",
    ast.MatMult: "a product of matrices",
    ast.UAdd: "a plus sign before a number",
    ast.Set: "a list of constants, except after `in`,",
    ast.Tuple: "a list of constants, except after `in`,",
    ast.List: "a list of constants, except after `in`,",
    ast.Div: "a division",
    ast.FloorDiv: "a division",
    ast.Mod: "a remainder",
    ast.Pow: "a power",
    ast.JoinedStr: "a formatted text",
    ast.NamedExpr: "an assignment",
}


def elaborate(
    findings: Findings, text: Text, names: Names, wanted: Sort, unsure: frozenset[str] = frozenset()
) -> Expr | None:
    """Return the expression that `text` denotes, of the sort `wanted`, or None iff it denotes none.

    A diagnostic says why, unless the reason is one of the `unsure` names: those whose own declarations are wrong.

    Limits: at most DEPTH_MAX levels and numbers of INTEGER_DIGITS_MAX digits; the first mistake of each
    expression is reported.
    """
    try:
        tree = syntax(text.text)
        expr = _expr(tree, names, 0)
        _expect(expr, wanted, tree)
        if levels(expr) > DEPTH_MAX:
            raise _deep(tree)
    except WrongError as wrong:
        quiet = wrong.code == "PT032" and _spelt(wrong.where) in unsure
        if not quiet:
            span = within(findings.source, text.place, text.text, *characters(text.text, wrong.where))
            findings.add(wrong.code, span, wrong.message, wrong.hint)
        return None
    return expr


def levels(expr: Expr) -> int:
    """Return how many operators of `expr` stand within each other at most."""
    return max((1 + levels(child) for child in children(expr)), default=0)


def _deep(node: ast.AST) -> WrongError:
    return WrongError("PT035", node, f"expected at most {DEPTH_MAX} levels, was more", "name a part of it")


def _kind(sort: Sort) -> str:
    return "int" if isinstance(sort, IntSort) else describe(sort)


def _expect(expr: Expr, wanted: Sort, node: ast.AST) -> Expr:
    found = sort_of(expr)
    if not comparable(found, wanted):
        raise WrongError("PT033", node, f"expected a value of sort {_kind(wanted)}, was {_kind(found)}")
    return expr


def _expr(node: ast.expr, names: Names, depth: int) -> Expr:  # noqa: PLR0911 - one return for each kind of node
    if depth > SYNTAX_DEPTH_MAX:
        raise _deep(node)
    match node:
        case ast.Constant():
            return _constant(node)
        case ast.Name() | ast.Attribute():
            return _scalar(node, names)
        case ast.Subscript(value=ast.Name() | ast.Attribute() as base, slice=index):
            array = _array(base, node, names)
            return At(array, _expect(_expr(index, names, depth + 1), INT, index))
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
            raise _forbidden(node, node)


def _forbidden(kind: ast.AST, node: ast.expr) -> WrongError:
    what = FORBIDDEN.get(type(kind), "this")
    return WrongError("PT031", node, f"{what} is not part of the language", "`peak explain PT031` lists what is")


def _constant(node: ast.Constant) -> Lit:
    value = node.value
    if isinstance(value, bool):
        return Lit(value, BOOL)
    if isinstance(value, int):
        if abs(value) >= 10**INTEGER_DIGITS_MAX:
            raise WrongError("PT035", node, f"expected at most {INTEGER_DIGITS_MAX} digits, was more")
        return Lit(value, INT)
    what = "a float" if isinstance(value, float) else "a text" if isinstance(value, str) else "this constant"
    raise WrongError("PT031", node, f"{what} is not part of the language", "use whole numbers and names")


def _spelt(node: object) -> str:
    """Return the name that `node` is, `part.name` for one of a part, or nothing if it is none."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=part), attr=name):
            return f"{part}.{name}"
        case _:
            return ""


def _named(node: ast.Name | ast.Attribute, names: Names) -> Expr:
    """Return what a name stands for; where no name has a dot, none may be written."""
    name = _spelt(node)
    if name in ("true", "false"):
        return Lit(name == "true", BOOL)
    if name in names:
        return names[name]
    if not name or ("." in name and not any("." in known for known in names)):
        raise _forbidden(node, node)
    raise WrongError("PT032", node, f"unknown name `{name}`", suggestion(name, names.keys() | {"true", "false"}))


def _scalar(node: ast.Name | ast.Attribute, names: Names) -> Expr:
    found = _named(node, names)
    if isinstance(sort_of(found), MapSort):
        name = _spelt(node)
        raise WrongError("PT036", node, f"`{name}` is a map, not one value", f"write `{name}[index]`")
    return found


def _array(node: ast.Name | ast.Attribute, whole: ast.Subscript, names: Names) -> Var:
    found = _named(node, names)
    if isinstance(found, Var) and isinstance(found.sort, MapSort):
        return found
    raise WrongError("PT031", whole, "a subscript is not part of the language", "only a map has elements to choose")


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
            raise _forbidden(node.op, node)


def _arith(node: ast.BinOp, names: Names, depth: int) -> Expr:
    if type(node.op) not in ARITHMETIC:
        raise _forbidden(node.op, node)
    left = _expect(_expr(node.left, names, depth + 1), INT, node.left)
    right = _expect(_expr(node.right, names, depth + 1), INT, node.right)
    arithmetic = ARITHMETIC[type(node.op)]
    if arithmetic is Arithmetic.MUL and not (isinstance(left, Lit) or isinstance(right, Lit)):
        raise WrongError(
            "PT034", node, "a product of two variables", "one side must be a constant: proofs stay decidable"
        )
    return Arith(arithmetic, left, right)


def _compare(node: ast.Compare, names: Names, depth: int) -> Expr:
    parts: list[Expr] = []
    left = _expr(node.left, names, depth + 1)
    for index, (op, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
        if isinstance(op, ast.In | ast.NotIn):
            member = _member(left, right_node, names, depth + 1)
            parts.append(member if isinstance(op, ast.In) else Not(member))
            if index + 1 < len(node.ops):
                raise _forbidden(right_node, right_node)
            break
        if type(op) not in COMPARISONS:
            raise WrongError("PT031", node, "identity is not part of the language", "use `==`")
        right = _expr(right_node, names, depth + 1)
        if index + 1 < len(node.ops) and not _plain(right):
            raise WrongError("PT031", right_node, "expected a name, a number or a sum within a chain", "use `and`")
        parts.append(_ordered(COMPARISONS[type(op)], left, right, node))
        left = right
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _plain(expr: Expr) -> bool:
    """Return true iff `expr` may stand in two comparisons of a chain: otherwise chains in chains grow exponentially."""
    match expr:
        case Arith(_, left, right):
            return _plain(left) and _plain(right)
        case At(_, index):
            return _plain(index)
        case _:
            return isinstance(expr, Lit | Var)


def _ordered(op: Comparison, left: Expr, right: Expr, node: ast.AST) -> Expr:
    one, other = sort_of(left), sort_of(right)
    if not comparable(one, other):
        raise WrongError("PT033", node, f"expected two values of one sort, was {_kind(one)} and {_kind(other)}")
    if op not in (Comparison.EQ, Comparison.NE) and not isinstance(one, IntSort):
        raise WrongError("PT033", node, f"expected whole numbers to compare by `{op.value}`, was {_kind(one)}")
    return Compare(op, left, right)


def _member(item: Expr, node: ast.expr, names: Names, depth: int) -> Expr:
    if not isinstance(node, ast.Set | ast.Tuple | ast.List) or not node.elts:
        raise WrongError("PT031", node, "expected a list of constants after `in`", "write `in {a, b}`")
    choices = []
    for element in node.elts:
        choice = _expr(element, names, depth + 1)
        if not isinstance(choice, Lit):
            raise WrongError("PT031", element, "expected a constant", "only constants may stand after `in`")
        _expect(choice, sort_of(item), element)
        choices.append(choice)
    return Member(item, tuple(choices))


def members(sort: Sort) -> tuple[Lit, ...]:
    """Return the constants of an enumeration; no constants for other sorts."""
    match sort:
        case EnumSort(_, names):
            return tuple(Lit(name, sort) for name in names)
        case BoolSort() | IntSort() | MapSort():
            return ()


def predicate(var: Var, names: tuple[str, ...]) -> Expr:
    """Return the expression that is true iff `var` is one of its sort's members `names`."""
    if not names:
        return Lit(False, BOOL)
    return Member(var, tuple(Lit(name, var.sort) for name in names))
