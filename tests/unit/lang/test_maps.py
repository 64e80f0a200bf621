"""Maps are total functions: what was written is read, everything else is as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.expressions import COLOUR, SORTS, entries, scalars

from peak_trade.lang.maps import select, shown, store, strays, word
from peak_trade.lang.sorts import (
    BOOL,
    INT,
    Datum,
    Entries,
    IntSort,
    MapSort,
    Scalar,
    ScalarSort,
    comparable,
    describe,
    example,
    inhabits,
    start,
)

PART = IntSort(2, 7)
INDEX = st.integers(-3, 9) | st.integers(-(10**20), 10**20)


@st.composite
def written(draw: st.DrawFn) -> tuple[ScalarSort, Entries, int, Scalar]:
    """A map, an index and an element to write, the default among them."""
    sort = draw(st.sampled_from([*SORTS, PART]))
    element = draw(scalars(sort) | st.just(example(sort)))
    return sort, draw(entries(sort)), draw(INDEX), element


@given(written(), INDEX)
def test_select_after_store(case: tuple[ScalarSort, Entries, int, Scalar], other: int) -> None:
    """McCarthy's two laws, and the result is canonical again."""
    sort, before, index, element = case
    default = example(sort)
    after = store(before, index, element, default)
    assert select(after, index, default) == element
    assert other == index or select(after, other, default) == select(before, other, default)
    assert inhabits(after, MapSort(sort))


@given(written(), st.data())
def test_equal_values_are_equal_maps(case: tuple[ScalarSort, Entries, int, Scalar], data: st.DataObject) -> None:
    """However a map came about: equal at every index iff equal as values, with one hash."""
    sort, before, index, element = case
    default = example(sort)
    once = store(before, index, element, default)
    detour = store(store(before, index, data.draw(scalars(sort)), default), index, element, default)
    assert once == detour
    assert hash(once) == hash(detour)
    same = all(select(once, at, default) == select(before, at, default) for at, _ in (*once, *before))
    assert (once == before) is same


@given(written())
def test_writing_back_what_is_there_changes_nothing(case: tuple[ScalarSort, Entries, int, Scalar]) -> None:
    """A map that is written what it has is the map itself; a default that is written leaves no entry."""
    sort, before, index, _ = case
    default = example(sort)
    assert store(before, index, select(before, index, default), default) == before
    assert index not in dict(store(before, index, default, default))


@pytest.mark.parametrize(
    ("value", "sort"),
    [
        (((1, 2),), MapSort(PART)),  # the default is written out
        (((2, 3), (1, 3)), MapSort(PART)),  # not in order
        (((1, 3), (1, 4)), MapSort(PART)),  # twice
        (((1, 8),), MapSort(PART)),  # an element beyond its bounds
        (((True, 3),), MapSort(PART)),  # an index that is no whole number
        (((1, True),), MapSort(INT)),  # an element of another type
        (((1, 3, 4),), MapSort(PART)),  # no pair
        ([(1, 3)], MapSort(PART)),
        ({1: 3}, MapSort(PART)),
        (0, MapSort(INT)),
        ((), INT),
    ],
)
def test_what_is_not_canonical_is_no_value(value: object, sort: MapSort | IntSort) -> None:
    """A value that equals no other way of writing the same map is the only one that the sort has."""
    assert not inhabits(value, sort)


@pytest.mark.parametrize(
    ("sort", "least"),
    [
        (BOOL, False),
        (COLOUR, "red"),
        (INT, 0),
        (IntSort(3, None), 3),
        (IntSort(-4, 9), -4),
        (IntSort(None, 9), 0),
        (IntSort(None, -2), -2),
    ],
)
def test_the_example_of_a_sort(sort: ScalarSort, least: Scalar) -> None:
    """False, the first member, the least number or the one nearest to zero; nothing off the default for a map."""
    assert example(sort) == start(sort) == least
    assert inhabits(example(sort), sort)
    assert start(MapSort(sort)) == ()


def test_sorts_of_maps_differ_by_their_elements() -> None:
    """Bounds of numbers do not matter for comparing, and a map has its own words."""
    assert comparable(MapSort(INT), MapSort(PART))
    assert not comparable(MapSort(INT), MapSort(BOOL))
    assert not comparable(MapSort(INT), INT)
    assert describe(MapSort(PART)) == "map of int 2..7"


@pytest.mark.parametrize(
    ("value", "data", "text"),
    [
        (((-3, 5), (4, 6)), {"-3": 5, "4": 6}, "{-3: 5, 4: 6}"),
        (((0, True),), {"0": True}, "{0: true}"),
        ((), {}, "{}"),
        (False, False, "false"),
        ("red", "red", "red"),
        (12, 12, "12"),
    ],
)
def test_how_values_are_written(value: Datum, data: object, text: str) -> None:
    """A map is an object in JSON and its entries by rising index for a reader."""
    assert shown(value) == data
    assert word(shown(value)) == text


@given(entries(INT), st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9))
def test_strays_are_elements_beyond_the_bounds(known: Entries, low: int | None, high: int | None) -> None:
    """Some entry strays iff not every one is of the sort with these bounds."""
    assert strays(known, low, high) is not all(inhabits(item, IntSort(low, high)) for _, item in known)
