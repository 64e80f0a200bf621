"""markdown-it-py, with the place of each link, image, piece of code and tag in the text of its block."""

import re
from collections.abc import Callable, Iterator, MutableMapping
from functools import cache
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, backtick, html_inline, image, link
from markdown_it.token import Token

Rule = Callable[[StateInline, bool], bool]
_STOPS: Final = re.compile(r"[\\`\[\]!<\n]")
_RICH: Final = re.compile(r"[\\`\[<]")
_LABEL: Final = re.compile(r"(?<![\w\])])\[[^\[\]\n]+\]\[([^\W_][^\[\]\n]*[^\W\d_][^\[\]\n]*)\]")
UNDEFINED: Final = "undefined_label"


class _Verbatim(MarkdownIt):
    """Keeps the targets of links as they are written; encoding each and decoding it again takes time for nothing."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's interface
        """Return the target itself."""
        return url


@cache
def places() -> MarkdownIt:
    """Return a parser of blocks and of what refers to something; emphasis and entities stay text."""
    parser = _Verbatim("commonmark").enable("table")
    parser.disable(["emphasis", "entity", "balance_pairs", "fragments_join"])
    parser.inline.terminator_re = _STOPS
    rules: dict[str, tuple[Rule, str]] = {
        "backticks": (backtick, "code_inline"),
        "link": (link, "link_open"),
        "image": (image, "image"),
        "html_inline": (html_inline, "html_inline"),
    }
    for name, (rule, kind) in rules.items():
        parser.inline.ruler.at(name, _placed(rule, kind))
    return parser


@cache
def words() -> MarkdownIt:
    """Return a parser that reads a heading as a person does, with emphasis and entities."""
    return MarkdownIt("commonmark")


def blocks(text: str, env: MutableMapping[str, Any]) -> list[Token]:
    """Return the blocks of `text`; `env` takes the link definitions."""
    tokens: list[Token] = []
    parser = places()
    parser.block.parse(text, parser, env, tokens)
    return tokens


def inlines(content: str, env: MutableMapping[str, Any]) -> list[Token]:
    """Return the tokens in one block's text; those that refer to something carry `begin` and `end` in `meta`.

    A text with no character that could begin one gives none.
    """
    if not _RICH.search(content):
        return []
    tokens: list[Token] = []
    parser = places()
    parser.inline.parse(content, parser, env, tokens)
    return tokens


def spoken(content: str) -> str:
    """Return the text of a heading without its markup."""
    tokens: list[Token] = []
    words().inline.parse(content, words(), {}, tokens)
    return "".join(_spoken(tokens))


def _spoken(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak"):
            yield " "


def _placed(rule: Rule, kind: str) -> Rule:
    """Return `rule`, which also notes where its token stands; a link to an undefined label becomes a token too."""

    def noted(state: StateInline, silent: bool) -> bool:
        begin, count = state.pos, len(state.tokens)
        done = rule(state, silent)
        if silent:
            return done
        if done:
            token = next((item for item in state.tokens[count:] if item.type == kind), None)
            if token is not None:
                token.meta.update(begin=begin, end=state.pos)
        elif kind == "link_open" and (found := _LABEL.match(state.src, begin)):
            token = state.push(UNDEFINED, "", 0)
            token.content = found[1]
            token.meta.update(begin=begin, end=found.end())
        return done

    return noted
