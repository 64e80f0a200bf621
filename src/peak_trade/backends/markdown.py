"""Plain text as Markdown: a reader sees the text itself, and no character of it is markup or ends a table's cell."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_MARKUP: Final = re.compile(r"[\\`*\[\]<>&|~#!$]|(?<![^\W_])_|_(?![^\W_])|@(?=\w)|:(?=//)|(?<=www)\.")
_QUIET: Final = re.compile(r"[^`|\\\r\n]+")


def prose(text: str) -> str:
    """Return `text` for a paragraph or a cell; white space of any kind becomes one space."""
    flat = " ".join(text.split())
    return _MARKUP.sub(lambda found: f"\\{found[0]}", flat)


def code(text: str) -> str:
    """Return `text` as code for a paragraph or a cell; empty for nothing."""
    flat = " ".join(text.split())
    if not flat:
        return ""
    if _QUIET.fullmatch(flat):
        return f"`{flat}`"
    return "<code>" + "".join(char if char.isalnum() or char == " " else f"&#{ord(char)};" for char in flat) + "</code>"


def codes(texts: Iterable[str]) -> str:
    """Return each text as code, one a line inside a cell."""
    return "<br>".join(map(code, texts))


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table and an empty line after it; none if there is no row.

    Cells are Markdown already. A row of another length than the head is a mistake of the caller: AssertionError.
    """
    body = [tuple(row) for row in rows]
    assert all(len(row) == len(head) for row in body), "a row has another length than the head"
    if not body:
        return []
    return [_line(head), _line(("---",) * len(head)), *map(_line, body), ""]


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"
