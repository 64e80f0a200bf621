"""A fenced process beside one that cannot be fenced does its jobs, as the worker of a cluster needs its sockets.

Each thread of the worker has one such child, for as long as both live. A job goes down as a pickle; its result comes
back as plain text, so that nothing which a job makes is run outside the fence.

Limits: a child that has not answered `GRACE_MS` after its job's time is killed.
"""

import hashlib
import os
import pickle
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import IO, Final

from peak_trade.fuzz.fleet.fleet import Unavailable, Work
from peak_trade.fuzz.fleet.processes import guarded
from peak_trade.session.fence import up

GRACE_MS: Final = 30_000
"""How much longer than its job's limit a child may take to begin, to import, and to answer."""
PACKAGE: Final = Path(__file__).resolve().parents[2]
CODE: Final = "import sys; sys.path.insert(0, sys.argv[1]); from peak_trade.fuzz.fleet.child import serve; serve()"
RESULT, REFUSAL = b"+", b"-"
SIZE_BYTES: Final = 8
_MINE: Final = threading.local()


class Died(RuntimeError):  # noqa: N818 - said of the process
    """The process of a job ended without its result: `how` it ended."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


@cache
def code() -> str:
    """Return the fingerprint of this package's sources: the same job has the same result on the same sources only."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


class Child:
    """A child process, ready for jobs; it ends when its stdin does, and so with its parent."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-c", CODE, str(PACKAGE.parent)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - this interpreter and our own words

    def ask(self, work: Work, text: str, job_ms_max: int, sources: str) -> str:
        """Do a job.

        Raises:
            Died: the child ended without a result.
            Unavailable: the child cannot do jobs.
        """
        order = pickle.dumps((sources, sys.path, job_ms_max)) + pickle.dumps((work, text))
        late = threading.Timer((job_ms_max + GRACE_MS) / 1000, self.process.kill)
        late.daemon = True
        late.start()
        try:
            mark, answer = self._answer(order)
        finally:
            late.cancel()
        if mark == REFUSAL:
            raise Unavailable(
                "a worker fit for the job", answer, "give it this version of the package, and this Python"
            )
        if mark != RESULT:
            raise Died(f"exit {self.process.wait()}")
        return answer

    def _answer(self, order: bytes) -> tuple[bytes, str]:
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(order)
            self.process.stdin.flush()
            head = self.process.stdout.read(1 + SIZE_BYTES)
            body = self.process.stdout.read(int.from_bytes(head[1:], "big"))
        except BrokenPipeError:
            return b"", ""
        whole = len(head) == 1 + SIZE_BYTES and len(body) == int.from_bytes(head[1:], "big")
        return (head[:1], body.decode()) if whole else (b"", "")

    def close(self) -> None:
        """End the child."""
        self.process.kill()
        self.process.communicate()


def ask(work: Work, text: str, job_ms_max: int, sources: str) -> str:
    """Do a job in the child of this thread, on the package's sources of that fingerprint.

    Raises:
        Died: the child ended without a result; the next job begins another.
        Unavailable: no child here can do it.
    """
    child: Child | None = getattr(_MINE, "child", None)
    if child is None:
        child = _MINE.child = Child()
    try:
        return child.ask(work, text, job_ms_max, sources)
    except (Died, Unavailable):
        _MINE.child = None
        child.close()
        raise


def serve() -> None:
    """Do the jobs that come on stdin, fenced before any of their code is imported, until there are no more."""
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a job prints is no answer
    while True:
        try:
            up()
            order = _order(orders)
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - whatever stands in the way is told
            _tell(answers, REFUSAL, f"{type(error).__name__}: {error}")
            return
        _tell(answers, RESULT, guarded(*order))


def _order(orders: IO[bytes]) -> tuple[Work, str, int]:
    """Return the next job; its work is imported here."""
    sources, paths, job_ms_max = pickle.load(orders)  # noqa: S301 - from our own parent, through a pipe
    if sources != code():
        raise Unavailable(f"sources {sources[:12]}", code()[:12], "they are of another version")
    sys.path[:] = paths
    work, text = pickle.load(orders)  # noqa: S301 - as above
    return work, text, job_ms_max


def _tell(answers: IO[bytes], mark: bytes, answer: str) -> None:
    data = answer.encode()
    answers.write(mark + len(data).to_bytes(SIZE_BYTES, "big") + data)
    answers.flush()
