"""Which file a request path names: one of an allowlist of names in a run folder, a page of the review, or nothing.

A path is compared as it was sent: it is never decoded, joined or normalised, so there is nothing to escape from. Links
are not followed.

Limits: at most RUNS_MAX run folders are found; a file of more than FILE_BYTES_MAX is not served; beside a review, a run
folder called REVIEW is not shown.
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
from peak_trade.evidence.site import INDEX
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
REVIEW: Final = "review"
"""Under this name the review site is shown."""
SITE: Final = "site"
"""The folder, beside what a run left or beside the runs, in which a review site is found."""
_RUN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PAGE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_~-]{0,127}\.html", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """What a path names: its media type and bytes, and whether what it has in it may run."""

    kind: str
    data: bytes
    scripts: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """The run folders in `folder`, or `folder` itself if it is one; and the review site in folder `site`, if any.

    Without a `site` it is SITE in `folder`, as soon as there is one.
    """

    folder: Path
    site: Path | None = None

    def runs(self) -> dict[str, Path]:
        """Return the run folders by name, in alphabetical order; a link is none."""
        taken = REVIEW if self.review() is not None else ""
        if _is_run(self.folder):
            name = self.folder.resolve().name
            return {name if _RUN.fullmatch(name) and name != taken else "run": self.folder}
        try:
            entries = sorted(entry.name for entry in os.scandir(self.folder) if entry.is_dir(follow_symlinks=False))
        except OSError:
            return {}
        named = (name for name in entries if _RUN.fullmatch(name) and name != taken and _is_run(self.folder / name))
        return {name: self.folder / name for _, name in zip(range(RUNS_MAX), named, strict=False)}

    def review(self) -> Path | None:
        """Return the folder of the review site, or None iff there is none; a link is none."""
        folder = self.site or self.folder / SITE
        return None if folder.is_symlink() or not _plain(folder / INDEX) else folder

    def find(self, path: str) -> Found | None:
        """Return what `path` names, or None: no reason is given, because a reason would say what is there."""
        if len(path) > PATH_CHARS_MAX:
            return None
        if path == "/":
            return Found(HTML, self.index().encode())
        parts = path.split("/")
        if len(parts) != 3 or parts[0] or not _RUN.fullmatch(parts[1]):
            return None
        site = self.review() if parts[1] == REVIEW else None
        if site is not None:
            return _page(site, parts[2] or INDEX)
        folder = self.runs().get(parts[1]) if parts[2] in KINDS else None
        data = _read(folder, parts[2]) if folder else None
        return None if data is None else Found(KINDS[parts[2]], data)

    def index(self) -> str:
        """Return the page that lists the runs and the files that each has."""
        rows = [(name, [file for file in KINDS if _plain(path / file)]) for name, path in self.runs().items()]
        review = f"/{REVIEW}/" if self.review() is not None else ""
        return sealed(environment().get_template("runs.html").render(rows=rows, page=PAGE, review=review))


def _page(site: Path, name: str) -> Found | None:
    data = _read(site, name) if _PAGE.fullmatch(name) else None
    return None if data is None else Found(HTML, data, scripts=True)


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
