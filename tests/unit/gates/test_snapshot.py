import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from strategies.corpus import PLANTS, clean, plant, put

from peak_trade.gates.codes import CODES, IGNORE_FILE
from peak_trade.gates.errors import UnusableError
from peak_trade.gates.snapshot import snapshot
from peak_trade.gates.templates import SECTIONS

PAGES = 60


def places(root: Path) -> list[tuple[str, int, str]]:
    """Page, line and code of each new finding."""
    return sorted((item.file, item.span.line, item.code) for item in snapshot(root).new)


def test_a_clean_corpus_gives_no_alarm_and_each_planted_violation_is_found_on_its_line(tmp_path: Path) -> None:
    """No finding in a clean tree; with every kind planted, exactly those, at page and line, each with its excerpt."""
    clean(tmp_path, PAGES, seed=1)
    assert places(tmp_path) == []
    expected = plant(tmp_path, PAGES, seed=2)
    assert places(tmp_path) == expected
    assert len(expected) >= 20
    told = snapshot(tmp_path)
    assert all(item.excerpt for item in told.new)
    assert told.new == tuple(sorted(told.new, key=lambda item: (item.file, item.span)))


def test_every_code_is_planted_or_tested_elsewhere() -> None:
    """The catalogue has no code that no test plants."""
    assert CODES.keys() - {code for code, _ in PLANTS} == {"DG024", "DG025", "DG026", "DG030", "DG031", "DG032"}


def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    """Scanned by processes, the tree gives the same snapshot as scanned alone."""
    clean(tmp_path, PAGES, seed=3)
    plant(tmp_path, PAGES, seed=4)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert snapshot(tmp_path, mapper=executor.map) == snapshot(tmp_path)


def test_templates_must_exist_be_complete_and_be_found(tmp_path: Path) -> None:
    """A missing page, a missing section and a page that only names itself are each said."""
    clean(tmp_path, 1)
    missing, hidden, short = list(SECTIONS)[:3]
    (tmp_path / missing).unlink()
    (tmp_path / "README.md").write_text("".join(f"[x]({name})\n" for name in SECTIONS if name != hidden))
    put(tmp_path / hidden, (tmp_path / hidden).read_text() + f"`{hidden}` [me]({Path(hidden).name})\n")
    put(tmp_path / short, (tmp_path / short).read_text().replace("## Why", "## Because"))
    found = {(item.code, item.file) for item in snapshot(tmp_path, gates=("templates",)).new}
    assert found == {("DG030", missing), ("DG031", hidden), ("DG032", short)}


def test_a_template_is_found_by_any_kind_of_reference(tmp_path: Path) -> None:
    """A path in inline code, a link from the root and a percent-encoded link name a page as well as a plain link."""
    clean(tmp_path, 1)
    one, two, three, *rest = SECTIONS
    lines = [
        f"`{one}`",
        f"[x](/{two})",
        f"[x]({three.replace('-', '%2D')}#summary)",
        *(f"<a href='{name}'>x</a>" for name in rest),
    ]
    (tmp_path / "README.md").write_text("\n\n".join(lines))
    assert snapshot(tmp_path, gates=("templates",)).passed


def test_every_spelling_of_a_good_link_passes(tmp_path: Path) -> None:
    """Links from the root, to folders, with query, encoded, to lines and to the top lead where GitHub leads."""
    put(tmp_path / "docs/my page.md", "# Größe\n")
    put(tmp_path / "docs/README.md", "# Start\n")
    put(tmp_path / "src/a.py", "")
    good = ["/docs/my%20page.md#gr%C3%B6%C3%9Fe", "<../docs/my page.md>", ".", "..", "./#start", "/", "?plain=1#start"]
    good += ["../src/a.py#L1-L3", "#top", "#", "../src/", "//example.org/x", "mailto:x@example.org", "README.md#L4"]
    put(tmp_path / "docs/README.md", "# Start\n" + "".join(f"\n[x]({target})\n" for target in good))
    assert snapshot(tmp_path, gates=("targets",)).new == ()
    bad = ["/my%20page.md", "my%20page.md#grosse", "../docs#end", "../src/b.py#L1", "../../x.md", "Readme.md"]
    put(tmp_path / "docs/README.md", "# Start\n" + "".join(f"\n[x]({target})\n" for target in bad))
    assert [item.span.line for item in snapshot(tmp_path, gates=("targets",)).new] == [3, 5, 7, 9, 11, 13]


def test_the_ignore_file_and_a_marker_silence_what_they_name(tmp_path: Path) -> None:
    """Ignored pages are not looked at, ignored targets not looked for, and what a marker covers is counted."""
    put(tmp_path / "a.md", "[x](out/gone.md) `out/x.json`\n\n[y](gone.md) <!-- docs-gates: ignore DG001: planned -->\n")
    put(tmp_path / "old/b.md", "[x](gone.md)\n")
    assert len(snapshot(tmp_path, gates=("targets",)).new) == 2
    put(tmp_path / IGNORE_FILE, "# why\n\npage old/**\ntarget out/**  # written by a run\n")
    targets, tokens = snapshot(tmp_path, gates=("targets", "tokens")).outcomes
    assert (targets.new, targets.ignored, tokens.new) == ((), 1, ())
    put(tmp_path / "a.md", "`gone/x.md` <!-- docs-gates: ignore DG001 -->\n")
    assert not snapshot(tmp_path, gates=("tokens",)).passed


@pytest.mark.parametrize("line", ["pages x", "page", "target a b", "x"])
def test_a_line_of_the_ignore_file_that_says_nothing_is_refused(tmp_path: Path, line: str) -> None:
    """A misspelt line is an error with its number, not a silent hole."""
    put(tmp_path / "a.md", "")
    put(tmp_path / IGNORE_FILE, f"# first\n{line}\n")
    with pytest.raises(UnusableError, match=f"{IGNORE_FILE}:2"):
        snapshot(tmp_path)


def test_nothing_to_look_at_is_no_pass(tmp_path: Path) -> None:
    """A tree without a page is an error."""
    with pytest.raises(UnusableError, match="Markdown pages"):
        snapshot(tmp_path)


def test_a_page_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """A dead symbolic link, an oversized page and a pipe are findings, and the rest is still checked."""
    (tmp_path / "dead.md").symlink_to("nowhere.md")
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "large.md").write_bytes(b"x\n" * (2 * 1024 * 1024 + 1))
    put(tmp_path / "a.md", "\ufeffx\n")
    found = [(item.code, item.file) for item in snapshot(tmp_path, gates=("hygiene",)).new]
    assert found == [("DG024", "a.md"), ("DG026", "dead.md"), ("DG026", "large.md"), ("DG026", "pipe.md")]


def test_our_own_docs_pass() -> None:
    """Every gate passes over all pages of this checkout."""
    told = snapshot(Path(__file__).resolve().parents[3])
    assert [f"{item.file}:{item.span.line}: {item.code} {item.message}" for item in told.new] == []
    assert told.pages > 10
