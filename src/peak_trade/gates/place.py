"""Where the text of a block stands in the page: markdown-it gives lines, the columns follow from how it cuts them."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from peak_trade.lang.source import Span


@dataclass(frozen=True, slots=True)
class Block:
    r"""The text of a block, the 0-based line it begins on, and the column at which each of its lines begins.

    In a cell of a table, each `|` of the text is written `\|` in the page.
    """

    text: str
    first: int
    columns: Sequence[int]
    cell: bool = False

    def span(self, begin: int, end: int) -> Span:
        """Return the place of `text[begin:end]`, up to the end of the line on which it begins."""
        row = self.text.count("\n", 0, begin)
        start = self.text.rfind("\n", 0, begin) + 1
        stop = self.text.find("\n", begin)
        end = end if stop < 0 else min(end, stop)
        before = self.text.count("|", start, begin) if self.cell else 0
        within = self.text.count("|", begin, end) if self.cell else 0
        row = min(row, len(self.columns) - 1)
        return Span(self.first + row + 1, self.columns[row] + begin - start + before + 1, max(1, end - begin + within))


def block(token: Token, opening: Token, lines: Sequence[str], cells: MutableMapping[int, int]) -> Block:
    """Return the block of an inline `token`, whose `opening` says what it is; `cells` holds where each row was left."""
    assert token.map is not None
    first, text = token.map[0], token.content
    if opening.type in ("td_open", "th_open"):
        written = text.replace("|", "\\|")
        column = max(0, lines[first].find(written, cells.get(first, 0)))
        cells[first] = column + len(written)
        return Block(text, first, [column], cell=True)
    if opening.type == "heading_open" and opening.markup.startswith("#"):
        line = lines[first]
        return Block(text, first, [max(0, line.find(text, line.find(opening.markup) + len(opening.markup)))])
    return Block(text, first, [_column(lines[first + row], part) for row, part in enumerate(text.split("\n"))])


def _column(line: str, part: str) -> int:
    """Return where `part`, which runs to the end of the line, begins in it."""
    shown = line.rstrip()
    part = part.rstrip()
    return len(shown) - len(part) if shown.endswith(part) else max(0, line.find(part.strip()))
