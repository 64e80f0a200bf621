"""Where a text stands in a file, and what is wrong with it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches

DIAGNOSTICS_MAX = 300
"""How many diagnostics of one source are kept; one more says that there are others."""
WORD_CHARS_MAX = 64
LIST_WORDS_MAX = 12


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a source text: 1-based line and column, and how many characters it covers."""

    line: int
    column: int
    width: int = 1

    def shifted(self, columns: int, width: int) -> "Span":
        """Return the span `columns` further right on the same line, `width` characters wide."""
        return Span(self.line, self.column + columns, width)


NOWHERE = Span(1, 1, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """A named text; `name` is what a reader opens, usually a path."""

    name: str
    text: str

    def lines(self) -> list[str]:
        """Return the lines without their ends; only the line ends of YAML 1.2 count, not those of `str.splitlines`."""
        return re.split("\r\n|\r|\n", self.text)

    def line(self, number: int) -> str:
        """Return line `number` (1-based) without its end, empty beyond the last."""
        lines = self.lines()
        return lines[number - 1] if 0 < number <= len(lines) else ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake in a specification: a stable code, its place, what was found, and what to do.

    `hint` is a remedy in one sentence; it may be empty. `excerpt` is the source line. Equality
    leaves out the excerpt, which follows from the place.
    """

    code: str
    file: str
    span: Span
    message: str
    hint: str = ""
    excerpt: str = field(default="", compare=False)


@dataclass(slots=True)
class Findings:
    """Collects the diagnostics of one source; all are reported at once, none is raised.

    Limits: DIAGNOSTICS_MAX, after which one PT007 says that there are more.
    """

    source: Source
    items: list[Diagnostic] = field(default_factory=list)
    lines: list[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.lines = self.source.lines()

    @property
    def full(self) -> bool:
        """True iff no diagnostic is taken any more."""
        return len(self.items) > DIAGNOSTICS_MAX

    def add(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Record one diagnostic at `span`, with its source line."""
        if self.full:
            return
        if len(self.items) == DIAGNOSTICS_MAX:
            code, message = "PT007", f"more than {DIAGNOSTICS_MAX} mistakes; the rest is not shown"
            hint = "mend the first ones and check again"
        excerpt = self.lines[span.line - 1] if 0 < span.line <= len(self.lines) else ""
        item = Diagnostic(code, self.source.name, span, message, hint, excerpt)
        if item not in self.items:
            self.items.append(item)

    def at(self, span: Span) -> bool:
        """Return true iff some diagnostic is already placed where `span` begins."""
        return any((item.span.line, item.span.column) == (span.line, span.column) for item in self.items)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics in the order of the text, then of the code."""
        return tuple(sorted(self.items, key=lambda item: (item.file, item.span, item.code, item.message)))


def nearest(wrong: str, known: Collection[str]) -> str:
    """Return the known word most like `wrong`, or an empty text iff none is like it."""
    if len(wrong) > WORD_CHARS_MAX:
        return ""
    return next(iter(get_close_matches(wrong, sorted(known), n=1, cutoff=0.6)), "")


def suggestion(wrong: str, known: Collection[str]) -> str:
    """Return "did you mean `x`?" for the nearest known word, or the list of known words if it is short."""
    near = nearest(wrong, known)
    if near:
        return f"did you mean `{near}`?"
    if 0 < len(known) <= LIST_WORDS_MAX:
        return "known: " + ", ".join(f"`{word}`" for word in sorted(known))
    return ""


def shown(value: object) -> str:
    """Return how a message calls a value found in a file: the value itself, cut short, or its kind."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case _:
            word = str(value)
            return f"`{word}`" if len(word) <= WORD_CHARS_MAX else f"`{word[:WORD_CHARS_MAX]}…`"


def within(source: Source, start: Span, text: str, begin: int, end: int) -> Span:
    """Return the place of `text[begin:end]`, where `text` is the value of the YAML scalar that starts at `start`.

    The characters other than spaces stand in the source in the same order, whatever the scalar's style and however
    it is folded; only an escape in quotes breaks that, and then the place is the scalar's own.
    """
    places = _places(source, start, text)
    inside = [place for index, place in places if begin <= index < end]
    after = [place for index, place in places if index >= begin] or [place for _, place in places[-1:]]
    if not (inside or after):
        return start
    row, column = (inside or after)[0]
    last = (inside or after[:1])[-1]
    return Span(row + 1, column + 1, last[1] - column + 1 if last[0] == row else 1)


def _places(source: Source, start: Span, text: str) -> list[tuple[int, tuple[int, int]]]:
    lines, row, column = source.lines(), start.line - 1, start.column - 1
    first = lines[row][column : column + 1]
    row, column = (row + 1, 0) if first in ("|", ">") else (row, column + (first in ("'", '"')))
    found: list[tuple[int, tuple[int, int]]] = []
    for index, char in enumerate(text):
        if char.isspace():
            continue
        while row < len(lines) and (column >= len(lines[row]) or not _solid(lines[row][column])):
            row, column = (row, column + 1) if column < len(lines[row]) else (row + 1, 0)
        if row >= len(lines) or lines[row][column] != char:
            return []
        found.append((index, (row, column)))
        column += 1
    return found


def _solid(char: str) -> bool:
    return char.isprintable() and not char.isspace()
