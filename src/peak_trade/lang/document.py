"""The shape of a specification file: the models behind the JSON Schema that editors use."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAMES_MAX = 256
TEXT_CHARS_MAX = 2_000
EXPRESSION_CHARS_MAX = 2_000

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
EventName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}(\.[A-Za-z][A-Za-z0-9_]{0,63})?$")]
Target = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}(\[[^\n]{1,256}\])?$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_CHARS_MAX)]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=EXPRESSION_CHARS_MAX)]
Value: TypeAlias = bool | int | Expression
Group = Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z][A-Za-z0-9_]{0,63}$")]
Groups: TypeAlias = Group | Annotated[list[Group], Field(min_length=1, max_length=NAMES_MAX)]
Names: TypeAlias = Name | Annotated[list[Name], Field(min_length=1, max_length=NAMES_MAX)]


ANY = "any"
"""The start of a variable that starts with any value of its sort; an enumeration has no such member."""

MAP = "map"
"""The type of a context variable that is a total function from whole numbers."""

CLAIMS = ("always", "lemma", "step", "witness", "leads_to", "heard")
"""The kinds of properties; each has exactly one."""


class Part(BaseModel):
    """Unknown keys are mistakes, and `"1"` is no number."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class FieldPart(Part):
    """A field of an event's payload."""

    type: Name = Field(description="bool, int, or the name of an enumeration of this machine")
    min: int | None = Field(default=None, description="smallest value (int only); none is unbounded")
    max: int | None = Field(default=None, description="largest value (int only); none is unbounded")
    unit: str = Field(default="", max_length=64, description="unit of the number, such as lots or ticks")
    doc: Text


class VariablePart(FieldPart):
    """A context variable of the machine."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"type": {"const": MAP}}},
            "then": {"required": ["of"], "properties": {"init": False}},
            "else": {"required": ["init"], "properties": {"of": False}},
        }
    )

    type: Name = Field(description="bool, int, map, or the name of an enumeration of this machine")
    of: Name | None = Field(
        default=None, description="sort of a map's elements: bool, int, or an enumeration (map only)"
    )
    init: bool | int | Name | None = Field(
        default=None, description="value in the initial state, or `any` for every value of its sort (not for a map)"
    )


class StatePart(Part):
    """A control state."""

    doc: Text
    initial: bool = False
    tags: list[Name] = Field(default_factory=list, max_length=16, description="words such as live, terminal, operator")


class EventPart(Part):
    """An event that the machine decides in every state."""

    origin: Literal["operator", "strategy", "venue", "clock", "environment"]
    doc: Text
    payload: dict[Name, FieldPart] = Field(default_factory=dict, max_length=NAMES_MAX)


class TransitionPart(Part):
    """A step that may be taken: chosen by `when`, locked by `require`, all of `set` at once."""

    id: Identifier
    sources: Groups = Field(alias="from", description="states, or @tag for all states with that tag")
    on: Name
    when: Expression | None = Field(default=None, description="chooses among the rows of a cell")
    require: dict[Name, Expression] = Field(
        default_factory=dict,
        max_length=32,
        description="locks: unless the expression holds, the event is refused with that reason",
    )
    set: dict[Target, Value] = Field(
        default_factory=dict, max_length=NAMES_MAX, description="new values, of a variable or of `map[index]`"
    )
    to: Name | None = Field(default=None, description="next state; left out: the state stays")
    reason: Name | None = Field(default=None, description="a declared reason; the desk reads it")


class DismissalPart(Part):
    """Cells in which the event changes nothing, for a named reason."""

    states: Groups = Field(alias="in", description="states, or @tag for all states with that tag")
    on: Names
    when: Expression | None = Field(
        default=None, description="an expression, or `otherwise`: when no other row applies"
    )
    reason: Name


class LeadsToPart(Part):
    """What must happen, and why it does."""

    when: Expression = Field(alias="from")
    then: Expression = Field(alias="to")
    rank: Expression = Field(description="never negative, never grows, shrinks with each fair event")
    fair: list[EventName] = Field(min_length=1, max_length=NAMES_MAX, description="one of these events keeps coming")
    weak: bool = Field(
        default=False, description="only this is fair: if one of them can be taken as long as it waits, one is taken"
    )


class PropertyPart(Part):
    """A claim: exactly one of always, lemma, step, witness, leads_to, heard."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"when": ["heard"], "by": ["witness"]}})

    id: Identifier
    always: Expression | None = None
    lemma: Expression | None = None
    step: Expression | None = None
    witness: Expression | None = None
    by: list[EventName] = Field(
        default_factory=list, max_length=NAMES_MAX, description="of `witness`: by a run of these events alone"
    )
    leads_to: LeadsToPart | None = None
    heard: EventName | None = Field(default=None, description="an event that must be taken")
    when: Expression | None = Field(
        default=None, description="of `heard`: in which values, with which payloads; left out: in all, with all"
    )
    says: Text
    answers: list[Identifier] = Field(default_factory=list, max_length=32, description="contract clauses and hazards")


