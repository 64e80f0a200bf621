"""What the gates know of one Markdown page. Values only."""

from dataclasses import dataclass
from enum import Enum

from peak_trade.lang.source import Diagnostic, Span


class Kind(Enum):
    """How a page refers to something."""

    LINK = "link"
    IMAGE = "image"
    CODE = "code"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a page names, as it is written there, and where; the span of CODE covers exactly `target`."""

    kind: Kind
    target: str
    span: Span


@dataclass(frozen=True, slots=True)
class Marker:
    """The lines `first` to `last` on which the findings with one of `codes`, or all if there are none, are ignored."""

    first: int
    last: int
    codes: frozenset[str]

    def covers(self, item: Diagnostic) -> bool:
        """Return true iff the finding is one that this marker ignores."""
        return self.first <= item.span.line <= self.last and (not self.codes or item.code in self.codes)


@dataclass(frozen=True, slots=True)
class Content:
    """What the Markdown of a page says: references in the order of the text, anchors, headings, markers."""

    references: tuple[Reference, ...] = ()
    anchors: frozenset[str] = frozenset()
    headings: tuple[str, ...] = ()
    markers: tuple[Marker, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its path, its content, and what its characters alone have wrong."""

    name: str
    content: Content
    faults: tuple[Diagnostic, ...] = ()
