"""How often, how long and how fast an adapter may call; all of it in session time."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of an adapter; constructed iff each is at least 1 and the backoff's are in order.

    `attempts_max` calls for one request, within `duration_ms_max`; between them `backoff_ms_min` and then twice as long
    each time, up to `backoff_ms_max`. A call that times out counts as `timeout_ms`, a step of the session as `step_ms`.
    No more than `calls_per_second_max` calls leave in any second. `failures_max` failures in a row open the circuit
    breaker for `cooldown_steps`.

    Raises:
        ValueError: names the first limit that is wrong.
    """

    attempts_max: int = 4
    duration_ms_max: int = 10_000
    backoff_ms_min: int = 100
    backoff_ms_max: int = 2_000
    timeout_ms: int = 1_000
    step_ms: int = 60_000
    calls_per_second_max: int = 100
    failures_max: int = 5
    cooldown_steps: int = 1

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{item.name}: expected a whole number from 1, was {value!r:.40}; correct the limits")
        if self.backoff_ms_min > self.backoff_ms_max:
            found = f"{self.backoff_ms_min} to {self.backoff_ms_max}"
            raise ValueError(f"backoff_ms_min: expected no more than backoff_ms_max, was {found}; correct the limits")
