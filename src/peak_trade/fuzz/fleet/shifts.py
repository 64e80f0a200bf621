"""Which of a campaign's jobs are done here, and until when.

A shard is every n-th job, so that all shards together are all jobs. A deadline ends the handing out, not the jobs.
"""

import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Final, TypeVar

Item = TypeVar("Item")
SHARD: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


class Misused(ValueError):  # noqa: N818 - said of what was asked
    """What was asked for is no executor or no shard: a mistake in the call."""

    def __init__(self, expected: str, was: str, remedy: str) -> None:
        self.expected, self.was, self.remedy = expected, was, remedy
        super().__init__(f"expected {expected}, was {was}; {remedy}")


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`th of `count` parts of the jobs, from 1; all parts together are all jobs, each once."""

    number: int = 1
    count: int = 1

    @classmethod
    def of(cls, text: str) -> "Shard":
        """Return the shard that `k/n` says.

        Raises:
            Misused: it says none.
        """
        found = SHARD.fullmatch(text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise Misused("a shard k/n with 1 ≤ k ≤ n", repr(text), "say --shard 1/5 for the first of five")
        return cls(int(found[1]), int(found[2]))

    def part(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield its items, in order."""
        return islice(items, self.number - 1, None, self.count)


def until(items: Iterable[Item], clock_ms: Callable[[], int], end_ms: int) -> Iterator[Item]:
    """Yield items as long as the clock is before its end; what was handed out by then is still done."""
    for item in items:
        if clock_ms() >= end_ms:
            return
        yield item


@contextmanager
def interruptible() -> Iterator[Callable[[], str]]:
    """Give a `stopped` that names the signal that asked to stop; the second one acts as it always did."""
    caught: list[str] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _: FrameType | None) -> None:
        caught.append(signal.Signals(number).name)
        for known, handler in before.items():
            signal.signal(known, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: caught[0] if caught else ""
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)
