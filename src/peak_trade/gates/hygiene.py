"""What the characters of a page alone have wrong: local absolute paths, and what cannot be seen."""

import re
from collections.abc import Iterator
from typing import Final

from peak_trade.gates.read import split
from peak_trade.lang.source import Diagnostic, Span

LINE_FAULTS_MAX: Final = 5
"""How many characters of one kind are reported on one line."""
PATH_CHARS_MAX: Final = 120

_BIDI: Final = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"
_WIDTHLESS: Final = (
    "\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200d\\u2060-\\u2065\\u3164\\ufeff"
    "\\U000e0000-\\U000e007f"
)
_CONTROL: Final = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufff9-\\ufffb"
_HIDDEN: Final = re.compile(
    f"(?P<bidi>[{_BIDI}])|(?P<widthless>[{_WIDTHLESS}])|(?P<control>[{_CONTROL}])|(?P<alone>\\r(?!\\n))"
)
_CODES: Final = {
    "bidi": ("DG022", "bidirectional control"),
    "widthless": ("DG023", "zero-width character"),
    "control": ("DG021", "control character"),
    "alone": ("DG021", "carriage return without a line feed"),
}
_NAME: Final = r"[^\s/\\`'\"<>|)\]}*]"
_LOCAL: Final = re.compile(
    r"(?P<home>(?<![\w.~/%+})\]$-])/(?:home|Users)/" + _NAME + r"+|(?<![\w.~/%+})\]$-])/root(?![\w.-]))"
    r"|(?P<temporary>(?<![\w.~/%+})\]$-])/(?:tmp|var/tmp|var/folders|private/(?:tmp|var)|dev/shm)(?![\w.-]))"
    r"|(?P<mount>(?<![\w.~/%+})\]$-])/(?:mnt|media|Volumes|workspaces?)/" + _NAME + r"+)"
    r"|(?P<drive>(?<![\w%])[A-Zc-e]:(?:\\{1,2}|/(?!/))[\w$.][\w$.~-]+)"
    r"|(?P<address>\b[Ff][Ii][Ll][Ee]:/+[\w%.~])"
)
_ROOTS: Final = (
    *("/home", "/Users", "/root", "/tmp", "/var", "/private", "/dev/shm", "/mnt", "/media", "/Volumes"),  # noqa: S108 - looked for
    "/workspace",
)
"""Each path that `_LOCAL` finds holds one of these, a drive, or `file:`."""
_KINDS: Final = {
    "home": "a home folder",
    "temporary": "a temporary folder",
    "mount": "a mount of one machine",
    "drive": "a drive letter",
    "address": "a file address",
}
_REST: Final = re.compile(r"[^\s`'\"<>|)\]},;]*")


def faults(name: str, text: str) -> Iterator[Diagnostic]:
    """Yield what is wrong with the characters of the page called `name`; nothing iff it is clean.

    Limits: `~` and `$HOME` name no machine and pass; so do paths whose `/` is written as an entity.
    """
    hidden, local = _may_hide(text), _may_name(text)
    if not (hidden or local):
        return
    start = 0
    for number, line in enumerate(split(text), start=1):
        end = start + len(line)
        if hidden:
            yield from _hidden(name, number, line, alone=text[end : end + 2])
        if local:
            yield from _local(name, number, line)
        start = end + (2 if text.startswith("\r\n", end) else 1)


def _may_hide(text: str) -> bool:
    """Return false only if nothing in `text` is hidden; the expression is slow, and most pages are plain."""
    return not (text.isascii() and text.replace("\n", "").replace("\t", "").isprintable())


def _may_name(text: str) -> bool:
    """Return false only if `text` names no local path; as above."""
    drive = ":\\" in text or text.count(":/") != text.count("://")
    return drive or any(word in text for word in _ROOTS) or "file:" in text.lower()


def undecodable(name: str, raw: bytes, error: UnicodeDecodeError) -> Diagnostic:
    """Return the finding that the bytes of the page called `name` are not UTF-8, at the first that is not."""
    before = split(raw[: error.start].decode("utf-8", "replace"))
    excerpt = split(raw.decode("utf-8", "replace"))[len(before) - 1]
    message = f"byte 0x{raw[error.start]:02X} is not UTF-8"
    return Diagnostic("DG025", name, Span(len(before), len(before[-1]) + 1), message, "save the page as UTF-8", excerpt)


def _hidden(name: str, number: int, line: str, alone: str) -> Iterator[Diagnostic]:
    shown = line + "\r" if alone.startswith("\r") and not alone.startswith("\r\n") else line
    for count, found in enumerate(_HIDDEN.finditer(shown)):
        if count == LINE_FAULTS_MAX:
            return
        column, char = found.start() + 1, found[0]
        code, what = _CODES[str(found.lastgroup)]
        if char == "\ufeff" and (number, column) == (1, 1):
            code, what = "DG024", "byte order mark"
        yield Diagnostic(code, name, Span(number, column), f"{what} U+{ord(char):04X}", "delete it", line)


def _local(name: str, number: int, line: str) -> Iterator[Diagnostic]:
    for count, found in enumerate(_LOCAL.finditer(line)):
        if count == LINE_FAULTS_MAX:
            return
        rest = _REST.match(line, found.end())
        whole = (found[0] + (rest[0] if rest else ""))[:PATH_CHARS_MAX]
        message = f"`{whole}` is {_KINDS[str(found.lastgroup)]}"
        hint = "write the path from the root of the checkout"
        yield Diagnostic("DG020", name, Span(number, found.start() + 1, len(whole)), message, hint, line)
