"""An evidence pack says what is known, can be checked by its own instructions, and is refused for a bad run."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from peak_trade.cli import gather
from peak_trade.cli.specs import machine_named
from peak_trade.evidence.bag import DATA, sha256, verify
from peak_trade.evidence.compare import valid
from peak_trade.evidence.exhibit import Exhibit, Unreadable, load, phase_of
from peak_trade.evidence.facts import Facts
from peak_trade.evidence.junit import outcomes
from peak_trade.evidence.pack import evidence_name, make
from peak_trade.journal.redact import Whole
from peak_trade.journal.store import Journal
from peak_trade.session.recording import schema

DATE = "20260118"
BLOCK = re.compile(r"```sh\n\s*(.*?)\n\s*```(?:\n\s*```text\n\s*(.*?)\n)?", re.DOTALL)
Invoke = Callable[..., Result]
Collect = Callable[..., Facts]


@pytest.fixture
def pack(facts: Collect, tmp_path: Path) -> Path:
    """An evidence pack of phase C3."""
    return make(facts("C3"), DATE, tmp_path)[0]


def test_the_pack_is_whole_and_says_what_is_known(pack: Path) -> None:
    """The pack verifies; its page has id, commit, claims of the phase with their verdict, and empty sign-off slots."""
    assert verify(pack) == ()
    page = (pack / DATA / "evidence.md").read_text()
    assert page.startswith("# EV-20260118-FINISH_C3-TRY\n")
    assert "| commit | c0ffee" in page
    assert "| REC-1 | C3.1 |" in page
    assert re.search(r"REC-3 \|.*✓ passed \| ([2-9]|[1-9]\d+) properties proved", page)
    assert "| GOV-1 |" not in page
    assert page.count("| SES-") > 15
    for role in ("governance", "risk", "operations", "engineering"):
        assert f"| {role} | | | | |" in page
    for heading in ("Scope", "Claims", "Verification steps", "Safety notes", "Risk notes", "Sign-off"):
        assert f"\n## {heading}\n" in page
    assert re.search(r"(?<![\w`])/(tmp|root|work)/", page) is None


def test_the_same_facts_are_the_same_pack(facts: Collect, tmp_path: Path) -> None:
    """Collected twice and packed twice, the digest is the same."""
    first = make(facts("C3"), DATE, tmp_path / "a")[1]
    second = make(facts("C3", anew=True), DATE, tmp_path / "b")[1]
    assert first == second
    assert make(facts("C3"), "20260119", tmp_path / "c")[1] != first


def test_proofs_are_packed_without_their_times(
    proofs: dict[str, object], proved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was proved and what is known from it give the same bytes: verdicts and clauses are kept, times are not."""
    monkeypatch.chdir(proved.parent)
    assert json.dumps(gather.proofs(), sort_keys=True) == json.dumps(proofs, sort_keys=True)
    assert "time_ms" not in json.dumps(proofs)


