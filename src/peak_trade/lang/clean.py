"""A source text without what cannot be seen, so that reading can go on after saying so."""

from dataclasses import dataclass

from peak_trade.lang.source import Findings, Span

LINE_FINDINGS_MAX = 5
"""How many invisible characters of one line are reported."""


@dataclass(frozen=True, slots=True)
class Clean:
    """The text to read, and for each line that was changed the original column of each of its characters.

    `mended` is true iff an indentation was guessed: what goes wrong later may be due to that.
    """

    text: str
    columns: dict[int, list[int]]
    mended: bool

    def span(self, line: int, column: int) -> Span:
        """Return the place in the original text of a 0-based place in the clean one."""
        columns = self.columns.get(line)
        if columns is None:
            return Span(line + 1, column + 1)
        return Span(line + 1, columns[min(column, len(columns) - 1)] + 1)


def clean(findings: Findings) -> Clean:
    """Return the text to read; equal to the source iff no diagnostic names a character of it.

    An indentation with a tab is taken for the one that the line above asks for.
    """
    lines: list[str] = []
    columns: dict[int, list[int]] = {}
    margin, mended = "", False
    for number, line in enumerate(findings.lines):
        kept = _seen(findings, number, line)
        content = "".join(line[column] for column in kept).strip()
        tab = line[: len(line) - len(line.lstrip(" \t"))].find("\t")
        if tab >= 0 and content:
            findings.add("PT005", Span(number + 1, tab + 1), "a tab in the indentation", "use spaces")
            begin = len(line) - len(line.lstrip(" \t"))
            kept, mended = [begin] * len(margin) + [column for column in kept if column >= begin], True
            lines.append(margin + "".join(line[column] for column in kept[len(margin) :]))
            columns[number] = [*kept, len(line)]
        else:
            lines.append("".join(line[column] for column in kept))
            if len(kept) != len(line):
                columns[number] = [*kept, len(line)]
        if content and not content.startswith("#"):
            margin = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip(" "))] + "  " * content.endswith(":")
    return Clean("\n".join(lines), columns, mended)


def _seen(findings: Findings, number: int, line: str) -> list[int]:
    if line.isascii() and line.isprintable():
        return list(range(len(line)))
    kept, found = [], 0
    for column, char in enumerate(line):
        hidden = not (char.isprintable() or char == "\t")
        if (hidden or char == "\ufffd") and found < LINE_FINDINGS_MAX:
            found += 1
            what = (
                "no character at all: the file is not UTF-8" if char == "\ufffd" else "a character that cannot be seen"
            )
            findings.add("PT006", Span(number + 1, column + 1), f"{what}: U+{ord(char):04X}", "delete it")
        if not hidden:
            kept.append(column)
    return kept
