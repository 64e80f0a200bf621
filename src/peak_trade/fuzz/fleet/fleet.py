"""Jobs come back in their order, each with the same bytes, whatever does them and whatever dies meanwhile.

A fleet is whatever does jobs: processes of this machine (`processes`), a cluster (`cluster`), or any executor (`Pool`).
A job whose process died in company is done again alone, so that a death is put down to nobody but its cause; one that
kills its process `DEATHS_MAX` times alone is a finding, and so is one that raises. What is interrupted, or loses its
fleet, yields what is done and then says that it is partial.

Limits: `IN_FLIGHT` jobs for each worker are handed out and not done; at most `HELD`
times as many as there are workers have a result that waits for an earlier one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol

from peak_trade.fuzz.jobs import Job, Result

Work = Callable[[str], str]
"""What does a job: its text in, the text of its result out; picklable, and a function of the text alone."""

IN_FLIGHT: Final = 2
HELD: Final = 100
DEATHS_MAX: Final = 3
TICK_S: Final = 0.5
"""How long to wait for a result before looking whether the fleet is still there, and whether to stop."""
TOLD_CHARS_MAX: Final = 300
KILLS: Final = "the job kills its process"


class Unavailable(RuntimeError):  # noqa: N818 - said of the fleet
    """The fleet is not there, not fit for jobs, or gone; it travels between processes."""

    def __init__(self, expected: str, was: str, remedy: str) -> None:
        self.expected, self.was, self.remedy = expected, was, remedy
        super().__init__(f"expected {expected}, was {was}; {remedy}")

    def __reduce__(self) -> tuple[type["Unavailable"], tuple[str, str, str]]:
        return type(self), (self.expected, self.was, self.remedy)


class Partial(RuntimeError):  # noqa: N818 - said of what was yielded before
    """Not every job was done: `done` results were yielded of `handed` jobs; `total` is None if nobody knows it.

    Its cause is Unavailable if the fleet was lost; else somebody asked to stop.
    """

    def __init__(self, done: int, handed: int, total: int | None, why: str) -> None:
        self.done, self.handed, self.total, self.why = done, handed, total, why
        super().__init__(f"expected the results of {handed if total is None else total} jobs, was {done}: {why}")


class Fleet(Protocol):
    """Whatever does jobs."""

    @property
    def width(self) -> int:
        """How many jobs it does at once."""

    def submit(self, work: Work, text: str) -> Future[str]:
        """Begin a job."""

    def died(self, error: BaseException) -> bool:
        """Whether an error says that the process of a job died, and nothing of the job itself."""

    def renew(self) -> None:
        """Have processes that are alive again after one died, with no job in flight."""

    def expect_alive(self) -> None:
        """Raise Unavailable if no result can ever come; asked every `TICK_S` without one."""


@dataclass(slots=True)
class Pool:
    """A fleet of any executor; `make` gives a fresh one, and who uses the fleet ends them."""

    make: Callable[[], Executor]
    width: int
    executor: Executor | None = None

    def submit(self, work: Work, text: str) -> Future[str]:
        """Begin a job."""
        self.executor = self.executor or self.make()
        return self.executor.submit(told, work, text)

    def died(self, error: BaseException) -> bool:
        """Whether an executor broke."""
        return isinstance(error, BrokenExecutor)

    def renew(self) -> None:
        """Go on with a fresh executor."""
        if self.executor:
            self.executor.shutdown()
        self.executor = None

    def expect_alive(self) -> None:
        """Believe the executor: it breaks if it cannot go on."""


def told(work: Work, text: str) -> str:
    """Do a job; what it raises is a finding, in the same words wherever it was done."""
    try:
        return work(text)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a job raises must be told with its seed
        return finding(text, f"the job raises {type(error).__name__}: {str(error)[:TOLD_CHARS_MAX]}")


def finding(text: str, problem: str) -> str:
    """Return the result of a job of which nothing is known but a problem."""
    job = Job.model_validate_json(text)
    return Result(job=job, findings=[{"seed": job.seed, "problem": problem}]).model_dump_json()


def never() -> str:
    """Have no reason to stop."""
    return ""


def run(texts: Iterable[str], work: Work, fleet: Fleet, stopped: Callable[[], str] = never) -> Iterator[str]:
    """Yield the results of the jobs in their order; `stopped` says why to stop, or nothing.

    When it stops, the results that are there are yielded, with gaps where one is not, and nothing is waited for.

    Raises:
        Partial: it stopped, or the fleet was lost.
    """
    line, why, cause = _Line(enumerate(texts), work, fleet), "", None
    try:
        while line.fill() and not (why := stopped()):
            line.gather(TICK_S)
            yield from line.ready()
        yield from line.ready()
    except (KeyboardInterrupt, Unavailable) as error:
        why, cause = str(error) or "interrupted", error
    if why:
        yield from line.rest()
        total = len(texts) if isinstance(texts, Sized) else None
        raise Partial(line.done, line.handed, total, why) from cause


@dataclass(slots=True)
class _Line:
    """What is handed out and not yet yielded; `texts` are those of jobs without a result."""

    source: Iterator[tuple[int, str]]
    work: Work
    fleet: Fleet
    flying: dict[Future[str], int] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)
    suspects: list[int] = field(default_factory=list)
    deaths: Counter[int] = field(default_factory=Counter)
    alone: int | None = None
    broken: bool = False
    handed: int = 0
    following: int = 0
    done: int = 0

    def fill(self) -> bool:
        """Hand out what may be handed out; return whether a result may come."""
        while not self.flying:
            if self.suspects:
                self._try(self.suspects[0])
            elif not self._hand_out():
                return False
        if not self.suspects:
            self._hand_out()
        return True

    def _hand_out(self) -> bool:
        """Hand out new jobs while there is room and nobody is under suspicion; return whether there was one."""
        self.alone, before = None, self.handed
        width = self.fleet.width
        room = min(IN_FLIGHT * width - len(self.flying), HELD * width - (self.handed - self.following))
        for index, text in islice(self.source, max(0, room)):
            self.texts[index], self.handed = text, index + 1
            self._send(index)
            if self.suspects:
                break
        return self.handed > before

    def _try(self, index: int) -> None:
        """Do a suspect alone, in processes that are alive."""
        if self.broken:
            self.fleet.renew()
        self.alone, self.broken = index, False
        self._send(index)

    def _send(self, index: int) -> None:
        try:
            future = self.fleet.submit(self.work, self.texts[index])
        except Exception as error:  # noqa: BLE001 - sorted out at once
            self._failed(index, error)
        else:
            self.flying[future] = index

    def gather(self, timeout_s: float) -> None:
        """Take in the results that come within a time.

        Raises:
            Unavailable: none can come.
        """
        done, _ = wait(self.flying, timeout_s, FIRST_COMPLETED)
        if not done:
            self.fleet.expect_alive()
        for future in sorted(done, key=self.flying.__getitem__):
            self._settle(future)

    def _settle(self, future: Future[str]) -> None:
        index = self.flying.pop(future)
        if future.cancelled():
            raise Unavailable(
                "a fleet that is there", "one that dropped its jobs", "see whether its processes still run"
            )
        error = future.exception()
        if error is None:
            self._keep(index, future.result())
        else:
            self._failed(index, error)

    def _keep(self, index: int, result: str) -> None:
        self.results[index] = result
        del self.texts[index]
        if index in self.suspects:
            self.suspects.remove(index)

    def _failed(self, index: int, error: BaseException) -> None:
        if isinstance(error, Unavailable):
            raise error
        if not self.fleet.died(error):
            was = f"{type(error).__name__}: {str(error)[:TOLD_CHARS_MAX]}"
            raise Unavailable("a fleet that takes the job", was, "mend what it says") from error
        self.broken = True
        if self.alone != index:
            self.suspects = sorted({*self.suspects, index})
            return
        self.deaths[index] += 1
        if self.deaths[index] >= DEATHS_MAX:
            self._keep(index, finding(self.texts[index], KILLS))

    def ready(self) -> Iterator[str]:
        """Yield the results that follow the last one."""
        while self.following in self.results:
            self.following, self.done = self.following + 1, self.done + 1
            yield self.results.pop(self.following - 1)

    def rest(self) -> Iterator[str]:
        """Yield whatever result there is, in order, without waiting."""
        for future, index in self.flying.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                self.results[index] = future.result()
        for index in sorted(self.results):
            self.done += 1
            yield self.results.pop(index)
