"""The page shows the run, can do nothing to it, asks nothing of anybody, and can be read by eye and by ear."""

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.backends.svg import RenderError
from peak_trade.watch import picture
from peak_trade.watch.health import Switch
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.page import ORDERS_MAX, Verdicts, environment, orders, page, spans
from peak_trade.watch.seen import look
from peak_trade.watch.spark import BAR_PX, MARKS_MAX, Span, bar, life, strip
from peak_trade.watch.status import View, view
from peak_trade.watch.tally import Mark

CLEAR = Switch(latched=False, why="clear")
VOID = {"meta", "link", "br", "img", "input", "hr"}
ACTS = {"form", "button", "input", "select", "textarea", "script", "iframe", "object", "embed", "link", "img", "video"}


class Reader(HTMLParser):
    """Reads a page into its elements and checks that each is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that is closed at once."""
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element called `tag`."""
        return [attrs for name, attrs in self.found if name == tag]


def viewed(folder: Path, words: Lexicon) -> View:
    """The view of the run in `folder`."""
    return view(look(folder, (words.session, words.order)), words, CLEAR)


def parsed(text: str) -> Reader:
    """The elements of a page, all of them closed."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def texts(runs: dict[str, Path], words: Lexicon) -> dict[str, str]:
    """The page of each run."""
    return {name: page(viewed(folder, words), Verdicts()) for name, folder in runs.items()}


