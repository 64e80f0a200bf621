"""What git says about a checkout: its root, its files, and what a change wrote and took away. Reads only."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from os import fsdecode
from pathlib import Path
from typing import Final

from peak_trade.gates.errors import UnusableError

GIT_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Change:
    """The paths that a change wrote, and those that it took away, each with its new path or an empty text."""

    written: frozenset[str]
    gone: Mapping[str, str]


def toplevel(folder: Path) -> Path | None:
    """Return the root of the checkout that holds `folder`, or None iff it is in none."""
    found = _git(folder, "rev-parse", "--show-toplevel")
    return None if found is None else Path(fsdecode(found).rstrip("\n"))


def files(folder: Path) -> frozenset[str] | None:
    """Return the paths below `folder` that git knows or would add and that are there, or None outside a checkout."""
    known = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if known is None:
        return None
    deleted = _git(folder, "ls-files", "-z", "--deleted") or b""
    return frozenset(_names(known)) - frozenset(_names(deleted))


def change(folder: Path, base: str) -> Change:
    """Return what differs below `folder` between the point where HEAD left `base` and the files as they are now.

    UnusableError iff `base` names no commit, has no common history with HEAD, or `folder` is in no checkout.
    """
    told = _git(folder, "diff", "--name-status", "-z", "-M", "--relative", fork(folder, base), "--")
    others = _git(folder, "ls-files", "-z", "--others", "--exclude-standard")
    if told is None or others is None:
        raise UnusableError("git to compare the files", "a failure", "run `git status` in the checkout")
    written, gone = _statuses(_names(told))
    return Change(frozenset(written) | frozenset(_names(others)), gone)


def tracks(folder: Path, path: Path) -> bool:
    """Return whether git tracks `path` or anything below it in the checkout `folder`; what it cannot say of, it may."""
    found = _git(folder, "--literal-pathspecs", "ls-files", "-z", "--cached", "--", str(path))
    return found is None or bool(found)


def fork(folder: Path, base: str) -> str:
    """Return the commit at which HEAD left `base`.

    UnusableError iff `base` names no commit, has no common history with HEAD, or `folder` is in no checkout.
    """
    start = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if start is None:
        raise UnusableError("a commit to compare with", f"`{base}`", "fetch it, or name another with --base")
    found = _git(folder, "merge-base", fsdecode(start).strip(), "HEAD")
    if found is None:
        raise UnusableError(f"a common history with `{base}`", "none", "fetch the whole history: git fetch --unshallow")
    return fsdecode(found).strip()


def content(folder: Path, revision: str, path: str) -> bytes | None:
    """Return the bytes of the file `path`, from the root of the checkout or `./` from `folder`, as of `revision`.

    None iff there is no such revision, or no such file in it.
    """
    blob = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}:{path}")
    return None if blob is None else _git(folder, "cat-file", "blob", fsdecode(blob).strip())


def messages(folder: Path, start: str) -> tuple[str, ...]:
    """Return the messages of the commits after `start` up to HEAD, newest first; `start` is a commit's own name."""
    told = _git(folder, "log", "-z", "--format=%B", f"{start}..HEAD", "--")
    return tuple(_names(told or b""))


def _statuses(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return what was written and what is gone, from the fields of `git diff --name-status -z`."""
    written: list[str] = []
    gone: dict[str, str] = {}
    fields = iter(words)
    for status in fields:
        path = next(fields)
        if status.startswith(("R", "C")):
            new = next(fields)
            written.append(new)
            if status.startswith("R"):
                gone[path] = new
        elif status == "D":
            gone[path] = ""
        else:
            written.append(path)
    return written, gone


def _names(raw: bytes) -> list[str]:
    return [fsdecode(name) for name in raw.split(b"\0") if name]


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return what git writes, or None iff it fails; UnusableError iff it does not answer in time."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=GIT_TIMEOUT_S, check=False)  # noqa: S603 - `base` cannot be an option
    except subprocess.TimeoutExpired as error:
        raise UnusableError(f"git to answer in {GIT_TIMEOUT_S} s", "silence", "try again") from error
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
