"""A page may style and run only what is written in it: its policy names each such text by its hash, and allows no more.

What is hashed is what a browser hashes: the text between the tags, as it stands. Attributes that style are not allowed,
so a picture gives its size by an attribute of its own.
"""

import base64
import hashlib
import re
from typing import Final

PLACE: Final = "POLICY-OF-THIS-PAGE"
"""What a template writes where its policy is to be."""

NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'"
_SHEET: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_SCRIPT: Final = re.compile(r"<script(?: type=\"module\")?>(.*?)</script>", re.DOTALL)
WIDE_PX: Final = 1800
_STYLED: Final = re.compile(r'(<svg[^>]*?) width="100%"([^>]*?) style="max-width:(\d+)px;height:auto"')


def sealed(page: str) -> str:
    """Return `page` with its policy where the template left PLACE."""
    return page.replace(PLACE, policy(page), 1)


def policy(page: str, *, scripts: bool = True) -> str:
    """Return the policy under which `page` works: its own style sheets, its own script if allowed, and nothing else."""
    return f"{NOTHING}; style-src {_allowed(_SHEET, page)}; script-src {_allowed(_SCRIPT, page if scripts else '')}"


def bare(picture: str) -> str:
    """Return an SVG as a part of a page: without its first comment, and as wide as it wants to be by an attribute."""
    return _STYLED.sub(r'\1 width="\3"\2', picture.partition("-->")[2] or picture, count=1)


def wide(picture: str) -> bool:
    """Return true iff an SVG wants to be wider than WIDE_PX: made to fit a page, its text would be too small."""
    found = _STYLED.search(picture)
    return found is not None and int(found[3]) > WIDE_PX


def digest(text: str) -> str:
    """Return what a policy calls a text that may stand in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _allowed(pattern: re.Pattern[str], page: str) -> str:
    return " ".join(sorted({digest(text) for text in pattern.findall(page)})) or "'none'"
