"""From a page's text to what it refers to, with the place of each reference."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Final

from markdown_it.token import Token

from peak_trade.gates import markdown
from peak_trade.gates.anchors import anchors
from peak_trade.gates.page import Content, Kind, Marker, Reference
from peak_trade.gates.place import Block, block
from peak_trade.gates.shape import shape
from peak_trade.lang.source import Span

_BREAK: Final = re.compile("\r\n|\r|\n")
_FRONT: Final = re.compile(r"---[ \t]*")
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_MARKER: Final = re.compile(r"\s*docs-gates:\s*ignore\b([^:]*)")
_CODE: Final = re.compile(r"\bDG\d{3}\b")
_TAG: Final = re.compile(r"<([A-Za-z][\w-]*)\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE: Final = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_FOLLOWED: Final = {"href": Kind.LINK, "src": Kind.IMAGE, "srcset": Kind.IMAGE, "poster": Kind.IMAGE}


@dataclass(slots=True)
class _Reader:
    """Collects what one page says; `env` holds the link definitions that markdown-it found."""

    lines: list[str]
    env: dict[str, Any] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    markers: list[tuple[int, int, frozenset[str]]] = field(default_factory=list)
    fences: dict[int, int] = field(default_factory=dict)


def content(text: str) -> Content:
    """Return what the Markdown in `text` says: CommonMark with tables, the front matter left out.

    Limits: what stands in fences and in HTML comments refers to nothing; of HTML only quoted attributes are read.
    """
    reader = _Reader(split(text))
    tokens = markdown.blocks("\n".join(_body(reader.lines)), reader.env)
    cells: dict[int, int] = {}
    for index, token in enumerate(tokens):
        if token.type == "inline" and token.map is not None and token.content:
            _inline(reader, block(token, tokens[index - 1], reader.lines, cells), tokens[index - 1])
        elif token.type == "html_block" and token.map is not None:
            first, last = token.map
            raw = "\n".join(reader.lines[first:last])
            _html(reader, raw, Block(raw, first, [0] * (last - first)))
        elif token.type in ("fence", "code_block") and token.map is not None:
            reader.fences[token.map[0] + 1] = token.map[1]
    reader.references += _defined(reader.env, reader.lines)
    return Content(
        tuple(sorted(reader.references, key=lambda item: item.span)),
        frozenset(reader.given) | frozenset(anchors(reader.headings)),
        tuple(reader.headings),
        tuple(_markers(reader)),
    )


def split(text: str) -> list[str]:
    """Return the lines of `text` as Markdown counts them, without their ends."""
    return _BREAK.split(text)


def _body(lines: Sequence[str]) -> list[str]:
    """Return the lines as they are parsed: as many, the front matter empty, a byte order mark and NUL not there."""
    shown = [line.replace("\0", "\ufffd") for line in lines]
    shown[0] = shown[0].replace("\ufeff", " ", 1) if shown[0].startswith("\ufeff") else shown[0]
    if not _FRONT.fullmatch(shown[0]):
        return shown
    end = next((number for number, line in enumerate(shown) if number and _FRONT.fullmatch(line)), 0)
    return [""] * (end + 1) + shown[end + 1 :] if end else shown


def _inline(reader: _Reader, here: Block, opening: Token) -> None:
    tokens = markdown.inlines(here.text, reader.env)
    for token in tokens:
        if "begin" in token.meta:
            _reference(reader, token, here)
    if opening.type == "heading_open":
        rich = tokens or "_" in here.text or "*" in here.text or "&" in here.text
        reader.headings.append(markdown.spoken(here.text) if rich else here.text)


def _reference(reader: _Reader, token: Token, here: Block) -> None:
    begin, end = token.meta["begin"], token.meta["end"]
    match token.type:
        case "code_inline":
            if shape(token.content):
                at = here.text.index(token.content, begin)
                reader.references.append(Reference(Kind.CODE, token.content, here.span(at, at + len(token.content))))
        case "html_inline":
            _html(reader, here.text[begin:end], here, begin)
        case markdown.UNDEFINED:
            reader.references.append(Reference(Kind.LABEL, token.content, here.span(begin, end)))
        case _ if here.text[end - 1] == ")":
            image = token.type == "image"
            target = str(token.attrs["src" if image else "href"])
            kind = Kind.IMAGE if image else Kind.LINK
            reader.references.append(Reference(kind, target, here.span(begin, end)))
        case _:
            pass  # a link by its label: the definition is what can be wrong


def _html(reader: _Reader, raw: str, here: Block, begin: int = 0) -> None:
    """Read the comments and tags in `raw`, which stands at `begin` of the block."""
    for comment in _COMMENT.finditer(raw):
        if marker := _MARKER.match(comment[0][4:]):
            first, last = (here.span(begin + at, begin + at + 1).line for at in (comment.start(), comment.end() - 1))
            reader.markers.append((first, last, frozenset(_CODE.findall(marker[1]))))
    shown = _COMMENT.sub(lambda comment: " " * len(comment[0]), raw)
    for tag in _TAG.finditer(shown):
        for name, *values in ((item[1].lower(), item[2], item[3]) for item in _ATTRIBUTE.finditer(tag[2])):
            value = unescape(next((item for item in values if item is not None), ""))
            if name == "id" or (name == "name" and tag[1].lower() == "a"):
                reader.given.append(value)
            elif name in _FOLLOWED:
                span = here.span(begin + tag.start(), begin + tag.end())
                listed = [part.split()[0] for part in value.split(",") if part.split()]
                targets = listed if name == "srcset" else [value]
                reader.references += [Reference(_FOLLOWED[name], target, span) for target in targets]


def _defined(env: Mapping[str, Any], lines: Sequence[str]) -> Iterator[Reference]:
    """Yield the targets of link definitions; `[^1]: word` is a footnote."""
    for label, item in env.get("references", {}).items():
        if label.startswith("^"):
            continue
        number = item["map"][0]
        after = lines[number].find("]:") + 2
        column = after + len(lines[number][after:]) - len(lines[number][after:].lstrip())
        width = max(1, len(lines[number].rstrip()) - column)
        yield Reference(Kind.LINK, item["href"], Span(number + 1, column + 1, width))


def _markers(reader: _Reader) -> Iterator[Marker]:
    """Yield each marker with its reach: its own line and the next one, or the whole fence that begins there."""
    for first, last, codes in reader.markers:
        yield Marker(first, max(last + 1, reader.fences.get(last + 1, 0)), codes)
