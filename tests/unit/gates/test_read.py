import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from peak_trade.gates.anchors import anchors, slug
from peak_trade.gates.page import Kind
from peak_trade.gates.read import content, split

PIECES = st.lists(
    st.sampled_from(
        [
            *"`[]()<>!|#*_-\\ \n\t\r&/.:x",
            "`src/a.py`",
            "[t](a.md)",
            "![i](b.png)",
            "| a |\n|---|\n",
            "```\n",
            "> ",
            "- ",
            "1. ",
            "<!--",
            "-->",
            '<a href="c.md">',
            "[l]: d.md\n",
            "[t][l]",
            "---\n",
            "\0",
            "\ufeff",
            "\r\n",
            "\\|",
            "&#47;",
            "é",
        ]
    ),
    max_size=60,
).map("".join)


def found(text: str) -> list[tuple[str, str, int, int]]:
    """Kind, target, line and column of each reference in a text."""
    return [(item.kind.value, item.target, item.span.line, item.span.column) for item in content(text).references]


@given(PIECES)
@example("| `a/b.py` | `\\|` `a/b.py` |\n|---|---|\n| `a/b.py` |  |")
@example("\ufeff`a/b.py`\r\n\r`a/b.py`")
def test_any_text_is_read_and_code_is_where_it_is_said_to_be(text: str) -> None:
    """No text stops the reader; the span of a piece of code covers exactly that code in the page."""
    lines = split(text)
    for item in content(text).references:
        assert 0 < item.span.line <= len(lines)
        line = lines[item.span.line - 1]
        assert 0 < item.span.column <= len(line) + 1
        if item.kind is Kind.CODE:
            assert line[item.span.column - 1 :][: item.span.width] == item.target


def test_every_way_to_refer_is_found_at_its_place() -> None:
    """Links, images, definitions, code, HTML and undefined labels are references with line and column."""
    text = (
        "# A [heading](a.md) `src/a.py`\n\n> quoted\n> and [two](b.md#x)\n\n"
        "- list\n  - ![pic](c.png) **`src/b.py`**\n\n"
        '| a | b |\n|---|---|\n| `x \\| y` `src/c.py` | [t](d.md) |\n\n<p><img src="e.png"></p>\n\n'
        'word <a href="f.md">f</a>\n\n[used][label], [un][defined]\n\n[label]: g.md "title"\n'
    )
    assert found(text) == [
        ("link", "a.md", 1, 5),
        ("code", "src/a.py", 1, 22),
        ("link", "b.md#x", 4, 7),
        ("image", "c.png", 7, 5),
        ("code", "src/b.py", 7, 22),
        ("code", "src/c.py", 11, 13),
        ("link", "d.md", 11, 25),
        ("image", "e.png", 13, 4),
        ("link", "f.md", 15, 6),
        ("label", "defined", 17, 16),
        ("link", "g.md", 19, 10),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "```\n[x](a.md) `src/a.py`\n```",
        "    [x](a.md)",
        "<!-- [x](a.md) <img src='a.png'> -->",
        "---\npath: `src/a.py`\nlink: [x](a.md)\n---\n",
        "`[x](a.md)`",
        r"\[x](a.md) and a[i][jk] and [a][1]",
        "[^1]: word\n",
        "`python src/a.py --all` and `a b/c.py`",
    ],
)
def test_what_only_looks_like_a_reference_is_none(text: str) -> None:
    """Fences, comments, front matter, code, escapes, indices, footnotes and commands refer to nothing."""
    assert found(text) == []


def test_the_same_code_in_two_cells_has_two_places() -> None:
    """What a row says twice is found twice, each in its own cell."""
    text = "| `a/b.py` | `a/b.py` |\n|---|---|\n| x \\| y `a/b.py` | `a/b.py` |\n"
    assert [(line, column) for *_, line, column in found(text)] == [(1, 4), (1, 15), (3, 11), (3, 22)]


def test_anchors_are_those_of_headings_and_of_html() -> None:
    """A page's anchors: its headings as GitHub spells them, repeated ones numbered, and HTML ids and names."""
    text = (
        "# The `step` & *its* snake_case!\n\n## C5: Ready?\n\n## C5: Ready?\n\nSet\n===\n\n"
        '<a name="old"></a> <b id="new">x</b>\n\n# Grüße [x](a.md)\n'
    )
    assert content(text).anchors == {
        "the-step--its-snake_case", "c5-ready", "c5-ready-1", "set", "old", "new", "grüße-x",
    }  # fmt: skip
    assert content(text).headings[0] == "The step & its snake_case!"


@given(st.lists(st.sampled_from(["a", "A", "a 1", "a-1", "b!", "b", ""]), max_size=12))
def test_no_two_headings_share_an_anchor(headings: list[str]) -> None:
    """Each heading has an anchor of its own; the first of a kind has the plain one, unless a number took it before."""
    given_ = list(anchors(headings))
    assert len(set(given_)) == len(headings) == len(given_)
    for anchor, heading in zip(given_, headings, strict=True):
        assert anchor == slug(heading) or anchor.startswith(slug(heading) + "-")


def test_a_marker_reaches_the_next_line_or_the_whole_fence() -> None:
    """A marker covers its own line and the next; before a fence it covers the fence; codes narrow it."""
    text = (
        "<!-- docs-gates: ignore DG001, DG020: DG002 is the reason -->\ntext\n\n"
        "<!-- docs-gates: ignore -->\n```\na\nb\n```\n"
    )
    first, second = content(text).markers
    assert (first.first, first.last, first.codes) == (1, 2, {"DG001", "DG020"})
    assert (second.first, second.last, second.codes) == (4, 8, frozenset())
    assert content("`<!-- docs-gates: ignore -->`").markers == ()
    assert content("| a <!-- docs-gates: ignore --> |\n|---|\n").markers[0].first == 1
