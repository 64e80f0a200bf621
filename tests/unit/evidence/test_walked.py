"""`peak journal conform`: journals of whole, killed, resumed and stopped runs, packs, parts, and what is none."""

import json
import shutil
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import pytest
from click.testing import Result

from peak_trade.cli import job
from peak_trade.cli.job import Job
from peak_trade.evidence.artifacts import Snapshot
from peak_trade.journal.chain import Chain
from peak_trade.journal.record import Record, encode
from peak_trade.journal.scan import read

Invoke = Callable[..., Result]
FILE = "journal/journal.jsonl"


def written(path: Path, records: Iterable[Record]) -> Path:
    """A journal with a chain of its own, so that only the monitor can see what was edited."""
    chain = Chain()
    path.write_bytes(b"".join(chain.seal(encode(Record(seq, one.kind, one.body))) for seq, one in enumerate(records)))
    return path


def test_a_run_conforms(run: Path, invoke: Invoke) -> None:
    """The journal of a run is walked to its end, by its folder or by its file."""
    count = sum(1 for _ in read(run / FILE))
    for place in (run, run / "journal", run / FILE):
        result = invoke("journal", "conform", place)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(f"conforms · {count:,} records from the first record on")
        assert result.stdout.splitlines()[-1].startswith("next: peak ")


@pytest.mark.parametrize("point", [9, 30])
def test_a_killed_run_conforms_and_so_does_the_resumed_one(
    point: int, snapshot: Snapshot, die: Callable[[Path, int], bool], tmp_path: Path, invoke: Invoke
) -> None:
    """A run that was killed in a write, and the run that went on from it, left traces that are allowed."""
    folder = tmp_path / "run"
    assert die(folder, point)
    killed = invoke("journal", "conform", folder)
    assert killed.exit_code == 0, killed.output
    job.run(Job(folder, snapshot, resume=True))
    resumed = json.loads(invoke("journal", "conform", folder, "--format", "json").stdout)
    assert (resumed["verdict"], resumed["kinds"]["recovered"], resumed["kinds"]["end"]) == ("conforms", 1, 1)


@pytest.mark.parametrize("event", ["kill", "abort", "config_drift", "health_failed"])
def test_a_run_that_was_stopped_from_outside_conforms(
    event: str, stopped: Callable[[str, int], Path], invoke: Invoke
) -> None:
    """Kill switch, operator, drift and health check end a run in a way that is allowed."""
    result = invoke("journal", "conform", stopped(event, 12))
    assert result.exit_code == 0, result.output


def test_packs_conform(run: Path, tmp_path: Path, invoke: Invoke) -> None:
    """An incident pack is walked beside the specifications that it holds, whatever those of this checkout are."""
    fast = ("--no-proofs", "--no-replay", "--out", tmp_path)
    made = invoke("incident", "new", "--run", run, "--severity", "S3", "--tag", "WALK", "--at", "20260118-0900", *fast)
    pack = made.stdout.splitlines()[0]
    result = invoke("journal", "conform", pack)
    assert result.exit_code == 0, result.output
    spec = Path(pack) / "data" / "spec" / "order.yaml"
    spec.write_text(spec.read_text().replace("version: 2", "version: 3", 1))
    assert invoke("journal", "conform", pack).exit_code == 2


def test_a_part_of_a_journal_conforms(run: Path, tmp_path: Path, invoke: Invoke) -> None:
    """The last lines of a journal, cut anywhere, are a partial trace; what cannot begin there is named."""
    lines = (run / FILE).read_bytes().splitlines(keepends=True)
    part = tmp_path / "journal" / "slice.jsonl"
    part.parent.mkdir()
    part.write_bytes(b"".join(lines[len(lines) // 2 :]))
    assert invoke("journal", "conform", part).exit_code == 0
    result = invoke("journal", "conform", tmp_path, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["complete"], found["records"]) == (False, len(lines) - len(lines) // 2)


def test_a_deviation_is_shown_with_its_row(run: Path, tmp_path: Path, invoke: Invoke) -> None:
    """What stands there, what is allowed, the row with its line, two records before, and the command to run next."""
    records = list(read(run / FILE))
    seq = next(one.seq for one in records if one.body.get("event") == "accept")
    body = dict(records[seq].body) | {"by": "O99"}
    edited = [*records[:seq], Record(seq, "order", body), *records[seq + 1 :]]
    result = invoke("journal", "conform", written(tmp_path / "journal.jsonl", edited))
    assert result.exit_code == 1, result.output
    text = result.stdout
    assert f"first deviation: record {seq}, order accept" in text
    assert "was       taken by O99 to new" in text
    assert "expected  taken by O03 to new" in text
    assert "O03 at spec/order.yaml:" in text
    assert f"{seq - 2:>7} " in text
    assert text.splitlines()[-1].startswith("next: peak journal show ")


def test_a_law_of_the_system_is_shown_with_its_line(run: Path, tmp_path: Path, invoke: Invoke) -> None:
    """A report that is not the next one is named by SYS-28, where `spec/system.yaml` declares it."""
    records = list(read(run / FILE))
    seq = next(one.seq for one in records if one.body.get("cursor") == 3)
    body = dict(records[seq].body) | {"cursor": 4}
    edited = [*records[:seq], Record(seq, "order", body), *records[seq + 1 :]]
    result = invoke("journal", "conform", written(tmp_path / "journal.jsonl", edited), "--format", "json")
    found = json.loads(result.stdout)["deviation"]
    assert (result.exit_code, found["law"]) == (1, "SYS-28")
    root, _, line = found["place"].rpartition(":")
    text = (Path(__file__).resolve().parents[3] / root).read_text().splitlines()
    assert text[int(line) - 1].strip() == "- id: SYS-28"


def test_what_cannot_be_shown_exits_3(run: Path, tmp_path: Path, invoke: Invoke) -> None:
    """A record of a kind that no specification speaks of leaves the verdict open."""
    strange = [*islice(read(run / FILE), 8), Record(8, "weather", {"sun": True})]
    result = invoke("journal", "conform", written(tmp_path / "journal.jsonl", strange))
    assert (result.exit_code, "weather" in result.stdout) == (3, True)


def test_what_is_no_journal_exits_2(run: Path, tmp_path: Path, invoke: Invoke) -> None:
    """Another file, an empty folder, a corrupt journal and one of other specifications are refused with the reason."""
    other = tmp_path / "other.txt"
    other.write_text("no journal\n")
    assert invoke("journal", "conform", other).exit_code == 2
    assert invoke("journal", "conform", tmp_path).exit_code == 2
    records = list(read(run / FILE))
    foreign = [Record(0, "run", dict(records[0].body) | {"session_spec": "0" * 64}), *records[1:]]
    result = invoke("journal", "conform", written(tmp_path / "journal.jsonl", foreign))
    assert (result.exit_code, "0000000000000000" in result.stderr) == (2, True)
    damaged = tmp_path / "damaged.jsonl"
    shutil.copy(run / FILE, damaged)
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    result = invoke("journal", "conform", damaged)
    assert (result.exit_code, "next: peak journal verify" in result.stderr) == (2, True)
