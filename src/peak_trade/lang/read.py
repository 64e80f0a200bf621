"""From text to plain data with the place of every node; YAML 1.2 without its dangerous parts."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from peak_trade.lang.source import Findings, Span

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


def read(findings: Findings) -> tuple[Any, Marks] | None:
    """Return the data and marks of the source, or None iff a diagnostic says why it cannot be read.

    Limits: one document of at most FILE_BYTES_MAX bytes, NESTING_MAX levels, NODES_MAX nodes;
    no anchors, aliases or tags, no repeated keys, no tab in an indentation.
    """
    if not _plain_text(findings):
        return None
    yaml = YAML(typ="safe", pure=True)
    try:
        if not _plain_events(yaml, findings):
            return None
        root = yaml.compose(findings.source.text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Span(mark.line + 1, mark.column + 1) if mark else Span(1, 1)
        findings.add("PT001", place, f"this is not YAML: {error.problem or error.context}", "see the line above it too")
        return None
    except YAMLError as error:
        findings.add("PT001", Span(1, 1), f"this is not YAML: {str(error).splitlines()[0]}")
        return None
    if root is None:
        findings.add("PT001", Span(1, 1), "the file is empty", "start with `machine: name`")
        return None
    marks = Marks({}, {})
    data = _build(root, (), marks, findings)
    return data, marks


def _plain_text(findings: Findings) -> bool:
    text = findings.source.text
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > FILE_BYTES_MAX:
        findings.add("PT002", Span(1, 1), f"expected at most {FILE_BYTES_MAX} bytes, was {size}", "split the machine")
    for number, line in enumerate(text.splitlines(), 1):
        margin = line[: len(line) - len(line.lstrip())]
        if "\t" in margin:
            findings.add("PT005", Span(number, margin.index("\t") + 1), "a tab in the indentation", "use spaces")
        for column, char in enumerate(line, 1):
            if not (char.isprintable() or char in "\t "):
                message = f"a character that cannot be seen: U+{ord(char):04X}"
                findings.add("PT006", Span(number, column), message, "delete it")
    return not findings.items


def _plain_events(yaml: YAML, findings: Findings) -> bool:
    depth = nodes = 0
    for event in yaml.parse(findings.source.text):
        place = Span(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            findings.add("PT003", place, "anchors and aliases are not allowed", "write the value out")
        elif isinstance(event, NodeEvent) and getattr(event, "tag", None) is not None:
            findings.add("PT003", place, "tags are not allowed", "write a plain value")
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        nodes += isinstance(event, NodeEvent)
        if depth > NESTING_MAX or nodes > NODES_MAX:
            findings.add("PT002", place, f"expected at most {NESTING_MAX} levels and {NODES_MAX} nodes, was more")
            return False
    return not findings.items


def _span(node: Node) -> Span:
    start, end = node.start_mark, node.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Span(start.line + 1, start.column + 1, max(1, width))


def _build(node: Node, path: Path, marks: Marks, findings: Findings) -> Any:  # noqa: ANN401 - YAML holds any data
    marks.values[path] = _span(node)
    match node:
        case MappingNode():
            return _mapping(node, path, marks, findings)
        case SequenceNode():
            return [_build(item, (*path, index), marks, findings) for index, item in enumerate(node.value)]
        case ScalarNode():
            return _scalar(node)


def _mapping(node: MappingNode, path: Path, marks: Marks, findings: Findings) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, place = str(key_node.value), _span(key_node)
        if not isinstance(key_node, ScalarNode):
            findings.add("PT001", place, "a key must be a plain word", "write `word: value`")
            continue
        if key in result:
            first = marks.keys[*path, key].line
            findings.add("PT004", place, f"the key `{key}` stands twice, first on line {first}", "keep one of them")
            continue
        marks.keys[*path, key] = place
        result[key] = _build(value_node, (*path, key), marks, findings)
    return result


_TRUTH = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}


def _scalar(node: ScalarNode) -> bool | int | str | None:
    kind = node.tag.rpartition(":")[2] if isinstance(node.tag, str) else str(node.tag).rpartition(":")[2]
    text = str(node.value)
    if kind == "bool" and text in _TRUTH:
        return _TRUTH[text]
    if kind == "null":
        return None
    if kind == "int" and len(text) <= INTEGER_DIGITS_MAX and text.lstrip("+-").isdigit():
        return int(text)
    return text


def text_place(findings: Findings, place: Span) -> int:
    """Return how many columns after `place` the characters of a scalar begin: 1 if it is quoted."""
    line = findings.source.line(place.line)
    return 1 if line[place.column - 1 : place.column] in ("'", '"') else 0