class MachinePart(Part):
    """One machine. Every (state, event) cell is decided: taken, ignored, or refused for a reason."""

    machine: Name
    version: int = Field(ge=1)
    summary: Text
    enums: dict[Name, Annotated[list[Name], Field(min_length=1, max_length=NAMES_MAX)]] = Field(default_factory=dict)
    context: dict[Name, VariablePart] = Field(default_factory=dict, max_length=NAMES_MAX)
    states: dict[Name, StatePart] = Field(min_length=1, max_length=NAMES_MAX)
    events: dict[Name, EventPart] = Field(min_length=1, max_length=NAMES_MAX)
    reasons: dict[Name, Text] = Field(default_factory=dict, max_length=NAMES_MAX)
    transitions: list[TransitionPart] = Field(min_length=1, max_length=1_000)
    ignore: list[DismissalPart] = Field(default_factory=list, max_length=1_000)
    refuse: list[DismissalPart] = Field(default_factory=list, max_length=1_000)
    properties: list[PropertyPart] = Field(default_factory=list, max_length=1_000)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (Draft 2020-12) of a specification file.

    It accepts no `null` (a key without a value is a mistake) and no name outside the patterns, as the parser does.
    """
    return schema_of(MachinePart)


def schema_of(model: type[Part]) -> dict[str, Any]:
    """Return the JSON Schema of `model`; see `json_schema`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema()
    strict: dict[str, Any] = _strict(schema)
    return strict


def _strict(node: Any) -> Any:  # noqa: ANN401 - any JSON data
    match node:
        case {"anyOf": [only, {"type": "null"}], **rest}:
            rest.pop("default", None)
            return _strict({**rest, **only})
        case {"anyOf": [*some, {"type": "null"}], **rest}:
            rest.pop("default", None)
            return _strict({**rest, "anyOf": some})
        case {"patternProperties": dict(), **_rest} if "additionalProperties" not in node:
            return _strict({**node, "additionalProperties": False})
        case dict():
            return {key: _strict(value) for key, value in node.items()}
        case list():
            return [_strict(item) for item in node]
        case _:
            return node


_PARTS: dict[str, type[Part]] = {
    "context": VariablePart,
    "states": StatePart,
    "events": EventPart,
    "transitions": TransitionPart,
    "ignore": DismissalPart,
    "refuse": DismissalPart,
    "properties": PropertyPart,
}


def keys(path: tuple[str | int, ...]) -> frozenset[str]:
    """Return the keys that may stand where the last step of `path` stands; none if any name may."""
    match path:
        case (_,):
            part: type[Part] | None = MachinePart
        case (str(section), _, _):
            part = _PARTS.get(section)
        case ("events", _, "payload", _, _):
            part = FieldPart
        case ("properties", _, "leads_to", _):
            part = LeadsToPart
        case _:
            part = None
    fields = part.model_fields if part else {}
    return frozenset(info.alias or name for name, info in fields.items())
