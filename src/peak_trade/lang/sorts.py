"""The sorts of the language: truth values, whole numbers (bounded or not), and enumerations."""

from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

Scalar: TypeAlias = bool | int | str
"""A value of some sort: `bool`, `int`, or the `str` that names an enumeration's member."""


@dataclass(frozen=True, slots=True)
class BoolSort:
    """The truth values."""


@dataclass(frozen=True, slots=True)
class IntSort:
    """The whole numbers from `min` to `max`, both included; `None` is no bound."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class EnumSort:
    """The named members of one enumeration, in declared order."""

    name: str
    members: tuple[str, ...]


Sort: TypeAlias = BoolSort | IntSort | EnumSort
BOOL = BoolSort()
INT = IntSort()


def comparable(left: Sort, right: Sort) -> bool:
    """Return true iff values of the two sorts can be equal: bounds of numbers do not matter."""
    if isinstance(left, EnumSort) and isinstance(right, EnumSort):
        return left.name == right.name
    return type(left) is type(right)


def is_whole(value: object) -> TypeGuard[int]:
    """Return true iff `value` is an `int` and no `bool`; subclasses are refused."""
    return type(value) is int


def inhabits(value: object, sort: Sort) -> bool:
    """Return true iff `value` is of `sort`, bounds included; the type must be exact."""
    match sort:
        case BoolSort():
            return type(value) is bool
        case IntSort(low, high):
            return is_whole(value) and (low is None or value >= low) and (high is None or value <= high)
        case EnumSort(_, members):
            return type(value) is str and value in members


def describe(sort: Sort) -> str:
    """Return the sort as a reader writes it: `bool`, `int 0..`, `Side`."""
    match sort:
        case BoolSort():
            return "bool"
        case IntSort(None, None):
            return "int"
        case IntSort(low, high):
            return f"int {'' if low is None else low}..{'' if high is None else high}"
        case EnumSort(name, _):
            return name
