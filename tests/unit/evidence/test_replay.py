"""A packed run replays to the same journal, or the first record that differs is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from peak_trade.cli import job, reenact
from peak_trade.cli.job import Job
from peak_trade.evidence.artifacts import Snapshot
from peak_trade.evidence.bag import DATA, verify
from peak_trade.evidence.compare import Same, compare
from peak_trade.evidence.incident import incident_name
from peak_trade.journal.chain import Chain
from peak_trade.session.killswitch import KillSwitch

AT = "20260118-0900"
Invoke = Callable[..., Result]
Die = Callable[[Path, int], bool]


@pytest.fixture
def packed(invoke: Invoke, tmp_path: Path) -> Callable[[Path], Path]:
    """Give a way to pack a run as an incident, without proofs and without the replay at that time."""

    def pack(folder: Path) -> Path:
        given = ("--severity", "S2", "--tag", "TRY", "--at", AT, "--out", tmp_path / "packs")
        result = invoke("incident", "new", "--run", folder, *given, "--no-proofs", "--no-replay")
        assert result.exit_code == 0, result.output
        return tmp_path / "packs" / f"INC-{AT}-TRY"

    return pack


def both(invoke: Invoke, pack: Path) -> list[dict[str, object]]:
    """What the replay says in both modes."""
    results = [invoke("replay", pack, "--mode", mode, "--format", "json") for mode in ("fresh", "tape")]
    assert [result.exit_code for result in results] == [0, 0], [result.output for result in results]
    return [json.loads(result.output) for result in results]


@pytest.mark.parametrize("point", [4, 9, 23, 40, 77, 120])
def test_a_killed_run_replays_to_identical_bytes(
    tmp_path: Path, die: Die, packed: Callable[[Path], Path], invoke: Invoke, point: int
) -> None:
    """Killed by SIGKILL in the middle of a write, the packed journal is a prefix of its replay, byte for byte."""
    folder = tmp_path / "run"
    assert die(folder, point)
    pack = packed(folder)
    assert verify(pack) == ()
    fresh, tape = both(invoke, pack)
    assert fresh["compared"] == "bytes"
    assert fresh["records"] == tape["records"] > 0
    assert "the process was killed" in (pack / DATA / "incident.md").read_text()
    assert json.loads((pack / DATA / "state.json").read_text())["ended"] is False


def test_a_killed_and_resumed_run_replays_record_for_record(
    tmp_path: Path, die: Die, packed: Callable[[Path], Path], invoke: Invoke, snapshot: Snapshot
) -> None:
    """With the note of a recovery in it the journal is compared by its records; recoveries are in the timeline."""
    folder = tmp_path / "run"
    assert die(folder, 60)
    assert job.run(Job(folder, snapshot, resume=True)).state == "STOPPED"
    pack = packed(folder)
    assert both(invoke, pack)[0]["compared"] == "records"
    assert "an earlier process was recovered" in (pack / DATA / "incident.md").read_text()


@pytest.mark.parametrize("event", ["kill", "stop", "abort", "config_drift", "health_failed"])
def test_what_came_from_outside_is_reenacted(
    stopped: Callable[[str, int], Path], packed: Callable[[Path], Path], invoke: Invoke, event: str
) -> None:
    """An event from outside happens again at its step, and the rest follows to the same bytes."""
    pack = packed(stopped(event, 12))
    fresh, tape = both(invoke, pack)
    assert fresh["outside"] == tape["outside"] == [event]
    assert fresh["compared"] == "bytes"


@pytest.mark.parametrize("rearm", ["", "ann"])
def test_a_latched_switch_replays(
    tmp_path: Path, packed: Callable[[Path], Path], invoke: Invoke, snapshot: Snapshot, rearm: str
) -> None:
    """A run that found its kill switch latched, re-armed or not, does so again."""
    folder = tmp_path / "run"
    folder.mkdir()
    KillSwitch(folder / "kill_switch.json").latch("drill")
    done = job.run(Job(folder, snapshot, rearm=rearm))
    assert done.state == ("STOPPED" if rearm else "PREFLIGHT_FAILED")
    both(invoke, packed(folder))


def rewritten(pack: Path, old: bytes, new: bytes) -> int:
    """Change one record of the packed journal, seal the chain again as a forger would, and return its seq."""
    path = pack / DATA / "journal" / "journal.jsonl"
    texts = [line[line.index(b'"record":') + 9 : -2] for line in path.read_bytes().splitlines(keepends=True)]
    seq = next(number for number, text in enumerate(texts) if old in text)
    texts[seq] = texts[seq].replace(old, new, 1)
    chain = Chain()
    path.write_bytes(b"".join(chain.seal(text) for text in texts))
    return seq


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let packs be replayed without looking at their sums first, to see what the replay itself finds."""
    monkeypatch.setattr("peak_trade.cli.replay.report", lambda _: ([], 0))


FORGED = [
    (b'"side":"buy"', b'"side":"sell"', ("fresh", "tape")),
    (b'"equity_ticks":', b'"equity_ticks":1', ("fresh", "tape")),
    (b'"fee_ticks":', b'"fee_ticks":1', ("fresh",)),
]


