"""The runbooks do what they say, today: every command is run, every name is looked up, what is absent is absent."""

import re
import subprocess
from pathlib import Path

import pytest
from strategies.pages import BIN, ROOT, exits, run, shown
from strategies.pages import fences as blocks

BOOKS = ROOT / "docs" / "ops" / "runbooks"
PHASES = {"c0": 4, "c1": 6, "c2": 6, "c3": 4, "c4": 4, "c5": 4, "d1": 2, "d4": 5}
"""The pages in the order in which they are worked through, and how many requirements each answers."""
LOOPS = re.compile(r"\b(watch|while|until|sleep|tail -f|serve)\b")


def fences(phase: str) -> list[tuple[str, list[str]]]:
    """The fenced blocks of a page: language and lines."""
    return [(language, body.splitlines()) for language, body in blocks(BOOKS / f"{phase}.md")]


def test_every_command_of_the_runbooks_does_what_it_says(desk: Path) -> None:
    """In order, in one folder, each line exits as stated and each snapshot shows what its page expects."""
    for phase in PHASES:
        output = ""
        for language, lines in fences(phase):
            for line in lines:
                if language == "text":
                    assert shown(line, output), f"{phase}: expected {line!r} in\n{output}"
                    continue
                done = run(line, desk, COLUMNS="120")
                output = done.stdout
                assert done.returncode == exits(line), f"{phase}: {line}\n{done.stdout}\n{done.stderr}"


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
