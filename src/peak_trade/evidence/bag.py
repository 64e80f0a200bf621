"""A bag is intact iff every file in it is listed once and has the SHA-256 it is listed with.

Form: BagIt 1.0 (RFC 8493), written here because it is a few lines and the `bagit` package moves the files it packs and
dates the bag by the clock. `sha256sum -c manifest-sha256.txt` checks a payload without any of our code; the SHA-256 of
`tagmanifest-sha256.txt` stands for the whole bag and is what is noted elsewhere or signed.

Limits: `FILES_MAX` files with names of letters, digits and `_ . + -` and spaces; whoever can write the folder can make
a whole new bag, so note its digest or sign it. Empty folders and permissions are not part of a bag.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

DATA: Final = "data"
DECLARATION: Final = "bagit.txt"
INFO: Final = "bag-info.txt"
MANIFEST: Final = "manifest-sha256.txt"
TAGS: Final = "tagmanifest-sha256.txt"
SIGNATURE: Final = f"{TAGS}.sig"
FILES_MAX: Final = 10_000
MANIFEST_BYTES_MAX: Final = 4_000_000
WINDOW_BYTES: Final = 1 << 20
_DECLARED: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_NAME: Final = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+ -]{0,127}", re.ASCII)
_ROW: Final = re.compile(r"([0-9a-f]{64})  (\S.*)")

Content: TypeAlias = bytes | Path
"""What a file of the payload holds: these bytes, or a copy of that file."""

Kind: TypeAlias = Literal["changed", "missing", "extra", "malformed"]


class NotABag(ValueError):  # noqa: N818 - said of the folder that was given
    """The folder has no bag in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"expected a pack with {DECLARATION} and {MANIFEST}, was {folder}, which has neither")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One file that is not as the bag lists it; `file` is relative to the bag."""

    file: str
    kind: Kind
    expected: str
    was: str


def is_name(part: str) -> bool:
    """True iff a file of a payload may be called `part`."""
    return _NAME.fullmatch(part) is not None


def write(target: Path, payload: Mapping[str, Content], info: Mapping[str, str]) -> str:
    """Write a new bag at `target`, whole or not at all; return its digest. The same arguments give the same bytes.

    Raises:
        FileExistsError: `target` is there already.
        ValueError: there are too many files, or a name that no bag may have.
    """
    if target.exists():
        raise FileExistsError(f"expected a new folder, was {target}, which is there; give another tag or --out")
    bad = next((name for name in payload if not all(map(is_name, name.split("/")))), None)
    if bad is not None or len(payload) > FILES_MAX:
        raise ValueError(f"expected at most {FILES_MAX} files with plain names, was {bad or len(payload)!r}")
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    sizes = {name: _put(draft / DATA / name, content) for name, content in sorted(payload.items())}
    oxum = {"Payload-Oxum": f"{sum(sizes.values())}.{len(sizes)}"}
    lines = [f"{label}: {' '.join(value.split())}\n" for label, value in sorted((dict(info) | oxum).items())]
    _put(draft / DECLARATION, _DECLARED)
    _put(draft / INFO, "".join(lines).encode())
    _put(draft / MANIFEST, _listing(draft, [f"{DATA}/{name}" for name in sizes]))
    _put(draft / TAGS, _listing(draft, [DECLARATION, INFO, MANIFEST]))
    draft.replace(target)
    return digest(target)


def digest(folder: Path) -> str:
    """Return the SHA-256 that stands for the whole bag.

    Raises:
        FileNotFoundError: the bag has no tag manifest.
    """
    return sha256(folder / TAGS)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path) -> tuple[Flaw, ...]:
    """Return every file that is changed, missing, extra or malformed, by name; nothing iff the bag is intact.

    Raises:
        NotABag: there is neither declaration nor manifest.
    """
    if not (folder / DECLARATION).is_file() and not (folder / MANIFEST).is_file():
        raise NotABag(folder)
    found: list[Flaw] = []
    tags = _listed(folder, TAGS, found)
    files = _listed(folder, MANIFEST, found)
    unlisted = [name for name in (DECLARATION, INFO, MANIFEST) if name not in tags and (folder / TAGS).is_file()]
    found += [Flaw(TAGS, "malformed", f"a line for {name}", "none") for name in unlisted]
    for name, listed in (tags | files).items():
        found += _checked(folder, name, listed)
    declared = folder / DECLARATION
    if not found and declared.read_bytes() != _DECLARED:
        found.append(Flaw(DECLARATION, "malformed", "BagIt-Version 1.0 in UTF-8", "another declaration"))
    known = tags.keys() | files.keys() | {TAGS, SIGNATURE}
    found += [Flaw(name, "extra", "no such file", "a file") for name in _walk(folder) if name not in known]
    return tuple(sorted(found, key=lambda flaw: (flaw.file, flaw.kind)))


def _put(path: Path, content: Content) -> int:
    """Write one file durably; return its size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, file, WINDOW_BYTES)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _listing(folder: Path, names: list[str]) -> bytes:
    return "".join(f"{sha256(folder / name)}  {name}\n" for name in sorted(names)).encode()


def _listed(folder: Path, manifest: str, found: list[Flaw]) -> dict[str, str]:
    """Return the digest of each file that `manifest` lists; what is wrong with it goes to `found`."""
    try:
        with (folder / manifest).open("rb") as file:
            text = file.read(MANIFEST_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        found.append(Flaw(manifest, "missing", "a list of files", "no file"))
        return {}
    listed: dict[str, str] = {}
    lines = text.split("\n")  # and nothing else ends a line, as for sha256sum
    for number, line in enumerate(lines if lines[-1] else lines[:-1], 1):
        row = _ROW.fullmatch(line)
        if row is None or row[2] in listed or not _belongs(row[2], manifest):
            found.append(Flaw(manifest, "malformed", f"in line {number} a SHA-256 and a new path", repr(line[:200])))
        else:
            listed[row[2]] = row[1]
    return listed


def _belongs(name: str, manifest: str) -> bool:
    first, *rest = name.split("/")
    inside = first == DATA and bool(rest) if manifest == MANIFEST else first != DATA and not rest
    return inside and all(map(is_name, rest)) and is_name(first)


def _checked(folder: Path, name: str, listed: str) -> Iterator[Flaw]:
    path = folder / name
    if path.is_symlink() or (path.exists() and not path.is_file()):
        yield Flaw(name, "malformed", "a plain file", "a link or a folder")
        return
    try:
        was = sha256(path)
    except FileNotFoundError:
        yield Flaw(name, "missing", f"SHA-256 {listed}", "no file")
    except OSError as error:
        yield Flaw(name, "missing", f"SHA-256 {listed}", f"unreadable: {error.strerror}")
    else:
        if was != listed:
            yield Flaw(name, "changed", f"SHA-256 {listed}", f"SHA-256 {was}")


def _walk(folder: Path) -> Iterator[str]:
    """Yield the name of everything in the bag that is no plain folder; a link to a folder is not followed."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield (here / name).relative_to(folder).as_posix()
