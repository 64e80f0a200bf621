"""Session time in milliseconds: it moves by steps and by waits, never by a wall clock.

A dry run has no wall clock, so that it can be run again to the same bytes: a step begins at its number times
`step_ms`, and whoever waits moves the time on. It never goes back: a step whose waits took longer than a step lasts
makes the next one begin late.
"""


class Pace:
    """A clock that only its owner moves; `waited_ms` is what was spent waiting."""

    __slots__ = ("_step_ms", "now_ms", "waited_ms")

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self.now_ms = 0
        self.waited_ms = 0

    def begin(self, step: int) -> None:
        """Begin a step of the session."""
        self.now_ms = max(self.now_ms, step * self._step_ms)

    def wait(self, duration_ms: int) -> None:
        """Let so many milliseconds pass."""
        if duration_ms < 0:
            raise ValueError(f"expected a duration of at least 0 ms, was {duration_ms}; time does not go back")
        self.now_ms += duration_ms
        self.waited_ms += duration_ms

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass, to the millisecond: what tenacity calls."""
        self.wait(round(seconds * 1000))
