"""A person's SSH signature over a file, made and checked by `ssh-keygen -Y`; without it nothing is claimed.

The key stays with the person: it is named by a path and never read here. Identities and keys are those of an
allowed-signers file (see `man ssh-keygen`).

Limits: OpenSSH 8.1 or newer; a key with a passphrase is asked for on the terminal, at most `SIGN_TIMEOUT_S`.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

PROGRAM: Final = "ssh-keygen"
NAMESPACE: Final = "peak-trade"
SIGN_TIMEOUT_S: Final = 300
VERIFY_TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True)
class Seal:
    """What became of a signature: good (by `who`), bad, or skipped; `why` is for a person."""

    verdict: Literal["good", "bad", "skipped"]
    who: str
    why: str


def sign(path: Path, key: Path) -> Path:
    """Sign the file at `path` with the person's `key`; return the signature's path beside it.

    Raises:
        FileExistsError: it is signed already.
        OSError: there is no ssh-keygen, or it did not sign.
    """
    signature = path.with_name(f"{path.name}.sig")
    if signature.exists():
        raise FileExistsError(f"expected no signature yet, was {signature}; a second person signs a copy")
    if shutil.which(PROGRAM) is None:
        raise FileNotFoundError(f"expected {PROGRAM}, was none; install openssh-client, or sign elsewhere")
    done = _ran(["sign", "-f", str(key), "-n", NAMESPACE, str(path)], b"", SIGN_TIMEOUT_S)
    if done.returncode or not signature.is_file():
        raise OSError(f"{PROGRAM} did not sign with {key}: {_said(done)}")
    return signature


def check(path: Path, signers: Path, who: str = "") -> Seal:
    """Return whether the signature beside `path` is by one of `signers` (by `who`, if given)."""
    signature = path.with_name(f"{path.name}.sig")
    if shutil.which(PROGRAM) is None:
        return Seal("skipped", "", f"there is no {PROGRAM} here; install openssh-client")
    if not signature.is_file():
        return Seal("bad", "", f"expected a signature {signature.name}, was none")
    if not signers.is_file():
        return Seal("bad", "", f"expected a file of allowed signers, was {signers.name}, which is not there")
    place = ["-s", str(signature), "-f", str(signers)]
    if not who:
        asked = _ran(["find-principals", *place], b"", VERIFY_TIMEOUT_S)
        who = asked.stdout.decode("utf-8", "replace").split("\n")[0].strip()
        if asked.returncode or not who:
            return Seal("bad", "", "the key that signed is not in the file of allowed signers")
    done = _ran(["verify", *place, "-I", who, "-n", NAMESPACE], path.read_bytes(), VERIFY_TIMEOUT_S)
    return Seal("good", who, _said(done)) if done.returncode == 0 else Seal("bad", who, _said(done))


def _ran(arguments: list[str], data: bytes, timeout_s: int) -> subprocess.CompletedProcess[bytes]:
    command = [PROGRAM, "-Y", *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=timeout_s, check=False)  # noqa: S603 - fixed words and paths


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    text = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
    return text.splitlines()[0] if text else f"exit code {done.returncode}"
