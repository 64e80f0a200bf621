"""Which file a request path names: one of an allowlist of names, directly inside a run folder, or nothing at all.

A path is compared as it was sent: it is never decoded, joined or normalised, so there is nothing to escape from. Links
are not followed.

Limits: at most RUNS_MAX run folders are found; a file of more than FILE_BYTES_MAX is not served.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peak_trade.evidence.artifacts import CONFIG, EQUITY, MANIFEST, METRICS, TRADES
from peak_trade.evidence.policy import sealed
from peak_trade.journal.verify import JOURNAL
from peak_trade.watch.page import environment
from peak_trade.watch.seen import FOLDER
from peak_trade.watch.snapshot import (
    DRYRUN_HEALTH,
    DRYRUN_METRICS,
    DRYRUN_STATUS,
    HEALTH,
    PAGE,
    PROMETHEUS,
    STATUS,
)

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"
CSV: Final = "text/csv; charset=utf-8"
KINDS: Final = {
    PAGE: HTML,
    "report.html": HTML,
    HEALTH: "application/health+json",
    STATUS: JSON,
    PROMETHEUS: "text/plain; version=0.0.4; charset=utf-8",
    DRYRUN_HEALTH: "application/health+json",
    DRYRUN_STATUS: JSON,
    DRYRUN_METRICS: JSON,
    MANIFEST: JSON,
    CONFIG: JSON,
    METRICS: JSON,
    EQUITY: CSV,
    TRADES: CSV,
}
"""The only names that are served, with their media types; the journal itself is none of them."""

PATH_CHARS_MAX: Final = 200
RUNS_MAX: Final = 1_000
FILE_BYTES_MAX: Final = 64 << 20
_RUN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """What a path names: its media type and bytes."""

    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """The run folders in `folder`, or `folder` itself if it is one."""

    folder: Path

    def runs(self) -> dict[str, Path]:
        """Return the run folders by name, in alphabetical order; a link is none."""
        if _is_run(self.folder):
            name = self.folder.resolve().name
            return {name if _RUN.fullmatch(name) else "run": self.folder}
        try:
            entries = sorted(entry.name for entry in os.scandir(self.folder) if entry.is_dir(follow_symlinks=False))
        except OSError:
            return {}
        named = (name for name in entries if _RUN.fullmatch(name) and _is_run(self.folder / name))
        return {name: self.folder / name for _, name in zip(range(RUNS_MAX), named, strict=False)}

    def find(self, path: str) -> Found | None:
        """Return what `path` names, or None: no reason is given, because a reason would say what is there."""
        if len(path) > PATH_CHARS_MAX:
            return None
        if path == "/":
            return Found(HTML, self.index().encode())
        parts = path.split("/")
        if len(parts) != 3 or parts[0] or not _RUN.fullmatch(parts[1]) or parts[2] not in KINDS:
            return None
        folder = self.runs().get(parts[1])
        data = _read(folder, parts[2]) if folder else None
        return None if data is None else Found(KINDS[parts[2]], data)

    def index(self) -> str:
        """Return the page that lists the runs and the files that each has."""
        rows = [(name, [file for file in KINDS if _plain(path / file)]) for name, path in self.runs().items()]
        return sealed(environment().get_template("runs.html").render(rows=rows, page=PAGE))


def _is_run(folder: Path) -> bool:
    return _plain(folder / FOLDER / JOURNAL) or _plain(folder / CONFIG)


def _plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _read(folder: Path, name: str) -> bytes | None:
    """Return the bytes of a plain file directly in `folder`; None if it is none, a link, or too large."""
    try:
        with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as inside, _opened(name, os.O_RDONLY, inside) as handle:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES_MAX:
                return None
            with os.fdopen(os.dup(handle), "rb") as file:
                return file.read(FILE_BYTES_MAX)
    except OSError:
        return None


@contextmanager
def _opened(path: Path | str, flags: int, inside: int | None = None) -> Iterator[int]:
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=inside)
    try:
        yield handle
    finally:
        os.close(handle)
