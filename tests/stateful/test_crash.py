"""A killed run that is resumed is the run that was never killed: same artifacts, no order twice."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peak_trade.broker.errors import RateLimited, VenueUnavailable
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus
from peak_trade.broker.mock import MockVenue
from peak_trade.cli import job
from peak_trade.cli.job import Job
from peak_trade.evidence import collect
from peak_trade.evidence.artifacts import FIVE
from peak_trade.evidence.provenance import Provenance
from peak_trade.journal.disk import POSIX
from peak_trade.journal.scan import read
from peak_trade.journal.verify import Intact, verify
from peak_trade.market.synthetic import walk
from peak_trade.session.config import Config, StrategyPart, VenuePart

SYMBOLS, STEPS, SEED = 5, 45, 11
POINTS = 60
BARS = walk(SEED, SYMBOLS, STEPS, volume_lots=40_000)
CONFIG = Config(
    seed=SEED,
    cash_ticks=10**10,
    fault_permille=250,
    wind_down_steps=8,
    strategy=StrategyPart(params={"fast_bars": 2, "slow_bars": 5, "budget_ticks": 200_000_000}),
    venue=VenuePart(participation_permille_min=5, participation_permille_max=40),
)


@pytest.fixture(autouse=True, scope="module")
def _bars() -> Iterator[None]:
    """Runs work on the seeded bars above, and on a checkout that nobody edits meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "bars_of", lambda _: BARS)
        patch.setattr(collect, "provenance", lambda: Provenance("0" * 40, dirty=False))
        yield


def asked(folder: Path, *, resume: bool = False) -> Job:
    """The one job of this module, into `folder`."""
    return Job(folder, job.snapshot("builtin", STEPS, CONFIG), resume=resume)


@pytest.fixture(autouse=True)
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in which every call to the venue is written down, by whichever process makes it."""
    path = tmp_path / "calls"
    path.touch()
    place, query = MockVenue.place_order, MockVenue.query_order

    def placed(venue: MockVenue, request: OrderRequest) -> Accepted:
        note(path, f"place {request.client_order_id}")
        try:
            return place(venue, request)
        except (VenueUnavailable, RateLimited):
            note(path, f"unsent {request.client_order_id}")
            raise

    def queried(venue: MockVenue, client_order_id: str) -> OrderStatus | None:
        note(path, f"query {client_order_id}")
        return query(venue, client_order_id)

    monkeypatch.setattr(MockVenue, "place_order", placed)
    monkeypatch.setattr(MockVenue, "query_order", queried)
    return path


def note(path: Path, line: str) -> None:
    """Append one line; unbuffered, and not through the counted `os.write`."""
    with path.open("a", buffering=1) as file:
        file.write(line + "\n")


def blind(path: Path) -> list[str]:
    """The orders that were sent again although the venue might have had them, and nobody had asked."""
    doubtful: set[str] = set()
    found = []
    for line in path.read_text().splitlines():
        call, order = line.split()
        if call == "place":
            if order in doubtful:
                found.append(order)
            doubtful.add(order)
        else:
            doubtful.discard(order)
    return found


def run_and_die(folder: Path, point: int) -> bool:
    """Run the job in a child that is killed at its `point`-th write to disk; return whether it lived that long."""
    child = os.fork()
    if child == 0:
        _die_at(point)
        job.run(asked(folder))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _die_at(point: int) -> Callable[[], int]:
    """Kill this process, as kill -9 does, just before or just after its `point`-th write or fsync; 0 is never.

    Return a function that says how many there were so far.
    """
    count = 0
    originals = {"write": os.write, "fsync": os.fsync}

    def counted(name: str):  # noqa: ANN202 - a function like the one it stands for
        def call(*arguments):  # noqa: ANN002, ANN202 - as above
            nonlocal count
            count += 1
            if count == point and point % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            result = originals[name](*arguments)
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    os.write, os.fsync = counted("write"), counted("fsync")
    return lambda: count


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The artifacts of the run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = job.run(asked(folder))
    assert done.state == "STOPPED"
    assert done.collected is not None
    assert len(done.collected.story.lines) > 40
    assert done.collected.story.events["time_out"] > 0
    return {name: (folder / name).read_bytes() for name in FIVE}


@pytest.fixture(scope="module")
def writes(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many writes and fsyncs an undisturbed run makes, counted in a child."""
    folder = tmp_path_factory.mktemp("count")
    child = os.fork()
    if child == 0:
        count = _die_at(0)
        job.run(asked(folder / "run"))
        (folder / "writes").write_text(str(count()))
        os._exit(0)
    os.waitpid(child, 0)
    return int((folder / "writes").read_text())


@pytest.mark.parametrize("share", range(POINTS))
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, whole: dict[str, bytes], writes: int, calls: Path, share: int
) -> None:
    """Killed at any write and resumed, the run ends in the same bytes and sends no order twice."""
    folder = tmp_path / "run"
    point = 1 + (writes - 1) * share // (POINTS - 1)
    assert run_and_die(folder, point)
    begun = (folder / "config_snapshot.json").is_file()
    done = job.run(asked(folder, resume=begun))
    assert done.state == "STOPPED", f"seed {SEED}, point {point}"
    for name in FIVE:
        assert (folder / name).read_bytes() == whole[name], f"{name}: seed {SEED}, killed at write {point}"
    assert isinstance(verify(folder / "journal"), Intact)
    assert blind(calls) == []
    records = list(read(folder / "journal" / "journal.jsonl"))
    submitted = Counter(str(record.body["order"]) for record in records if record.body.get("event") == "submit")
    assert set(submitted.values()) == {1}


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """A run that is over can be resumed any number of times; its artifacts stay."""
    folder = tmp_path / "run"
    job.run(asked(folder))
    for _ in range(2):
        assert job.run(asked(folder, resume=True)).state == "STOPPED"
        assert {name: (folder / name).read_bytes() for name in FIVE} == whole


def test_the_disk_of_the_journal_is_the_real_one() -> None:
    """The points above count real writes: the journal's default disk is the operating system's."""
    assert type(POSIX).__module__ == "peak_trade.journal.disk"
