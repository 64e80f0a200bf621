"""The merge gate: whatever a change touched is judged again, step by step, and nothing is loosened without a word.

A step passes iff it found nothing that fails it; no step is a pass of something that it did not look at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peak_trade.gates import git
from peak_trade.gates.errors import UnusableError
from peak_trade.gates.snapshot import snapshot
from peak_trade.gates.stops import severity
from peak_trade.gates.tree import is_page
from peak_trade.lang.assemble import is_system
from peak_trade.lang.source import Diagnostic, Span

SPECS: Final = "spec"
ENGINES: Final = tuple(f"src/peak_trade/{name}/" for name in ("lang", "backends", "proof"))
"""Where the code lies that decides what a specification means: a change there puts every specification in question."""

_DECLARES: Final = re.compile(r"^(machine|system)\s*:", re.MULTILINE)

PASSED, FAILED, UNDECIDED = 0, 1, 3
WORDS: Final = {PASSED: "PASS", FAILED: "FAIL", UNDECIDED: "UNKNOWN"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the gate: what it looked at and what it found."""

    name: str
    looked: tuple[str, ...]
    found: tuple[Diagnostic, ...] = ()

    @property
    def code(self) -> int:
        """FAILED iff an error was found, else UNDECIDED iff something was left open, else PASSED."""
        words = {severity(item.code) for item in self.found}
        return FAILED if "error" in words else UNDECIDED if "warning" in words else PASSED


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says about the change since `base`: one stage for each step that had something to look at."""

    base: str
    changed: tuple[str, ...]
    stages: tuple[Stage, ...]

    @property
    def found(self) -> tuple[Diagnostic, ...]:
        """All findings, in the order of files and lines."""
        items = {item for stage in self.stages for item in stage.found}
        return tuple(sorted(items, key=lambda item: (item.file, item.span, item.code, item.message)))

    @property
    def code(self) -> int:
        """FAILED iff a stage failed, else UNDECIDED iff a stage is, else PASSED."""
        codes = {stage.code for stage in self.stages}
        return FAILED if FAILED in codes else UNDECIDED if UNDECIDED in codes else PASSED


@dataclass(frozen=True, slots=True)
class Changed:
    """What differs between the fork from `base` and the files as they are; `before` is the old path of each new one."""

    root: Path
    base: str
    fork: str
    written: frozenset[str]
    gone: Mapping[str, str]
    everything: bool = False

    @classmethod
    def since(cls, root: Path, base: str, *, everything: bool = False) -> "Changed":
        """Return the change since `base`, new files included; UnusableError as `git.change`."""
        found = git.change(root, base)
        return cls(root, base, git.fork(root, base), found.written, found.gone, everything)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that was written or taken away, sorted."""
        return tuple(sorted({*self.written, *self.gone}))

    def specs(self) -> tuple[str, ...]:
        """Return the specifications to judge: those that changed, or all if what gives them their meaning did."""
        there = sorted(path.relative_to(self.root).as_posix() for path in (self.root / SPECS).glob("*.yaml"))
        mine = [path for path in there if path in self.written]
        if self.everything or any(path.startswith(ENGINES) for path in self.paths):
            mine = [path for path in there if path in self.written or _DECLARES.search(self.now(path) or "")]
        elif mine or self.removed():
            # A system is made of the others, so it is in question with each of them.
            mine = [path for path in there if path in mine or is_system(self.now(path) or "")]
        return tuple(mine)

    def removed(self) -> tuple[str, ...]:
        """Return the specifications that are gone and went nowhere else."""
        mine = (path for path, new in self.gone.items() if path.startswith(f"{SPECS}/") and not new)
        return tuple(sorted(path for path in mine if path.endswith(".yaml") and path.count("/") == 1))

    def now(self, path: str) -> str | None:
        """Return the text of `path` as it is, or None iff there is none."""
        place = self.root / path
        return place.read_text(encoding="utf-8", errors="replace").removeprefix("\ufeff") if place.is_file() else None

    def before(self, path: str) -> str | None:
        """Return the text of `path` at the fork, by the name that it had there, or None iff it is new."""
        was = next((old for old, new in self.gone.items() if new == path), path)
        data = git.content(self.root, self.fork, was)
        return None if data is None else data.decode("utf-8", "replace").removeprefix("\ufeff")

    def messages(self) -> tuple[str, ...]:
        """Return the messages of the commits since the fork."""
        return git.messages(self.root, self.fork)


def drift(change: Changed, expected: Iterable[tuple[str, str]]) -> Iterator[Stage]:
    """Yield the stage that compares generated files with `expected`, paths and texts; none iff there are none."""
    wanted = dict(expected)
    found = [_drifted(change.root, path, text) for path, text in sorted(wanted.items())]
    if wanted:
        yield Stage("drift", tuple(sorted(wanted)), tuple(item for item in found if item is not None))


def _drifted(root: Path, path: str, text: str) -> Diagnostic | None:
    place = root / path
    remedy = "./x generate, and commit what it writes"
    if not place.is_file():
        return Diagnostic("GATE008", path, Span(1, 1, 1), "expected a generated file, was none", remedy)
    was = place.read_text(encoding="utf-8", errors="replace").splitlines()
    now = text.splitlines()
    if was == now:
        return None
    row = next((number for number, pair in enumerate(zip(was, now, strict=False)) if pair[0] != pair[1]), None)
    line = min(len(was), len(now)) if row is None else row
    shown = was[line] if line < len(was) else ""
    message = f"line {line + 1} is not what would be generated now"
    return Diagnostic("GATE008", path, Span(line + 1, 1, max(1, len(shown))), message, remedy, shown)


def docs(change: Changed) -> Iterator[Stage]:
    """Yield the stage of the docs gates over what the change wrote or can have broken; none iff it touched no page.

    A path that is gone can break any page that names it, so then the gates look too.
    """
    pages = tuple(path for path in change.paths if is_page(path))
    if not (pages or change.gone or change.everything):
        return
    try:
        told = snapshot(change.root, "" if change.everything else change.base)
    except UnusableError as error:
        if error.expected == "Markdown pages":
            return
        raise
    yield Stage("docs", pages, told.new)
