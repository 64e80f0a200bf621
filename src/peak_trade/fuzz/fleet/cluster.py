"""Jobs are done by the workers of a dask cluster, in fenced processes beside them; needs the extra `cluster`.

This process talks to the scheduler, so it has no fence and plays no session. A worker that dies is the scheduler's
business until it gives up on a job; then the job is a suspect like any other. The sources there must be those here.

Limits: the scheduler must answer, and a worker be there, within `connect_ms_max`; it is lost when it was not there for
`SILENT_MAX` times that somebody looked. Whoever may talk to the scheduler may run code on its workers.
"""

import logging
import re
from concurrent.futures import Executor, Future
from typing import Any, Final, Self

from distributed import Client, KilledWorker
from distributed.client import ClosedClientError

from peak_trade.fuzz.fleet.child import Died, ask, code
from peak_trade.fuzz.fleet.fleet import Unavailable, Work
from peak_trade.fuzz.fleet.processes import JOB_MS_MAX
from peak_trade.fuzz.fleet.shifts import Misused
from peak_trade.session.hook import NetworkForbidden

ADDRESS: Final = re.compile(r"dask://([^/@\s]+:[0-9]{1,5})/?")
CONNECT_MS_MAX: Final = 10_000
ANSWER_S_MAX: Final = 5
SILENT_MAX: Final = 20


class Cluster:
    """The fleet of a running scheduler's workers; leaving its context leaves the cluster as it was."""

    def __init__(self, address: str, connect_ms_max: int = CONNECT_MS_MAX, job_ms_max: int = JOB_MS_MAX) -> None:
        """Connect to the scheduler at `dask://HOST:PORT`.

        Raises:
            Misused: it is no such address.
            Unavailable: there is no scheduler, or it has no worker.
        """
        found = ADDRESS.fullmatch(address)
        if found is None:
            raise Misused("an executor dask://HOST:PORT", repr(address), "say where the scheduler is")
        self.address, self.job_ms_max, self._silent = address, job_ms_max, 0
        self._client = _connected(f"tcp://{found[1]}", connect_ms_max)
        try:
            self._client.wait_for_workers(1, connect_ms_max / 1000)
        except TimeoutError as error:
            self._client.close()
            raise Unavailable(
                f"a worker at {address} within {connect_ms_max} ms", "none", f"start one: dask worker {found[1]}"
            ) from error
        self._executor: Executor = self._client.get_executor(pure=False)
        self.width = _threads(self._workers())

    def submit(self, work: Work, text: str) -> Future[str]:
        """Begin a job on some worker."""
        try:
            return self._executor.submit(ask, work, text, self.job_ms_max, code())
        except (ClosedClientError, OSError) as error:
            raise self._gone(str(error)) from error

    def died(self, error: BaseException) -> bool:
        """Whether the process of a job died, or one worker after the other with it, or a result was lost on its way.

        What a job raises is in its result; a ValueError is what distributed's executor makes of a result that is lost.
        """
        return isinstance(error, (Died, KilledWorker, ValueError))

    def renew(self) -> None:
        """Leave it to the workers' own nannies."""

    def expect_alive(self) -> None:
        """Look who is there, and count the workers anew.

        Raises:
            Unavailable: nobody was for too long.
        """
        workers = self._workers()
        self._silent = 0 if workers else self._silent + 1
        self.width = _threads(workers)
        if self._silent >= SILENT_MAX:
            raise self._gone("no worker, or no scheduler")

    def _workers(self) -> dict[str, Any]:
        if self._client.status != "running":
            return {}
        try:
            found = self._client.sync(self._client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER_S_MAX)
        except (OSError, TimeoutError):
            return {}
        return dict(found["workers"])

    def _gone(self, was: str) -> Unavailable:
        return Unavailable(f"a cluster at {self.address}", was, "see whether its scheduler and its workers still run")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client.status == "running":
            self._executor.shutdown(wait=False)
        self._client.close(timeout=ANSWER_S_MAX)


def _threads(workers: dict[str, Any]) -> int:
    """Return how many jobs these workers do at once; 1 for none, as one may come."""
    return max(1, sum(int(worker["nthreads"]) for worker in workers.values()))


def _connected(address: str, connect_ms_max: int) -> Any:  # noqa: ANN401 - the client publishes half of its types
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it complains of is told as Unavailable
    try:
        return Client(address, timeout=connect_ms_max / 1000, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, NetworkForbidden) as error:
        raise Unavailable(
            f"a scheduler at {address} within {connect_ms_max} ms",
            f"{type(error).__name__}: {error}",
            "start one: dask scheduler",
        ) from error
