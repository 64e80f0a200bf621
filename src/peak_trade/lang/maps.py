"""Maps: total functions from whole numbers with finitely many entries off a default, as canonical values.

`select` and `store` are McCarthy's: `select(store(m, i, x), j)` is `x` if `i == j`, else `select(m, j)`.
"""

from bisect import bisect_left
from typing import TypeAlias

from peak_trade.lang.sorts import Datum, Entries, Scalar

Shown: TypeAlias = Scalar | dict[str, Scalar]
"""A value as JSON has it: a map is an object whose keys are its indices as texts."""


def select(entries: Entries, index: int, default: Scalar) -> Scalar:
    """Return the element at `index`: `default` iff there is no entry."""
    place = bisect_left(entries, (index,))  # sorts before (index, x) whatever x is, so elements are never compared
    if place < len(entries) and entries[place][0] == index:
        return entries[place][1]
    return default


def store(entries: Entries, index: int, element: Scalar, default: Scalar) -> Entries:
    """Return the map that has `element` at `index` and is `entries` elsewhere; canonical if `entries` are."""
    place = bisect_left(entries, (index,))
    rest = entries[place + 1 :] if place < len(entries) and entries[place][0] == index else entries[place:]
    return entries[:place] + (((index, element),) if element != default else ()) + rest


def strays(entries: Entries, low: int | None, high: int | None) -> bool:
    """Return true iff some entry, all being whole numbers, lies outside of `low` to `high`; `None` is no bound."""
    return any((low is not None and item < low) or (high is not None and item > high) for _, item in entries)  # type: ignore[operator]  # numbers, as the law says


def shown(value: Datum) -> Shown:
    """Return `value` as JSON has it: a map as `{"3": 5}`."""
    return {str(index): element for index, element in value} if isinstance(value, tuple) else value


def word(value: Shown) -> str:
    """Return what `shown` gives as a person reads it: `true`, `12`, `Side`, `{3: 5}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{index}: {word(element)}" for index, element in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)
