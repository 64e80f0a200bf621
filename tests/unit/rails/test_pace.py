"""Windows and rows count what a look at the whole past counts."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from peak_trade.rails.pace import Streaks, Window

entries = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 3)), max_size=30)


@given(st.integers(0, 5), entries)
def test_a_window_counts_its_steps_and_no_other(steps: int, drawn: list[tuple[int, str, int]]) -> None:
    """At every moment the counts are those of the last `steps` steps, the current one included."""
    window: Window[str] = Window(steps)
    past: list[tuple[int, str, int]] = []
    now = 0
    for ahead, key, count in drawn:
        now += ahead
        window.advance(now)
        window.add(now, key, count)
        past.append((now, key, count))
        naive: Counter[str] = Counter()
        for step, name, lots in past:
            naive[name] += lots if now - steps < step <= now else 0
        assert dict(window.counts) == {name: lots for name, lots in naive.items() if lots}


def test_a_window_that_is_cleared_begins_anew() -> None:
    """What was counted before is forgotten, and what leaves later takes nothing with it."""
    window: Window[str] = Window(3)
    window.add(1, "a", 2)
    window.clear()
    window.add(1, "a")
    window.advance(4)
    assert dict(window.counts) == {}


OUTCOMES = {
    "answered": ["accept"],
    "refused": ["reject"],
    "lost and found": ["time_out", "accept"],
    "lost, sent again, lost again": ["time_out", "not_found", "time_out", "accept"],
    "lost and refused": ["time_out", "reject"],
}


@given(st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=20))
def test_rows_are_what_stands_at_the_end(drawn: list[str]) -> None:
    """Refused and lost orders in a row are counted from the end; fills and cancels between them change nothing."""
    streaks = Streaks()
    for number, outcome in enumerate(drawn):
        for event in ("submit", *OUTCOMES[outcome], "fill", "cancel"):
            streaks.note(f"o{number}", event)
    refused = [outcome in ("refused", "lost and refused") for outcome in drawn]
    lost = [outcome.startswith("lost") for outcome in drawn]
    assert streaks.rejects == row(refused)
    assert streaks.unknowns == row(lost)


def row(flags: list[bool]) -> int:
    """How many are true at the end."""
    count = 0
    for flag in reversed(flags):
        if not flag:
            break
        count += 1
    return count


def test_an_operator_who_looked_begins_a_new_row() -> None:
    """After a clear nothing is in a row."""
    streaks = Streaks()
    streaks.note("a", "reject")
    streaks.note("b", "time_out")
    streaks.clear()
    assert (streaks.rejects, streaks.unknowns) == (0, 0)
    streaks.note("b", "time_out")
    assert streaks.unknowns == 1
