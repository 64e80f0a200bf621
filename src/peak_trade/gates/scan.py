"""From the file of a page to what the gates know of it. A page knows nothing of the others: many are read at once."""

from collections.abc import Callable, Iterable, Sequence
from errno import ENOENT
from pathlib import Path
from typing import Final, TypeAlias

from peak_trade.gates import hygiene
from peak_trade.gates.page import Content, Page
from peak_trade.gates.read import content
from peak_trade.lang.source import NOWHERE, Diagnostic

PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
Mapper: TypeAlias = Callable[[Callable[[tuple[str, str]], Page], Sequence[tuple[str, str]]], Iterable[Page]]
"""`map`, or the `map` of any `concurrent.futures.Executor`."""


def scan(root: Path, names: Iterable[str], mapper: Mapper = map) -> dict[str, Page]:
    """Return what the pages called `names` below `root` say, by name."""
    return {page.name: page for page in mapper(scan_file, [(str(root), name) for name in sorted(names)])}


def scan_file(place: tuple[str, str]) -> Page:
    """Return what the page at (root, name) says; a page that cannot be read has that as its one fault."""
    root, name = place
    try:
        raw = raw_text(Path(root), name)
    except OSError as error:
        return Page(name, Content(), (Diagnostic("DG026", name, NOWHERE, f"cannot be read: {error.strerror}"),))
    if len(raw) > PAGE_BYTES_MAX:
        hint = "split the page, or name it in the ignore file"
        return Page(name, Content(), (Diagnostic("DG026", name, NOWHERE, "larger than 4 MiB", hint),))
    return scan_text(name, raw)


def scan_text(name: str, raw: bytes) -> Page:
    """Return what the bytes of the page called `name` say."""
    broken: list[Diagnostic] = []
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        text, broken = raw.decode("utf-8", "replace"), [hygiene.undecodable(name, raw, error)]
    return Page(name, content(text), (*broken, *hygiene.faults(name, text)))


def raw_text(root: Path, name: str) -> bytes:
    """Return the bytes of a page, at most one more than the limit; OSError iff it cannot be read or is no file."""
    path = root / name
    if not path.is_file():
        raise FileNotFoundError(ENOENT, "no regular file", name)
    with path.open("rb") as file:
        return file.read(PAGE_BYTES_MAX + 1)
