"""Where the code came from: the commit of the checkout that this package runs from, and the versions beside it."""

import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

GIT_TIMEOUT_S: Final = 10
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The commit, and whether the checkout differs from it; `unknown` and None outside a checkout."""

    commit: str
    dirty: bool | None


def provenance() -> Provenance:
    """Return the commit of the checkout that holds this package; never of the current folder."""
    here = Path(__file__).resolve().parent
    commit = _git(here, "rev-parse", "HEAD")
    tracked = _git(here, "ls-files", "--error-unmatch", "provenance.py")
    if not commit or not tracked:
        return Provenance(UNKNOWN, None)
    return Provenance(commit, bool(_git(here, "status", "--porcelain", "--untracked-files=no")))


def changes() -> tuple[str, ...]:
    """Return what `git status` says of the checkout's tracked files, a line for each that changed; else nothing."""
    here = Path(__file__).resolve().parent
    return tuple(line.strip() for line in _git(here, "status", "--porcelain", "--untracked-files=no").splitlines())


def installed(package: str) -> str:
    """Return the installed version of `package`, or `unknown`."""
    try:
        return version(package)
    except PackageNotFoundError:
        return UNKNOWN


def python() -> str:
    """Return the interpreter's name and version."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False)  # noqa: S603 - fixed words only
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
