"""No more calls leave in any second than are allowed: pyrate-limiter's exact sliding window, on the session's clock.

Limits: one caller at a time; the window keeps one item a call, at most twice as many as are allowed in a second.
"""

from typing import Final

from pyrate_limiter import Duration, InMemoryBucket, Rate, RateItem

from peak_trade.broker.pace import Pace

NAME: Final = "call"


class Limiter:
    """The rate of calls; it never sleeps and starts no thread: who must wait is told how long."""

    __slots__ = ("_bucket", "_most", "_pace")

    def __init__(self, calls_per_second_max: int, pace: Pace) -> None:
        self._bucket = InMemoryBucket([Rate(calls_per_second_max, Duration.SECOND)])
        self._most = 2 * calls_per_second_max
        self._pace = pace

    def ask(self) -> int:
        """Take a place and return 0, or take none and return in how many milliseconds one is free."""
        now_ms = self._pace.now_ms
        if self._bucket.count() >= self._most:
            self._bucket.leak(now_ms)
        decision = self._bucket.put_decision(RateItem(NAME, now_ms))
        assert not hasattr(decision, "__await__"), "a bucket in memory answers at once"
        return 0 if decision.allowed else max(1, decision.retry_after_ms or 0)
