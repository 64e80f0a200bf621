"""Worlds are played to their ends, whatever dies on the way."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from peak_trade.fuzz.disks import Died, Dying, Failing
from peak_trade.fuzz.play import HANGS, Played
from peak_trade.fuzz.rows import usual
from peak_trade.fuzz.seen import seen
from peak_trade.fuzz.world import Deed

Plays = Callable[..., Played]


def test_a_world_is_played_to_its_end_and_the_same_world_is_played_the_same(plays: Plays) -> None:
    """Nothing disturbs it: it stops, book and venue agree, and the journal is the same a second time."""
    first, again = plays(usual(3)), plays(usual(3))
    assert first.state == "STOPPED"
    assert first.verdict.agrees
    assert first.reconciles > 3
    assert first.records == again.records
    assert first.book == again.book
    assert first.book != plays(usual(4)).book


@pytest.mark.parametrize("at", [1, 4, 7, 13, 20, 31])
def test_a_session_that_dies_goes_on_to_the_same_book(plays: Plays, at: int) -> None:
    """Killed at a write, an fsync or in between, and started again, it ends as if it had lived."""
    lived, died = plays(usual(3)), plays(replace(usual(3), crashes=(at,)))
    assert died.deaths == 1
    assert (died.state, died.book) == (lived.state, lived.book)
    assert died.verdict.agrees


def test_a_session_can_die_again_and_again(plays: Plays) -> None:
    """Each process has its own death, counted from its own beginning."""
    lived, died = plays(usual(3)), plays(replace(usual(3), crashes=(7, 5, 3)))
    assert died.deaths == 3
    assert died.book == lived.book


def test_a_torn_write_is_cut_off_and_kept(plays: Plays) -> None:
    """Half of a group on disk is quarantined when the session is started again."""
    played = plays(replace(usual(3), crashes=(13,)))
    assert "cut" in seen(played).words


@pytest.mark.parametrize(("number", "at"), [(errno.ENOSPC, 13), (errno.EIO, 14)])
def test_a_disk_that_fails_halts_the_journal(plays: Plays, number: int, at: int) -> None:
    """The process ends with the journal's own error, and the next one ends the session in order."""
    played = plays(replace(usual(3), fails=number, fails_at=at))
    assert played.refused == ("JournalHalted",)
    assert played.state == "STOPPED"


def test_a_session_that_is_never_over_hangs(plays: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that takes all the steps that it may is told as one that hangs, and the player goes on."""
    monkeypatch.setattr("peak_trade.fuzz.world.DRAIN_STEPS_MAX", -10)
    assert plays(usual(3)).state == HANGS


def test_who_comes_second_is_turned_away(plays: Plays) -> None:
    """A rival for the journal is refused by name, and the session does not notice it."""
    played = plays(replace(usual(3), deeds=(Deed(4, "rival"),)))
    assert played.refused == ("JournalLocked",)
    assert played.verdict.agrees


def test_a_disk_dies_at_one_operation_with_a_part_of_it_done(tmp_path: Path) -> None:
    """By the number of the operation nothing, half or all of a write is on disk."""
    for at, kept in ((3, b""), (1, b"ab"), (2, b"abcd")):
        path, disk = tmp_path / str(at), Dying(at)
        with path.open("wb") as file:
            for _ in range(at - 1):
                disk.fsync(file.fileno())
            with pytest.raises(Died, match=f"operation {at} "):
                disk.write(file.fileno(), b"abcd")
        assert path.read_bytes() == kept


def test_a_failing_disk_says_so_once(tmp_path: Path) -> None:
    """It refuses one operation with its error, and takes the next."""
    path, disk = tmp_path / "file", Failing(1, errno.ENOSPC)
    with path.open("wb") as file:
        with pytest.raises(OSError, match="No space") as caught:
            disk.write(file.fileno(), b"abcd")
        assert caught.value.errno == errno.ENOSPC
        disk.fsync(file.fileno())
