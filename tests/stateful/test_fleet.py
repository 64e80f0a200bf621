"""Real processes and a real cluster: the same bytes, also when a worker is killed half-way, and no network inside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from strategies import toil

from peak_trade.fuzz.fleet import child
from peak_trade.fuzz.fleet import fleet as fleets
from peak_trade.fuzz.fleet.fleet import KILLS, Partial, Unavailable, run
from peak_trade.fuzz.fleet.processes import Processes
from peak_trade.fuzz.fleet.shifts import Misused
from peak_trade.session.fence import native, strays

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "peak_trade"
JOBS = [*(toil.job(seed) for seed in range(1, 16)), toil.job(1, "sessions", 2)]
WAIT_S_MAX = 60
FENCE = "kernel" if not isinstance(native(), str) else "hook"


@pytest.fixture(scope="module")
def done() -> list[str]:
    """What this process makes of the jobs."""
    return [toil.work(text) for text in JOBS]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that kills its process is given up sooner, as each death costs a start."""
    monkeypatch.setattr(fleets, "DEATHS_MAX", 2)


def waited(ready: Callable[[], bool], what: str) -> None:
    """Return as soon as `ready` is true; fail after a while."""
    for _ in range(WAIT_S_MAX * 20):
        if ready():
            return
        time.sleep(0.05)
    raise AssertionError(f"expected {what} within {WAIT_S_MAX} s")


def gone(pid: int) -> bool:
    """Whether there is no such process, or only its remains."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_one_process_and_two_give_the_same_bytes(done: list[str]) -> None:
    """With two, real sessions are among the jobs; all is what this process does itself, and no process is left."""
    for width, size in ((1, 15), (2, len(JOBS))):
        with Processes(width) as fleet:
            assert list(run(JOBS[:size], toil.work, fleet)) == done[:size]
            pids = fleet.pids
        assert len(pids) == width
        assert all(gone(pid) for pid in pids)


def test_a_killed_process_loses_nothing(tmp_path: Path, done: list[str]) -> None:
    """One dies by SIGKILL half-way, its job and the others' are done again; one that always kills its own is a finding.

    The same fleet goes on after that, each of its processes fenced.
    """
    jobs = [
        *JOBS[:5],
        toil.job(6, "dying", folder=str(tmp_path), times=1),
        toil.job(7, "dying", folder=str(tmp_path), times=10**6),
        toil.job(8, "noisy"),
        *JOBS[8:15],
        toil.job(1, "fenced"),
    ]
    with Processes(2) as fleet:
        got = list(run(jobs, toil.work, fleet))
    assert got[:5] + got[8:15] == done[:5] + done[8:15]
    assert [index for index, text in enumerate(got, 1) if toil.findings(text)] == [7]
    assert toil.findings(got[6]) == [{"seed": 7, "problem": KILLS}]
    assert json.loads(got[5])["figures"] == json.loads(done[5])["figures"]
    assert json.loads(got[-1])["figures"] == {f"fence.{FENCE}": 1}
    assert len(list(tmp_path.glob("6.*"))) == 1


def test_a_process_killed_from_outside_loses_nothing(done: list[str]) -> None:
    """After the first result every process of the fleet is killed; the results are the same."""
    got: list[str] = []
    with Processes(2) as fleet:
        for text in run(JOBS[:15], toil.work, fleet):
            got.append(text)
            if len(got) == 1:
                for pid in fleet.pids:
                    os.kill(pid, signal.SIGKILL)
    assert got == done[:15]


def test_what_takes_too_long_is_a_finding(capfd: pytest.CaptureFixture[str]) -> None:
    """A job that never ends is ended, told on stderr where it was, and the next one is done."""
    with Processes(1, job_ms_max=200) as fleet:
        got = list(run([toil.job(1, "slow", ms=600_000), JOBS[1]], toil.work, fleet))
    assert toil.findings(got[0]) == [{"seed": 1, "problem": KILLS}]
    assert got[1] == toil.work(JOBS[1])
    assert "in slow" in capfd.readouterr().err


LEFT = """
import sys
from strategies import toil
from peak_trade.fuzz.fleet.fleet import Partial, run
from peak_trade.fuzz.fleet.processes import Processes
from peak_trade.fuzz.fleet.shifts import interruptible
from peak_trade.session.fence import up

up()
jobs = [toil.job(1), toil.job(2, "slow", ms=600_000)]
with interruptible() as stopped, Processes(1) as fleet:
    try:
        for text in run(jobs, toil.work, fleet, stopped):
            print(text, fleet.pids[0], flush=True)
    except Partial as error:
        print(error.done, error.total, error.why)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_parent_that_is_told_to_stop_or_killed_leaves_no_process(number: signal.Signals) -> None:
    """On SIGTERM it tells that it is partial, at once; after SIGKILL its processes end by themselves.

    The parent is fenced, as `peak fuzz` is: its processes can still be started and talked to.
    """
    command, path = [sys.executable, "-c", LEFT], os.pathsep.join((str(ROOT / "tests"), str(ROOT / "src")))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}) as parent:
        assert parent.stdout
        text, _, pid = parent.stdout.readline().rpartition(" ")
        assert text == toil.work(toil.job(1))
        parent.send_signal(number)
        waited(lambda: gone(int(pid)), "no process")
        rest = parent.stdout.read()
    assert rest == ("1 2 SIGTERM\n" if number is signal.SIGTERM else "")