@pytest.mark.usefixtures("unverified")
@pytest.mark.parametrize("forged", FORGED, ids=["decision", "account", "answer"])
def test_a_forged_record_is_named(
    run: Path, packed: Callable[[Path], Path], invoke: Invoke, forged: tuple[bytes, bytes, tuple[str, ...]]
) -> None:
    """Sealed again without a flaw, a changed decision differs in both modes, a venue's answer in `fresh`."""
    pack = packed(run)
    old, new, modes = forged
    seq = rewritten(pack, old, new)
    for mode in modes:
        result = invoke("replay", pack, "--mode", mode, "--format", "json")
        found = json.loads(result.output)
        assert (result.exit_code, found["verdict"], found["seq"]) == (1, "FAIL", seq), mode


@pytest.mark.usefixtures("unverified")
def test_a_corrupt_journal_never_passes(run: Path, packed: Callable[[Path], Path], invoke: Invoke) -> None:
    """Bytes in the middle that do not verify are a difference at their record, in both modes."""
    pack = packed(run)
    path = pack / DATA / "journal" / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:30], lines[31], lines[30], *lines[32:]]))
    for mode in ("fresh", "tape"):
        result = invoke("replay", pack, "--mode", mode)
        assert result.exit_code == 1
        assert result.output.startswith("FAIL · record 30 differs")
        assert "do not verify" in result.output


def test_a_pack_that_is_not_intact_is_not_replayed(run: Path, packed: Callable[[Path], Path], invoke: Invoke) -> None:
    """One changed byte is found before anything runs."""
    pack = packed(run)
    rewritten(pack, b'"event":"submit"', b'"event":"submit","tif":"ioc"')
    result = invoke("replay", pack)
    assert result.exit_code == 1
    assert result.output.startswith("data/journal/journal.jsonl: changed")


@pytest.mark.usefixtures("unverified")
def test_bars_travel_with_the_pack_or_are_given(
    run: Path, packed: Callable[[Path], Path], invoke: Invoke, snapshot: Snapshot, tmp_path: Path
) -> None:
    """Bars that are not the shipped ones are in the pack; with their hash only they must be given, and be the same."""
    pack = packed(run)
    assert json.loads((pack / DATA / "bars.json").read_text())["where"] == "packed"
    shutil.rmtree(pack / DATA / "bars")
    missing = invoke("replay", pack)
    assert missing.exit_code == 2
    assert "--bars" in missing.output
    assert invoke("replay", pack, "--bars", snapshot.bars).exit_code == 0
    other = tmp_path / "other.csv"
    other.write_text(Path(snapshot.bars).read_text() + "2099-01-01,SYN000,1,1,1,1,1\n")
    wrong = invoke("replay", pack, "--bars", other)
    assert wrong.exit_code == 2
    assert "data: expected" in wrong.output


def test_another_version_cannot_replay_and_says_so(
    run: Path, packed: Callable[[Path], Path], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that did not write the journal does not pretend to judge it."""
    pack = packed(run)
    monkeypatch.setattr(reenact, "installed", lambda _: "9.9.9")
    result = invoke("replay", pack)
    assert result.exit_code == 2
    assert "was 9.9.9; install the version that wrote it" in " ".join(result.output.replace("│", " ").split())


def test_a_torn_tail_is_counted_and_not_compared(run: Path, tmp_path: Path) -> None:
    """Half a line at the end of a killed run's journal is no difference."""
    journal = run / "journal" / "journal.jsonl"
    data = journal.read_bytes()
    (tmp_path / "torn").write_bytes(data[:-30])
    found = compare(tmp_path / "torn", journal)
    last = data.splitlines(keepends=True)[-1]
    assert found == Same(len(data.splitlines()) - 1, "bytes", len(last) - 30)


def test_an_incident_pack_of_a_corrupt_journal_says_how_far_it_verifies(
    run: Path, tmp_path: Path, packed: Callable[[Path], Path]
) -> None:
    """What cannot be verified is packed as it is and told; nothing in the run's folder changes."""
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    journal = copy / "journal" / "journal.jsonl"
    data = journal.read_bytes()
    journal.write_bytes(data[:9_000] + b"x" + data[9_001:])
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    pack = packed(copy)
    assert (pack / DATA / "journal" / "journal.jsonl").read_bytes() == journal.read_bytes()
    verdict = json.loads((pack / DATA / "verdicts" / "journal.json").read_text())
    assert verdict["verdict"] == "Corrupt"
    assert 0 < verdict["records"] < len(data.splitlines())
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_the_incident_page_leaves_to_people_what_is_theirs(run: Path, packed: Callable[[Path], Path]) -> None:
    """Severity, timeline and detection are filled in; hypotheses, actions and sign-off are empty."""
    pack = packed(run)
    page = (pack / DATA / "incident.md").read_text()
    assert "| severity | S2: the controls held" in page
    assert "\n## Hypotheses\n\n1. \n2. \n3. \n" in page
    assert "| | | | |" in page
    for name in ("audit.jsonl", "git.json", "state.json", "run/metrics.json", "spec/session.yaml", "statement.json"):
        assert (pack / DATA / name).is_file(), name
    audit = [json.loads(line) for line in (pack / DATA / "audit.jsonl").read_text().splitlines()]
    assert audit[0]["kind"] == "run"
    assert audit[-1]["kind"] == "end"


@pytest.mark.parametrize("at", ["20260118", "20260118-2460", "2026-01-18"])
def test_a_moment_is_of_the_calendar(at: str) -> None:
    """A moment that no calendar has is refused."""
    with pytest.raises(ValueError, match="YYYYMMDD-HHMM"):
        incident_name(at, "X")
