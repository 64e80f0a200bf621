"""Trying again, through tenacity, within a number of attempts and a duration, both of session time.

What is tried again is named by each call: what is safe for a read is not safe for an order. The wait doubles each time
up to its limit, and half of it is jitter: a keyed hash of the id and the attempt, so that equal runs wait alike and
orders that failed together do not come back together.

Limits: tenacity reads a clock of its own for statistics that nobody asks for; no decision rests on it.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from tenacity import RetryCallState, Retrying

from peak_trade.broker.bounds import Bounds
from peak_trade.broker.breaker import CircuitOpen
from peak_trade.broker.errors import BrokerError, RateLimited, Transient, VenueUnavailable
from peak_trade.broker.pace import Pace

T = TypeVar("T")
Safe: TypeAlias = tuple[type[BrokerError], ...]

NOT_TAKEN: Final[Safe] = (VenueUnavailable, RateLimited)
"""Errors that say that the venue has not got the request: anything may be sent again after them."""

HARMLESS: Final[Safe] = (Transient,)
"""For what does no harm when it is done twice: reads, and cancels."""


@dataclass(slots=True)
class Budget:
    """What a request may still use: attempts, and session time until `deadline_ms`; `lost` iff an answer was lost."""

    attempts: int
    deadline_ms: int
    used: int = 0
    lost: bool = False

    def spent(self, at_ms: int) -> bool:
        """Return whether nothing more may be tried at that time."""
        return self.used >= self.attempts or at_ms > self.deadline_ms


class Call(NamedTuple):
    """One call: its name in the port, the id that it is about, how to make it, and after which errors again."""

    name: str
    identity: str
    perform: Callable[[], Any]
    budget: Budget
    safe: Safe


def backoff_ms(bounds: Bounds, identity: str, attempt: int) -> int:
    """Return how long to wait after the attempt of that number, from 1: at least half of the full wait, at most all."""
    full = min(bounds.backoff_ms_max, bounds.backoff_ms_min << min(attempt - 1, 32))
    half = full // 2
    drawn = hashlib.blake2b(f"{identity}|{attempt}".encode(), key=b"backoff", digest_size=8).digest()
    return full - half + int.from_bytes(drawn) % (half + 1)


class Retrier:
    """Makes calls until one succeeds, one fails for good, or the budget is used up."""

    __slots__ = ("_bounds", "_counts", "_pace", "_retrying")

    def __init__(self, bounds: Bounds, pace: Pace, counts: Counter[str]) -> None:
        self._bounds, self._pace, self._counts = bounds, pace, counts
        self._retrying = Retrying(
            sleep=pace.sleep,
            stop=self._spent,
            wait=self._wait_s,
            retry=_again,
            before_sleep=self._count,
            reraise=True,
        )

    def budget(self) -> Budget:
        """Return a new request's budget, from now."""
        return Budget(self._bounds.attempts_max, self._pace.now_ms + self._bounds.duration_ms_max)

    def run(self, attempt: Callable[[Call], T], call: Call) -> T:
        """Return what `attempt` gives for `call` at last.

        Raises:
            BrokerError: that of the last attempt.
        """
        try:  # nearly every call succeeds at once, and tenacity costs as much as the rest of the way to the venue
            return attempt(call)
        except call.safe as error:
            failed = [error]

        def again(call: Call) -> T:
            """Fail as it did the first time, and from then on try in earnest."""
            if failed:
                raise failed.pop()
            return attempt(call)

        return self._retrying(again, call)

    def _wait_s(self, state: RetryCallState) -> float:
        call = _call(state)
        return backoff_ms(self._bounds, call.identity or call.name, call.budget.used) / 1000

    def _spent(self, state: RetryCallState) -> bool:
        """True iff no attempt is left, or the next one would come too late."""
        return _call(state).budget.spent(self._pace.now_ms + round(state.upcoming_sleep * 1000))

    def _count(self, state: RetryCallState) -> None:
        assert state.outcome is not None
        self._counts[f"retries.{type(state.outcome.exception()).__name__}"] += 1
        self._counts["backoff_ms"] += round(state.upcoming_sleep * 1000)


def _call(state: RetryCallState) -> Call:
    found = state.args[0]
    assert isinstance(found, Call)
    return found


def _again(state: RetryCallState) -> bool:
    """True iff the call failed in a way after which it may be made again; an open circuit only opens by steps."""
    error = state.outcome.exception() if state.outcome is not None else None
    return isinstance(error, _call(state).safe) and not isinstance(error, CircuitOpen)
