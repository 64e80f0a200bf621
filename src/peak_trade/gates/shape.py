"""Which inline code has the shape of a path, before anyone asks whether it exists."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

TOKEN_CHARS_MAX: Final = 300
SLASH: Final = "&#47;"
EXTENSIONS: Final = frozenset(
    """
    bat bib c cfg conf cpp css csv db diff dot env feather gif go gz h hpp html ico ini ipynb itf jinja jpeg
    jpg js json jsonl jsx key lock log mako markdown md mermaid mjs mmd parquet patch pdf pem pickle pkl png
    prom proto ps1 py pyi rs rst sarif sh smt2 sql sqlite svg tar tex toml ts tsv tsx txt typed wasm webp
    xlsx xml yaml yml zip zst
    """.split()  # noqa: SIM905 - so many words read best as words
)
_WHOLE: Final = re.compile(r"(?P<path>[^#:]+)(?:#(?P<anchor>[\w-][\w.-]*)|::[\w\[\]:.-]+|:\d+(?:[-:]\d+)*)?")
_SEGMENT: Final = re.compile(r"\.{1,3}|\N{HORIZONTAL ELLIPSIS}|\.?[\w*?][\w.@+=*?-]*")


@dataclass(frozen=True, slots=True)
class Shape:
    """A path as it is written, without what points into the file, and the anchor, if one is given."""

    path: str
    anchor: str = ""

    @property
    def known(self) -> bool:
        """True iff the last segment has an extension that files have."""
        return PurePosixPath(self.path.rstrip("/")).suffix[1:].lower() in EXTENSIONS

    @property
    def pattern(self) -> bool:
        """True iff it stands for more than one path."""
        return "*" in self.path or "?" in self.path


def shape(code: str) -> Shape | None:
    """Return the path that a piece of inline code has the shape of, or None: no `/`, a blank, an address, an option."""
    if "/" not in code or len(code) > TOKEN_CHARS_MAX:
        return None
    found = _WHOLE.fullmatch(code.replace(SLASH, "/"))
    if found is None:
        return None
    segments = found["path"].removesuffix("/").split("/")
    return Shape(found["path"], found["anchor"] or "") if all(map(_SEGMENT.fullmatch, segments)) else None
