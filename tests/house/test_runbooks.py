"""The runbooks do what they say, today: every command is run, every name is looked up, what is absent is absent."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOKS = ROOT / "docs" / "ops" / "runbooks"
BIN = Path(sys.executable).parent
PHASES = {"c0": 4, "c1": 6, "c2": 6, "c3": 4, "c4": 4, "c5": 4, "d1": 2, "d4": 5}
"""The pages in the order in which they are worked through, and how many requirements each answers."""
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
EXITS = re.compile(r"  # exits (\d+)$")
LOOPS = re.compile(r"\b(watch|while|until|sleep|tail -f|serve)\b")


def fences(phase: str) -> list[tuple[str, list[str]]]:
    """The fenced blocks of a page: language and lines."""
    found = FENCE.findall((BOOKS / f"{phase}.md").read_text())
    return [(language, [line.removeprefix(indent) for line in body.splitlines()]) for indent, language, body in found]


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one line of a page with this environment's own `peak`; of a pipe the last part decides."""
    command = line.replace("./x peak", str(BIN / "peak"))
    settings = {**os.environ, "COLUMNS": "120"}
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
    """Whether a line of the page, in which `…` stands for anything, is in the output; blanks count once."""
    parts = [re.escape(part.strip()) for part in " ".join(expected.split()).split("…")]
    text = "\n".join(" ".join(line.split()) for line in output.splitlines())
    return re.search(".*".join(parts), text) is not None


def test_every_command_of_the_runbooks_does_what_it_says(desk: Path) -> None:
    """In order, in one folder, each line exits as stated and each snapshot shows what its page expects."""
    for phase in PHASES:
        output = ""
        for language, lines in fences(phase):
            for line in lines:
                if language == "text":
                    assert shown(line, output), f"{phase}: expected {line!r} in\n{output}"
                    continue
                stated = EXITS.search(line)
                done = run(line, desk)
                output = done.stdout
                expected = int(stated[1]) if stated else 0
                assert done.returncode == expected, f"{phase}: {line}\n{done.stdout}\n{done.stderr}"


def test_an_expected_line_can_be_missing() -> None:
    """The comparison of a snapshot with its page can fail."""
    assert shown("a … c", "x\nsome  a b c")
    assert not shown("a … c", "a b\nc")
    assert not shown("targets PASS 0", "targets FAIL 3")


@pytest.mark.parametrize("phase", PHASES)
def test_a_runbook_is_complete(phase: str) -> None:
    """A page has its parts, a row for each requirement of its phase, no loop, and ends in its snapshot."""
    text = (BOOKS / f"{phase}.md").read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Exit", "Steps", "Stop rules", "Snapshot"]
    assert "**Purpose.**" in text
    assert "**Entry.**" in text
    rows = re.findall(r"^\| ([CD]\d\.\d) \|", text, re.MULTILINE)
    assert rows == [f"{phase.upper()}.{number + 1}" for number in range(PHASES[phase])]
    assert [language for language, _ in fences(phase)][-2:] == ["sh", "text"]
    assert text.endswith("```\n")
    assert not [line for language, lines in fences(phase) if language == "sh" for line in lines if LOOPS.search(line)]


def test_what_a_runbook_names_exists() -> None:
    """Every test that a page names is in the tree, and every command that it calls "not built yet" is none."""
    text = "\n".join((BOOKS / f"{phase}.md").read_text() for phase in PHASES)
    tree = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", text)
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in tree] == []
    commands = subprocess.run([BIN / "peak", "--help"], capture_output=True, text=True, check=True).stdout
    absent = set(re.findall(r"`peak (\w+)`", " ".join(re.findall(r"not built yet([^|]*)", text))))
    built = [name for name in absent if re.search(rf"^\W*{name}\b", commands, re.MULTILINE)]
    assert built == [], "these are built now; say so in docs/ops/runbooks"
    assert re.search(r"^\W*run\b", commands, re.MULTILINE)
