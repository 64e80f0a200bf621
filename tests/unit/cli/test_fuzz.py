"""`peak fuzz` from its options to its exit code: what it writes, what it says, and what it is refused for."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from peak_trade.cli import campaign, fuzz
from peak_trade.fuzz.campaign.digest import CanaryLives

SMALL = ["--engine", "sessions", "--sessions", "3", "--seed", "11", "--jobs", "1", "--no-canary"]


def played(out: Path, *more: str) -> tuple[int, str, str]:
    """Play a small campaign; return its exit code and what it said."""
    done = CliRunner().invoke(fuzz.command, [*SMALL, "--out", str(out), *more])
    return done.exit_code, done.stdout, done.stderr


def test_what_never_happened_is_no_pass(tmp_path: Path) -> None:
    """So few sessions leave faults untouched: exit 3, a row that says which, and the command for more."""
    code, said, aside = played(tmp_path)
    assert code == 3
    assert "? faults=100% :" in said
    assert said.splitlines()[-1].startswith("INCONCLUSIVE: faults=100% was required: ")
    assert "next: peak fuzz --sessions 12 --seed 11" in aside
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_shards_come_to_the_same_as_the_whole(tmp_path: Path) -> None:
    """Merged, the results of both halves are those of the whole, and so is the verdict; another file is refused."""
    whole, *halves = (tmp_path / name for name in ("whole", "1", "2"))
    size = ["--sessions", "22", "--require", "order.states=40%"]
    assert played(whole, *size)[0] == 0
    for half in halves:
        played(half, *size, "--shard", f"{half.name}/2")
    files = [str(half / "result.json") for half in halves]
    done = CliRunner().invoke(
        fuzz.command, ["merge", *files, "--require", "order.states=40%", "--out", str(tmp_path / "merged")]
    )
    assert done.exit_code == 0, done.output
    nights = [json.loads((tmp_path / name / "result.json").read_text())["night"] for name in ("whole", "merged")]
    assert nights[0] == nights[1]
    (tmp_path / "other.json").write_text("{}")
    done = CliRunner().invoke(fuzz.command, ["merge", str(tmp_path / "other.json")])
    assert done.exit_code == 2
    assert "expected the result.json of a campaign" in done.output


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--require", "stats=100%"), 2, "did you mean `states`?"),
        (("--engine", "wlak"), 2, "wlak"),
        (("--shard", "3/2"), 2, "a shard k/n with 1 ≤ k ≤ n"),
        (("--executor", "ray://here"), 2, "an executor local or dask://HOST:PORT"),
    ],
)
def test_a_mistake_in_the_call_is_refused(more: tuple[str, ...], code: int, told: str, tmp_path: Path) -> None:
    """Exit 2 with what was expected, before anything is played."""
    found, said, aside = played(tmp_path / "out", *more)
    assert found == code
    assert told in said + aside
    assert not (tmp_path / "out").exists()


def test_a_canary_that_lives_ends_the_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 4 before a session is played: what is found afterwards would mean nothing."""

    def lives(_: object) -> None:
        raise CanaryLives("it was shrunk", "9 events")

    monkeypatch.setattr(campaign, "_canary", lives)
    code, _, aside = played(tmp_path, "--canary")
    assert code == 4
    assert "expected the canary to die while it was shrunk, was 9 events" in aside
    assert not (tmp_path / "report.html").exists()
