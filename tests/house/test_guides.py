"""What the how-to guides tell a reader to type does what they say."""

import re
from pathlib import Path

import pytest
from strategies.pages import ROOT, exits, fences, run, shown

GUIDES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
MODULE = re.compile(r"Put this into `(\w+\.py)`")


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
                done = run(line, folder, COLUMNS="200", PYTHONPATH=str(folder))
                output, typed = output + done.stdout + done.stderr, typed + 1
                assert done.returncode == exits(line), f"{page.name}: {line}\n{done.stdout}\n{done.stderr}"
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
