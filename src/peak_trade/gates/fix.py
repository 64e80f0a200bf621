"""The token policy's repair: exactly the tokens that were found, nothing else."""

from collections.abc import Iterable
from pathlib import Path

from peak_trade.gates.disk import replace
from peak_trade.gates.scan import raw_text
from peak_trade.gates.shape import SLASH
from peak_trade.lang.source import Diagnostic, Span

_ENDS = ("\r\n", "\r", "\n")


def fix(root: Path, found: Iterable[Diagnostic]) -> dict[str, int]:
    """Rewrite the tokens at the DG010 of `found` and return how many in each file; each file is replaced as a whole."""
    spans: dict[str, list[Span]] = {}
    for item in found:
        if item.code == "DG010":
            spans.setdefault(item.file, []).append(item.span)
    done = {}
    for name, places in sorted(spans.items()):
        text = raw_text(root, name).decode()
        replace(root / name, fixed(text, places).encode())
        done[name] = len(places)
    return done


def fixed(text: str, spans: Iterable[Span]) -> str:
    """Return `text` with each `/` at `spans` written as an entity; every other character stays, line ends included."""
    lines = _lines(text)
    for span in sorted(spans, reverse=True):
        line, begin = lines[span.line - 1], span.column - 1
        token = line[begin : begin + span.width]
        lines[span.line - 1] = line[:begin] + token.replace("/", SLASH) + line[begin + span.width :]
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """Return the lines with their ends, as the reader counts them."""
    found, start = [], 0
    while start < len(text):
        ends = [(at, end) for end in _ENDS if (at := text.find(end, start)) >= 0]
        if not ends:
            break
        at, end = min(ends, key=lambda item: (item[0], -len(item[1])))
        found.append(text[start : at + len(end)])
        start = at + len(end)
    return [*found, text[start:]]
