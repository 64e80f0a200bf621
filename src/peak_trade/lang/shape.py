"""Whether a text has the shape of a specification, and if not, where and why not."""

from typing import Any

from pydantic import ValidationError

from peak_trade.lang import document
from peak_trade.lang.read import Marks, read
from peak_trade.lang.read import Path as Place
from peak_trade.lang.source import Findings, suggestion


def shape(findings: Findings) -> tuple[document.MachinePart, Marks] | None:
    """Return the parts of the source and their places, or None iff diagnostics say what has no such shape."""
    readable = read(findings)
    if readable is None:
        return None
    data, marks = readable
    try:
        part = document.MachinePart.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            _misshapen(findings, marks, item, data)
        return None
    return part, marks


def _misshapen(findings: Findings, marks: Marks, item: Any, data: Any) -> None:  # noqa: ANN401 - pydantic's own data
    path = _real(item["loc"], data)
    kind = item["type"]
    if kind == "extra_forbidden":
        hint = suggestion(str(path[-1]), _siblings(path)) or "delete it"
        findings.add("PT010", marks.key(path), f"unknown key `{path[-1]}`", hint)
    elif kind == "missing":
        findings.add("PT011", marks.at(path[:-1]), f"expected the key `{path[-1]}`, was not there", "add it")
    elif kind == "string_pattern_mismatch":
        place = marks.key(path) if "[key]" in item["loc"] else marks.at(path)
        findings.add("PT013", place, f"`{item['input']}` is not a name", "letters, digits and `_`, a letter first")
    elif kind in ("too_short", "too_long", "string_too_long", "string_too_short", "greater_than_equal"):
        findings.add("PT012", marks.at(path), _sentence(item["msg"]))
    else:
        findings.add("PT012", marks.at(path), f"{_sentence(item['msg'])}, was {_shown(item['input'])}")


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")


def _shown(value: object) -> str:
    kinds = {dict: "a mapping", list: "a list", type(None): "nothing"}
    return kinds.get(type(value)) or f"`{value}`"


def _real(loc: tuple[str | int, ...], data: Any) -> Place:  # noqa: ANN401 - any YAML data
    """Return the part of pydantic's location that exists in the data: union members and marks are not in it."""
    path: list[str | int] = []
    for index, step in enumerate(loc):
        inside = (isinstance(data, dict) and step in data) or (isinstance(data, list) and isinstance(step, int))
        if inside and isinstance(step, int) and step >= len(data):
            break
        if inside:
            data = data[step]
            path.append(step)
        elif index == len(loc) - 1 and step != "[key]" and isinstance(data, dict):
            path.append(step)
    return tuple(path)


def _siblings(path: Place) -> set[str]:
    parts: dict[str, type[document.Part]] = {
        "context": document.VariablePart,
        "states": document.StatePart,
        "events": document.EventPart,
        "payload": document.FieldPart,
        "transitions": document.TransitionPart,
        "ignore": document.DismissalPart,
        "refuse": document.DismissalPart,
        "properties": document.PropertyPart,
        "leads_to": document.LeadsToPart,
    }
    holder = next((parts[step] for step in reversed(path[:-1]) if isinstance(step, str) and step in parts), None)
    fields = (holder or document.MachinePart).model_fields
    return {info.alias or name for name, info in fields.items()}
