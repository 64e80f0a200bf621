"""Work for fleets that is picklable by its name: a tiny engine of sums, one that dies, and real sessions."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.jobs import Job, Result, perform
from peak_trade.session import fence


def job(seed: int, engine: str = "sum", count: int = 3, **options: Any) -> str:
    """The text of a job."""
    return Job(engine=engine, seed=seed, count=count, specs={"toy": "0"}, options=options).model_dump_json()


def summed(asked: Job) -> Result:
    """A pure engine: what it saw is which remainders its seeds leave."""
    seen = Coverage()
    for seed in range(asked.seed, asked.seed + asked.count):
        seen.hit(Goal("state", "toy", str(seed * seed % 7)), seed)
    return Result(job=asked, figures={"cases": asked.count, "sum": asked.seed**2}, coverage=seen.plain())


def dying(asked: Job) -> Result:
    """Kills its process with SIGKILL as long as there are fewer than `times` marks in its folder; then a sum."""
    folder, times = Path(str(asked.options["folder"])), int(str(asked.options["times"]))
    if len(list(folder.glob(f"{asked.seed}.*"))) < times:
        (folder / f"{asked.seed}.{time.monotonic_ns()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return summed(asked)


def worker_dying(asked: Job) -> Result:
    """Kills the worker that asked for it, once, and goes down with it; then a sum."""
    mark = Path(str(asked.options["folder"])) / f"{asked.seed}.worker"
    if not mark.exists():
        mark.touch()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return summed(asked)


def fenced(asked: Job) -> Result:
    """Says how strong the fence around it is."""
    return Result(job=asked, figures={f"fence.{fence._PROCESS.fence.level if fence._PROCESS.fence else 'none'}": 1})


def slow(asked: Job) -> Result:
    """Takes as long as it is told."""
    time.sleep(int(str(asked.options["ms"])) / 1000)
    return summed(asked)


def raising(asked: Job) -> Result:
    """Raises."""
    raise ZeroDivisionError(f"no way with {asked.seed}")


def noisy(asked: Job) -> Result:
    """Prints beside its result."""
    os.write(1, b"noise\n")
    return summed(asked)


def sessions(asked: Job) -> Result:
    """Plays real sessions in seeded worlds; what only this needs is imported here, as every process begins anew."""
    from peak_trade.cli.campaign import engines

    return engines()["sessions"](asked)


ENGINES: dict[str, Callable[[Job], Result]] = {
    "sum": summed, "dying": dying, "worker_dying": worker_dying, "fenced": fenced, "slow": slow, "raising": raising,
    "noisy": noisy, "sessions": sessions,
}  # fmt: skip


def work(text: str) -> str:
    """Do a job of any of the engines above."""
    return perform(text, ENGINES, {"toy": "0"})


def findings(text: str) -> list[dict[str, Any]]:
    """The findings of a result."""
    return list(json.loads(text)["findings"])


def summed_text(seed: int, engine: str) -> str:
    """The result of a job that is a sum, whatever its engine's name."""
    return summed(Job.model_validate_json(job(seed, engine))).model_dump_json()
