"""The shape of a file that declares a system: the models behind its JSON Schema."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StringConstraints

from peak_trade.lang.document import (
    NAMES_MAX,
    Expression,
    FieldPart,
    Name,
    Part,
    PropertyPart,
    Text,
    Value,
    VariablePart,
    schema_of,
)

Dotted = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}\.([A-Za-z][A-Za-z0-9_]{0,63}|\*)$")]
ANSWER: TypeAlias = Literal["taken", "ignored", "refused"]
ORIGIN: TypeAlias = Literal["operator", "strategy", "venue", "clock", "environment"]


class MemberPart(Part):
    """A machine in the system."""

    machine: Name = Field(description="the machine of the file of that name beside this one")
    each: bool = Field(default=False, description="one for each of the many, not one in all")


class SumPart(Part):
    """A ghost: a sum over the many, for properties only."""

    term: Expression = Field(description="a whole number, of what each one has")
    positive: bool = Field(default=False, description="no term is ever negative: proved, then known to provers")
    doc: Text


class MovePart(Part):
    """What a part is offered, and what it must answer."""

    event: Dotted = Field(description="part.event")
    arguments: dict[Name, Value] = Field(alias="with", default_factory=dict, max_length=NAMES_MAX)
    answer: ANSWER | Annotated[list[ANSWER], Field(min_length=1, max_length=3)] = "taken"


class RulePart(Part):
    """What may happen at one moment: all of `do` and `set` together, or nothing."""

    id: Name
    doc: Text
    origin: ORIGIN = "environment"
    each: bool = Field(default=False, description="happens to one of the many")
    parameters: dict[Name, FieldPart] = Field(alias="for", default_factory=dict, max_length=NAMES_MAX)
    when: Expression | None = None
    every: Expression | None = Field(default=None, description="must hold of every one of the many")
    do: list[MovePart] = Field(default_factory=list, max_length=16)
    set: dict[Annotated[str, StringConstraints(max_length=256)], Value] = Field(
        default_factory=dict, max_length=NAMES_MAX
    )


class SystemPart(Part):
    """Machines side by side and the rules by which they move together."""

    system: Name
    version: int = Field(ge=1)
    summary: Text
    enums: dict[Name, Annotated[list[Name], Field(min_length=1, max_length=NAMES_MAX)]] = Field(default_factory=dict)
    parts: dict[Name, MemberPart] = Field(default_factory=dict, max_length=32)
    shared: dict[Name, VariablePart] = Field(default_factory=dict, max_length=NAMES_MAX)
    own: dict[Name, VariablePart] = Field(default_factory=dict, max_length=NAMES_MAX)
    sums: dict[Name, SumPart] = Field(default_factory=dict, max_length=NAMES_MAX)
    rules: list[RulePart] = Field(min_length=1, max_length=1_000)
    free: list[Dotted] = Field(
        default_factory=list,
        max_length=NAMES_MAX,
        description="events of parts that happen by themselves; part.* for all others",
    )
    never: list[Dotted] = Field(default_factory=list, max_length=NAMES_MAX, description="events that never happen here")
    properties: list[PropertyPart] = Field(default_factory=list, max_length=1_000)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (Draft 2020-12) of a file that declares a system."""
    return schema_of(SystemPart)
