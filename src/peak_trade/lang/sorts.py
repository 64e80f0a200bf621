"""The sorts of the language: truth values, whole numbers (bounded or not), enumerations, and maps to one of these."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, TypeGuard, assert_never

Scalar: TypeAlias = bool | int | str
"""A value of a scalar sort: `bool`, `int`, or the `str` that names an enumeration's member."""

Entries: TypeAlias = tuple[tuple[int, Scalar], ...]
"""A map's value: its entries off the default, by rising index. Equal iff the maps are; see `lang.maps`."""

Datum: TypeAlias = Scalar | Entries
"""A value of any sort: only context variables can be maps."""


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


ScalarSort: TypeAlias = BoolSort | IntSort | EnumSort


@dataclass(frozen=True, slots=True)
class MapSort:
    """The total functions from whole numbers to `element` with finitely many entries off `example(element)`."""

    element: ScalarSort


Sort: TypeAlias = ScalarSort | MapSort
BOOL = BoolSort()
INT = IntSort()


def comparable(left: Sort, right: Sort) -> bool:
    """Return true iff values of the two sorts can be equal: bounds of numbers do not matter."""
    if isinstance(left, EnumSort) and isinstance(right, EnumSort):
        return left.name == right.name
    if isinstance(left, MapSort) and isinstance(right, MapSort):
        return comparable(left.element, right.element)
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
        case MapSort(element):
            return _maps(value, element)
        case _:
            assert_never(sort)


def _maps(value: object, element: ScalarSort) -> bool:
    """Return true iff `value` is canonical: pairs by rising index, each off the default and of sort `element`."""
    if type(value) is not tuple or not all(type(entry) is tuple and len(entry) == 2 for entry in value):
        return False
    if not all(is_whole(index) for index, _ in value) or any(one >= other for (one, _), (other, _) in pairwise(value)):
        return False
    default = example(element)
    return all(inhabits(item, element) and item != default for _, item in value)


def example(sort: ScalarSort) -> Scalar:
    """Return the plainest value of `sort`: false, the first member, the number that is least or else nearest to 0.

    A map's elements that were never written have it. Of an empty range it is `min`.
    """
    match sort:
        case BoolSort():
            return False
        case IntSort(None, high):
            return 0 if high is None else min(0, high)
        case IntSort(low, _):
            return low if low is not None else 0
        case EnumSort(_, members):
            return members[0]
        case _:
            assert_never(sort)


def start(sort: Sort) -> Datum:
    """Return the example of any sort; of a map it is the default everywhere."""
    return () if isinstance(sort, MapSort) else example(sort)


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
        case MapSort(element):
            return f"map of {describe(element)}"
        case _:
            assert_never(sort)
