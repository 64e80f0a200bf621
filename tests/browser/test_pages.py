"""Every page in real Chromium: no axe violation, all by keyboard, nothing asked of anybody, readable without scripts.

`axe.min.js` is axe-core 4.14.1 by Deque Systems, Mozilla Public License 2.0, unchanged; it is part of no package.
"""

from pathlib import Path
from typing import Any

import pytest

AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
OWN = ("run/report.html", "run/status.html")
"""The run's own pages; in the site they stand again, with a way back."""

PAGES = (
    "site/index.html",
    "site/machine-breaker.html",
    "site/machine-order.html",
    "site/machine-session.html",
    "site/machine-system.html",
    "site/machine-venue.html",
    "site/contract.html",
    "site/threats.html",
    "site/failures.html",
    "site/models.html",
    "site/run.html",
    "site/operator.html",
    "site/simulator-breaker.html",
    "site/simulator-order.html",
    "site/simulator-session.html",
    "site/simulator-system.html",
    "site/simulator-venue.html",
)
KEYED = (
    "run/status.html",
    "site/index.html",
    "site/machine-session.html",
    "site/failures.html",
    "site/models.html",
    "site/simulator-order.html",
)
"""One page of each template: their controls are the same on the others."""

BYTES_MAX = 1_000_000
STOPS_MAX = 400
LETTER_PX = 9
CONTROLS = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
  .filter((node) => !node.disabled && node.checkVisibility() && !(node.type === "radio" && !node.checked))"""
STOP = """() => {
  const node = document.activeElement;
  const style = getComputedStyle(node);
  return [ALL.indexOf(node), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
}"""


def violations(page: Any, options: str) -> list[str]:
    """What axe finds wrong with the page, each with the first element that it is about."""
    found = page.evaluate(f"axe.run({options})")["violations"]
    return [f"{item['id']}: {item['nodes'][0]['html'][:200]}" for item in found]


def test_the_list_of_pages_is_whole(site: Path) -> None:
    """Every page that is written is among those that are tested here."""
    written = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert written == {*PAGES, *OWN}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_in_light_and_dark(site: Path, opened: Any, name: str) -> None:
    """No violation in light, no lack of contrast in dark, a silent console, and no request but for the file itself."""
    address = (site / name).as_uri()
    found = opened(address, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert found.page.evaluate(ground) == "rgb(255, 255, 255)"
    found.page.evaluate(AXE)
    assert violations(found.page, "{resultTypes: ['violations']}") == []
    found.page.emulate_media(color_scheme="dark")
    assert found.page.evaluate(ground) == "rgb(13, 17, 23)"
    assert violations(found.page, "{runOnly: ['color-contrast'], resultTypes: ['violations']}") == []
    assert found.said == []
    assert found.asked == [address]
    assert (site / name).stat().st_size < BYTES_MAX


@pytest.mark.parametrize("name", KEYED)
def test_every_control_is_reached_by_tab_and_seen(site: Path, opened: Any, name: str) -> None:
    """Tab visits every control that is there, and each shows that it has the focus."""
    page = opened((site / name).as_uri()).page
    count = page.evaluate(f"() => {{ window.ALL = ({CONTROLS})(); return ALL.length; }}")
    assert 0 < count < STOPS_MAX
    reached = set()
    for _ in range(count + 5):
        page.keyboard.press("Tab")
        at, visible = page.evaluate(STOP)
        if at >= 0:
            assert visible, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
            reached.add(at)
    missed = sorted(set(range(count)) - reached)
    assert [page.evaluate(f"ALL[{at}].outerHTML.slice(0, 200)") for at in missed] == []


def test_controls_work_by_keyboard(site: Path, opened: Any) -> None:
    """The skip link, the size of a picture, a folded text and an offered event all answer to keys."""
    page = opened((site / "site/machine-order.html").as_uri()).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")
    size = page.locator("input[value='100']")
    size.check()
    narrow = page.locator(".zoomed svg").bounding_box()["width"]
    size.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(".zoomed svg").bounding_box()["width"] > 1.9 * min(narrow, 1200)
    page = opened((site / "site/models.html").as_uri()).page
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details pre").first.is_visible()
    page = opened((site / "site/simulator-order.html").as_uri()).page
    page.get_by_role("button", name="deny").focus()
    page.keyboard.press("Enter")
    assert page.locator("#state").inner_text() == "denied"
    page.locator("#only").focus()
    page.keyboard.press("Space")
    assert page.locator("#events > li").first.is_hidden()


def test_a_wide_picture_can_be_read_and_moves_to_where_it_is(site: Path, opened: Any) -> None:
    """Letters of the order's picture are as large as print on each page that shows it, and the state is in view."""
    for name in ("machine-order", "run", "simulator-order"):
        page = opened((site / f"site/{name}.html").as_uri()).page
        texts = page.locator("#machine-order text, #machine-order ~ * text, [aria-label^='State machine order'] text")
        heights = [texts.nth(at).bounding_box()["height"] for at in range(0, texts.count(), 40)]
        assert len(heights) > 5
        assert min(heights) > LETTER_PX, (name, heights)
    for event in ("submit", "accept"):
        if event == "submit":
            page.locator("#events input[type='text']").first.fill("5")
        page.get_by_role("button", name=event, exact=True).click()
        inner, outer = (page.locator(path).bounding_box() for path in (".picture .now", ".diagram"))
        for side, size in (("x", "width"), ("y", "height")):
            assert outer[side] <= inner[side]
            assert inner[side] + inner[size] <= outer[side] + outer[size]


def test_links_between_pages_lead_somewhere(site: Path, opened: Any) -> None:
    """From the overview every page is one link away, and each run page and simulator leads back."""
    start = opened((site / "site/index.html").as_uri())
    targets = {link.split("#")[0] for link in start.page.evaluate("[...document.links].map((link) => link.href)")}
    pages = {(site / name).as_uri() for name in PAGES}
    assert targets == pages
    for name in ("run", "operator", "simulator-session"):
        page = opened((site / f"site/{name}.html").as_uri()).page
        page.get_by_role("link", name="Overview of the review").click()
        page.wait_for_url((site / "site/index.html").as_uri())


@pytest.mark.parametrize("name", ["site/index.html", "site/machine-session.html", "site/simulator-order.html"])
def test_a_page_without_scripts_shows_what_it_can(site: Path, opened: Any, name: str) -> None:
    """Without JavaScript text, pictures and tables are there; only the simulator needs it, and says so."""
    page = opened((site / name).as_uri(), java_script_enabled=False).page
    assert page.locator("h1").is_visible()
    assert page.locator("table").last.is_visible()
    if name != "site/index.html":
        assert page.locator("svg.picture").first.is_visible()
    if "simulator" in name:
        assert page.locator("noscript .notice").is_visible()
        assert page.locator("#events").is_hidden()
    elif "machine" in name:
        page.locator("input[value='200']").check()
        assert page.locator(".zoomed svg").bounding_box()["width"] > 1_500


def test_a_page_can_be_printed(site: Path, opened: Any) -> None:
    """On paper nothing scrolls, and what only a screen needs is left out."""
    page = opened((site / "site/machine-session.html").as_uri()).page
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.locator(".zoom").is_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert page.pdf(format="A4")[:5] == b"%PDF-"
