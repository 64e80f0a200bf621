"""The review site's laws: what is open is said, what is stale is said first, and no text becomes markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.backends.markdown import code, grid, prose
from peak_trade.evidence.hypertext import html, inline, slug
from peak_trade.evidence.page import Claim
from peak_trade.evidence.policy import PLACE, bare, digest, policy, sealed
from peak_trade.evidence.review import Agreed, Drawn, Known, Measured, Part, Ran, Review, points
from peak_trade.evidence.site import INDEX, site

TONES = ("proved", "refuted", "not inductive", "unknown")
VISIBLE = st.text(st.characters(exclude_categories=("C",)))
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> & \"q\" 's'"


def known(name: str, verdict: str = "proved", *, accepted: bool = True) -> Known:
    """A claim of one verdict."""
    claim = Claim("gate", name, "always", f"{name} says {EVIL}", verdict, "induction", ("C0.1",))
    return Known(claim, certificate="no evidence", accepted=accepted)


def part(*claims: Known, measured: Measured | None = None) -> Part:
    """A machine that claims `claims`."""
    return Part(
        name="gate",
        summary=EVIL,
        version=1,
        fingerprint="0" * 64,
        system=False,
        drawn=Drawn(missing=EVIL),
        text=f"# gate\n\n## Events\n\n{prose(EVIL)}\n",
        claims=claims,
        shown=(),
        measured=measured,
        measure="peak mutate gate",
        simulator="simulator-gate.html",
    )


MEASURED = Measured(3, 3, [("G1.when.1", "guard", EVIL, "must")], [("G1.out", EVIL, EVIL)])
GOOD = Review([part(known("G-1"), measured=MEASURED)], Agreed(), Ran("r1", "STOPPED", (), {"gate": "0" * 64}))


def texts_of(review: Review) -> str:
    """Every open point of a review, as one text."""
    return "\n".join(f"{point.what}: {point.why}" for point in points(review))


def test_nothing_is_open_where_all_is_known() -> None:
    """With everything proved, certified, measured and run, a failure matrix that is not there is the one open point."""
    assert [point.what for point in points(GOOD)] == ["The failure matrix"]
    assert list(points(replace(GOOD, failures="# Failure matrix"))) == []


@pytest.mark.parametrize("verdict", TONES[1:])
def test_a_claim_that_is_not_proved_is_open(verdict: str) -> None:
    """Whatever the verdict, if it is not proved the claim is an open point with a link to it, before all others."""
    review = replace(GOOD, parts=[part(known("G-1"), known("G-2", verdict), measured=MEASURED)])
    first = next(points(review))
    assert (first.what, first.page) == ("G-2", "machine-gate.html#G-2")
    assert verdict in first.why
    assert "NO-LIVE: not proved" in site(review)[INDEX]


def test_what_lacks_evidence_is_open() -> None:
    """No verdict, certificate, measured fault, run or contract, and a clause that nothing carries: each is said."""
    bare_part = part(known("G-1", accepted=False))
    found = texts_of(
        Review([bare_part], Agreed(clauses={"C9.9": "**OPEN**", "C9.8": "**NOT PROVED**"}, missing="torn"))
    )
    for said in ("Certificates of gate", "Faults of gate", "No run", "torn", "C9.9: open", "C9.8: not proved"):
        assert said in found
    assert "gate: no evidence" in texts_of(replace(GOOD, parts=[part()]))
    assert "NO-LIVE: no evidence" in site(replace(GOOD, parts=[part()]))[INDEX]


def test_a_run_of_another_specification_is_said_first() -> None:
    """The first page begins with it, it is the first open point, and the fingerprints stand side by side."""
    review = replace(GOOD, run=Ran("r1", "STOPPED", (), {"gate": "1" * 64}))
    assert next(points(review)).what == "The run"
    page = site(review)[INDEX]
    assert page.index("The run is of another specification") < page.index("NO-LIVE")
    assert "1" * 64 in page
    assert "another specification" not in site(GOOD)[INDEX]


class Tags(HTMLParser):
    """Every tag of a page with its attributes' names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def tags(text: str) -> Tags:
    """What a browser finds in `text`."""
    reader = Tags()
    reader.feed(text)
    reader.close()
    return reader


def test_no_text_becomes_markup() -> None:
    """Hostile texts in every place of a machine's page give no script, no image and no handler."""
    for text in site(GOOD).values():
        found = tags(text)
        assert not found.found & {"script", "img", "iframe", "form", "object"}
        assert not [name for name in found.attributes if name.startswith("on") or name in ("style", "src")]


@given(st.text())
def test_any_markdown_gives_only_quiet_tags(text: str) -> None:
    """Whatever stands in a Markdown text, no tag that runs, loads or sends is in the HTML of it."""
    found = tags(html(text))
    assert not found.found & {"script", "img", "iframe", "form", "object", "style", "link", "svg", "video"}
    assert not [name for name in found.attributes if name.startswith("on") or name in ("src", "style")]


@given(VISIBLE, VISIBLE)
def test_quoted_texts_come_out_as_they_are(said: str, shown: str) -> None:
    """What `prose` and `code` wrote into a cell is read again as the same text, with white space as one space."""
    table = html("\n".join(grid(("a", "b"), [("x", f"{prose(said)}<br>{code(shown)}")])))
    cell = re.findall(r"<td>(.*)</td>", table, re.DOTALL)
    assert len(cell) == 1
    reader = Cell()
    reader.feed(cell[0])
    reader.close()
    assert "".join(reader.text).split() == f"{said} {shown}".split()


class Cell(HTMLParser):
    """The text of a cell; a line break is a space."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the interface
        """Read a line break as a space."""
        self.text.append(" " if tag == "br" else "")

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text.append(data)


def test_headings_can_be_linked_to() -> None:
    """A heading has the place that GitHub gives it, equal ones are numbered; a link outwards is only its text."""
    text = html("# One\n\n## C0.1 x\n\n## C0.1 x\n\n[in](#c01-x) [out](https://example.org)\n")
    assert slug("C0.1 x") == "c01-x"
    assert 'id="c01-x"' in text
    assert 'id="c01-x-1"' in text
    assert '<a href="#c01-x">in</a> out' in text
    assert "<h1" not in html("# One\n\ntext\n", title=False)
    assert inline("`a` *b*") == "<code>a</code> <em>b</em>"


def test_a_policy_allows_what_is_written_and_nothing_else() -> None:
    """Each style sheet and script of a page is named by its hash; a page without scripts may run none."""
    page = f'<meta content="{PLACE}"><style>a{{}}</style><svg><style>b{{}}</style></svg><script>1</script>'
    found = sealed(page)
    assert PLACE not in found
    for text in ("a{}", "b{}", "1"):
        assert digest(text) in found
    assert digest("1") not in policy(page, scripts=False)
    assert "script-src 'none'" in policy("<p>")
    assert "unsafe" not in found


def test_a_picture_stands_in_a_page_without_styling_itself() -> None:
    """The width that a picture wants is an attribute, and its first comment is gone."""
    looks = 'width="100%" style="max-width:12px;height:auto" class="p"'
    svg = f'<!-- made -->\n<svg xmlns="x" viewBox="0 0 9 9" {looks}><g/></svg>'
    assert bare(svg) == '\n<svg xmlns="x" viewBox="0 0 9 9" width="12" class="p"><g/></svg>'
    assert bare("") == ""
