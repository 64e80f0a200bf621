"""A path names a file of the allowlist in a run folder, or nothing; and nothing says why."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.watch.shelf import FILE_BYTES_MAX, KINDS, PATH_CHARS_MAX, Shelf


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Two runs, a folder that is none, and a secret beside them."""
    root = tmp_path_factory.mktemp("shelf")
    for name in ("one", "two"):
        (root / name).mkdir()
        (root / name / "config_snapshot.json").write_text("{}")
        (root / name / "status.html").write_text(f"page of {name}")
    (root / "one" / "kill_switch.json").write_text("SECRET")
    (root / "one" / "venue.jsonl").write_text("SECRET")
    (root / "other").mkdir()
    (root / "other" / "status.html").write_text("SECRET")
    (root / "status.html").write_text("SECRET")
    (root / "link").symlink_to(root / "one")
    (root / "one" / "report.html").symlink_to(root / "one" / "venue.jsonl")
    (root / "two" / "status.json").mkdir()
    os.mkfifo(root / "two" / "health.json")
    return Shelf(root)


def test_runs_are_folders_that_hold_one(shelf: Shelf) -> None:
    """A folder with a journal or a configuration is a run; a link and any other folder are none."""
    assert list(shelf.runs()) == ["one", "two"]


def test_what_is_allowed_is_found(shelf: Shelf) -> None:
    """A page of a run is its bytes and its type; the root lists the runs."""
    found = shelf.find("/one/status.html")
    assert found is not None
    assert (found.kind, found.data) == ("text/html; charset=utf-8", b"page of one")
    index = shelf.find("/")
    assert index is not None
    assert b'<a href="/one/status.html">' in index.data
    assert b"other" not in index.data
    assert b"kill_switch" not in index.data


def test_a_run_can_be_the_folder_itself(shelf: Shelf) -> None:
    """Given a run folder, the shelf holds that run under its own name."""
    alone = Shelf(shelf.folder / "two")
    assert list(alone.runs()) == ["two"]
    assert alone.find("/two/status.html") is not None
    assert alone.find("/one/status.html") is None


@pytest.mark.parametrize(
    "path",
    [
        "/one/kill_switch.json",
        "/one/venue.jsonl",
        "/one/journal/journal.jsonl",
        "/other/status.html",
        "/link/status.html",
        "/one/report.html",
        "/two/status.json",
        "/two/health.json",
        "/two/metrics.json",
        "/status.html",
        "//one/status.html",
        "/one//status.html",
        "/one/./status.html",
        "/one/../one/status.html",
        "/one/status.html/",
        "/one/status.html?x",
        "/one/status.html#x",
        "/one/status%2Ehtml",
        "/one/status.html\0",
        "/one/STATUS.HTML",
        "/../status.html",
        "/..%2fstatus.html",
        "one/status.html",
        "",
        "/one",
        "/one/",
        f"/{'o' * PATH_CHARS_MAX}/status.html",
    ],
)
def test_everything_else_is_nothing(path: str, shelf: Shelf) -> None:
    """Other files, links, folders, pipes, other spellings and long paths are not there."""
    assert shelf.find(path) is None


def test_a_file_that_is_too_large_is_not_served(tmp_path: Path) -> None:
    """A file beyond the limit is nothing; the limit itself is served."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config_snapshot.json").write_text("{}")
    for size, found in ((FILE_BYTES_MAX + 1, False), (10, True)):
        with (tmp_path / "run" / "status.html").open("wb") as file:
            file.truncate(size)
        assert (Shelf(tmp_path).find("/run/status.html") is not None) == found


def test_a_folder_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    """A missing folder is an empty shelf and no error."""
    gone = Shelf(tmp_path / "gone")
    assert gone.runs() == {}
    index = gone.find("/")
    assert index is not None
    assert b"There is no run here" in index.data


@given(st.text(max_size=40), st.sampled_from(("/", "/one/", "/one/status.html", "/../", "/one/..%2f")))
def test_no_other_text_names_a_file(shelf: Shelf, text: str, start: str) -> None:
    """Whatever a path holds, it is one of the allowed spellings or it is nothing."""
    allowed = {"/"} | {f"/{run}/{name}" for run in ("one", "two") for name in KINDS}
    for path in (text, start + text):
        assert shelf.find(path) is None or path in allowed
