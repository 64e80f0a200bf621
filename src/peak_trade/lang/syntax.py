"""From expression text to Python's syntax tree, with the characters that each node stands for."""

import ast
import re
from dataclasses import dataclass

from peak_trade.lang.source import Span, shown


class WrongError(Exception):
    """A mistake inside one expression, with its characters; `elaborate` turns it into a diagnostic."""

    def __init__(self, code: str, where: ast.AST | tuple[int, int], message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.where, self.message, self.hint = code, where, message, hint


@dataclass(frozen=True, slots=True)
class Text:
    """An expression's text and the place of the YAML scalar that it is the value of."""

    text: str
    place: Span


_ALIEN = re.compile(r"""[^\x20-\x7e\n]|["'\\#]|\b[0-9][0-9_]*[A-Za-z]\w*""")
"""What Python's parser would fold, drop or warn about: other alphabets, texts, comments, odd numbers."""


def syntax(text: str) -> ast.expr:
    """Return Python's syntax tree of `text`; WrongError iff it is no expression of ASCII names and decimal numbers."""
    alien = _ALIEN.search(text)
    if alien:
        hint = "names are ASCII, numbers are decimal, and there are no texts and no comments"
        raise WrongError("PT031", alien.span(), f"{shown(alien[0])} is not part of the language", hint)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        begin = _offset(text, error.lineno or 1, (error.offset or 1) - 1)
        message = f"this is not an expression: {error.msg}"
        raise WrongError("PT030", (begin, begin + 1), message, "`peak explain PT031` lists what is") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise WrongError("PT035", (0, len(text)), "the expression is too long or too deep", "divide it") from error


def _offset(text: str, line: int, column: int) -> int:
    """Return where in `text` a place of its stripped form is (1-based line, 0-based column)."""
    lines = text.strip().split("\n")
    before = sum(len(part) + 1 for part in lines[: line - 1])
    return len(text) - len(text.lstrip()) + before + max(0, column)


def characters(text: str, where: ast.AST | tuple[int, int]) -> tuple[int, int]:
    """Return the first character of `where` and the one after its last."""
    match where:
        case (begin, end):
            return begin, end
        case ast.expr(end_lineno=int() as last, end_col_offset=int() as stop):
            return _offset(text, where.lineno, where.col_offset), _offset(text, last, stop)
        case _:
            return 0, len(text)
