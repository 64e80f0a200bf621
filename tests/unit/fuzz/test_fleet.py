"""Results come in the order of the jobs, whatever does them and however it dies; what is missing is said."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import count, islice
from typing import Any

import pytest
import rich_click as click
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import toil

from peak_trade.broker.swarm import drawn
from peak_trade.cli import fleets
from peak_trade.fuzz.cover.coverage import Coverage
from peak_trade.fuzz.fleet import child, fleet, shifts
from peak_trade.fuzz.fleet.fleet import DEATHS_MAX, IN_FLIGHT, KILLS, Partial, Pool, Unavailable, Work, run
from peak_trade.fuzz.fleet.processes import Processes
from peak_trade.fuzz.fleet.shifts import Misused, Shard, interruptible, until
from peak_trade.fuzz.jobs import Result

JOBS = [toil.job(seed) for seed in range(1, 25)]
DONE = [toil.work(text) for text in JOBS]


class Shaky:
    """A fleet that does its jobs in a drawn order; those of `killers` take it down, and all that is in flight."""

    def __init__(self, seed: int, width: int, killers: dict[int, int], *, company: bool = True) -> None:
        self.width, self.seed, self.killers, self.company = width, seed, dict(killers), company
        self.given: list[tuple[Future[str], Work, str]] = []
        self.asked: list[int] = []
        self.most = self.renewed = self.draws = 0
        self.broken = False

    def submit(self, work: Work, text: str) -> Future[str]:
        """Take a job, and now and then do one of those taken; broken, take none."""
        if self.broken:
            raise BrokenProcessPool
        self.given.append((Future(), work, text))
        future = self.given[-1][0]
        self.asked.append(Result.model_validate_json(toil.work(text)).job.seed)
        self.most = max(self.most, len(self.given))
        if len(self.given) >= self.width * IN_FLIGHT or drawn(self.seed, "now", len(self.asked)) % 2:
            self.one()
        return future

    def one(self) -> None:
        """Do one job, or die of it."""
        if not self.given:
            return
        self.draws += 1
        future, work, text = self.given.pop(drawn(self.seed, "which", self.draws) % len(self.given))
        seed = Result.model_validate_json(toil.work(text)).job.seed
        if self.killers.get(seed, 0) == 0:
            future.set_result(work(text))
            return
        self.killers[seed] -= 1
        future.set_exception(BrokenProcessPool())
        if self.company:
            self.broken = True
            for other, *_ in self.given:
                other.set_exception(BrokenProcessPool())
            self.given = []

    def died(self, error: BaseException) -> bool:
        """As a pool has it."""
        return isinstance(error, BrokenProcessPool)

    def renew(self) -> None:
        """Nothing may be in flight then."""
        assert not self.given
        self.broken, self.renewed = False, self.renewed + 1

    def expect_alive(self) -> None:
        """Nobody waits here in vain: go on."""
        self.one()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fleet above never does anything while it is waited for."""
    monkeypatch.setattr(fleet, "TICK_S", 0.001)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 4),
    st.dictionaries(st.integers(1, 24), st.integers(1, 6), max_size=4),
    st.booleans(),
)
def test_no_death_loses_or_reorders_a_result(seed: int, width: int, killers: dict[int, int], company: bool) -> None:
    """For any order of completion and any deaths each job has its own result, or is a finding iff it kills every time.

    After one death in company a job is alone, so one that would kill `DEATHS_MAX` times may do so or not.
    """
    hands = Shaky(seed, width, killers, company=company)
    got = list(run(JOBS, toil.work, hands))
    assert len(got) == len(JOBS)
    for index, (text, expected) in enumerate(zip(got, DONE, strict=True), 1):
        found = toil.findings(text)
        assert text == expected or found == [{"seed": index, "problem": KILLS}]
        if killers.get(index, 0) != DEATHS_MAX:
            assert bool(found) == (killers.get(index, 0) > DEATHS_MAX)
    assert hands.most <= IN_FLIGHT * width


def test_who_kills_every_time_is_told_and_nobody_else() -> None:
    """One killer among many, for ever: it is tried once in company and `DEATHS_MAX` times alone."""
    hands = Shaky(1, 3, {7: 10**6})
    got = list(run(JOBS, toil.work, hands))
    assert [index for index, text in enumerate(got, 1) if toil.findings(text)] == [7]
    assert hands.asked.count(7) in (DEATHS_MAX, DEATHS_MAX + 1)
    assert [text for text in got if not toil.findings(text)] == [text for text in DONE if text != DONE[6]]


@pytest.mark.parametrize("width", [1, 2, 5])
def test_any_executor_gives_the_same_bytes(width: int) -> None:
    """A pool of threads of any width does what this thread does."""
    with ThreadPoolExecutor(width) as executor:
        assert list(run(JOBS, toil.work, Pool(lambda: executor, width))) == DONE


