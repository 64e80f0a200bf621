"""Where a value stands in a JSON text: the line of the node at a path."""

import json
import re
from collections.abc import Sequence
from typing import Final

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_decode: Final = json.JSONDecoder().raw_decode


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Return the line, from 1, of the node at `path` in the JSON `text`, or of its nearest ancestor that is there."""
    at = _blank(text, 0)
    for step in path:
        found = _member(text, at, step) if isinstance(step, str) else _element(text, at, step)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


def _member(text: str, at: int, name: str) -> int | None:
    """Return where the value of `name` begins in the object at `at`, the last one if it stands there twice."""
    found = None
    if text[at] != "{":
        return None
    at = _blank(text, at + 1)
    while text[at] != "}":
        key, at = _decode(text, at)
        at = _blank(text, _blank(text, at) + 1)
        found = at if key == name else found
        at = _next(text, at)
    return found


def _element(text: str, at: int, index: int) -> int | None:
    """Return where the element `index` begins in the array at `at`."""
    if text[at] != "[":
        return None
    at = _blank(text, at + 1)
    while index and text[at] != "]":
        at = _next(text, at)
        index -= 1
    return at if text[at] != "]" else None


def _next(text: str, at: int) -> int:
    """Return where the node after the value at `at` begins, or where the array or object ends."""
    at = _blank(text, _decode(text, at)[1])
    return _blank(text, at + 1) if text[at] == "," else at


def _blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
