"""A finding as a test that stays: it plays the program that once failed, and expects no problem.

The test holds the program itself, so it needs neither the folder nor Hypothesis. It fails until the bug is mended.
"""

import re
from pathlib import Path
from textwrap import fill
from typing import Final

from peak_trade.fuzz.found.findings import Kept
from peak_trade.fuzz.found.listing import compact
from peak_trade.fuzz.found.program import parsed
from peak_trade.fuzz.found.trial import Judge, problems, tried
from peak_trade.fuzz.world import Machines

MARK: Final = "Written by `peak fuzz replay --save-regression`"
LINE_CHARS_MAX: Final = 120


def wrong(text: str, machines: Machines, judge: Judge = problems) -> tuple[str, ...]:
    """Return what is wrong when the program that `text` gives is played; empty iff nothing.

    Raises:
        ProgramError: the text is no program.
    """
    return tried(parsed(text, "the program"), machines, judge).problems


def save(folder: Path, found: Kept) -> Path:
    """Write the test of a finding in `folder`; return its file. The same finding gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"test_{_word(found.folder.name)}.py"
    file.write_text(source(found), encoding="utf-8")
    return file


def source(found: Kept) -> str:
    """Return the text of the test."""
    text = compact(found.program)
    long = any(len(line) > LINE_CHARS_MAX for line in text.splitlines())
    lines = [
        '"""A program that failed once has no problem any more.\n',
        fill(f"It failed with: {_plain(found.kind)}.", LINE_CHARS_MAX),
        f'{MARK}.\n"""\n',
        "from peak_trade.cli.specs import machine_named",
        "from peak_trade.fuzz.found.regression import wrong",
        "from peak_trade.fuzz.world import Machines\n",
        'PROGRAM = r"""' if "\\" in text else 'PROGRAM = """\\',
        f'{text}"""{"  # noqa: E501 - a program as it was found" if long else ""}',
        "\n",
        f"def test_{_word(found.folder.name)}() -> None:",
        '    """The program has no problem."""',
        '    machines = Machines(*(machine_named(name) for name in ("session", "order", "breaker")))',
        "    found = wrong(PROGRAM, machines)",
        "    assert not found, found",
    ]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return `text` as it may stand in a docstring."""
    return text.replace("\\", "/").replace('"', "'")


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
