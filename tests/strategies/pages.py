"""A reader of a page: takes its fenced blocks, types its lines, and compares what is shown with what comes out."""

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
BIN: Final = Path(sys.executable).parent
EXITS: Final = re.compile(r"  # exits (\d+)$")
_FENCE: Final = re.compile(r"^( *)```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_AUTHOR: Final = ("-c", "user.name=test", "-c", "user.email=test@localhost")


def fences(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and text, without the indent that they share."""
    return [(language, dedent(body)) for _, language, body in _FENCE.findall(page.read_text())]


def run(line: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one line of a page in `folder` with this environment's own `peak`; of a pipe the last part decides."""
    command = line.replace("./x peak", str(BIN / "peak"))
    environment = {**os.environ, **settings}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def exits(line: str) -> int:
    """The exit code that a line states; 0 if it states none."""
    stated = EXITS.search(line)
    return int(stated[1]) if stated else 0


def shown(expected: str, output: str) -> bool:
    """Whether a line of the page, in which `…` stands for anything, is in a line of the output; blanks count once."""
    parts = [re.escape(part.strip()) for part in " ".join(expected.split()).split("…")]
    text = "\n".join(" ".join(line.split()) for line in output.splitlines())
    return re.search(".*".join(parts), text) is not None


def checkout(folder: Path) -> None:
    """Make `folder` a checkout of what this one holds, with its base known as origin/main."""
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it is")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` and return what it prints."""
    done = subprocess.run(["git", "-C", folder, *_AUTHOR, *arguments], capture_output=True, text=True, check=True)
    return done.stdout
