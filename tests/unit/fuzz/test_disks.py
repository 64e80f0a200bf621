"""Disks fail as they say, and no class of faults goes by in silence."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.cli import disks as commands
from peak_trade.fuzz.disks import APPEND, FSYNC, Died, Dying, Failing, Lie, Lying
from peak_trade.fuzz.harm.crashes import Ground
from peak_trade.fuzz.harm.damage import HEALED, SILENT, STANDS, UNFIRED, Kind, Scene, damaged_ground, hurt
from peak_trade.fuzz.harm.harms import KINDS
from peak_trade.fuzz.world import Machines

GROUP = b"one group of records\n"


@pytest.fixture(scope="module")
def place(machines: Machines) -> Ground:
    """The undisturbed session of the first world."""
    return damaged_ground(0, machines)


def opened(path: Path) -> int:
    """A handle as a journal has it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)


@given(permille=st.integers(0, 999), size=st.integers(1, 300))
def test_a_torn_write_leaves_a_beginning(permille: int, size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is left of a write is a proper prefix of it, by the share that was asked for."""
    path, data = tmp_path_factory.mktemp("torn") / "file", bytes(at % 251 for at in range(size))
    handle = opened(path)
    with pytest.raises(Died):
        Dying(1, permille).write(handle, data)
    os.close(handle)
    assert path.read_bytes() == data[: size * permille // 1000]


def test_a_disk_remembers_what_it_acknowledged(tmp_path: Path) -> None:
    """Only what was synced counts, and only in the file that is appended to."""
    path, disk = tmp_path / "file", Dying()
    handle = opened(path)
    disk.write(handle, GROUP)
    assert disk.acknowledged.size_bytes == 0
    disk.fsync(handle)
    disk.write(handle, b"more")
    os.close(handle)
    assert disk.acknowledged.size_bytes == len(GROUP)
    assert disk.acknowledged.stands(path)
    path.write_bytes(b"X" + GROUP[1:])
    assert not disk.acknowledged.stands(path)
    assert disk.log == [APPEND, FSYNC, APPEND]


LIES: dict[Lie, Callable[[bytes], bytes]] = {
    Lie.LOST: lambda data: data[0:1] * 10 + data[2:3] * 10,
    Lie.SHORT: lambda data: data[0:1] * 10 + data[1:2] * 3 + data[2:3] * 10,
    Lie.MISDIRECTED: lambda data: data[0:1] * 3 + data[1:2] * 10 + data[2:3] * 10,
    Lie.DOUBLED: lambda data: data[0:1] * 10 + data[1:2] * 20 + data[2:3] * 10,
    Lie.FORGOTTEN: lambda data: data[0:1] * 10,
    Lie.ALL_FORGOTTEN: lambda data: data[0:1] * 10,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_disk_acknowledges_what_it_does_not_keep(tmp_path: Path, lie: Lie) -> None:
    """Each lie leaves other bytes than were acknowledged, and no error."""
    path, disk = tmp_path / "file", Lying(0, lie, 2, 3)
    handle = opened(path)
    for letter in b"abc":
        disk.write(handle, bytes([letter]) * 10)
        disk.fsync(handle)
    os.close(handle)
    assert disk.lied == (2 if "forgotten" in lie else 1)
    assert disk.acknowledged.size_bytes == 30
    assert not disk.acknowledged.stands(path)
    assert path.read_bytes() == LIES[lie](b"abc")


def test_a_failing_disk_counts_who_tries_again(tmp_path: Path) -> None:
    """An operation after the one that failed is seen, whatever it is."""
    handle, disk = opened(tmp_path / "file"), Failing(1, errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        disk.fsync(handle)
    assert disk.retried == 0
    disk.fsync(handle)
    os.close(handle)
    assert disk.retried == 1


@pytest.mark.parametrize("name", KINDS)
def test_what_a_disk_does_is_recovered_or_said(name: str, place: Ground) -> None:
    """Each class of faults ends as it may, and takes effect."""
    found = hurt(name, KINDS[name], 0, place)
    assert found.problems == ()
    assert found.end != UNFIRED
    assert found.end in KINDS[name].may


def test_a_loss_that_nobody_says_is_silent(place: Ground) -> None:
    """A class that may only be recovered is judged silent when something was lost."""
    strict = replace(KINDS["fsync lies"], may=frozenset({STANDS}))
    found = hurt("fsync lies", strict, 0, place)
    assert found.end == SILENT
    assert "expected the end recovered" in found.problems[-1]


def test_a_journal_that_tries_again_after_an_error_is_found(place: Ground) -> None:
    """A disk that is asked for another fsync after the failed one is a violation."""

    class Stubborn(Failing):
        def fsync(self, handle: int) -> None:
            """Refuse as ever, after the journal's hand has asked once more."""
            try:
                super().fsync(handle)
            except OSError:
                super().fsync(handle)
                raise

    kind = replace(KINDS["EIO on fsync"], disk=lambda scene: Stubborn(scene.operation(FSYNC), errno.EIO))
    found = hurt("EIO on fsync", kind, 1, place)
    assert found.problems[0].startswith("expected no operation after the one that failed")


def test_a_fault_that_never_comes_is_told(place: Ground) -> None:
    """An operation beyond the last one strikes nothing: nothing is known of the class."""
    kind = Kind("never", frozenset({HEALED}), lambda _: Dying(10**6))
    assert hurt("never", kind, 1, place).end == UNFIRED


def test_the_same_seed_hurts_in_the_same_place(place: Ground, tmp_path: Path) -> None:
    """Places are a function of kind and seed, and differ between them."""

    def picks(kind: str, seed: int) -> list[int]:
        scene = Scene(kind, seed, place, tmp_path)
        return [scene.pick(name, 10**9) for name in ("a", "b")]

    assert picks("torn write", 1) == picks("torn write", 1)
    assert picks("torn write", 1) != picks("torn write", 2)
    assert picks("torn write", 1) != picks("lost write", 1)


def test_the_command_says_what_never_took_effect(place: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """One case of many classes is inconclusive; all cases of one class are a pass."""
    monkeypatch.setattr(commands, "_ground", cache(lambda _: place))
    monkeypatch.setattr(commands, "fenced", lambda: None)
    few = CliRunner().invoke(commands.command, ["--count", "1", "--jobs", "1"])
    assert few.exit_code == 3
    assert "next: peak fuzz disks --count" in few.output
    whole = CliRunner().invoke(commands.command, ["--count", "2", "--jobs", "1", "--kind", "torn write"])
    assert whole.exit_code == 0, whole.output
    assert "PASS: 2 faults of 1 classes: 2 recovered" in whole.output
