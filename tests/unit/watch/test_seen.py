"""Whatever is in a run folder, what can be read is shown and the rest is said."""

import json
import shutil
from pathlib import Path

import pytest

from peak_trade.journal.store import Journal
from peak_trade.watch.health import Switch, overall
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.page import Verdicts
from peak_trade.watch.seen import Seen, look
from peak_trade.watch.snapshot import PAGE, snapshots
from peak_trade.watch.status import View, view

CLEAR = Switch(latched=False, why="clear")
JOURNAL = "journal/journal.jsonl"


def read(folder: Path, words: Lexicon) -> Seen:
    """What is read of the run in `folder`."""
    return look(folder, (words.session, words.order))


def viewed(folder: Path, words: Lexicon) -> View:
    """The view of the run in `folder`."""
    return view(read(folder, words), words, CLEAR)


@pytest.fixture
def copy(runs: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the plain run, to be damaged."""
    return Path(shutil.copytree(runs["plain"], tmp_path / "copy"))


def test_a_whole_run_has_no_problems(runs: dict[str, Path], words: Lexicon) -> None:
    """Nothing is wrong with a run that was made just now."""
    assert read(runs["plain"], words).problems == []


@pytest.mark.parametrize("eighths", range(8))
def test_a_truncated_journal_is_shown_as_far_as_it_goes(eighths: int, copy: Path, words: Lexicon) -> None:
    """Cut anywhere, the journal is shown up to the cut, its verdict fails, and every file can still be written."""
    path = copy / JOURNAL
    data = path.read_bytes()
    cut = len(data) * eighths // 8 + (3 if eighths else 0)
    path.write_bytes(data[:cut])
    seen = read(copy, words)
    assert seen.story.records == data[:cut].count(b"\n")
    found = viewed(copy, words)
    assert found.grade == "fail"
    texts = snapshots(found, Verdicts())
    assert json.loads(texts["health.json"])["checks"]["audit_journal"][0]["status"] == "fail"
    assert "rolled back" in texts[PAGE]


def test_a_damaged_journal_is_shown_up_to_the_damage(copy: Path, words: Lexicon) -> None:
    """One flipped byte in the middle: what stands before it is shown, and the damage is said."""
    path = copy / JOURNAL
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    seen = read(copy, words)
    assert 0 < seen.story.records == bytes(data[: len(data) // 2]).count(b"\n")
    assert any("does not verify" in problem for problem in seen.problems)
    assert viewed(copy, words).grade == "fail"


def test_a_missing_journal_is_said(copy: Path, words: Lexicon) -> None:
    """Without a journal the configuration is still shown, and the page says what is missing."""
    shutil.rmtree(copy / "journal")
    seen = read(copy, words)
    assert any("expected a journal" in problem for problem in seen.problems)
    assert seen.snapshot is not None
    text = snapshots(viewed(copy, words), Verdicts())[PAGE]
    assert "expected a journal" in text
    assert "MOCK-VENUE" in text


def test_a_missing_journal_file_beside_its_checkpoint_is_said(copy: Path, words: Lexicon) -> None:
    """A checkpoint without its journal is a rolled back journal of no records."""
    (copy / JOURNAL).unlink()
    seen = read(copy, words)
    assert any("journal.jsonl" in problem for problem in seen.problems)
    assert viewed(copy, words).grade == "fail"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 2, "bars": "x", "steps_max": 1, "config": {}}'])
def test_a_foreign_configuration_is_said(text: str, copy: Path, words: Lexicon) -> None:
    """A configuration of another form is a problem; the run itself is shown all the same."""
    (copy / "config_snapshot.json").write_text(text)
    seen = read(copy, words)
    assert seen.snapshot is None
    assert any("config_snapshot.json" in problem for problem in seen.problems)
    assert seen.story.steps == 40


def test_a_changed_configuration_is_said(copy: Path, words: Lexicon) -> None:
    """A configuration that is not the one whose hash stands in the journal is named."""
    path = copy / "config_snapshot.json"
    path.write_text(path.read_text().replace('"position_lots_max": 400000', '"position_lots_max": 400001'))
    assert [problem for problem in read(copy, words).problems if "is not the configuration" in problem]


def test_a_run_of_other_specifications_is_said(troubled: Path, words: Lexicon) -> None:
    """A run that other specifications drove is shown with a word about that for each."""
    found = read(troubled, words).problems
    assert [problem for problem in found if "another session specification" in problem]
    assert [problem for problem in found if "another order specification" in problem]


def test_records_of_another_version_end_the_view_and_not_the_program(tmp_path: Path, words: Lexicon) -> None:
    """A record without a field that this version needs is named by its number; what is before it is shown."""
    schema = {"run": {}, "account": {}, "trip": {}}
    with Journal.open(tmp_path / "journal", schema) as journal:
        journal.append("run", {})
        journal.append("account", {})
        journal.append("trip", {})
        journal.commit()
    seen = read(tmp_path, words)
    assert any("record 1 is none" in problem for problem in seen.problems)
    assert seen.story.records == 1
    assert seen.tally.records.total() == 1
    assert overall(viewed(tmp_path, words).checks) == "warn"


def test_no_view_names_its_folder(runs: dict[str, Path], words: Lexicon) -> None:
    """No file that is written holds the path of the run folder."""
    for folder in runs.values():
        for text in snapshots(viewed(folder, words), Verdicts()).values():
            assert str(folder) not in text


def test_the_timeline_tells_what_matters(troubled: Path, words: Lexicon) -> None:
    """Trips, differences, refusals and moves are lines of the timeline; alarms are marked."""
    notes = read(troubled, words).notes
    alarms = [note.what for note in notes if note.alarm]
    assert alarms == [
        "lost-1: cancel refused by outcome_unknown",
        "report_refused tripped on lost-1",
        "1 orders compared with the venue, 1 differences",
        "ghost of stray-9",
    ]
    kinds = "run session order trip session reconciled difference session end"
    assert " ".join(note.kind for note in notes) == kinds
    assert [note.step for note in notes] == [0, *[3] * 8]
