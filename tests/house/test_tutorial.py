"""What the tutorial and the README tell a reader to type does what they say."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from strategies.pages import BIN, ROOT, fences, run

EXPECTED = {"out/broken.yaml --no-locks": 1, "out/live --config out/live.yaml": 1}
"""Commands that are meant to fail, and how."""


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return [body for name, body in fences(ROOT / page) if name == language]


@pytest.fixture
def desk(tmp_path: Path, proved: Path) -> Path:
    """A folder with the specifications in it, as a reader's checkout has them, and what is proved of them known."""
    shutil.copytree(proved, tmp_path / ".peak-cache")
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    (tmp_path / "out").mkdir()
    return tmp_path


def test_every_command_of_the_tutorial_does_what_it_says(desk: Path) -> None:
    """Each shell line of the tutorial ends with the exit code that the text around it promises."""
    (desk / "desk.py").write_text(blocks("docs/tutorial.md", "python")[0])
    lines = [line for block in blocks("docs/tutorial.md", "sh") for line in block.strip().splitlines()]
    lines.append("./x peak run --out out/mine --steps 200 --strategy desk:BuyAndHold")
    assert len(lines) > 10
    for line in lines:
        expected = next((code for mark, code in EXPECTED.items() if mark in line), 0)
        done = run(line, desk, PYTHONPATH=str(desk))
        assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
    refuted = run("./x peak prove out/broken.yaml --no-locks --only SES-1", desk)
    assert "SES-1" in refuted.stdout
    assert "go_live()  would break SES-1" in refuted.stdout


def test_the_readme_names_commands_that_exist() -> None:
    """Every `./x peak NAME` of the README is a command."""
    known = subprocess.run([BIN / "peak", "--help"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"\./x peak (\w+)", (ROOT / "README.md").read_text())
    assert len(names) > 5
    assert [name for name in names if name not in known] == []
