"""Jobs are done in processes of this machine, each behind the fence, each gone when its fleet or its parent is.

Limits: a job that is not over after its time ends its process; where it was then is on stderr. On a machine without
the filter the fence is the hook alone, as it is for every session.
"""

import faulthandler
import os
import signal
import sys
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from typing import Any, Final, Self

from peak_trade.fuzz.fleet.fleet import Unavailable, Work, told
from peak_trade.session.fence import FenceRefused, up

JOB_MS_MAX: Final = 600_000


class _Recorded(SpawnContext):
    """Spawns as its parent class does, and remembers whom."""

    def __init__(self) -> None:
        super().__init__()
        self.spawned: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: ANN401, N802 - as the library has it
        """Return a process that is remembered."""
        self.spawned.append(SpawnProcess(*args, **kwargs))
        return self.spawned[-1]


class Processes:
    """A fleet of `width` processes; leaving its context ends them, and abandons what they do."""

    def __init__(self, width: int, job_ms_max: int = JOB_MS_MAX) -> None:
        self.width, self.job_ms_max = width, job_ms_max
        self._context = _Recorded()
        self._executor: ProcessPoolExecutor | None = None
        self._given: list[Future[str]] = []

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the processes that are alive."""
        return tuple(one.pid for one in self._context.spawned if one.pid and one.is_alive())

    def submit(self, work: Work, text: str) -> Future[str]:
        """Begin a job; the first one begins the processes."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self.width, self._context, _begin)
        future = self._executor.submit(guarded, work, text, self.job_ms_max)
        self._given = [*(one for one in self._given if not one.done()), future]
        return future

    def died(self, error: BaseException) -> bool:
        """Whether a process died."""
        return isinstance(error, BrokenExecutor)

    def renew(self) -> None:
        """End all processes; the next job begins new ones."""
        if self._executor is None:
            return
        if not all(one.done() for one in self._given):
            for process in self._context.spawned:
                process.kill()
        self._executor.shutdown(cancel_futures=True)
        self._executor, self._context, self._given = None, _Recorded(), []

    def expect_alive(self) -> None:
        """Believe the pool: it breaks when a process dies."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.renew()


def _begin() -> None:
    """Make a fresh process one of a fleet: deaf to ^C, which is the parent's, fenced, and gone when the parent is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(FenceRefused):  # each job asks again, and can tell
        up()
    Thread(target=_outlive_nobody, daemon=True).start()


def _outlive_nobody() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def guarded(work: Work, text: str, job_ms_max: int) -> str:
    """Do a job behind the fence, and end this process if it takes longer than that.

    Raises:
        Unavailable: the fence cannot be put up.
    """
    try:
        up()
    except FenceRefused as error:
        raise Unavailable(error.expected, error.was, error.remedy) from error
    faulthandler.dump_traceback_later(job_ms_max / 1000, exit=True, file=sys.__stderr__ or 2)
    try:
        return told(work, text)
    finally:
        faulthandler.cancel_dump_traceback_later()