@pytest.mark.usefixtures("frozen")
def test_a_child_without_its_sources_refuses() -> None:
    """A job for other sources than those here is refused with the remedy, never done on these."""
    with pytest.raises(Unavailable, match="expected sources 0000, was"):
        child.ask(toil.work, JOBS[0], 60_000, "0000")


@pytest.mark.usefixtures("frozen")
def test_a_child_is_fenced_and_lives_until_it_dies(tmp_path: Path) -> None:
    """One child does many jobs behind its own fence, what they print is no result, and a dead one has a successor."""
    sources, one = child.code(), child.Child()
    try:
        figures = json.loads(one.ask(toil.work, toil.job(1, "fenced"), 60_000, sources))["figures"]
        assert figures == {f"fence.{FENCE}": 1}
        assert one.ask(toil.work, toil.job(2, "noisy"), 60_000, sources) == toil.summed_text(2, "noisy")
        with pytest.raises(child.Died, match="exit -9"):
            one.ask(toil.work, toil.job(3, "dying", folder=str(tmp_path), times=9), 60_000, sources)
        with pytest.raises(child.Died, match="exit -9"):
            one.ask(toil.work, JOBS[0], 60_000, sources)
    finally:
        one.close()


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Children work on a copy of the sources, as these may be edited while they do."""
    folder = tmp_path_factory.mktemp("sources")
    shutil.copytree(SOURCES, folder / "src" / "peak_trade", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "spec", folder / "spec")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "PACKAGE", folder / "src" / "peak_trade")
        child.code.cache_clear()
        yield
    child.code.cache_clear()


@dataclass(frozen=True, slots=True)
class Site:
    """A running cluster: its address, its scheduler's process, and the folder of its logs."""

    address: str
    scheduler: subprocess.Popen[bytes]
    folder: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, frozen: None) -> Iterator[Site]:  # noqa: ARG001 - as an order to pytest
    """A scheduler and two workers on loopback.

    The scheduler gives a job up the first time that it loses its worker, so that our own way of doing it again is seen.
    """
    folder = tmp_path_factory.mktemp("cluster")
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(child.PACKAGE.parent), str(ROOT / "tests"))),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    }
    dask, place, started = Path(sys.executable).with_name("dask"), folder / "scheduler.json", []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        with (folder / f"{len(started)}.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    [dask, *arguments, "--scheduler-file", place, "--host", "127.0.0.1", "--no-dashboard"],
                    env=env, cwd=folder, stdout=log, stderr=log, start_new_session=True,
                )
            )  # fmt: skip
        return started[-1]

    try:
        scheduler = start("scheduler", "--port", "0", "--no-show")
        for name in ("a", "b"):
            start("worker", "--nthreads", "1", "--name", name, "--local-directory", str(folder))
        waited(lambda: place.exists() and place.read_text().endswith("}"), "a scheduler")
        yield Site(json.loads(place.read_text())["address"].replace("tcp", "dask"), scheduler, folder)
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_two_workers_of_a_cluster_give_the_same_bytes(site: Site, tmp_path: Path, done: list[str]) -> None:
    """Real sessions among the jobs, undisturbed; then with a worker killed half-way; each job fenced.

    Once the fleet is left nothing of it is open here, so that this process may put up its own fence.
    """
    from peak_trade.fuzz.fleet.cluster import Cluster

    with Cluster(site.address) as fleet:
        assert list(run(JOBS, toil.work, fleet)) == done
        jobs = [*JOBS[:15], toil.job(1, "fenced"), toil.job(7, "dying", folder=str(tmp_path), times=10**6)]
        jobs[7] = toil.job(8, "worker_dying", folder=str(tmp_path))
        got = list(run(jobs, toil.work, fleet))
    assert strays() == []
    assert (tmp_path / "8.worker").exists()
    assert [*got[:7], *got[8:-2]] == [*done[:7], *done[8:15]]
    assert json.loads(got[7])["figures"] == json.loads(done[7])["figures"]
    assert json.loads(got[-2])["figures"] == {f"fence.{FENCE}": 1}
    assert toil.findings(got[-1]) == [{"seed": 7, "problem": KILLS}]


def test_a_cluster_that_dies_leaves_what_was_done(site: Site) -> None:
    """Its scheduler is killed half-way: what is done is there, the loss is told, and nobody can connect any more."""
    from peak_trade.fuzz.fleet.cluster import Cluster

    jobs, got = [toil.job(seed, "slow", ms=100) for seed in range(200)], list[str]()
    with Cluster(site.address) as fleet:
        results = run(jobs, toil.work, fleet)
        got += islice(results, 3)
        site.scheduler.kill()
        with pytest.raises(Partial) as caught:
            got += results
    assert isinstance(caught.value.__cause__, Unavailable)
    assert 3 <= caught.value.done == len(got) < 200
    assert got == [toil.work(toil.job(json.loads(text)["job"]["seed"], "slow", ms=100)) for text in got]
    assert strays() == []
    with pytest.raises(Unavailable, match="start one: dask scheduler"):
        Cluster(site.address, connect_ms_max=500)


@pytest.mark.parametrize("address", ["dask://", "dask://host", "tcp://host:1", "dask://local", "dask://a b:1"])
def test_what_is_no_address_of_a_cluster_is_refused(address: str) -> None:
    """It needs a host and a port."""
    from peak_trade.fuzz.fleet.cluster import Cluster

    with pytest.raises(Misused, match="dask://HOST:PORT"):
        Cluster(address)
