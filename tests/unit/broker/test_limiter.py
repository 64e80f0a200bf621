"""No second holds more calls than are allowed, and nobody waits for longer than is needed."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.limiter import Limiter
from peak_trade.broker.pace import Pace


@given(st.integers(1, 6), st.lists(st.integers(0, 700), min_size=1, max_size=60))
def test_no_second_holds_more_calls_than_are_allowed(most: int, gaps: list[int]) -> None:
    """However calls come, any second that begins with one holds at most so many."""
    pace = Pace(step_ms=1)
    limiter, calls = Limiter(most, pace), []
    for gap in gaps:
        pace.wait(gap)
        if limiter.ask() == 0:
            calls.append(pace.now_ms)
    for number, first in enumerate(calls):
        assert bisect_left(calls, first + 1_000) - number <= most


@given(st.integers(1, 6), st.lists(st.integers(0, 300), min_size=1, max_size=40))
def test_who_waits_as_told_gets_a_place_and_not_a_moment_earlier(most: int, gaps: list[int]) -> None:
    """After the wait there is a place; a millisecond before there is none. Asking in vain takes no place."""
    pace = Pace(step_ms=1)
    limiter = Limiter(most, pace)
    for gap in gaps:
        pace.wait(gap)
        wait_ms = limiter.ask()
        if wait_ms:
            pace.wait(wait_ms - 1)
            assert limiter.ask() == 1
            pace.wait(1)
            assert limiter.ask() == 0


@pytest.mark.parametrize("most", [1, 5, 100])
def test_memory_is_bounded(most: int) -> None:
    """After thousands of calls the window holds at most twice as many as are allowed in a second."""
    pace = Pace(step_ms=1)
    limiter = Limiter(most, pace)
    for _ in range(3_000):
        pace.wait(limiter.ask())
        assert limiter._bucket.count() <= 2 * most


def test_a_step_begins_at_its_time_and_never_in_the_past() -> None:
    """Time moves by steps and waits; a wait beyond the next step makes it begin late, and nothing goes back."""
    pace = Pace(step_ms=1_000)
    pace.begin(2)
    assert pace.now_ms == 2_000
    pace.sleep(1.2345)
    assert (pace.now_ms, pace.waited_ms) == (3_234, 1_234)
    pace.begin(3)
    assert pace.now_ms == 3_234
    with pytest.raises(ValueError, match="at least 0 ms"):
        pace.wait(-1)