@pytest.mark.parametrize("name", ["plain", "killed", "denied", "unstarted"])
def test_nothing_on_the_page_acts_or_leaves_it(name: str, texts: dict[str, str]) -> None:
    """No form, control, script, handler or foreign address; links go to places on the page; the policy is closed."""
    reader = parsed(texts[name])
    assert {tag for tag, _ in reader.found} & ACTS == set()
    assert not [key for _, attrs in reader.found for key in attrs if key.startswith("on")]
    ids = [attrs["id"] for _, attrs in reader.found if "id" in attrs]
    assert len(set(ids)) == len(ids)
    for _, attrs in reader.found:
        for key in ("href", "src", "xlink:href"):
            target = attrs.get(key)
            assert target is None or (target.startswith("#") and target[1:] in ids)
    policy = [
        attrs["content"] for attrs in reader.named("meta") if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy[0].startswith("default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[0]
    addresses = set(re.findall(r"https?://[^\"' <]+", texts[name]))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "url(" not in re.sub(r"url\(#", "", texts[name])


@pytest.mark.parametrize("name", ["plain", "killed", "denied", "unstarted"])
def test_the_page_can_be_heard(name: str, texts: dict[str, str]) -> None:
    """A language, a title, one h1, headings in order, a caption for each table, a scope for each heading cell."""
    reader = parsed(texts[name])
    assert reader.named("html")[0]["lang"] == "en"
    assert len(reader.named("h1")) == len(reader.named("main")) == len(reader.named("title")[:1]) == 1
    levels = [int(tag[1]) for tag, _ in reader.found if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(reader.named("caption")) == len(reader.named("table")) > 0
    assert all(attrs.get("scope") in ("col", "row") for attrs in reader.named("th"))
    assert all(attrs.get("aria-label") for attrs in reader.named("svg") if attrs.get("role") == "img")
    assert all(attrs.get("role") == "img" for attrs in reader.named("svg"))
    scrolls = [attrs for attrs in reader.named("div") if attrs.get("class") == "scroll"]
    assert all(attrs.get("tabindex") == "0" and attrs.get("aria-label") for attrs in scrolls)


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_text_has_contrast(texts: dict[str, str]) -> None:
    """In light and in dark every colour of text stands out from paper and panel by at least 4.5 to 1."""
    light, dark = texts["plain"].split("@media (prefers-color-scheme: dark)")[:2]
    for part in (light, dark):
        tones = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", part))
        for name in ("ink", "soft", "good", "bad", "unsure", "series"):
            for ground in ("paper", "panel"):
                assert contrast(tones[name], tones[ground]) >= 4.5, (name, ground)


def test_what_the_run_did_is_on_its_page(texts: dict[str, str]) -> None:
    """State and reason of each run, its denials and its guards can be read."""
    assert "Run r" in texts["plain"]
    assert "ended → drained" in texts["plain"]
    assert "killed → drained" in texts["killed"]
    assert "denied (open_orders)" in texts["denied"]
    assert "PREFLIGHT_FAILED" in texts["unstarted"]
    assert "A person must look" in texts["unstarted"]
    assert "No evidence: nothing was proved" in texts["plain"]


def test_trouble_is_on_the_page(troubled: Path, words: Lexicon) -> None:
    """A difference, what is to be done, the trip and the unknown order are shown, and problems come first."""
    text = page(viewed(troubled, words), Verdicts())
    parsed(text)
    for part in ("stray-9", words.actions["ghost"], "report_refused tripped on lost-1", "lost-1", "not known"):
        assert part in text
    assert text.index("What could not be read") < text.index('id="health"')


def test_what_a_journal_says_is_text_and_never_markup(troubled: Path, words: Lexicon) -> None:
    """A name that looks like markup is shown as it is written."""
    found = viewed(troubled, words)
    found.seen.story.differences[0]["subject"] = "<script>alert(1)</script>"
    found.seen.problems.append("<b onclick=x>")
    text = page(found, Verdicts())
    assert "<script" not in text
    assert "<b onclick" not in text
    assert "&lt;script&gt;" in text


def test_without_a_renderer_the_page_says_so(
    runs: dict[str, Path], words: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Graphviz everything but the picture is there, and the reason in its place."""

    def missing(_: str) -> str:
        raise RenderError("Graphviz", "it is not here")

    monkeypatch.setattr(picture, "svg", missing)
    text = page(viewed(runs["plain"], words), Verdicts())
    assert "No picture: " in text
    assert "it is not here" in text
    assert 'class="strip"' in text


def test_a_run_of_another_machine_can_still_be_drawn(runs: dict[str, Path], words: Lexicon) -> None:
    """States and transitions that the machine does not have are left out of its picture."""
    found = look(runs["plain"], (words.session, words.order))
    found.tally.state = "ELSEWHERE"
    found.tally.hops["session"]["S99", "ELSEWHERE", "NOWHERE"] = 3
    found.tally.hops["session"]["S30", "STOPPED", "STOPPED"] = 3
    drawn, missing = picture.drawn(words.session, found.tally)
    assert "<svg" in drawn
    assert missing == ""


def test_the_order_table_is_bounded_and_newest_first(runs: dict[str, Path], words: Lexicon) -> None:
    """At most ORDERS_MAX orders, the open ones first; a page of a long run stays small."""
    found = viewed(runs["denied"], words)
    shown = orders(found)
    assert len(shown) == min(ORDERS_MAX, len(found.seen.story.lines))
    steps = [line.step for line in shown if line not in found.open_lines]
    assert steps == sorted(steps, reverse=True)
    assert len(page(found, Verdicts())) < 400_000


def test_the_strip_covers_the_run(runs: dict[str, Path], words: Lexicon) -> None:
    """The session's states follow each other without a gap from step 0 to the last one."""
    found = spans(viewed(runs["killed"], words))
    assert [span.state for span in found] == ["INIT", "PREFLIGHT_OK", "DRYRUN_ACTIVE", "STOPPING", "STOPPED"]
    assert found[0].first == 0
    assert all(before.last == after.first for before, after in itertools.pairwise(found))


MARKS = st.builds(
    Mark, st.integers(0, 99), st.just("fill"), st.sampled_from(("new", "unknown", "filled")), st.integers(0, 10)
)


@given(st.lists(MARKS, max_size=30), st.integers(0, 10))
def test_an_order_s_life_is_one_shape_a_step(marks: list[Mark], qty: int) -> None:
    """Any life is drawn: one shape for each step up to MARKS_MAX, inside its box, and told in words."""
    text = life(marks, qty, frozenset({"filled"}))
    reader = parsed(text)
    shapes = [tag for tag, _ in reader.found if tag in ("circle", "rect", "path")]
    assert len(shapes) == min(len(marks), MARKS_MAX)
    heights = [int(attrs["cy"] or 0) for attrs in reader.named("circle")]
    assert all(0 < height < 28 for height in heights)
    assert reader.named("svg")[0]["aria-label"]


@given(st.one_of(st.none(), st.integers(0, 5_000)))
def test_a_bar_is_never_longer_than_its_track(used: int | None) -> None:
    """A bar is as long as its share, full at the limit and beyond, and absent if nothing is known."""
    text = bar(used, "rail")
    if used is None:
        assert text == ""
    else:
        width = int(parsed(text).named("rect")[1]["width"] or 0)
        assert width == min(BAR_PX, BAR_PX * used // 1000)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=6), st.lists(st.integers(0, 500), max_size=5))
def test_a_strip_stays_in_its_box(ends: list[int], alarms: list[int]) -> None:
    """However short the states are, their boxes follow each other inside the picture."""
    bounds = [0, *sorted(ends)]
    found = [Span(f"S{at}", "active", first, last) for at, (first, last) in enumerate(itertools.pairwise(bounds))]
    reader = parsed(strip(found, [min(step, bounds[-1]) for step in alarms], []))
    boxes = [(float(attrs["x"] or 0), float(attrs["width"] or 0)) for attrs in reader.named("rect")]
    assert all(left + width <= 961 for left, width in boxes)
    assert [left for left, _ in boxes] == sorted(left for left, _ in boxes)


def test_both_templates_share_one_style_sheet() -> None:
    """The report and the operator's pages include the same sheet, so they look alike."""
    for name in ("report.html", "status.html", "runs.html"):
        source, _, _ = environment().loader.get_source(environment(), name)  # type: ignore[union-attr]
        assert "{% include 'style.css' %}" in source


def test_an_order_opened_again_is_drawn_as_one(reopened: Path, words: Lexicon) -> None:
    """The page says how trading and breaker stand, and a triangle marks where a closed order was opened again."""
    found = view(look(reopened, (words.session, words.order)), words, CLEAR)
    text = page(found, Verdicts())
    for name, value in (("trading", "reducing"), ("breaker", "open"), ("open orders", "2")):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in text
    closed = frozenset(words.order.tagged("closed"))
    drawn = life(found.seen.tally.lives["back-1"], 7, closed)
    assert re.findall(r"<(circle|rect|path)", drawn) == ["circle", "circle", "rect", "path"]
    assert drawn.count("l5 9h-10z") == 1
