"""What every command shares that plays many sessions: their machines, and work that is spread over processes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, TypeVar

from peak_trade.cli.progress import bar
from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.world import Machines
from peak_trade.session.clock import wall_ns

SEED_MAX: Final = 2**62
SHOWN_MAX: Final = 5
CHUNK: Final = 4
"""How many cases are handed to a process at once."""

Case = TypeVar("Case")
Done = TypeVar("Done")


def machines() -> Machines:
    """Return the machines that sessions run on."""
    return Machines(machine_named("session"), machine_named("order"), machine_named("breaker"))


def spread(
    work: Callable[[Case], Done], cases: Sequence[Case], jobs: int, what: str, chunk: int = CHUNK
) -> Iterator[Done]:
    """Yield what `work` makes of each case, in their order, done by so many processes; a bar shows how far it is."""
    with bar(len(cases), what) as show:
        if jobs == 1:
            for number, case in enumerate(cases, 1):
                yield work(case)
                show(number)
            return
        with ProcessPoolExecutor(jobs) as executor:
            for number, done in enumerate(executor.map(work, cases, chunksize=chunk), 1):
                yield done
                show(number)


def rated(count: int, what: str, since_ns: int) -> str:
    """Return how many there were and how many a second, in wall time: for a person, and no part of a result."""
    seconds = max(1, wall_ns() - since_ns) / 1e9
    return f"{count:,} {what} in {seconds:,.1f} s: {count / seconds:,.1f} a second"
