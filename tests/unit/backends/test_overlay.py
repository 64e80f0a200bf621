"""Counting a run: each step where it was taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.backends.card import TIMES, short
from peak_trade.backends.overlay import follow, foreign
from peak_trade.lang.machine import Machine


@given(data=st.data())
def test_counts_are_those_of_the_walk(session: Machine, data: st.DataObject) -> None:
    """Of any walk, each step is counted once, each entry once, and the overlay fits the picture."""
    here, taken, entries = session.initial.name, [], 1
    for _ in range(data.draw(st.integers(0, 12))):
        ways = [item for item in session.transitions if here in item.sources]
        if not ways:
            break
        step = data.draw(st.sampled_from(ways))
        taken.append(step.name)
        entries += step.target not in {None, here}
        here = step.target or here
    overlay = follow(session, taken)
    assert sum(overlay.transitions.values()) == len(taken)
    assert sum(overlay.states.values()) == entries
    assert overlay.current == here
    assert foreign(session, overlay) == ()


def test_impossible_walk_is_refused(gate: Machine) -> None:
    """A step that does not start where the run stands is an error that names it."""
    with pytest.raises(ValueError, match="expected step 1 to start in closed, was G3"):
        follow(gate, ["G1", "G3"])


def test_a_walk_may_begin_anywhere(gate: Machine) -> None:
    """The start of the run may be given."""
    assert follow(gate, ["G6"], "stuck").states == {"stuck": 1, "gone": 1}


@given(st.integers(1, 10**15))
def test_counts_stay_short_and_never_grow(count: int) -> None:
    """A count never takes more room than its cell, and never says more than was counted."""
    text = short(count)
    assert len(text) <= 5
    units = {"k": 10**3, "M": 10**6, "G": 10**9}
    if text != f"{TIMES}many":
        digits = text.removeprefix(TIMES)
        assert int(digits.rstrip("kMG")) * units.get(digits[-1], 1) <= count
    else:
        assert count >= 10**12


@pytest.mark.parametrize("count", [None, 0])
def test_nothing_counted_shows_nothing(count: int | None) -> None:
    """No run and no visit leave the cell empty."""
    assert short(count) == ""
