"""The digest of the package's own source: equal iff every module and template has the same bytes at the same place."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

SUFFIXES: Final = frozenset({".py", ".html", ".md"})


@cache
def code_sha256() -> str:
    """Return the SHA-256 over the names and digests of the package's files, in hex; read once in a process."""
    root = Path(__file__).resolve().parents[1]
    whole = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES):
        part = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{part}  {path.relative_to(root).as_posix()}\n".encode())
    return whole.hexdigest()