def test_the_verification_steps_give_what_they_promise(
    pack: Path, invoke: Invoke, proved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command on the page runs as written and prints what the page expects."""
    monkeypatch.chdir(pack.parent)
    shutil.copytree(proved, ".peak-cache")
    steps = BLOCK.findall((pack / DATA / "evidence.md").read_text())
    assert len(steps) == 5
    for written, expected in steps:
        if written.startswith("peak "):
            result = invoke(*written.split()[1:])
            assert result.exit_code == 0, written
            assert expected.strip() in result.output, written
        elif shutil.which("sha256sum"):
            assert subprocess.run(["sh", "-c", written], capture_output=True, text=True, check=True).stdout == ""


def test_the_statement_is_about_every_file(pack: Path) -> None:
    """The in-toto statement names each packed file but itself with its digest, and what passed and did not."""
    found = json.loads((pack / DATA / "statement.json").read_text())
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    subjects = {item["name"]: item["digest"].get("sha256") for item in found["subject"]}
    assert subjects.pop("peak-trade") is None
    files = {path.relative_to(pack).as_posix() for path in (pack / DATA).rglob("*") if path.is_file()}
    assert subjects == {name: sha256(pack / name) for name in files - {"data/statement.json"}}
    predicate = found["predicate"]
    assert predicate["result"] == "PASSED"
    assert {"proof SES-1", "replay fresh", "journal"} <= set(predicate["passedTests"])
    specs = {f"data/spec/{name}.yaml" for name in ("session", "order", "venue", "breaker", "system")}
    assert {item["name"] for item in predicate["configuration"]} == {*specs, "data/run/config_snapshot.json"}


def test_a_pack_shows_the_same_before_and_after(facts: Collect, tmp_path: Path) -> None:
    """What is read back from a pack is what it was made from."""
    before = facts("C5").exhibit
    after = load(make(facts("C5"), DATE, tmp_path)[0])
    for name in Exhibit.__slots__:
        assert getattr(after, name) == getattr(before, name), name


def test_slices_are_packed_and_labelled(invoke: Invoke, run: Path, tmp_path: Path) -> None:
    """`--steps` packs whole records: a prefix, which verifies and replays, or a slice, which says so."""
    given = ("--run", run, "--date", DATE, "--out", tmp_path, "--no-proofs", "--no-replay")
    assert invoke("evidence", "new", "--phase", "C2", "--tag", "PREFIX", "--steps", "0-9", *given).exit_code == 0
    prefix = tmp_path / "EV-20260118-FINISH_C2-PREFIX"
    assert invoke("journal", "verify", prefix / DATA).exit_code == 0
    assert invoke("replay", prefix).output.startswith("PASS")
    assert invoke("evidence", "new", "--phase", "C2", "--tag", "PART", "--steps", "5-9", *given).exit_code == 0
    part = tmp_path / "EV-20260118-FINISH_C2-PART"
    assert invoke("evidence", "verify", part).exit_code == 0
    assert "a slice" in (part / DATA / "evidence.md").read_text()
    result = invoke("replay", part)
    assert result.exit_code == 2
    assert "slice.json" in result.output
    assert load(part).story is None


def damaged(run: Path, tmp_path: Path, how: str) -> Path:
    """A copy of the run that something happened to."""
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    journal = copy / "journal" / "journal.jsonl"
    data = journal.read_bytes()
    match how:
        case "torn":
            (copy / "journal" / "journal.checkpoint.json").unlink()
            journal.write_bytes(data[:-20])
        case "rolled back":
            journal.write_bytes(b"".join(data.splitlines(keepends=True)[:-3]))
        case "corrupt":
            journal.write_bytes(data[:5_000] + b"x" + data[5_001:])
        case "no artifact":
            (copy / "trades.csv").unlink()
        case "other artifact":
            metrics = copy / "metrics.json"
            metrics.write_text(metrics.read_text().replace('"fills": ', '"fills": 1'))
        case "no config":
            (copy / "config_snapshot.json").unlink()
        case _:
            (copy / "config_snapshot.json").write_text("{}")
    return copy


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("torn", "expected an intact journal"),
        ("rolled back", "rolled back"),
        ("corrupt", "corrupt"),
        ("no artifact", "trades.csv: missing"),
        ("other artifact", "metrics.json:"),
        ("no config", "expected the folder of a run"),
        ("other config", "expected the folder of a run"),
    ],
)
def test_no_evidence_is_made_of_a_damaged_run(invoke: Invoke, run: Path, tmp_path: Path, how: str, says: str) -> None:
    """A run that is not whole and undamaged is refused with what is wrong, and nothing is written."""
    copy = damaged(run, tmp_path, how)
    result = invoke("evidence", "new", "--phase", "C2", "--tag", "X", "--run", copy, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


def test_a_run_of_another_version_is_refused(
    invoke: Invoke, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal by another version or specification is not explained by this one; the remedy is named."""
    monkeypatch.setattr(gather, "installed", lambda _: "9.9.9")
    result = invoke("incident", "new", "--severity", "S3", "--tag", "X", "--run", run, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "version: expected 9.9.9 as here, was" in " ".join(result.output.split())


def test_a_record_outside_the_allowlist_is_never_packed(invoke: Invoke, run: Path, tmp_path: Path) -> None:
    """A journal whose writer did not redact is refused by the number of the record; its value is shown nowhere."""
    copy = tmp_path / "copy"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("journal"))
    first = next(valid(run / "journal" / "journal.jsonl")).body
    ours = schema(machine_named("session"), machine_named("order"))
    careless = {"run": ours["run"], "session": ours["session"] | {"pin": Whole()}}
    with Journal.open(copy / "journal", careless) as journal:
        journal.append("run", first)
        journal.append("session", {"pin": 734_211})
    for command in (("incident", "new", "--severity", "S1"), ("evidence", "new", "--phase", "C2")):
        result = invoke(*command, "--tag", "X", "--run", copy, "--out", tmp_path / "out")
        assert result.exit_code == 2
        assert "record 1 of the journal holds what the allowlist does not admit" in " ".join(result.output.split())
        assert "734211" not in result.output
        assert not list((tmp_path).glob("out/*/data"))


@pytest.mark.parametrize(
    ("phase", "date", "tag"),
    [
        ("C6", DATE, "X"),
        ("C3", "20261301", "X"),
        ("C3", "2026118", "X"),
        ("C3", DATE, "lower"),
        ("C3", DATE, "A" * 41),
        ("C3", DATE, ""),
    ],
)
def test_an_id_is_of_the_tracks_form(phase: str, date: str, tag: str) -> None:
    """Phase, date and tag are checked; the message says what is expected."""
    with pytest.raises(ValueError, match="expected"):
        evidence_name(phase, date, tag)


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("EV-20260118-FINISH_C2-ORCH-DRYRUN-PASS", "C2"),
        ("EV-20260118-FINISH_D4-DOCS", "D4"),
        ("EV-20260118-FINISH_C6-X", None),
        ("INC-20260118-0900-KILLED", "INC"),
        ("readme", None),
    ],
)
def test_an_id_names_its_phase(name: str, phase: str | None) -> None:
    """The phase is read back from the folder's name."""
    assert phase_of(name) == phase


