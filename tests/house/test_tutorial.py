"""What the tutorial and the README tell a reader to type does what they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FENCE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
EXPECTED = {"out/broken.yaml --no-locks": 1, "out/live --config out/live.yaml": 1}
"""Commands that are meant to fail, and how."""


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return [body for name, body in FENCE.findall((ROOT / page).read_text()) if name == language]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the specifications in it, as a reader's checkout has them."""
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    (tmp_path / "out").mkdir()
    return tmp_path


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one line of the tutorial with this environment's own `peak`."""
    command = line.replace("./x peak", str(BIN / "peak"))
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_command_of_the_tutorial_does_what_it_says(desk: Path) -> None:
    """Each shell line of the tutorial ends with the exit code that the text around it promises."""
    (desk / "desk.py").write_text(blocks("docs/tutorial.md", "python")[0])
    lines = [line for block in blocks("docs/tutorial.md", "sh") for line in block.strip().splitlines()]
    lines.append("./x peak run --out out/mine --steps 200 --strategy desk:BuyAndHold")
    assert len(lines) > 10
    for line in lines:
        expected = next((code for mark, code in EXPECTED.items() if mark in line), 0)
        done = run(line, desk)
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
