"""The anchors of a page's headings, as GitHub makes them."""

import re
from collections.abc import Iterable, Iterator

_DROPPED = re.compile(r"[^\w\- ]")


def slug(heading: str) -> str:
    """Return the anchor of a heading's text: lower case, punctuation dropped, each space a `-`."""
    return _DROPPED.sub("", heading.strip().lower()).replace(" ", "-")


def anchors(headings: Iterable[str]) -> Iterator[str]:
    """Yield the anchor of each heading; one that was given before gets a number: `-1`, `-2` and so on."""
    given: dict[str, int] = {}
    for heading in headings:
        plain = slug(heading)
        anchor = plain
        while anchor in given:
            given[plain] += 1
            anchor = f"{plain}-{given[plain]}"
        given[anchor] = 0
        yield anchor
