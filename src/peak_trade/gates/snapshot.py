"""All gates, once, over the same reading of the pages."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from peak_trade.gates import git, templates
from peak_trade.gates.baseline import Debt, read_baseline, trend
from peak_trade.gates.errors import UnusableError
from peak_trade.gates.ignore import Ignored, read_ignored
from peak_trade.gates.page import Page
from peak_trade.gates.read import split
from peak_trade.gates.scan import Mapper, raw_text, scan, scan_file
from peak_trade.gates.scope import EVERYTHING, affected, mentioning
from peak_trade.gates.targets import Judge
from peak_trade.gates.tree import Tree, is_page, read_tree
from peak_trade.lang.source import Diagnostic

GATES: Final = ("targets", "tokens", "hygiene", "templates")
EXAMPLE: Final = "DG010"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one gate found: new findings, the old debt, the debt that is cured, and how many findings are ignored."""

    gate: str
    new: tuple[Diagnostic, ...]
    old: tuple[Diagnostic, ...] = ()
    cured: Counter[Debt] = field(default_factory=Counter)
    ignored: int = 0

    @property
    def passed(self) -> bool:
        """True iff nothing new was found."""
        return not self.new


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The outcome of each gate that was run, over how many pages, and whether these were all."""

    pages: int
    everything: bool
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """True iff every gate passed."""
        return all(outcome.passed for outcome in self.outcomes)

    @property
    def new(self) -> tuple[Diagnostic, ...]:
        """All new findings, in the order of files and lines."""
        found = (item for outcome in self.outcomes for item in outcome.new)
        return tuple(sorted(found, key=lambda item: (item.file, item.span, item.code, item.message)))


@dataclass(frozen=True, slots=True)
class _Checkout:
    """What the gates look at: the tree, the pages in scope, and what a change took away."""

    root: Path
    tree: Tree
    ignored: Ignored
    names: frozenset[str]
    gone: dict[str, str]
    pages: dict[str, Page]


def snapshot(root: Path, base: str = EVERYTHING, gates: Collection[str] = GATES, mapper: Mapper = map) -> Snapshot:
    """Run `gates` over the pages below `root`: all, or those that the change since `base` can have broken.

    UnusableError iff there is no page to look at, or git or a file of settings says nothing usable.
    Limits: PAGE_BYTES_MAX a page, FILES_MAX files, GIT_TIMEOUT_S a question to git; submodules are not entered.
    """
    here = _read(root, base, mapper)
    shown = _Lines(root)
    outcomes = []
    if "targets" in gates or "tokens" in gates:
        outcomes += [item for item in _references(here, shown, base) if item.gate in gates]
    if "hygiene" in gates:
        found = [item for page in here.pages.values() for item in page.faults]
        kept, ignored = _unmarked(here, found)
        outcomes.append(Outcome("hygiene", tuple(kept), ignored=ignored))
    if "templates" in gates:
        outcomes.append(Outcome("templates", tuple(templates.faults(_naming(here)))))
    return Snapshot(len(here.pages), base == EVERYTHING, tuple(outcomes))


def _read(root: Path, base: str, mapper: Mapper) -> _Checkout:
    tree, ignored = read_tree(root), read_ignored(root)
    names = frozenset(name for name in tree.files if is_page(name) and not ignored.page(name))
    if not names:
        raise UnusableError(
            "Markdown pages", f"none below {root}", "nothing checked is no pass; name a folder with --root"
        )
    change = git.change(root, base) if base != EVERYTHING else None
    wanted = names if change is None else affected(root, tree, names, change)
    gone = {} if change is None else _with_folders(change, tree)
    return _Checkout(root, tree, ignored, names, gone, scan(root, wanted, mapper))


def _with_folders(change: git.Change, tree: Tree) -> dict[str, str]:
    """Return what is gone, with the folders that are gone because nothing is left in them."""
    found = dict(change.gone)
    for path in change.gone:
        parent = path.rpartition("/")[0]
        while not tree.has(parent):
            found[parent] = ""
            parent = parent.rpartition("/")[0]
    return {path: new for path, new in found.items() if not tree.has(path)}


def _references(here: _Checkout, shown: "_Lines", base: str) -> Iterator[Outcome]:
    judge = Judge(here.tree, _Anchors(here), here.ignored, here.gone, lambda path: (here.root / path).exists())
    found = [shown.with_line(item) for page in here.pages.values() for item in judge.faults(page)]
    kept, _ = _unmarked(here, [item for item in found if item.code != EXAMPLE])
    tokens, _ = _unmarked(here, [item for item in found if item.code == EXAMPLE])
    ignored = Counter(item.code == EXAMPLE for item in found)

    def looked(name: str) -> bool:
        return base == EVERYTHING or name in here.pages or name not in here.names

    told = trend(kept, read_baseline(here.root) or Counter(), looked)
    yield Outcome("targets", told.new, told.old, told.cured, ignored[False] - len(kept))
    yield Outcome("tokens", tuple(tokens), ignored=ignored[True] - len(tokens))


def _unmarked(here: _Checkout, found: Iterable[Diagnostic]) -> tuple[list[Diagnostic], int]:
    """Return the findings that no marker covers, and how many one does."""
    items = list(found)
    kept = [item for item in items if not any(mark.covers(item) for mark in here.pages[item.file].content.markers)]
    return kept, len(items) - len(kept)


def _naming(here: _Checkout) -> dict[str, Page]:
    """Return the required pages and every page that may name one."""
    required = templates.SECTIONS.keys() & here.names
    ends = {name.rpartition("/")[2] for name in required}
    wanted = required | frozenset(mentioning(here.root, here.names, ends))
    return {name: here.pages.get(name) or scan_file((str(here.root), name)) for name in sorted(wanted)}


@dataclass(slots=True)
class _Anchors:
    """The anchors of each page; one that is not in scope is read when it is asked for."""

    here: _Checkout
    known: dict[str, Collection[str]] = field(default_factory=dict)

    def __call__(self, name: str) -> Collection[str]:
        if name not in self.known:
            page = self.here.pages.get(name) or scan_file((str(self.here.root), name))
            self.known[name] = page.content.anchors
        return self.known[name]


@dataclass(slots=True)
class _Lines:
    """The lines of the pages with findings, each page read once."""

    root: Path
    known: dict[str, list[str]] = field(default_factory=dict)

    def with_line(self, item: Diagnostic) -> Diagnostic:
        """Return the finding with its source line."""
        if item.file not in self.known:
            self.known[item.file] = split(raw_text(self.root, item.file).decode("utf-8", "replace"))
        lines = self.known[item.file]
        return replace(item, excerpt=lines[item.span.line - 1] if item.span.line <= len(lines) else "")
