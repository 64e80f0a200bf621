"""The paths of a checkout: what a reference may lead to."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Final

from peak_trade.gates import git
from peak_trade.gates.errors import UnusableError
from peak_trade.gates.pattern import compiled

FILES_MAX: Final = 1_000_000
TAIL_SEGMENTS: Final = 2
SUFFIXES: Final = (".md", ".markdown")
NOT_OURS: Final = frozenset({".git", ".venv", "node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below a root and the folders that they make, as POSIX paths relative to it.

    `tails` finds a file by its last two segments, `folded` a path by its spelling in lower case.
    """

    files: frozenset[str]
    folders: frozenset[str]
    tails: Mapping[str, tuple[str, ...]]
    folded: Mapping[str, str]

    def has(self, path: str) -> bool:
        """Return true iff `path` is a file or a folder; the root is."""
        return path in self.files or path in self.folders

    def top(self, path: str) -> bool:
        """Return true iff the first segment of `path` is a folder."""
        return path.split("/", 1)[0] in self.folders

    def any(self, pattern: str) -> bool:
        """Return true iff some file or folder matches `pattern`."""
        fits = compiled(pattern.rstrip("/")).fullmatch
        return any(fits(path) for part in (self.files, self.folders) for path in part)

    def alike(self, path: str) -> tuple[str, ...]:
        """Return the files that end with the last two segments of `path`, or with all of them if it has fewer."""
        return self.tails.get(tail(path), ())

    def near(self, path: str) -> str:
        """Return the one path that `path` was probably meant to be, or an empty text."""
        if path.casefold() in self.folded:
            return self.folded[path.casefold()]
        if len(self.alike(path)) == 1:
            return self.alike(path)[0]
        parent = PurePosixPath(path).parent.as_posix()
        if parent not in self.folders:
            return ""
        siblings = [item for item in (*self.files, *self.folders) if item and _parent(item) == parent]
        return next(iter(get_close_matches(path, sorted(siblings), n=1, cutoff=0.8)), "")


def tail(path: str) -> str:
    """Return the last two segments of `path`."""
    return "/".join(path.rstrip("/").split("/")[-TAIL_SEGMENTS:])


def is_page(path: str) -> bool:
    """Return true iff `path` is a Markdown file."""
    return path.lower().endswith(SUFFIXES)


def grown(files: Collection[str]) -> Tree:
    """Return the tree of these files."""
    folders = {"", "."}
    for path in files:
        parent = _parent(path)
        while parent not in folders:
            folders.add(parent)
            parent = _parent(parent)
    tails = defaultdict(list)
    for path in sorted(files):
        tails[tail(path)].append(path)
    folded = {path.casefold(): path for path in (*sorted(folders), *sorted(files))}
    return Tree(frozenset(files), frozenset(folders), {key: tuple(paths) for key, paths in tails.items()}, folded)


def read_tree(root: Path) -> Tree:
    """Return the tree below `root`: git's, or what is on disk outside a checkout; UnusableError iff it is too large."""
    known = git.files(root)
    found = frozenset(_walked(root)) if known is None else known
    if len(found) > FILES_MAX:
        raise UnusableError(f"at most {FILES_MAX:,} files", f"{len(found):,}", "name a smaller folder with --root")
    return grown(found)


def _walked(root: Path) -> Iterable[str]:
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if name not in NOT_OURS)
        place = Path(folder).relative_to(root)
        for name in names:
            yield (place / name).as_posix()


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
