"""What a piece of inline code means in a given checkout: nothing, a path that is there, a broken one, an example."""

import re
from collections.abc import Collection
from enum import Enum
from posixpath import dirname, join, normpath
from typing import Final

from peak_trade.gates.shape import Shape
from peak_trade.gates.tree import Tree

_STANDIN: Final = re.compile(
    r"[A-Z]{1,20}(?:\.\w+)?|\.{3}|\N{HORIZONTAL ELLIPSIS}|.*(?:YYYY|HHMM|\N{HORIZONTAL ELLIPSIS}).*"
    r"|(?:your|my)[-_].*|(?:foo|bar|baz|example)(?:\.\w+)?"
)
_WRITTEN_LARGE: Final = frozenset(
    """
    AUTHORS CHANGELOG CITATION CODEOWNERS CONTRIBUTING INDEX INSTALL LICENSE MAKEFILE MANIFEST NEWS NOTICE
    README RUNBOOK SECURITY SUMMARY VERSION
    """.split()  # noqa: SIM905 - so many words read best as words
)


class Meaning(Enum):
    """PLAIN is no path at all; PRESENT exists; MISSING claims to; ILLUSTRATIVE is an example and must be written so."""

    PLAIN = "plain"
    PRESENT = "present"
    MISSING = "missing"
    ILLUSTRATIVE = "illustrative"


def places(path: str, page: str) -> tuple[str, ...]:
    """Return the paths from the root that `path` on the page called `page` may mean: from the root, from the page."""
    found = (normpath(path), normpath(join(dirname(page), path)))
    return tuple(dict.fromkeys(item for item in found if item.split("/", 1)[0] != ".."))


def meaning(shape: Shape, page: str, tree: Tree, gone: Collection[str] = ()) -> Meaning:
    """Return what `shape` on the page called `page` means; `gone` are the paths that the change at hand took away.

    Whatever may be a misspelt or outdated reference is MISSING, never ILLUSTRATIVE: an example is rewritten without
    asking, and that must not hide a broken reference.
    """
    found = places(shape.path, page)
    if any(tree.any(path) if shape.pattern else tree.has(path) for path in found):
        return Meaning.PRESENT
    if any(path in gone for path in found):
        return Meaning.MISSING
    ours = any(tree.top(path) for path in found[:1])
    if not ours and (not shape.known or _host(shape.path)):
        return Meaning.PLAIN
    if any(map(_stands_in, shape.path.split("/"))):
        return Meaning.ILLUSTRATIVE
    return Meaning.MISSING if ours or tree.alike(shape.path) else Meaning.ILLUSTRATIVE


def _stands_in(segment: str) -> bool:
    """Return true iff the segment stands for others: NAME, `...`, YYYYMMDD, your-file; README is a name."""
    return _STANDIN.fullmatch(segment) is not None and segment.partition(".")[0] not in _WRITTEN_LARGE


def _host(path: str) -> bool:
    """Return true iff the path begins as an address without its scheme does."""
    return "." in path.split("/", 1)[0].strip(".")