def test_a_pool_that_broke_is_replaced() -> None:
    """After a broken executor the next one is asked for, and the old one is shut."""
    made: list[Executor] = []

    class Broken(ThreadPoolExecutor):
        def submit(self, *_: Any, **__: Any) -> Future[Any]:
            raise BrokenProcessPool

    def make() -> Executor:
        made.append(Broken(1) if not made else ThreadPoolExecutor(1))
        return made[-1]

    hands = Pool(make, 1)
    assert list(run(JOBS, toil.work, hands)) == DONE
    hands.renew()
    assert len(made) == 2
    with pytest.raises(RuntimeError):
        made[1].submit(int)


def test_what_a_job_raises_is_its_finding() -> None:
    """The other jobs are done as if it had not."""
    with ThreadPoolExecutor(2) as executor:
        got = list(run([JOBS[0], toil.job(5, "raising"), JOBS[1]], toil.work, Pool(lambda: executor, 2)))
    assert [got[0], got[2]] == DONE[:2]
    assert toil.findings(got[1]) == [
        {"seed": 5, "problem": "the job raises ZeroDivisionError: no way with 5"},
    ]


def test_a_stop_keeps_what_is_done_and_says_so() -> None:
    """What was done is yielded, in order, and nothing is waited for."""
    gate = threading.Event()

    def held(text: str) -> str:
        if text == JOBS[1]:
            gate.wait(30)
        return toil.work(text)

    got: list[str] = []
    with ThreadPoolExecutor(2) as executor:
        results = run(JOBS, held, Pool(lambda: executor, 2), lambda: "SIGTERM" if got else "")
        with pytest.raises(Partial) as caught:
            got += results
        gate.set()
    assert got == [text for text in DONE if text in got]
    assert DONE[0] in got
    assert DONE[1] not in got
    facts = caught.value
    assert (facts.done, facts.total, facts.why) == (len(got), len(JOBS), "SIGTERM")
    assert facts.done < facts.handed <= len(JOBS)


GAP = 1
"""A seed with which the second job is done after the third, or never."""


class Gone(Shaky):
    """A fleet that is lost after two jobs."""

    def one(self) -> None:
        """Do two jobs and no more."""
        if self.draws < 2:
            super().one()

    def expect_alive(self) -> None:
        """Do those two, then be lost."""
        if self.draws >= 2:
            raise Unavailable("a cluster", "none", "start one")
        self.one()


def test_a_lost_fleet_keeps_what_is_done() -> None:
    """Before and after a gap; its loss is the cause of what is raised, and endless jobs have no total."""
    got: list[str] = []
    with pytest.raises(Partial) as caught:
        got += run((toil.job(seed) for seed in count(1)), toil.work, Gone(GAP, 4, {}))
    assert isinstance(caught.value.__cause__, Unavailable)
    assert (caught.value.done, caught.value.total) == (len(got), None)
    assert len(got) == 2
    assert got == [text for text in DONE if text in got]
    assert got != DONE[:2], "the seed is one that leaves a gap"


