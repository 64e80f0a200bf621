"""What the how-to guides tell a reader to type does what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
GUIDES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
EXITS = re.compile(r"  # exits (\d+)$")
MODULE = re.compile(r"Put this into `(\w+\.py)`")


def fences(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and text."""
    return [(language, dedent(body)) for _, language, body in FENCE.findall(page.read_text())]


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one line of a guide with this environment's own `peak`."""
    command = line.replace("./x peak", str(BIN / "peak"))
    settings = {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(folder)}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` and return what it prints."""
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    done = subprocess.run(["git", "-C", folder, *author, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A checkout of what this one holds, with its base known as origin/main."""
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "as it is")
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    return tmp_path


def shown(expected: str, output: str) -> bool:
    """Whether a line of the page, in which `…` stands for anything, is in a line of the output; blanks count once."""
    parts = [re.escape(part.strip()) for part in " ".join(expected.split()).split("…")]
    text = "\n".join(" ".join(line.split()) for line in output.splitlines())
    return re.search(".*".join(parts), text) is not None


def worked_through(page: Path, folder: Path) -> int:
    """Type what the page says, in order, and return how many lines that were."""
    named, output, typed = MODULE.search(page.read_text()), "", 0
    for language, body in fences(page):
        if language == "python":
            assert named is not None
            (folder / named[1]).write_text(body)
        elif language == "text":
            missing = [line for line in body.splitlines() if not shown(line, output)]
            assert not missing, f"{page.name}: expected {missing} in\n{output}"
        elif language == "sh":
            output = ""
            for line in body.splitlines():
                stated, done = EXITS.search(line), run(line, folder)
                output, typed = output + done.stdout + done.stderr, typed + 1
                expected = int(stated[1]) if stated else 0
                assert done.returncode == expected, f"{page.name}: {line}\n{done.stdout}\n{done.stderr}"
    return typed


@pytest.mark.parametrize("page", [page for page in GUIDES if "```sh" in page.read_text()], ids=lambda page: page.stem)
def test_every_command_of_a_guide_does_what_it_says(page: Path, desk: Path) -> None:
    """In order, in a fresh checkout, each line exits as stated, and what the page shows of the output is in it."""
    assert "**For whom.**" in page.read_text()
    assert worked_through(page, desk) >= 3


def test_a_wrong_guide_would_be_found(tmp_path: Path) -> None:
    """The test above can fail: on another exit code, and on output that is not as shown."""
    page = tmp_path / "page.md"
    for body in ("```sh\nfalse\n```", "```sh\ntrue  # exits 1\n```", "```sh\necho a b\n```\n\n```text\na … c\n```"):
        page.write_text(body)
        with pytest.raises(AssertionError):
            worked_through(page, tmp_path)
    page.write_text("1. So:\n\n   ```sh\n   echo a b\n   ```\n\n   ```text\n   a …\n   ```\n")
    assert worked_through(page, tmp_path) == 1
