"""The ignore file: which pages are not checked, and which targets need not exist."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from peak_trade.gates.codes import IGNORE_FILE
from peak_trade.gates.errors import UnusableError
from peak_trade.gates.pattern import matches


@dataclass(frozen=True, slots=True)
class Ignored:
    """Patterns of pages that are not checked, and of targets that are not looked for."""

    pages: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def page(self, name: str) -> bool:
        """Return true iff the page is not checked."""
        return any(matches(pattern, name) for pattern in self.pages)

    def target(self, path: str) -> bool:
        """Return true iff nobody asks whether `path` exists."""
        return any(matches(pattern, path) for pattern in self.targets)


def read_ignored(root: Path) -> Ignored:
    """Return what the ignore file below `root` says; UnusableError iff a line of it says nothing."""
    path = root / IGNORE_FILE
    return parsed(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else Ignored()


def parsed(lines: Iterable[str]) -> Ignored:
    """Return what the lines say: `page PATTERN` or `target PATTERN`; `#` begins a comment."""
    found: dict[str, list[str]] = {"page": [], "target": []}
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] not in found:
            raise UnusableError(
                "`page PATTERN` or `target PATTERN`", f"`{line.strip()}`", f"mend {IGNORE_FILE}:{number}"
            )
        found[words[0]].append(words[1])
    return Ignored(tuple(found["page"]), tuple(found["target"]))
