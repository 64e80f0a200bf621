"""No more calls leave in any second than are allowed: pyrate-limiter's exact sliding window, on the session's clock.

Limits: one caller at a time; the window keeps one item a call, at most twice as many as are allowed in a second.
"""

from typing import Final

from pyrate_limiter import Duration, InMemoryBucket, Rate, RateItem

from peak_trade.broker.pace import Pace

NAME: Final = "call"


class Limiter:
    """The rate of calls; it never sleeps and starts no thread: who must wait is told how long."""

    __slots__ = ("_bucket", "_held", "_most", "_pace")

    def __init__(self, calls_per_second_max: int, pace: Pace) -> None:
        self._bucket = InMemoryBucket([Rate(calls_per_second_max, Duration.SECOND)])
        self._held, self._most = 0, 2 * calls_per_second_max
        self._pace = pace

    def ask(self) -> int:
        """Take a place and return 0, or take none and return in how many milliseconds one is free."""
        now_ms = self._pace.now_ms
        item = RateItem(NAME, now_ms)
        if not self._bucket.put(item):
            wait_ms = self._bucket.waiting(item)
            assert isinstance(wait_ms, int), "a bucket in memory answers at once"
            return max(1, wait_ms)
        self._held += 1
        if self._held >= self._most:  # what is older than a second is let go
            self._bucket.leak(now_ms)
            self._held = self._bucket.count()
        return 0