def test_a_test_report_is_packed_without_its_machine(tmp_path: Path) -> None:
    """Outcomes are kept by test, the worst of each; hosts, times and messages are not; other XML is refused."""
    path = tmp_path / "junit.xml"
    path.write_text(
        '<testsuites><testsuite hostname="desk-7" timestamp="now">'
        '<testcase classname="tests.a" name="one" time="1"/>'
        '<testcase classname="tests.a" name="two"><failure message="secret"/></testcase>'
        '<testcase classname="tests.a" name="two"/>'
        '<testcase classname="tests.b" name="three"><skipped/></testcase></testsuite></testsuites>'
    )
    assert outcomes(path) == {"tests.a::one": "passed", "tests.a::two": "failure", "tests.b::three": "skipped"}
    path.write_text("<html/>")
    with pytest.raises(ValueError, match="junitxml"):
        outcomes(path)
    path.write_text("no xml")
    with pytest.raises(ValueError, match="junitxml"):
        outcomes(path)


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 2}'])
def test_a_pack_of_another_form_is_unreadable(pack: Path, text: str) -> None:
    """A file that is no JSON, no object, or of another schema is named."""
    (pack / DATA / "verdicts" / "journal.json").write_text(text)
    with pytest.raises(Unreadable, match=r"journal\.json"):
        load(pack)
    (pack / DATA / "versions.json").unlink()
    with pytest.raises(Unreadable):
        load(pack)


def test_verify_names_the_changed_byte_and_the_digest(pack: Path, invoke: Invoke) -> None:
    """Exit 0 and the digest when intact, 1 with the file's name after one byte, 1 for another digest, 2 for no pack."""
    good = invoke("evidence", "verify", pack)
    assert good.exit_code == 0
    digest = good.output.split()[-1]
    assert invoke("evidence", "verify", pack, "--digest", digest).exit_code == 0
    assert invoke("evidence", "verify", pack, "--digest", "0" * 64).exit_code == 1
    page = pack / DATA / "evidence.md"
    page.write_bytes(page.read_bytes().replace(b"passed", b"pasted", 1))
    bad = invoke("evidence", "verify", pack)
    assert bad.exit_code == 1
    assert bad.output.startswith("data/evidence.md: changed: expected SHA-256 ")
    assert invoke("evidence", "verify", pack / DATA).exit_code == 2
