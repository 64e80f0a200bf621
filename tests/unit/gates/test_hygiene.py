import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.gates import hygiene
from peak_trade.gates.scan import scan_text

HOME = "/" + "home"
BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def found(text: str) -> list[tuple[str, int, int]]:
    """Code, line and column of each fault."""
    return [(item.code, item.span.line, item.span.column) for item in hygiene.faults("x.md", text)]


def test_every_character_of_unicode_is_judged_by_its_kind() -> None:
    """All bidirectional controls, all control characters and line separators are found; visible ones of ASCII never."""
    for point in range(0x110000):
        char = chr(point)
        if 0xD800 <= point < 0xE000 or not hygiene._HIDDEN.match(char):
            assert unicodedata.category(char) not in ("Cc", "Zl", "Zp") or char in "\t\n"
            assert point not in BIDI
            continue
        codes = [code for code, _, _ in found(f"a{char}b")]
        assert codes == (
            ["DG022"] if point in BIDI else ["DG023"] if hygiene._HIDDEN.match(char)["widthless"] else ["DG021"]
        )  # type: ignore[index]
        assert not char.isascii() or not char.isprintable()


PIECES = [*"aZ :/\\.~\n\r\t\x00\x1b\u202e\u200b\ufeffé", HOME, f"{HOME}/x", "/tmp", "C:\\", "file:", "//"]  # noqa: S108 - looked for


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_the_quick_look_never_misses(text: str) -> None:
    """What the quick look lets pass has nothing that the expressions would find."""
    assert hygiene._may_hide(text) or not hygiene._HIDDEN.search(text.replace("\r\n", "\n"))
    assert hygiene._may_name(text) or not hygiene._LOCAL.search(text)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (f"see {HOME}/someone/x", 5),
        (f"`{HOME}/someone`", 2),
        ("(/Users/someone/Peak_Trade)", 2),
        ("in /root/x", 4),
        ("in /tmp/run or so", 4),
        ("in /tmp.", 0),
        ("in /tmp", 4),
        ("=/var/folders/zz/x", 2),
        ("at /mnt/c/x", 4),
        ("at /Volumes/Disk", 4),
        ("C:\\Users\\someone", 1),
        ("`D:/work/x`", 2),
        ("c:\\\\temp", 1),
        ("file:///srv/x", 1),
        ("FILE:/srv/x", 1),
        (f"https://example.org{HOME}/page and {HOME}page", 0),
        ("$HOME/Peak_Trade, ~/x, {root}/tmp/x, docs/tmp/x.md", 0),
        ("works from `file://` too", 0),
        ("key:\\n and Option A:/", 0),
        ("/users/{id}, /template, /mnt", 0),
    ],
)
def test_a_local_path_is_found_at_its_column(line: str, column: int) -> None:
    """Home, temporary and mounted folders, drives and file addresses are found; what names no machine is not."""
    assert found(f"ok\n{line}\nok") == ([("DG020", 2, column)] if column else [])


def test_lines_are_counted_as_markdown_does() -> None:
    """Line and column hold with any line ends; a carriage return alone is itself a fault; a mark counts only first."""
    assert found("\ufeffa\r\nb\x07\r\rc\ufeff") == [
        ("DG024", 1, 1),
        ("DG021", 2, 2),
        ("DG021", 2, 3),
        ("DG021", 3, 1),
        ("DG023", 4, 2),
    ]


def test_a_page_that_is_not_utf8_says_where() -> None:
    """The first byte that is not UTF-8 has a line and a column, and the rest is still read."""
    page = scan_text("x.md", b"ok\na \xff `src/a.py`\n")
    assert [(item.code, item.span.line, item.span.column) for item in page.faults] == [("DG025", 2, 3)]
    assert page.content.references[0].target == "src/a.py"
