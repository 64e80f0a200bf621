"""A session that is killed anywhere and started again is the one that was never killed; and the judge sees if not."""

from collections.abc import Iterator
from functools import cache

import pytest
from click.testing import CliRunner

from peak_trade.broker.adapter import Adapter
from peak_trade.broker.messages import OrderRequest
from peak_trade.broker.outcome import Turn
from peak_trade.cli import crashes as commands
from peak_trade.fuzz.disks import APPEND, Dying
from peak_trade.fuzz.harm.crashes import Ground, crash_world, crashed, ground, surveyed
from peak_trade.fuzz.world import Machines
from peak_trade.journal.disk import POSIX

SEED, STEPS, SYMBOLS = 9, 6, 2


@pytest.fixture(scope="module")
def place(machines: Machines) -> Ground:
    """A short session, with a venue that loses answers."""
    return surveyed(crash_world(SEED, STEPS, SYMBOLS, 400), machines)


def test_every_point_of_a_session_is_survived(place: Ground) -> None:
    """Killed at each operation, from the first of the journal's opening on: nothing lost, doubled or told otherwise."""
    points = [crashed((at,), place) for at in range(1, len(place.base.log) + 1)]
    assert {point.at: point.problems for point in points if point.problems} == {}
    assert {"append", "fsync", "draft", "replace", "place", "advance"} <= {point.name for point in points}
    assert any(point.torn for point in points)


def test_a_process_may_die_again_in_its_recovery(place: Ground) -> None:
    """A torn tail is kept and cut, wherever the process that does it is killed."""
    torn = next(at for at, name in enumerate(place.base.log, 1) if name == APPEND and at > 20 and at % 3 == 1)
    for second in range(1, 6):
        assert crashed((torn, second), place).problems == ()


def test_a_world_has_at_least_so_many_orders(machines: Machines) -> None:
    """The world that is asked for has the orders that are asked for, and the same a second time."""
    first, again = ground(1, 60, machines), ground(1, 60, machines)
    assert first.base.orders >= 60
    assert first.base.told == again.base.told
    assert first.base.log == again.base.log


def test_who_sends_again_without_asking_is_found(place: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that does not ask for what an earlier process may have sent is told as doubling."""
    placing = Adapter.placing

    def rash(self: Adapter, request: OrderRequest, *, doubtful: bool = False) -> Iterator[Turn]:
        del doubtful
        return placing(self, request)

    monkeypatch.setattr(Adapter, "placing", rash)
    answered = [at for at, name in enumerate(place.base.log, 1) if name == "place" and at % 2 == 0]
    found = "; ".join(problem for at in answered for problem in crashed((at,), place).doubled)
    assert "was sent again without asking for it" in found


def test_a_journal_that_promises_too_much_is_found(place: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that were acknowledged and are gone are told as lost."""
    put = Dying.put

    def forgetful(self: Dying, handle: int, data: bytes) -> None:
        if self.at and self.count > self.at - 8:
            POSIX.write(handle, b"")
        else:
            put(self, handle, data)

    monkeypatch.setattr(Dying, "put", forgetful)
    at = len(place.base.log) // 2
    assert "bytes were acknowledged and are not in the journal" in "; ".join(crashed((at,), place).problems)


def test_the_command_counts_and_names_points(place: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some points are sampled and said so; a point that is not there is a usage error."""
    monkeypatch.setattr(commands, "_ground", cache(lambda *_: place))
    monkeypatch.setattr(commands, "fenced", lambda: None)
    run = CliRunner().invoke
    some = run(commands.command, ["--points", "3", "--jobs", "1"])
    assert some.exit_code == 0, some.output
    assert f"PASS (sampled): killed at 3 of {len(place.base.log)} points: 0 lost, 0 doubled, 0 failed" in some.output
    assert run(commands.command, ["--at", "100000", "--jobs", "1"]).exit_code == 2
    one = run(commands.command, ["--at", "30", "--at", "2", "--jobs", "1", "--format", "json"])
    assert '"killed": 1' in one.output
