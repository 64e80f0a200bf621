"""From text to plain data with the place of every node; YAML 1.2 without its dangerous parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from peak_trade.lang.clean import Clean, clean
from peak_trade.lang.source import Findings, Span, shown

FILE_BYTES_MAX = 256 * 1024
NESTING_MAX = 16
NODES_MAX = 50_000
INTEGER_DIGITS_MAX = 100

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The place of each value and each key by its path from the document's root."""

    values: dict[Path, Span]
    keys: dict[Path, Span]

    def at(self, path: Path) -> Span:
        """Return the place of the node at `path`, or of its nearest ancestor that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.values:
                return self.values[path[:end]]
        return Span(1, 1)

    def key(self, path: Path) -> Span:
        """Return the place of the key of the node at `path`; of the node itself in a list."""
        return self.keys.get(path) or self.at(path)

    def rename(self, old: Path, new: Path) -> None:
        """Let everything at and below `new` have the places of `old`."""
        for places in (self.values, self.keys):
            moved = {(*new, *path[len(old) :]): span for path, span in places.items() if path[: len(old)] == old}
            places.update(moved)


class _StopError(Exception):
    """Reading cannot go on; the diagnostic is made. Never leaves this module."""


def read(findings: Findings) -> tuple[Any, Marks] | None:
    """Return the data and marks of the source, or None iff a diagnostic says why it cannot be read."""
    found = glean(findings)
    return None if findings.items else found


def glean(findings: Findings) -> tuple[Any, Marks] | None:
    """Return what can be read of the source in spite of the mistakes that diagnostics name, None if nothing can.

    Limits: one document of at most FILE_BYTES_MAX bytes, NESTING_MAX levels, NODES_MAX nodes;
    no anchors, aliases, tags or directives, no repeated keys, no tab in an indentation.
    """
    if len(findings.source.text.encode("utf-8", "surrogatepass")) > FILE_BYTES_MAX:
        findings.add("PT002", Span(1, 1), f"expected at most {FILE_BYTES_MAX} bytes, was more", "split the machine")
        return None
    text = clean(findings)
    reader = _Reader(findings, text, iter(YAML(typ="safe", pure=True).parse(text.text)))
    try:
        return reader.document(), reader.marks
    except _StopError:
        pass
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = text.span(mark.line, mark.column) if mark else reader.place
        reader.broken(place, str(error.problem or error.context))
    except YAMLError as error:
        reader.broken(reader.place, (str(error).splitlines() or ["unreadable"])[0])
    except (ValueError, OverflowError):
        reader.broken(reader.place, "an escape after here stands for no character")
    return None


@dataclass(slots=True)
class _Reader:
    findings: Findings
    text: Clean
    events: Iterator[Event]
    marks: Marks = field(default_factory=lambda: Marks({}, {}))
    nodes: int = 0
    place: Span = field(default_factory=lambda: Span(1, 1))

    def broken(self, place: Span, problem: str) -> None:
        """Say that this is not YAML, unless a mended indentation may be why."""
        if not self.text.mended:
            self.findings.add("PT001", place, f"this is not YAML: {problem}", "see the line above it too")

    def document(self) -> Any:  # noqa: ANN401 - YAML holds any data
        next(self.events)
        start = self._next()
        if not isinstance(start, DocumentStartEvent):
            self.findings.add("PT001", Span(1, 1), "the file is empty", "start with `machine: name`")
            raise _StopError
        if start.version or start.tags:
            self.findings.add("PT001", Span(1, 1), "directives are not allowed", "delete the line that starts with %")
        data = self._node(self._next(), ())
        end = self._next()
        if not isinstance(end, DocumentEndEvent):
            self.broken(self.place, "expected the end of the document")
            raise _StopError
        if isinstance(self._next(), DocumentStartEvent):
            self.findings.add("PT001", self.place, "a second document begins here", "one machine a file")
        return data

    def _next(self) -> Event:
        event = next(self.events)
        self.place = self.text.span(event.start_mark.line, event.start_mark.column)
        return event

    def _node(self, event: Event, path: Path) -> Any:  # noqa: ANN401 - YAML holds any data
        self._admit(event, path)
        place, mark = self.place, event.start_mark
        self.marks.values[path] = place
        data: Any
        end: Event = event
        match event:
            case MappingStartEvent():
                data, end = self._mapping(path)
            case SequenceStartEvent():
                data, end = self._sequence(path)
            case ScalarEvent():
                data = self._scalar(event)
            case _:
                return None
        stop = end.end_mark
        whole = stop.line == mark.line and getattr(event, "flow_style", True)
        width = self.text.span(stop.line, stop.column).column - place.column if whole else 1
        self.marks.values[path] = Span(place.line, place.column, max(1, width))
        return data

    def _admit(self, event: Event, path: Path) -> None:
        self.nodes += 1
        if len(path) > NESTING_MAX or self.nodes > NODES_MAX:
            what = f"expected at most {NESTING_MAX} levels and {NODES_MAX} nodes, was more"
            self.findings.add("PT002", self.place, what, "split the machine")
            raise _StopError
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            self.findings.add("PT003", self.place, "anchors and aliases are not allowed", "write the value out")
        elif getattr(event, "tag", None) is not None:
            self.findings.add("PT003", self.place, "tags are not allowed", "write a plain value")

    def _sequence(self, path: Path) -> tuple[list[Any], Event]:
        result: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            result.append(self._node(event, (*path, len(result))))
        return result, event

    def _mapping(self, path: Path) -> tuple[dict[str, Any], Event]:
        result: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            key, place = self._key(event, path)
            spare: Path = (*path, "", "")  # nodes under a key that does not count have no place of their own
            if key is None:
                self.findings.add("PT001", place, "a key must be a plain word", "write `word: value`")
                self._node(self._next(), spare)
            elif key in result:
                first = self.marks.keys[*path, key].line
                message = f"the key {shown(key)} stands twice, first on line {first}"
                self.findings.add("PT004", place, message, "keep one of them")
                self._node(self._next(), spare)
            else:
                self.marks.keys[*path, key] = place
                result[key] = self._node(self._next(), (*path, key))
        return result, event

    def _key(self, event: Event, path: Path) -> tuple[str | None, Span]:
        place, spare = self.place, (*path, "", "")
        self._node(event, spare)
        if not isinstance(event, ScalarEvent):
            return None, place
        return str(event.value), self.marks.values[spare]

    def _scalar(self, event: ScalarEvent) -> bool | int | str | None:
        text = str(event.value)
        hidden = next((char for char in text if not (char.isprintable() or char == "\n")), "")
        if hidden:
            message = f"a character that cannot be seen: U+{ord(hidden):04X}"
            self.findings.add("PT006", self.place, message, "delete it")
        return plain_value(text) if event.implicit[0] else text


_TRUTH = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_WHOLE = re.compile(r"[-+]?[0-9]+")


def plain_value(text: str) -> bool | int | str | None:
    """Return what a plain scalar means: the core schema of YAML 1.2, with no floats and with decimal numbers only."""
    if text in _NOTHING:
        return None
    if len(text) <= INTEGER_DIGITS_MAX and _WHOLE.fullmatch(text):
        return int(text)
    return _TRUTH.get(text, text)
