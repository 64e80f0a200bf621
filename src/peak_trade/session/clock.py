"""The only module that reads a clock. Sessions live in session time: a step's number and its bars' timestamp."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

Nanoseconds: TypeAlias = Callable[[], int]
"""A clock of durations, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Session time: the number of the step, from 1, and the timestamp of its bars; 0 and empty before the first."""

    step: int = 0
    ts: str = ""

    @property
    def day(self) -> str:
        """The calendar day of the timestamp."""
        return self.ts[:10]


START = Moment()
"""Before the first step."""


def wall_ns() -> int:
    """Return a monotonic clock's reading in nanoseconds; for progress and benchmarks, never for a decision."""
    return time.monotonic_ns()


def today() -> str:
    """Return the day in UTC as YYYYMMDD; for the name of a pack, never for a decision."""
    return datetime.now(UTC).strftime("%Y%m%d")


def this_minute() -> str:
    """Return the minute in UTC as YYYYMMDD-HHMM; for the name of a pack, never for a decision."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M")


def cpu_ns() -> int:
    """Return the CPU time of this process in nanoseconds; for benchmarks."""
    return time.process_time_ns()
