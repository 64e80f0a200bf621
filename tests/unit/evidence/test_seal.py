"""A signature is a person's: good, bad, or not looked at, and never assumed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from peak_trade.evidence import seal
from peak_trade.evidence.seal import check, sign

needs_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not here")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with two keys, a file to sign, and who may sign it."""
    for name in ("governance", "stranger"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    (tmp_path / "sums").write_text("sums\n")
    (tmp_path / "signers").write_text(f"governance,desk {(tmp_path / 'governance.pub').read_text()}")
    return tmp_path


@needs_keygen
def test_a_signature_is_good_for_its_signer_and_its_bytes(desk: Path) -> None:
    """Good by the signer, whoever was asked for; bad for another identity, and bad after one changed byte."""
    sign(desk / "sums", desk / "governance")
    assert check(desk / "sums", desk / "signers").verdict == "good"
    assert check(desk / "sums", desk / "signers", "governance").who == "governance"
    assert check(desk / "sums", desk / "signers", "risk").verdict == "bad"
    (desk / "sums").write_text("sumt\n")
    assert check(desk / "sums", desk / "signers").verdict == "bad"


@needs_keygen
def test_a_stranger_or_no_signature_is_bad(desk: Path) -> None:
    """A key that is not among the signers is bad, as is a missing signature or file of signers."""
    assert check(desk / "sums", desk / "signers").verdict == "bad"
    sign(desk / "sums", desk / "stranger")
    assert check(desk / "sums", desk / "signers").verdict == "bad"
    assert check(desk / "sums", desk / "nowhere").verdict == "bad"


@needs_keygen
def test_nothing_is_signed_twice_or_with_no_key(desk: Path) -> None:
    """A second signature is refused, a missing key is named."""
    with pytest.raises(OSError, match="did not sign"):
        sign(desk / "sums", desk / "nokey")
    sign(desk / "sums", desk / "governance")
    with pytest.raises(FileExistsError, match="no signature yet"):
        sign(desk / "sums", desk / "governance")


def test_without_ssh_keygen_it_is_skipped_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ssh-keygen is neither good nor bad, and nothing can be signed."""
    monkeypatch.setattr(seal.shutil, "which", lambda _: None)
    found = check(tmp_path / "sums", tmp_path / "signers")
    assert (found.verdict, found.who) == ("skipped", "")
    assert "ssh-keygen" in found.why
    with pytest.raises(FileNotFoundError, match="openssh-client"):
        sign(tmp_path / "sums", tmp_path / "key")
