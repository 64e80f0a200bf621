"""Diagnostics as text for a person, and as JSON, GitHub annotations, SARIF and JUnit for programs. Pure functions."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from unicodedata import combining, east_asian_width
from xml.etree import ElementTree as ET

import rich_click as click

from peak_trade.cli.catalogue import CODES
from peak_trade.lang.source import Diagnostic

FORMATS: Final = ("text", "json", "github", "sarif", "junit")
SCHEMA_VERSION: Final = 1
EXCERPT_CHARS_MAX: Final = 160


def render(found: Sequence[Diagnostic], style: str, files: Iterable[str], *, colour: bool = False) -> str:
    """Return `found`, the diagnostics of `files`, in the format `style`, one of FORMATS."""
    match style:
        case "json":
            return document(found)
        case "github":
            return github(found)
        case "sarif":
            return sarif(found)
        case "junit":
            return junit(found, files)
        case _:
            return text(found, colour=colour)


def text(found: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Return each diagnostic as `file:line:column: CODE message`, its line with carets, and its remedy."""
    return "\n".join(_shown(item, colour=colour) for item in found)


def _shown(item: Diagnostic, *, colour: bool) -> str:
    def paint(words: str, **style: Any) -> str:  # noqa: ANN401 - click's styles
        return click.style(words, **style) if colour else words

    place = f"{item.file}:{item.span.line}:{item.span.column}:"
    lines = [f"{paint(_visible(place), bold=True)} {paint(item.code, fg='red', bold=True)} {_visible(item.message)}"]
    if item.excerpt.strip():
        line, carets = _underlined(item)
        lines += [f"    {line}", f"    {paint(carets, fg='red', bold=True)}"]
    if item.hint:
        lines.append(f"  {paint('help:', fg='cyan')} {_visible(item.hint)}")
    return "\n".join(lines)


def _underlined(item: Diagnostic) -> tuple[str, str]:
    """Return the part of the source line to show and the carets below it; a tab is one space wide."""
    line, begin = _visible(item.excerpt.replace("\t", " ")), item.span.column - 1
    end = min(begin + item.span.width, max(len(line), begin + 1))
    cut = max(0, min(begin - EXCERPT_CHARS_MAX // 4, len(line) - EXCERPT_CHARS_MAX))
    shown = line[cut : cut + EXCERPT_CHARS_MAX]
    mark, stop = begin - cut, min(end - cut, EXCERPT_CHARS_MAX)
    before, under = _cells(shown[:mark]) + max(0, mark - len(shown)), max(1, _cells(shown[mark:stop]))
    left, right = "…" if cut else "", "…" if cut + EXCERPT_CHARS_MAX < len(line) else ""
    return f"{left}{shown}{right}", " " * (len(left) + before) + "^" * under


def _cells(words: str) -> int:
    """Return how many columns of a terminal `words` take."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in words)


def _visible(words: str) -> str:
    """Return `words` with a mark in place of each character that a terminal might obey instead of showing."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in words)


def document(found: Iterable[Diagnostic], **facts: Any) -> str:  # noqa: ANN401 - JSON data
    """Return one JSON document with the diagnostics and whatever `facts` go with them; keys are sorted."""
    items = [
        {
            "code": item.code,
            "title": CODES[item.code].title,
            "file": item.file,
            "line": item.span.line,
            "column": item.span.column,
            "width": item.span.width,
            "message": item.message,
            "help": item.hint,
        }
        for item in found
    ]
    return json.dumps({"schema_version": SCHEMA_VERSION, "diagnostics": items, **facts}, sort_keys=True, indent=2)


def github(found: Iterable[Diagnostic]) -> str:
    """Return one workflow command a diagnostic, which GitHub shows on the line of a pull request."""
    return "\n".join(_annotation(item) for item in found)


def _annotation(item: Diagnostic) -> str:
    def data(words: object) -> str:
        return str(words).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def value(words: object) -> str:
        return data(words).replace(":", "%3A").replace(",", "%2C")

    end = item.span.column + item.span.width
    place = f"file={value(item.file)},line={item.span.line},col={item.span.column},endColumn={end}"
    message = f"{item.code} {item.message}" + (f"\nhelp: {item.hint}" if item.hint else "")
    return f"::error {place},title={value(f'{item.code} {CODES[item.code].title}')}::{data(message)}"


def sarif(found: Iterable[Diagnostic]) -> str:
    """Return a SARIF 2.1.0 log; its rules are the whole catalogue, its URIs are relative to the repository."""
    order = {code: index for index, code in enumerate(sorted(CODES))}
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].title},
            "fullDescription": {"text": CODES[code].explanation},
        }
        for code in order
    ]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "peak", "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, order[item.code]) for item in found],
            }
        ],
    }
    return json.dumps(log, sort_keys=True, indent=2)


def _result(item: Diagnostic, index: int) -> dict[str, Any]:
    start = item.span
    region = {"startLine": start.line, "startColumn": start.column, "endColumn": start.column + start.width}
    identity = f"{item.code}\n{item.file}\n{item.excerpt.strip()}\n{item.message}"
    relative = not item.file.startswith("/")
    artifact = {"uri": _uri(item.file)} | ({"uriBaseId": "%SRCROOT%"} if relative else {})
    return {
        "ruleId": item.code,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": item.message + (f" Help: {item.hint}." if item.hint else "")},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "partialFingerprints": {"peak/v1": hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()},
    }


def _uri(path: str) -> str:
    """Return `path` as a URI reference (RFC 3986); written here because nothing in the project imports `urllib`."""
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/"
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in path.encode("utf-8", "replace"))


def junit(found: Sequence[Diagnostic], files: Iterable[str]) -> str:
    """Return a JUnit document: a suite for each file, a failed case for each diagnostic, a passed one if none."""
    root = ET.Element("testsuites", name="peak check", failures=str(len(found)))
    names = dict.fromkeys([*files, *(item.file for item in found)])
    for name in names:
        mine = [item for item in found if item.file == name]
        count = str(max(1, len(mine)))
        label = _visible(name)
        suite = ET.SubElement(root, "testsuite", name=label, tests=count, failures=str(len(mine)))
        if not mine:
            ET.SubElement(suite, "testcase", classname=label, name="specification")
        for item in mine:
            place = f"{item.code} {item.span.line}:{item.span.column}"
            case = ET.SubElement(suite, "testcase", classname=label, name=place)
            failure = ET.SubElement(case, "failure", type=item.code, message=_visible(item.message))
            failure.text = text([item])
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)
