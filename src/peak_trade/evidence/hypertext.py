"""Markdown of our own pages as HTML: headings can be linked to, tables have captions and scopes, and no markup gets in.

Of inline HTML only `<br>`, `<code>` and `</code>` are let through, which our Markdown writes in cells; comments are
left out, and every other tag is shown as the text that it is. Links go to places on the page, or where `links` says.
"""

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

ALLOWED: Final = frozenset({"<br>", "<code>", "</code>"})
_SLUG: Final = re.compile(r"[^\w\- ]")
Links = Callable[[str], str]
"""Gives for the address of a link the one that the page has; empty for none, and then only the text is shown."""


def nowhere(address: str) -> str:
    """Return the address of a link within the page, and nothing for every other."""
    return address if address.startswith("#") else ""


def html(text: str, links: Links = nowhere, title: bool = True) -> Markup:
    """Return the Markdown `text` as HTML; without its first heading unless `title`."""
    reader = _reader()
    tokens = reader.parse(text)
    _number(tokens)
    _tables(tokens)
    _link(tokens, links)
    if not title and tokens and tokens[_first(tokens)].tag == "h1":
        place = _first(tokens)
        tokens = tokens[:place] + tokens[place + 3 :]
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - escaped or allowed, see above


def inline(text: str) -> Markup:
    """Return a Markdown text of one paragraph or cell as HTML."""
    reader = _reader()
    tokens = reader.parseInline(text)
    _link(tokens, nowhere)
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - as above


def slug(text: str) -> str:
    """Return the place that a heading with this text is linked by, as on GitHub."""
    return _SLUG.sub("", text.strip().lower()).replace(" ", "-")


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.add_render_rule("html_inline", lambda _, tokens, at, *__: _allowed(tokens[at].content))
    reader.add_render_rule("html_block", lambda _, tokens, at, *__: _block(tokens[at].content))
    reader.add_render_rule("image", lambda _, tokens, at, *__: escape(tokens[at].content))
    reader.add_render_rule("table_open", _table)
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return reader


def _allowed(tag: str) -> str:
    return tag if tag in ALLOWED else escape(tag)


def _block(text: str) -> str:
    return "" if re.fullmatch(r"\s*<!--.*-->\s*", text, re.DOTALL) else f"<p>{escape(text)}</p>\n"


def _table(_: object, tokens: Sequence[Token], at: int, *__: object) -> str:
    said = escape(str(tokens[at].meta.get("said", "Table")))
    opened = f'<div class="scroll" tabindex="0" role="group" aria-label="{said}"><table>'
    return f'{opened}<caption class="unseen">{said}</caption>\n'


def _first(tokens: Sequence[Token]) -> int:
    return next((at for at, token in enumerate(tokens) if token.type == "heading_open"), 0)


def _number(tokens: Sequence[Token]) -> None:
    """Give each heading an id; equal ones are numbered."""
    seen: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        name = slug(_plain(tokens[at + 1]))
        count = seen.get(name, 0)
        seen[name] = count + 1
        token.attrSet("id", f"{name}-{count}" if count else name)


def _plain(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


def _tables(tokens: Sequence[Token]) -> None:
    """Name each table by the heading above it, and say of each heading cell what it heads."""
    heading, seen = "Table", dict[str, int]()
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = _plain(tokens[at + 1])
        elif token.type == "table_open":
            seen[heading] = seen.get(heading, 0) + 1
            token.meta["said"] = heading if seen[heading] == 1 else f"{heading}, table {seen[heading]}"
        elif token.type == "th_open":
            token.attrSet("scope", "col")
            if not _plain(tokens[at + 1]):
                token.type, token.tag = "td_open", "td"
                tokens[at + 2].type, tokens[at + 2].tag = "td_close", "td"
                del token.attrs["scope"]
            if "style" in token.attrs:
                del token.attrs["style"]
        elif token.type == "td_open" and tokens[at - 1].type == "tr_open":
            _head(tokens, at)


def _head(tokens: Sequence[Token], at: int) -> None:
    """Make the first cell of a row its heading, unless it says nothing."""
    token, content, close = tokens[at], tokens[at + 1], tokens[at + 2]
    if _plain(content):
        token.type, token.tag, close.type, close.tag = "th_open", "th", "th_close", "th"
        token.attrSet("scope", "row")


def _link(tokens: Sequence[Token], links: Links) -> None:
    """Send each link where it is to go, and make one that goes nowhere plain text."""
    for token in tokens:
        gone = False
        for child in token.children or ():
            if child.type == "link_open":
                address = links(str(child.attrGet("href") or ""))
                gone = not address
                child.attrSet("href", address)
            if gone and child.type in ("link_open", "link_close"):
                gone = child.type == "link_open"
                child.type, child.tag, child.content, child.nesting = "text", "", "", 0
