"""Trying again ends: within its attempts, within its time, and only after what makes it safe."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.bounds import Bounds
from peak_trade.broker.breaker import CircuitOpen
from peak_trade.broker.errors import (
    BrokerError,
    DuplicateId,
    InvalidRequest,
    RateLimited,
    VenueRejected,
    VenueTimeout,
    VenueUnavailable,
)
from peak_trade.broker.pace import Pace
from peak_trade.broker.retry import HARMLESS, NOT_TAKEN, Budget, Call, Retrier, Safe, backoff_ms

ERRORS: dict[str, BrokerError] = {
    "timeout": VenueTimeout("a"),
    "unavailable": VenueUnavailable("venue", "place_order"),
    "rate": RateLimited("a"),
    "open": CircuitOpen("adapter", "place_order"),
    "rejected": VenueRejected("a", "why"),
    "invalid": InvalidRequest("a", "why"),
    "duplicate": DuplicateId("a"),
}
AGAIN: dict[Safe, set[str]] = {NOT_TAKEN: {"unavailable", "rate"}, HARMLESS: {"unavailable", "rate", "timeout"}}
SCRIPTS = st.lists(st.sampled_from(sorted(ERRORS)), max_size=8)
BOUNDS = st.builds(
    Bounds,
    attempts_max=st.integers(1, 6),
    duration_ms_max=st.integers(1, 20_000),
    backoff_ms_min=st.integers(1, 500),
    backoff_ms_max=st.integers(500, 5_000),
)


class Run:
    """A retrier over a script of errors; what is left of it at the end is success."""

    def __init__(self, bounds: Bounds, script: list[str], safe: Safe) -> None:
        self.pace, self.counts, self.made = Pace(1), Counter[str](), 0
        self.script = script
        retrier = Retrier(bounds, self.pace, self.counts)
        self.budget = retrier.budget()
        self.call = Call("place_order", "a", lambda: "done", self.budget, safe)
        self.result = self._result(lambda: retrier.run(self.attempt, self.call))

    def attempt(self, call: Call) -> str:
        """The next error of the script, or success."""
        call.budget.used += 1
        self.made += 1
        if self.made <= len(self.script):
            raise ERRORS[self.script[self.made - 1]]
        return str(call.perform())

    def _result(self, work: Callable[[], str]) -> str | BrokerError:
        try:
            return work()
        except BrokerError as error:
            return error


@given(BOUNDS, SCRIPTS, st.sampled_from([NOT_TAKEN, HARMLESS]))
def test_attempts_and_time_are_bounded_and_only_what_is_safe_is_repeated(
    bounds: Bounds, script: list[str], safe: Safe
) -> None:
    """At most so many attempts in at most so much time, none after an unsafe error; the last error is raised."""
    run = Run(bounds, script, safe)
    assert 1 <= run.made <= bounds.attempts_max
    assert run.pace.now_ms <= bounds.duration_ms_max
    assert all(word in AGAIN[safe] for word in script[: run.made - 1])
    if run.made > len(script):
        assert run.result == "done"
    else:
        assert run.result is ERRORS[script[run.made - 1]]
    retries = sum(count for name, count in run.counts.items() if name.startswith("retries."))
    assert retries == run.made - 1
    assert run.counts["backoff_ms"] == run.pace.waited_ms


@given(BOUNDS, SCRIPTS, st.sampled_from([NOT_TAKEN, HARMLESS]))
def test_it_does_not_give_up_early(bounds: Bounds, script: list[str], safe: Safe) -> None:
    """It ends in a safe error only when the attempts are used up, or the next one would come too late."""
    run = Run(bounds, script, safe)
    if isinstance(run.result, BrokerError) and script[run.made - 1] in AGAIN[safe]:
        next_ms = run.pace.now_ms + backoff_ms(bounds, "a", run.made)
        assert run.made == bounds.attempts_max or next_ms > bounds.duration_ms_max


@given(BOUNDS, SCRIPTS)
def test_equal_runs_wait_alike(bounds: Bounds, script: list[str]) -> None:
    """The same script is tried at the same moments, with the same counts."""
    first, second = (Run(bounds, script, HARMLESS) for _ in range(2))
    assert (first.pace.now_ms, first.counts, first.made) == (second.pace.now_ms, second.counts, second.made)


@given(BOUNDS, st.text(min_size=1, max_size=20), st.integers(1, 100))
def test_the_wait_doubles_up_to_its_limit(bounds: Bounds, identity: str, attempt: int) -> None:
    """A wait is between half and all of the least one times two to the attempts before, capped."""
    full = min(bounds.backoff_ms_max, bounds.backoff_ms_min * 2 ** (attempt - 1))
    assert full / 2 <= backoff_ms(bounds, identity, attempt) <= full


def test_orders_that_failed_together_do_not_come_back_together() -> None:
    """Among a hundred ids the waits are spread over the whole range."""
    waits = [backoff_ms(Bounds(backoff_ms_min=1_000), f"r1-{number}", 1) for number in range(100)]
    assert len(set(waits)) > 60
    assert (min(waits) < 550, max(waits) > 950) == (True, True)


def test_a_budget_is_spent_by_attempts_or_by_time() -> None:
    """Either alone is enough; the deadline itself is still in time."""
    assert not Budget(2, 10, used=1).spent(10)
    assert Budget(2, 10, used=2).spent(0)
    assert Budget(2, 10, used=0).spent(11)


def test_a_bug_is_not_retried() -> None:
    """What is no broker's error passes at once."""
    retrier = Retrier(Bounds(), Pace(1), Counter())
    calls = []

    def attempt(call: Call) -> None:
        calls.append(call)
        raise KeyError("bug")

    with pytest.raises(KeyError):
        retrier.run(attempt, Call("place_order", "a", lambda: None, retrier.budget(), HARMLESS))
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["attempts_max", "duration_ms_max", "calls_per_second_max", "cooldown_steps"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_limits_are_whole_and_at_least_one(name: str, value: object) -> None:
    """A limit that is none is refused by name."""
    with pytest.raises(ValueError, match=name):
        Bounds(**{name: value})


def test_the_waits_are_in_order() -> None:
    """A least wait above the greatest is refused."""
    with pytest.raises(ValueError, match="backoff_ms_min"):
        Bounds(backoff_ms_min=3, backoff_ms_max=2)
