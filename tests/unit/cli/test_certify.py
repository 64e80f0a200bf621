"""`peak certify` and `peak prove --certify`: only files that a second solver accepts, all of them, are a pass."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli import app, certify

ROOT = Path(__file__).resolve().parents[3]
BREAKER = ["prove", "breaker", "--no-locks", "--certify"]


def peak(*arguments: str) -> Result:
    """Run the command line."""
    return CliRunner().invoke(app.command, [*arguments])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of the shipped breaker."""
    folder = tmp_path_factory.mktemp("certificates")
    done = peak(*BREAKER, "--certificates", str(folder), "--evidence", str(folder / "proofs.json"))
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def copy(shelf: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to spoil."""
    target = tmp_path / "breaker"
    target.mkdir()
    for path in (shelf / "breaker").iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_all_accepted_is_a_pass(shelf: Path) -> None:
    """Checked again from the files alone, each certificate is accepted."""
    done = peak("certify", str(shelf))
    assert done.exit_code == 0, done.output
    rows = json.loads(peak("certify", str(shelf), "--format", "json").stdout)["certificates"]
    index = json.loads((shelf / "breaker" / "index.json").read_text())
    assert len(rows) == len(index["certificates"]) > 10
    assert {row["verdict"] for row in rows} == {"accepted"}


def test_the_evidence_names_every_claim_with_its_hash(shelf: Path) -> None:
    """What is committed as evidence is what was proved, with the hash of the file that was accepted."""
    told = json.loads((shelf / "proofs.json").read_text())["machines"]["breaker"]
    index = json.loads((shelf / "breaker" / "index.json").read_text())
    assert told["specification"] == index["specification"]
    assert {item["id"]: item["sha256"] for item in told["results"]} == {
        item["claim"]: item["sha256"] for item in index["certificates"]
    }
    assert all(item["accepted"] and item["proved"] for item in told["results"])


def test_the_committed_evidence_is_what_would_be_written_now(shelf: Path) -> None:
    """No proof or hash in the committed evidence has drifted; `--evidence` writes it again."""
    now = json.loads((shelf / "proofs.json").read_text())["machines"]["breaker"]
    assert json.loads((ROOT / "docs/evidence/proofs.json").read_text())["machines"]["breaker"] == now


@pytest.mark.parametrize("old", ["(check-sat)", "; says", "Init"])
def test_an_edited_file_is_a_violation(copy: Path, old: str) -> None:
    """A file whose bytes are not those of its index is rejected before it is read."""
    path = copy / "breaker" / "BRK-1.smt2"
    path.write_text(path.read_text().replace(old, old + " ", 1))
    done = peak("certify", str(copy))
    assert done.exit_code == 1
    assert "expected sha256" in done.output
    assert "next: peak prove breaker --certify" in done.output


def test_a_certificate_of_something_else_is_a_violation(copy: Path) -> None:
    """A true certificate under another claim's name shows nothing about that claim."""
    path = copy / "breaker" / "index.json"
    index = json.loads(path.read_text())
    one, other = index["certificates"][:2]
    one["file"], one["sha256"] = other["file"], other["sha256"]
    path.write_text(json.dumps(index))
    assert peak("certify", str(copy)).exit_code == 1


@pytest.mark.parametrize("file", ["../breaker/BRK-1.smt2", "gone.smt2", "index.json"])
def test_a_file_elsewhere_is_a_violation(copy: Path, file: str) -> None:
    """The index names plain files beside it and nothing else."""
    path = copy / "breaker" / "index.json"
    index = json.loads(path.read_text())
    index["certificates"][0]["file"] = file
    path.write_text(json.dumps(index))
    assert peak("certify", str(copy)).exit_code == 1


def test_a_file_that_no_index_names_is_a_violation(copy: Path) -> None:
    """What lies beside the certificates and is none of them is said."""
    (copy / "breaker" / "extra.smt2").write_text("(check-sat)")
    assert peak("certify", str(copy)).exit_code == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": 1, "certificates": 2}', "null"])
def test_a_broken_index_is_a_violation(copy: Path, text: str) -> None:
    """An index that cannot be read is rejected; there is no traceback."""
    (copy / "breaker" / "index.json").write_text(text)
    done = peak("certify", str(copy))
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)


def test_a_claim_without_a_certificate_is_inconclusive(copy: Path) -> None:
    """What has no certificate is open, exit code 3; no certificate at all is no evidence."""
    path = copy / "breaker" / "index.json"
    index = json.loads(path.read_text())
    index["absent"] = [{"claim": "X-1", "kind": "always", "reason": "none: bounded exploration"}]
    path.write_text(json.dumps(index))
    assert peak("certify", str(copy)).exit_code == 3
    for old in (copy / "breaker").glob("*.smt2"):
        old.unlink()
    path.write_text(json.dumps(index | {"certificates": [], "absent": []}))
    assert peak("certify", str(copy)).exit_code == 3


def test_an_empty_folder_is_a_usage_error(tmp_path: Path) -> None:
    """Nothing to check is a mistake of the call, never a pass."""
    done = peak("certify", str(tmp_path))
    assert done.exit_code == 2
    assert "peak prove --certify" in done.output


def test_without_the_second_solver_nothing_is_certified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing cvc5 is a usage error that names the extra, before anything is proved."""
    monkeypatch.setitem(__import__("sys").modules, "peak_trade.proof.warrant.second", None)
    for done in (peak("certify", str(tmp_path)), peak(*BREAKER, "--certificates", str(tmp_path))):
        assert done.exit_code == 2
        assert "peak-trade[certify]" in " ".join(done.output.split())
    assert not list(tmp_path.iterdir())


def test_chosen_claims_have_whole_certificates(tmp_path: Path) -> None:
    """With `--only` the certificate still holds every lemma that its proof rests on."""
    done = peak(*BREAKER, "--only", "BRK-1", "--certificates", str(tmp_path), "--format", "json")
    assert done.exit_code == 0, done.output
    assert [row["claim"] for row in json.loads(done.stdout)["certificates"]] == ["BRK-1"]
    assert [path.name for path in (tmp_path / "breaker").glob("*.smt2")] == ["BRK-1.smt2"]


@pytest.mark.parametrize("wrong", [["--evidence", "x.json", "--only", "BRK-1"], []])
def test_evidence_is_of_everything_that_was_checked(tmp_path: Path, wrong: list[str]) -> None:
    """Evidence of a part, or of proofs that nobody checked, is refused."""
    place = str(tmp_path / "x.json")
    calls = ["prove", "breaker", "--no-locks", "--evidence", place]
    calls += ["--certify", "--certificates", str(tmp_path), "--only", "BRK-1"] if wrong else []
    assert peak(*calls).exit_code == 2
    assert not Path(place).exists()


def test_the_worse_code_wins() -> None:
    """A violation comes before what is left open, and that before a pass."""
    assert [certify.worse(1, 3), certify.worse(3, 1), certify.worse(0, 3), certify.worse(0, 0)] == [1, 1, 3, 0]
