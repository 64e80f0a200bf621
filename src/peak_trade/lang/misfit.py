"""What pydantic found wrong with the data, one misfit for each place."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from peak_trade.lang.read import Path as Place
from peak_trade.lang.source import shown

Kind: TypeAlias = Literal["unknown", "missing", "key", "name", "value"]

_WORDS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_KINDS: dict[str, Kind] = {
    "extra_forbidden": "unknown",
    "missing": "missing",
    "string_pattern_mismatch": "name",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """A part that does not fit: where, of which kind, what is there, and the sentence for a wrong value."""

    path: Place
    kind: Kind
    value: Any
    message: str


def misfits(error: ValidationError, data: Any) -> list[Misfit]:  # noqa: ANN401 - any YAML data
    """Return the misfits of `data`, one for each place: of a union's branches, only the one that was meant counts."""
    groups: dict[tuple[Place, bool], list[Any]] = {}
    for item in error.errors(include_url=False):
        groups.setdefault((_real(item["loc"], data), "[key]" in item["loc"]), []).append(item)
    deep = {path[:end] for path, _ in groups for end in range(len(path))}
    found = []
    for (path, key), items in groups.items():
        exact = [item for item in items if item["type"] not in _WORDS]
        if exact or path not in deep:
            found.append(_misfit(path, key, exact or items))
    return found


def _misfit(path: Place, key: bool, items: list[Any]) -> Misfit:
    first = items[0]
    value, kind = first["input"], "key" if key else _KINDS.get(first["type"], "value")
    if first["type"] in _WORDS:
        expected = " or ".join(dict.fromkeys(_WORDS[item["type"]] for item in items))
        return Misfit(path, kind, value, f"expected {expected}, was {shown(value)}")
    text = first["msg"].removesuffix(".")
    return Misfit(path, kind, value, f"{text[:1].lower()}{text[1:]}, was {shown(value)}")


def _real(loc: tuple[str | int, ...], data: Any) -> Place:  # noqa: ANN401 - any YAML data
    """Return the part of pydantic's location that exists in the data: union members and marks are not in it."""
    path: list[str | int] = []
    for index, step in enumerate(loc):
        inside = (isinstance(data, dict) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        )
        if inside:
            data = data[step]
            path.append(step)
        elif index == len(loc) - 1 and step != "[key]" and isinstance(data, dict):
            path.append(step)
    return tuple(path)
