"""Where a text stands in a file, and what is wrong with it."""

from dataclasses import dataclass, field
from difflib import get_close_matches


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

    def line(self, number: int) -> str:
        """Return line `number` (1-based) without its end, empty beyond the last."""
        lines = self.text.splitlines()
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
    """Collects the diagnostics of one source; all are reported at once, none is raised."""

    source: Source
    items: list[Diagnostic] = field(default_factory=list)

    def add(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Record one diagnostic at `span`, with its source line."""
        item = Diagnostic(code, self.source.name, span, message, hint, self.source.line(span.line))
        if item not in self.items:
            self.items.append(item)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics in the order of the text, then of the code."""
        return tuple(sorted(self.items, key=lambda item: (item.file, item.span, item.code, item.message)))


def suggestion(wrong: str, known: "tuple[str, ...] | list[str] | set[str] | frozenset[str]") -> str:
    """Return "did you mean `x`?" for the nearest known word, or the list of known words if it is short."""
    near = get_close_matches(wrong, sorted(known), n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    if 0 < len(known) <= 12:
        return "known: " + ", ".join(f"`{word}`" for word in sorted(known))
    return ""
