"""`peak report` and `peak report --site`: what can be shown is shown, what cannot is said."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli import site as module
from peak_trade.cli.app import command
from peak_trade.cli.job import BUILTIN, Job, run, snapshot
from peak_trade.cli.prove import Timed, judge
from peak_trade.cli.specs import machine_named
from peak_trade.session.config import Config

STEPS = 40
BYTES_MAX = 1_000_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that ended in order."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(Job(folder, snapshot(BUILTIN, STEPS, Config(fault_permille=400))))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """The same run, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


@pytest.fixture(scope="module")
def results() -> list[Timed]:
    """What the venue machine claims, proved; nothing of the others."""
    return judge(machine_named("venue"))


def reported(*arguments: str) -> Result:
    """What `peak report` without proofs does."""
    return CliRunner().invoke(command, ["report", "--no-proofs", *arguments])


def problems(folder: Path) -> str:
    """What the page in `folder` says could not be read; empty if all could be."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    found = re.search(r'<h2 id="problems">.*?</section>', page, re.DOTALL)
    return unescape(found[0]) if found else ""


def test_a_whole_run_is_reported(whole: Path) -> None:
    """The path is all that is said, and the page has no problem."""
    result = reported(str(whole))
    assert (result.exit_code, result.output) == (0, f"{whole / 'report.html'}\n")
    assert problems(whole) == ""


@pytest.mark.parametrize("kept", [3, 30, 97])
def test_a_truncated_journal_is_shown_as_far_as_it_goes(copy: Path, kept: int) -> None:
    """A journal cut off within a record gives a page of what stands before, which says so, and exit code 3."""
    journal = copy / "journal" / "journal.jsonl"
    data = journal.read_bytes()
    journal.write_bytes(data[: len(data) * kept // 100])
    result = reported(str(copy))
    assert result.exit_code == 3
    assert "the journal is rolled back: " in problems(copy)
    assert "the checkpoint knew" in result.output
    assert "next: peak journal verify" in result.output
    status = CliRunner().invoke(command, ["status", str(copy)])
    assert status.exit_code == 1
    assert "the checkpoint knew" in " ".join(status.output.split())


def test_a_write_that_was_cut_off_is_said(copy: Path) -> None:
    """Half a record behind the last whole one, as a crash leaves it: all whole ones are shown, and the rest is said."""
    journal = copy / "journal" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"v":1,"seq"')
    assert reported(str(copy)).exit_code == 3
    assert "the journal is torn: " in problems(copy)
    assert 'id="state-STOPPED"' in (copy / "report.html").read_text(encoding="utf-8")


def test_a_damaged_record_ends_what_is_shown(copy: Path) -> None:
    """One changed byte in the middle: the page shows the steps before it and no step after it."""
    journal = copy / "journal" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    at = len(lines) // 2
    lines[at] = lines[at].replace(b'"', b"'", 1)
    journal.write_bytes(b"".join(lines))
    assert reported(str(copy)).exit_code == 3
    page = (copy / "report.html").read_text(encoding="utf-8")
    assert f"corrupt: {at:,} records verify, then journal.jsonl line {at + 1}" in page


def test_a_run_of_another_version_is_shown_with_a_warning(copy: Path) -> None:
    """A configuration of another version: the page says that, and shows the session and orders all the same."""
    path = copy / "config_snapshot.json"
    path.write_text(json.dumps({"schema_version": 99}), encoding="utf-8")
    assert reported(str(copy)).exit_code == 3
    assert "expected a config_snapshot.json of this version" in problems(copy)
    assert 'id="state-STOPPED"' in (copy / "report.html").read_text(encoding="utf-8")


def test_a_missing_file_is_named(copy: Path) -> None:
    """Without the configuration the page is there and names it; without a journal there is no run to show."""
    (copy / "config_snapshot.json").unlink()
    assert reported(str(copy)).exit_code == 3
    assert "expected config_snapshot.json, was none" in problems(copy)
    shutil.rmtree(copy / "journal")
    result = reported(str(copy))
    assert result.exit_code == 2
    assert "expected a journal in journal/, was none" in " ".join(result.output.replace("│", " ").split())
    assert "next: peak run" in result.output


def test_without_run_and_site_nothing_is_asked_for() -> None:
    """Neither a run nor a site: a usage error that names both."""
    result = reported()
    assert result.exit_code == 2
    assert "--site DIR" in result.output


def test_a_strange_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds anything but an earlier site is not written to."""
    (tmp_path / "thesis.txt").write_text("mine")
    result = reported("--site", str(tmp_path))
    assert result.exit_code == 2
    assert "thesis.txt" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_site_is_whole_small_and_the_same_again(whole: Path, results: list[Timed]) -> None:
    """Every link leads to a place that is there, no page loads anything, and equal input gives equal bytes."""
    texts = module.pages(results, whole)
    assert texts == module.pages(results, whole)
    places = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in texts.items()}
    for name, text in texts.items():
        assert len(text.encode()) < BYTES_MAX
        assert not re.search(r'\b(?:src|action|style)="', text)
        assert "unsafe" not in re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0]
        for link in re.findall(r'<a [^>]*href="([^"]*)"', text):
            page, _, place = link.partition("#")
            assert (page or name) in texts, link
            assert not place or place in places[page or name], link


def test_the_site_says_what_is_open(whole: Path, results: list[Timed]) -> None:
    """Machines that nobody proved stand on the first page; what is proved does not; the failures have a page."""
    pages = module.pages(results, whole)
    first = pages["index.html"]
    assert "The failure matrix" not in first
    assert "Knight" in pages["failures.html"]
    assert ">session</a>: no evidence" in first
    assert ">venue</a>: no evidence" not in first
    assert "another specification" not in first


def test_the_pages_of_a_machine_show_verdicts_and_runs(results: list[Timed]) -> None:
    """Each claim stands on its machine's page with its verdict; each witness with its picture and its steps."""
    page = module.pages(results, None)["machine-venue.html"]
    for item in results:
        assert f"<code>{item.result.property}</code>" in page
    witnesses = [item.result for item in results if item.result.kind == "witness"]
    assert witnesses
    for result in witnesses:
        assert f'id="path-{result.property}"' in page
        assert f'href="#path-{result.property}"' in page
    assert page.count('aria-label="Sequence of') == len(witnesses)
