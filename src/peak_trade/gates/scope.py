"""Which pages a change can break: those that it wrote, and those that name what it took away."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from peak_trade.gates.codes import IGNORE_FILE
from peak_trade.gates.git import Change
from peak_trade.gates.percent import encoded
from peak_trade.gates.scan import raw_text
from peak_trade.gates.tree import Tree, is_page


def affected(root: Path, tree: Tree, pages: Collection[str], change: Change) -> frozenset[str]:
    """Return those of `pages` in which `change` may have broken a reference; all iff it touched the ignore file.

    A page that names a file or folder that is gone counts, and one that may name an anchor of a page that was written.
    """
    if IGNORE_FILE in change.written or IGNORE_FILE in change.gone:
        return frozenset(pages)
    names = {part for path in change.gone for part in _lost(path, tree)}
    names |= {f"{_last(path)}#" for path in change.written if is_page(path)}
    mine = change.written & frozenset(pages)
    return mine | frozenset(mentioning(root, frozenset(pages) - mine, names))


def mentioning(root: Path, pages: Collection[str], names: Collection[str]) -> Iterator[str]:
    """Yield those of `pages` whose text holds one of `names`, as it is or as in an address; a page not read counts."""
    if not names:
        return
    spellings = {spelling for name in names for spelling in (name, encoded(name))}
    raw = [re.escape(item.encode("utf-8", "surrogateescape")) for item in sorted(spellings)]
    search = re.compile(b"|".join(raw)).search
    for page in sorted(pages):
        try:
            found = search(raw_text(root, page)) is not None
        except OSError:
            found = True
        if found:
            yield page


def _lost(path: str, tree: Tree) -> Iterator[str]:
    """Yield the name of `path` and of each folder that is gone with it."""
    yield _last(path)
    parent = path.rpartition("/")[0]
    while not tree.has(parent):
        yield _last(parent)
        parent = parent.rpartition("/")[0]


def _last(path: str) -> str:
    return path.rpartition("/")[2]


EVERYTHING: Final = ""
"""The base that means: all pages."""
