import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from peak_trade.gates.disk import replace
from peak_trade.gates.fix import fix, fixed
from peak_trade.gates.scan import scan_text
from peak_trade.gates.snapshot import snapshot
from peak_trade.gates.targets import Judge
from peak_trade.gates.tree import grown

TREE = grown(("src/a.py", "README.md"))
TOKENS = [
    "`src/a.py`",
    "`execution/b.py`",
    "`src/NAME.py`",
    "`x&#47;y/z.md`",
    "`src/gone.py`",
    "`and/or`",
    "[a](execution/b.py)",
    "execution/b.py",
]


def faults(text: str) -> list:
    """What the judge says about the references of one page."""
    return list(Judge(TREE, lambda _: ()).faults(scan_text("README.md", text.encode())))


@given(
    st.lists(st.sampled_from([*TOKENS, "\n", "\r\n", " ", "| ", "\n\n", "```\n", "- ", "# ", "> ", "\\|"])).map("".join)
)
@example("`execution/b.py` `src/NAME.py` `src/NAME.py`\n")
def test_exactly_the_illustrative_tokens_change(text: str) -> None:
    """After the repair no illustrative token is left, every other finding stays, and only their slashes differ."""
    before = faults(text)
    spans = [item.span for item in before if item.code == "DG010"]
    after = fixed(text, spans)
    assert after.replace("&#47;", "/") == text.replace("&#47;", "/")
    assert after.count("&#47;") - text.count("&#47;") == sum(
        item.message.split("`")[1].count("/") for item in before if item.code == "DG010"
    )
    rest = faults(after)
    assert [item.message for item in rest] == [item.message for item in before if item.code != "DG010"]
    assert fixed(after, [item.span for item in rest if item.code == "DG010"]) == after


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Bytes other than the tokens stay, with line ends and mode; nothing is left behind, nothing more to do."""
    page = tmp_path / "page.md"
    page.write_bytes(b"a `x/y.md`\r\n\r\n`x/y.md:12` \xc3\xa9\n")
    page.chmod(0o640)
    found = snapshot(tmp_path, gates=("tokens",)).new
    assert fix(tmp_path, found) == {"page.md": 2}
    assert page.read_bytes() == b"a `x&#47;y.md`\r\n\r\n`x&#47;y.md:12` \xc3\xa9\n"
    assert page.stat().st_mode & 0o777 == 0o640
    assert snapshot(tmp_path, gates=("tokens",)).passed
    assert [item.name for item in tmp_path.iterdir()] == ["page.md"]


def test_a_write_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk refuses, the old file is whole and no temporary one stays."""
    page = tmp_path / "page.md"
    page.write_text("old")

    def refuse(_: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="no space"):
        replace(page, b"new")
    assert page.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["page.md"]
