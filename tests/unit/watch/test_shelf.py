"""A path names a file of the allowlist in a run folder, a page of the review, or nothing; and nothing says why."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.watch.shelf import FILE_BYTES_MAX, KINDS, PATH_CHARS_MAX, REVIEW, SITE, Found, Shelf


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


PAGES = ("index.html", "session.html", "simulator-session.html", "a~5f~b.html")
"""The pages of the review in the tests below."""


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """A run, a run called `review`, and a review site with all that is no page of it."""
    root = tmp_path_factory.mktemp("reviewed")
    for name in ("one", REVIEW):
        (root / name).mkdir()
        (root / name / "config_snapshot.json").write_text("{}")
        (root / name / "status.html").write_text(f"page of {name}")
    site = root / SITE
    (site / "nested").mkdir(parents=True)
    for name in PAGES:
        (site / name).write_text(f"review {name}")
    for name in ("secret.json", "notes.txt", ".hidden.html", "nested/index.html", "UPPER.HTML", "..html"):
        (site / name).write_text("SECRET")
    (root / "secret.html").write_text("SECRET")
    (site / "link.html").symlink_to(root / "secret.html")
    (site / "folder.html").mkdir()
    os.mkfifo(site / "pipe.html")
    return Shelf(root)


def test_the_pages_of_a_review_are_found_and_may_run_their_scripts(reviewed: Shelf) -> None:
    """Each page beside the index is its bytes, the bare name is the index, and only these may run a script."""
    for name in PAGES:
        assert reviewed.find(f"/{REVIEW}/{name}") == Found("text/html; charset=utf-8", f"review {name}".encode(), True)
    assert reviewed.find(f"/{REVIEW}/") == reviewed.find(f"/{REVIEW}/index.html")
    start, page = reviewed.find("/"), reviewed.find("/one/status.html")
    assert start is not None
    assert page is not None
    assert not start.scripts
    assert not page.scripts
    assert b'<a href="/review/">' in start.data


@pytest.mark.parametrize(
    "name",
    [
        *("secret.json", "notes.txt", ".hidden.html", "nested/index.html", "nested", "UPPER.HTML", "..html", ".html"),
        *("link.html", "folder.html", "pipe.html", "gone.html", "status.html", "../secret.html", "..%2fsecret.html"),
        *("./index.html", "/index.html", "index.html/", "index.html?x", "index.html#x", "index%2Ehtml", "index.html\0"),
        *("INDEX.html", "index.html\n", "in\u0434ex.html", f"{'x' * 129}.html", "..", "."),
    ],
)
def test_what_is_no_page_of_the_review_is_nothing(name: str, reviewed: Shelf) -> None:
    """Other files, hidden ones, links, folders, pipes and other spellings in or beside the site are not there."""
    assert reviewed.find(f"/{REVIEW}/{name}") is None


def test_a_review_hides_a_run_of_its_name_and_nothing_else_does(reviewed: Shelf, tmp_path: Path) -> None:
    """Beside a site a run called `review` is not shown; without one it is a run like any other."""
    assert list(reviewed.runs()) == ["one"]
    (tmp_path / REVIEW).mkdir()
    (tmp_path / REVIEW / "config_snapshot.json").write_text("{}")
    assert list(Shelf(tmp_path).runs()) == [REVIEW]
    assert Shelf(tmp_path).find(f"/{REVIEW}/config_snapshot.json") is not None
    assert list(Shelf(tmp_path / REVIEW).runs()) == [REVIEW]
    assert list(Shelf(tmp_path / REVIEW, reviewed.folder / SITE).runs()) == ["run"]


def test_a_review_is_a_folder_with_an_index(reviewed: Shelf, tmp_path: Path) -> None:
    """A site can be given or found; a link to one, a folder without index, and a missing one are none."""
    assert Shelf(tmp_path, reviewed.folder / SITE).find(f"/{REVIEW}/session.html") is not None
    assert Shelf(tmp_path).find(f"/{REVIEW}/") is None
    (tmp_path / SITE).symlink_to(reviewed.folder / SITE)
    assert Shelf(tmp_path).review() is None
    assert Shelf(tmp_path).find(f"/{REVIEW}/session.html") is None
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "session.html").write_text("SECRET")
    assert Shelf(tmp_path, tmp_path / "bare").find(f"/{REVIEW}/session.html") is None


@given(st.text(max_size=40), st.sampled_from(("", ".html", "/index.html", "\\index.html")))
def test_no_other_text_names_a_page_of_the_review(reviewed: Shelf, text: str, end: str) -> None:
    """Whatever follows the review's name, it is one of its pages or it is nothing."""
    found = reviewed.find(f"/{REVIEW}/{text}{end}")
    assert found is None or text + end in ("", *PAGES)
