"""The Markdown page: every cell is there, says what the decision table says, and no text breaks out of its place."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from peak_trade.backends.markdown import code, grid, prose
from peak_trade.backends.outputs import outputs, picture
from peak_trade.backends.table import COLUMNS_MAX, IGNORED, LOCK, REFUSED, STAYS, chunks, table
from peak_trade.lang.cells import cells
from peak_trade.lang.machine import Machine, Transition
from peak_trade.lang.pretty import fingerprint

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.just("\n"), max_size=30)
MARKUP = st.text(st.sampled_from("|\\`*_<>[]()!&;#~$@ ab:/w."), max_size=16)


def _shown(token: Token) -> str:
    children = token.children or ()
    return "".join(
        "\n" if item.content == "<br>" else "" if item.type == "html_inline" else item.content for item in children
    )


def tables(text: str) -> list[list[list[str]]]:
    """Return every table of a page as rows of what a reader sees."""
    found: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in {"th_open", "td_open"}:
            found[-1][-1].append(_shown(tokens[place + 1]))
    return found


def matrix(machine: Machine) -> dict[tuple[str, str], str]:
    """Return what the page says for each (state, event)."""
    said = {}
    for head, *rows in tables(table(machine)):
        if head[0] == "":
            said.update({(state, row[0]): text for row in rows for state, text in zip(head[1:], row[1:], strict=True)})
    return said


def test_every_cell_is_there_once(machine: Machine) -> None:
    """The matrix has states times events cells, none empty."""
    said = matrix(machine)
    names = product((state.name for state in machine.states), (event.name for event in machine.events))
    assert set(said) == set(names)
    assert all(said.values())
    assert len(said) == len(machine.states) * len(machine.events)


def test_every_cell_says_what_decides_it(machine: Machine) -> None:
    """Each row of the decision table is named in its cell, with target, locks or reason; nothing else is."""
    said = matrix(machine)
    for (state, event), choices in cells(machine).items():
        lines = said[state, event].split("\n")
        for choice in choices:
            row = choice.row
            if isinstance(row, Transition):
                locks = f"{LOCK}{len(row.require)}" if row.require else ""
                end = STAYS if row.target in {None, state} else f"→ {row.target}"
                assert any(f"{row.name}{locks}" in line.split() and line.endswith(end) for line in lines)
            else:
                assert f"{REFUSED if row.refused else IGNORED} {row.reason}" in lines
        words = {word.split(LOCK)[0] for line in lines if line[0] not in REFUSED + IGNORED for word in line.split()}
        named = {choice.row.name for choice in choices if isinstance(choice.row, Transition)}
        assert words & {item.name for item in machine.transitions} == named


def test_page_names_everything_declared(machine: Machine) -> None:
    """Each transition, event, variable, reason and property has its row, and the head has the fingerprint."""
    first = {row[0] for rows in tables(table(machine)) for row in rows}
    declared = (*machine.transitions, *machine.states, *machine.events, *machine.reasons, *machine.properties)
    assert {item.name for item in declared} <= first
    assert {item.name for item in machine.variables} <= {text.split(":")[0] for text in first}
    assert fingerprint(machine) in table(machine)


def test_first_line_says_generated(machine: Machine) -> None:
    """A reader of any generated file learns in its first line what made it."""
    for path, text in outputs(machine).items():
        assert "enerated by `peak generate`" in text.splitlines()[0], path


def test_outputs_have_their_places(machine: Machine) -> None:
    """The page lies where its link to the picture leads to the picture's place."""
    name = machine.name
    assert sorted(outputs(machine)) == [f"diagrams/{name}.dot", f"docs/machines/{name}.md"]
    assert f"](../../{picture(machine)})" in outputs(machine)[f"docs/machines/{name}.md"]


def test_hostile_texts_stay_in_their_cells(hostile: Machine) -> None:
    """No text of a machine adds a column, a row or a tag to its page."""
    found = tables(table(hostile))
    assert all(len(row) == len(rows[0]) for rows in found for row in rows)
    assert matrix(hostile).keys() == {('s<1>"', "e|v;"), ('x:y"', "e|v;")}
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(table(hostile))
    tags = {child.content for token in tokens for child in token.children or () if child.type == "html_inline"}
    assert tags <= {"<br>", "<code>", "</code>"}
    meanings = {row[2] for rows in found if rows[0][0] == "State" for row in rows[1:]}
    assert meanings == {" ".join(hostile.summary.split())}


@given(TEXTS | MARKUP)
def test_prose_is_read_as_it_was_written(text: str) -> None:
    """Whatever the text, a reader of the cell sees it, white space aside."""
    [[_, [seen]]] = tables("\n".join(grid(("h",), [(prose(f"x{text}x"),)])))
    assert seen == " ".join(f"x{text}x".split())


@given(TEXTS | MARKUP)
def test_code_is_read_as_it_was_written(text: str) -> None:
    """Whatever the code, a reader of the cell sees it, white space aside."""
    [[_, [seen, last]]] = tables("\n".join(grid(("h", "i"), [(code(text), "last")])))
    assert (seen, last) == (" ".join(text.split()), "last")


def test_rows_must_fit_their_head() -> None:
    """A row of another length would shift what a reader takes for its meaning."""
    with pytest.raises(AssertionError, match="another length"):
        grid(("a", "b"), [("c",)])


@given(st.integers(1, 60))
def test_columns_are_shared_out_evenly(count: int) -> None:
    """All states are there, in order, and no table is wide while another is nearly empty."""
    groups = chunks(tuple(range(count)))  # type: ignore[arg-type]
    assert [item for group in groups for item in group] == list(range(count))
    sizes = [len(group) for group in groups]
    assert max(sizes) <= COLUMNS_MAX
    assert max(sizes) - min(sizes) <= 1
