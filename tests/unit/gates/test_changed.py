import subprocess
from pathlib import Path

import pytest
from strategies.corpus import put

from peak_trade.gates import git
from peak_trade.gates.errors import UnusableError
from peak_trade.gates.snapshot import snapshot

TARGETS = ("targets",)


def run(root: Path, *arguments: str) -> str:
    """Run git in a checkout of the test's own."""
    command = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one commit on main, and old debt in a page that nobody touches."""
    put(tmp_path / "docs/a.md", "# A\n\n## Part\n\n[b](b.md) `src/one.py`\n")
    put(tmp_path / "docs/b.md", "# B\n\n[a](a.md#part) `old/deep/x.py`\n")
    put(tmp_path / "docs/debt.md", "[x](never.md)\n")
    put(tmp_path / "docs/spaced.md", "[x](my%20file.txt)\n")
    put(tmp_path / "docs/my file.txt", "x")
    put(tmp_path / "src/one.py", "# one\n" * 20)
    put(tmp_path / "old/deep/x.py", "")
    run(tmp_path, "init", "-q", "-b", "main")
    run(tmp_path, "add", "-A")
    run(tmp_path, "commit", "-qm", "first")
    return tmp_path


def found(root: Path, base: str = "main") -> list[tuple[str, str, str]]:
    """Page, code and remedy of each new finding about references of the change since `base`."""
    return [(item.file, item.code, item.hint) for item in snapshot(root, base, ("targets", "tokens")).new]


def test_without_a_change_nothing_is_looked_at(root: Path) -> None:
    """Old debt in an untouched page does not fail a change, but fails over all pages."""
    told = snapshot(root, "main", TARGETS)
    assert (told.pages, told.passed) == (0, True)
    assert [item.file for item in snapshot(root, gates=TARGETS).new] == ["docs/debt.md"]


def test_a_page_that_was_written_is_looked_at(root: Path) -> None:
    """A changed page, committed or not, and a new one that git does not know yet are in scope."""
    run(root, "switch", "-qc", "work")
    put(root / "docs/a.md", "[x](gone.md)\n\n# Part\n")
    run(root, "commit", "-qam", "second")
    put(root / "docs/new.md", "[x](gone.md)\n")
    assert {page for page, code, _ in found(root) if code == "DG001"} == {"docs/a.md", "docs/new.md"}


def test_a_page_that_names_a_deleted_file_is_looked_at(root: Path) -> None:
    """Deleting a file breaks the pages that name it, though they did not change; an encoded name counts too."""
    (root / "docs/my file.txt").unlink()
    run(root, "rm", "-q", "src/one.py")
    deleted = "this change deleted it"
    assert found(root) == [("docs/a.md", "DG004", deleted), ("docs/spaced.md", "DG001", deleted)]


def test_a_path_whose_top_folder_went_with_it_is_broken_and_no_example(root: Path) -> None:
    """The last file of a folder takes the folder along; what names it is a broken reference, which no repair hides."""
    run(root, "rm", "-q", "old/deep/x.py")
    assert found(root) == [("docs/b.md", "DG004", "this change deleted it")]


def test_a_renamed_file_is_named_by_its_new_path(root: Path) -> None:
    """The remedy for a reference to a renamed file is its new path."""
    run(root, "mv", "src/one.py", "src/two.py")
    assert found(root) == [("docs/a.md", "DG004", "this change renamed it to `src/two.py`")]


def test_a_page_that_names_a_lost_anchor_is_looked_at(root: Path) -> None:
    """Taking a heading away breaks the links to its anchor in pages that did not change."""
    put(root / "docs/a.md", "# A\n\n## Parts\n\n[b](b.md) `src/one.py`\n")
    assert found(root) == [("docs/b.md", "DG002", "did you mean `#parts`?")]


def test_the_change_is_what_happened_since_the_branches_parted(root: Path) -> None:
    """What main did after the branch left it is no part of the change."""
    run(root, "switch", "-qc", "work")
    put(root / "docs/c.md", "fine\n")
    run(root, "add", "-A")
    run(root, "commit", "-qm", "work")
    run(root, "switch", "-q", "main")
    put(root / "docs/b.md", "[x](gone.md)\n")
    run(root, "commit", "-qam", "main goes on")
    run(root, "switch", "-q", "work")
    assert git.change(root, "main").written == {"docs/c.md"}


def test_a_folder_of_a_checkout_is_a_tree_of_its_own(root: Path) -> None:
    """Below a folder, paths are counted from it, and what changes beside it is no part of its change."""
    put(root / "docs/a.md", "`one/two.py` [x](b.md)\n")
    put(root / "other.md", "[x](gone.md)\n")
    assert git.change(root / "docs", "main").written == {"a.md"}
    assert [item[:2] for item in found(root / "docs")] == [("a.md", "DG010"), ("b.md", "DG002"), ("b.md", "DG010")]


def test_what_git_ignores_is_not_there(root: Path) -> None:
    """A file on this disk only does not make a link good, and the remedy says so."""
    put(root / ".gitignore", "out/\n")
    put(root / "out/x.md", "x")
    put(root / "docs/new.md", "[x](../out/x.md)\n")
    ((page, code, hint),) = found(root)
    assert (page, code) == ("docs/new.md", "DG001")
    assert "git ignores it" in hint


def test_a_touched_ignore_file_brings_all_pages_into_scope(root: Path) -> None:
    """What the ignore file hid before may show now, so all pages are looked at."""
    put(root / "docs/.gateignore", "target nothing\n")
    assert snapshot(root, "main", TARGETS).pages == 4


@pytest.mark.parametrize("base", ["nowhere", "--output=x", "main..HEAD", "HEAD:docs"])
def test_a_base_that_is_no_commit_is_refused(root: Path, base: str) -> None:
    """A misspelt base is an error, never an empty change; no base can be an option of git."""
    with pytest.raises(UnusableError, match="commit"):
        snapshot(root, base)


def test_a_base_without_common_history_is_refused(root: Path) -> None:
    """Two histories that never met cannot be compared; the remedy is to fetch."""
    run(root, "switch", "-q", "--orphan", "other")
    put(root / "docs/o.md", "x\n")
    run(root, "add", "docs/o.md")
    run(root, "commit", "-qm", "other")
    with pytest.raises(UnusableError, match="unshallow"):
        snapshot(root, "main")


def test_outside_a_checkout_there_is_no_change(tmp_path: Path) -> None:
    """Without git, all pages can be looked at, a change cannot."""
    put(tmp_path / "a.md", "fine\n")
    assert snapshot(tmp_path, gates=TARGETS).passed
    with pytest.raises(UnusableError):
        snapshot(tmp_path, "main")


def test_a_git_that_does_not_answer_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question to git has a time limit, and running into it is no pass."""

    def hang(*_: object, **options: float) -> None:
        raise subprocess.TimeoutExpired("git", options["timeout"])

    monkeypatch.setattr(git.subprocess, "run", hang)
    with pytest.raises(UnusableError, match=f"{git.GIT_TIMEOUT_S} s"):
        snapshot(root)
