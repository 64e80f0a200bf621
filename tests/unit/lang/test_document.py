"""The JSON Schema that editors use says what the parser says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from peak_trade.lang.document import json_schema
from peak_trade.lang.read import glean
from peak_trade.lang.source import Findings, Source

FOLDER = Path(__file__).parents[2] / "golden" / "spec"
SPEC = Path(__file__).parents[3] / "spec"
TYPES = {"integer": int, "string": str, "array": list, "object": dict, "boolean": bool}


def valid(schema: Any, data: object, root: dict[str, Any]) -> bool:
    """Return true iff `data` satisfies `schema`: the keywords of JSON Schema that ours uses, and no others."""
    if schema is True or schema is False:
        return bool(schema)
    known = {"anyOf", "$ref", "type", "enum", "pattern", "minLength", "maxLength", "minimum", "items", "minItems"}
    known |= {"maxItems", "properties", "patternProperties", "additionalProperties", "required", "maxProperties"}
    known |= {"minProperties", "title", "description", "default", "$defs", "$schema", "const"}
    known |= {"if", "then", "else", "dependentRequired"}
    assert schema.keys() <= known, schema.keys() - known
    if "$ref" in schema:
        return valid(root["$defs"][schema["$ref"].rpartition("/")[2]], data, root)
    if "anyOf" in schema:
        return any(valid(branch, data, root) for branch in schema["anyOf"])
    if "if" in schema and not valid(schema["then" if valid(schema["if"], data, root) else "else"], data, root):
        return False
    kind = schema.get("type")
    return (kind is None or type(data) is TYPES[kind]) and _valid_value(schema, data, root)


def _valid_value(schema: dict[str, Any], data: object, root: dict[str, Any]) -> bool:
    match data:
        case bool():
            return True
        case int():
            return bool(data >= schema.get("minimum", data))
        case str():
            fits = re.search(schema.get("pattern", ""), data) is not None and data in schema.get("enum", [data])
            fits = fits and data == schema.get("const", data)
            return fits and schema.get("minLength", 0) <= len(data) <= schema.get("maxLength", len(data))
        case list():
            fits = schema.get("minItems", 0) <= len(data) <= schema.get("maxItems", len(data))
            return fits and all(valid(schema["items"], item, root) for item in data)
        case dict():
            return _valid_mapping(schema, data, root)
        case _:
            return True


def _valid_mapping(schema: dict[str, Any], data: dict[str, Any], root: dict[str, Any]) -> bool:
    own, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    if not schema.get("minProperties", 0) <= len(data) <= schema.get("maxProperties", len(data)):
        return False
    for key, value in data.items():
        parts = [own[key]] if key in own else [part for pattern, part in patterns.items() if re.search(pattern, key)]
        if not all(valid(part, value, root) for part in parts) or (
            not parts and schema.get("additionalProperties") is False
        ):
            return False
    needed = schema.get("dependentRequired", {}).items()
    also = {other for key, others in needed if key in data for other in others}
    return data.keys() >= {*schema.get("required", []), *also}


def data_of(path: Path) -> object:
    """Return the data of a specification that can be read."""
    found = glean(Findings(Source(path.name, path.read_text())))
    assert found is not None
    return found[0]


MACHINES = [path for path in sorted(SPEC.glob("*.yaml")) if "machine:" in re.findall(r"(?m)^\w+:", path.read_text())]


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_the_shipped_specifications_are_valid(path: Path) -> None:
    """An editor with the schema underlines nothing in them."""
    assert valid(json_schema(), data_of(path), json_schema())


@pytest.mark.parametrize("case", sorted(FOLDER.glob("PT01[0123]_*.yaml")), ids=lambda path: path.stem)
def test_what_the_parser_finds_misshapen_the_schema_refuses(case: Path) -> None:
    """Unknown and missing keys, wrong kinds and wrong names are underlined in the editor too."""
    between_fields = {"PT012_bounds_of_bool"}
    assert valid(json_schema(), data_of(case), json_schema()) is (case.stem in between_fields)


def test_the_schema_is_stable_and_strict() -> None:
    """Two calls give the same bytes; nothing may be null, no mapping is open, every name has its pattern."""
    text = json.dumps(json_schema(), sort_keys=True)
    assert text == json.dumps(json_schema(), sort_keys=True)
    assert '"null"' not in text

    def objects(node: object) -> list[dict[str, Any]]:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        here = [node] if isinstance(node, dict) and node.get("type") == "object" else []
        return here + [item for part in inner for item in objects(part)]

    assert all(item["additionalProperties"] is False for item in objects(json_schema()))
    names = json_schema()["properties"]
    for section in ("enums", "context", "states", "events", "reasons"):
        assert list(names[section]["patternProperties"]) == ["^[A-Za-z][A-Za-z0-9_]{0,63}$"]
    assert names["machine"]["pattern"] == "^[A-Za-z][A-Za-z0-9_]{0,63}$"


MAPPED = {"type": "map", "of": "int", "min": 0, "doc": "d"}


@pytest.mark.parametrize(
    ("variable", "fits"),
    [
        (MAPPED, True),
        (MAPPED | {"init": 0}, False),
        ({"type": "map", "doc": "d"}, False),
        ({"type": "int", "init": 0, "doc": "d"}, True),
        ({"type": "int", "init": "any", "doc": "d"}, True),
        ({"type": "int", "doc": "d"}, False),
        ({"type": "int", "init": 0, "of": "int", "doc": "d"}, False),
    ],
)
def test_a_map_has_elements_and_everything_else_a_start(variable: dict[str, Any], fits: bool) -> None:
    """`of` is for maps and `init` for the others; each must be there."""
    assert valid(json_schema()["$defs"]["VariablePart"], variable, json_schema()) is fits


@pytest.mark.parametrize(
    ("target", "fits"),
    [("count", True), ("cums[head + 1]", True), ("cums[]", False), ("cums[1", False), ("a.b", False), ("[1]", False)],
)
def test_an_update_writes_to_a_variable_or_to_an_element(target: str, fits: bool) -> None:
    """The key of an update is a name, or a name with an index."""
    (pattern,) = json_schema()["$defs"]["TransitionPart"]["properties"]["set"]["patternProperties"]
    assert (re.search(pattern, target) is not None) is fits