def test_an_interrupt_is_a_partial_result() -> None:
    """^C while it waits is told as what it leaves, not as a traceback."""

    class Interrupted(Gone):
        def expect_alive(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(Partial, match="interrupted") as caught:
        list(run(JOBS, toil.work, Interrupted(3, 4, {})))
    assert isinstance(caught.value.__cause__, KeyboardInterrupt)


def test_a_fleet_that_cannot_take_a_job_says_why() -> None:
    """Work that cannot be sent is a fault of the fleet, not a finding about the job."""

    class Refusing(Shaky):
        def submit(self, work: Work, text: str) -> Future[str]:
            raise pickle.PicklingError(f"no {work} {len(text)}")

    with pytest.raises(Partial, match="PicklingError"):
        list(run(JOBS, toil.work, Refusing(1, 1, {})))


@given(st.integers(1, 9), st.integers(0, 40))
def test_all_shards_together_are_all_jobs(parts: int, size: int) -> None:
    """Each item is in exactly one shard, in its order."""
    items = list(range(size))
    shards = [list(Shard.of(f"{number}/{parts}").part(items)) for number in range(1, parts + 1)]
    assert sorted(item for shard in shards for item in shard) == items
    assert all(shard == sorted(shard) for shard in shards)
    assert [items[index] for index in range(size) if index % parts == 0] == shards[0]


def test_merged_shards_are_the_whole_campaign() -> None:
    """Coverage and sums of five shards, merged in any order, are those of one run."""

    def merged(texts: list[str]) -> tuple[list[Any], int]:
        seen, total = Coverage(), 0
        with ThreadPoolExecutor(2) as executor:
            for text in run(texts, toil.work, Pool(lambda: executor, 2)):
                result = Result.model_validate_json(text)
                seen.merge(Coverage.of(result.coverage))
                total += result.figures["sum"]
        return seen.plain(), total

    parts = [text for number in (3, 1, 5, 2, 4) for text in Shard(number, 5).part(JOBS)]
    assert merged(parts) == merged(JOBS)


@pytest.mark.parametrize("text", ["0/5", "6/5", "", "2", "2/", "/5", "a/b", "-1/5", "1/0", "1/5/2", " 1/5", "1.0/5"])
def test_what_is_no_shard_is_refused_with_the_remedy(text: str) -> None:
    """Numbers run from 1 to their count."""
    with pytest.raises(Misused, match="--shard 1/5") as caught:
        Shard.of(text)
    assert caught.value.was == repr(text)


@pytest.mark.parametrize("width", [1, 3])
def test_a_deadline_ends_the_handing_out(width: int) -> None:
    """With endless jobs, what was handed out before the end is done, and nothing else."""
    ticks = count()

    def clock() -> int:
        return next(ticks)

    jobs = until((toil.job(seed) for seed in count(1)), clock, 10)
    hands = Shaky(1, width, {})
    got = list(run(jobs, toil.work, hands))
    assert got == DONE[:10]
    assert hands.most <= IN_FLIGHT * width
    assert list(until(JOBS, lambda: 5, 5)) == []


def test_jobs_are_drawn_only_when_there_is_room() -> None:
    """An endless supply is drawn no further than what may be in flight."""
    drawn_so_far: list[int] = []

    def supply() -> Iterator[str]:
        for seed in count(1):
            drawn_so_far.append(seed)
            yield toil.job(seed)

    results = run(supply(), toil.work, Shaky(1, 2, {}))
    got = list(islice(results, 5))
    assert got == DONE[:5]
    assert len(drawn_so_far) <= 5 + fleet.HELD * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_once_and_the_handlers_come_back(number: signal.Signals) -> None:
    """The first one is named; after it, and after the block, the signals mean what they meant."""
    before = signal.getsignal(number)
    with interruptible() as stopped:
        assert stopped() == ""
        assert signal.getsignal(number) != before
        os.kill(os.getpid(), number)
        assert stopped() == number.name
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before


def test_errors_survive_the_way_between_processes() -> None:
    """What a worker raises is, unpickled, what it was."""
    error = pickle.loads(pickle.dumps(Unavailable("a", "b", "c")))  # noqa: S301 - our own
    assert (error.expected, error.was, error.remedy) == ("a", "b", "c")
    assert pickle.loads(pickle.dumps(child.Died("exit -9"))).how == "exit -9"  # noqa: S301 - our own


def test_a_cluster_is_imported_by_nobody_who_does_not_ask_for_it() -> None:
    """The fleet and its processes come without the cluster's library."""
    names = [fleets.__name__, shifts.__name__, child.__name__, "peak_trade.cli.fuzz"]
    load = f"for name in {names!r}: importlib.import_module(name)"
    code = f"import sys, importlib\n{load}\nassert 'distributed' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["", "dask", "ray://host:1", "local://", "dask://nowhere"])
def test_an_unknown_executor_is_a_usage_error(name: str) -> None:
    """It is refused with what there is and the command to run next, before anything is begun."""
    with pytest.raises(click.UsageError, match="next: peak fuzz --executor local"), fleets.fleet_of(name, 1):
        pass


def test_a_cluster_that_is_not_there_is_an_internal_error() -> None:
    """Nobody listens at port 1; exit code 4, and how to start one."""
    with (
        pytest.raises(fleets.NotThere, match=r"within 300 ms, was .*; start one: dask scheduler\nnext: ") as caught,
        fleets.fleet_of("dask://127.0.0.1:1", 1, connect_ms_max=300),
    ):
        pass
    assert caught.value.exit_code == 4


def test_a_cluster_without_its_library_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "peak_trade.fuzz.fleet.cluster", raising=False)
    with pytest.raises(click.UsageError, match=r"peak-trade\[cluster\]"), fleets.fleet_of("dask://host:1", 1):
        pass


def test_the_option_of_a_shard_is_read_or_refused() -> None:
    """Exit code 2, as for any parameter."""

    @click.command()
    @click.option("--shard", default="1/1", callback=fleets.shard_of)
    def command(shard: Shard) -> None:
        click.echo(shard.count)

    assert CliRunner().invoke(command, ["--shard", "2/5"]).output == "5\n"
    assert CliRunner().invoke(command, []).output == "1\n"
    assert CliRunner().invoke(command, ["--shard", "6/5"]).exit_code == 2


def test_local_is_processes_of_this_machine() -> None:
    """As many as were asked for, and none before there is a job."""
    with fleets.fleet_of("local", 3) as found:
        assert isinstance(found, Processes)
        assert (found.width, found.pids) == (3, ())
