"""The documentation as a site: built strictly, whole, reachable, and alone: no page loads anything from elsewhere."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli import manual
from peak_trade.cli.app import command as peak

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LANDINGS = ("tutorials", "how-to", "reference", "explanation")
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(r"(?:.*<)?([^<>]+?)>?")
LOADS = {"src", "srcset", "data", "poster", "action", "formaction", "xlink:href", "background", "manifest"}
"""Attributes by which an element takes something without a click; `href` is one only where it is no link to read."""
READ = {"a", "area"}
ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?([^\"')\s;]+)", re.IGNORECASE)
IN_SCRIPT = re.compile(r"[\"'`]((?:https?:)?//[^\"'`\s]{1,60})")
SPACE = "www.w3.org/"
"""An XML name space looks like an address, and is none that anything is taken from."""


def build(*arguments: object) -> Result:
    """Run `peak docs build` in this process."""
    return CliRunner().invoke(peak, ["docs", "build", *map(str, arguments)], prog_name="peak")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this checkout's pages, built strictly."""
    out = tmp_path_factory.mktemp("docs") / "site"
    result = build("--root", ROOT, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out / "index.html")
    return out


class Elements(HTMLParser):
    """All start tags of a page with their attributes, and the ids that a link can name."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page.read_text())
        self.ids = {attributes["id"] for _, attributes in self.found if "id" in attributes}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a start tag."""
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def loads(self) -> Iterator[str]:
        """Yield what the page takes from elsewhere without being asked to."""
        for tag, attributes in self.found:
            named = [attributes.get(name, "") for name in LOADS]
            named += [attributes.get("href", "")] if tag not in READ else []
            named += IN_STYLE.findall(attributes.get("style", ""))
            named += [attributes.get("content", "").partition("=")[2]] if "http-equiv" in attributes else []
            yield from (value for value in named if ELSEWHERE.match(value))


def parents() -> Counter[str]:
    """How many tables of contents name each page, read from the sources."""
    found = Counter[str]()
    for page in DOCS.rglob("*.md"):
        for body in TREE.findall(page.read_text()):
            for line in body.splitlines():
                if not line.strip() or line.startswith(":"):
                    continue
                place = normpath((page.parent.relative_to(DOCS) / ENTRY.fullmatch(line.strip())[1]).as_posix())
                found.update(path.relative_to(DOCS).as_posix() for path in DOCS.glob(f"{place}.md"))
    return found


def test_every_page_is_in_exactly_one_table_of_contents() -> None:
    """No page is lost and none has two places: all but the first page are named once."""
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert len(pages) > 40
    assert parents() == dict.fromkeys(pages - {"index.md"}, 1)


def test_each_kind_of_page_has_a_landing_page_that_says_for_whom() -> None:
    """Tutorials, how-to guides, reference and explanation begin with who they are for; the first page leads there."""
    first = (DOCS / "index.md").read_text()
    for name in LANDINGS:
        assert "**For whom.**" in (DOCS / name / "index.md").read_text()
        assert f"]({name}/index.md)" in first


def test_every_page_is_reached_by_links_that_lead_somewhere(site: Path) -> None:
    """From the first page, links and the search lead to every page; each has its file, and the anchors it links to."""
    known: dict[str, Elements] = {}
    left, broken = ["index.html"], []
    while left:
        name = left.pop()
        if name in known:
            continue
        known[name] = Elements(site / name)
        for tag, attributes in known[name].found:
            parts = urlsplit(attributes.get({"a": "href", "form": "action"}.get(tag, ""), ""))
            if parts.scheme or not parts.path:
                continue
            target = normpath(PurePosixPath(name).parent.joinpath(unquote(parts.path)).as_posix())
            if not (site / target).is_file():
                broken.append(f"{name}: {target}")
            elif target.endswith(".html"):
                left.append(target)
    assert broken == []
    assert set(known) == {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    for kind in ("machines", "decisions", "ops/runbooks", "ops/templates"):
        assert {f"{kind}/{path.stem}.html" for path in (DOCS / kind).glob("*.md")} <= set(known)
    lost = [f"{name}: #{one}" for name, page in known.items() for one in anchors(page) if one not in page.ids]
    assert lost == []


def anchors(page: Elements) -> list[str]:
    """The places on the page itself that its links name."""
    links = [attributes.get("href", "") for tag, attributes in page.found if tag == "a"]
    return [unquote(link[1:]) for link in links if link.startswith("#") and len(link) > 1]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """No element, style sheet or script takes anything from another host: links to read are all there is."""
    pages, found = list(site.rglob("*.html")), []
    for page in pages:
        found += [f"{page.name}: {value}" for value in Elements(page).loads()]
    for path in (path for path in site.rglob("*") if path.suffix in {".css", ".js", ".svg"}):
        text = path.read_text()
        found += [f"{path.name}: {value}" for value in IN_STYLE.findall(text) if ELSEWHERE.match(value)]
        if path.suffix == ".js" and path.name != "searchindex.js":
            found += [f"{path.name}: {value}" for value in IN_SCRIPT.findall(text) if SPACE not in value]
    assert len(pages) > 40
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://x.example/a.js"></script>',
        '<link rel="stylesheet" href="//x.example/a.css">',
        '<img src="http://x.example/a.png">',
        '<p style="background: url(https://x.example/a.png)">',
        '<meta http-equiv="refresh" content="0; url=https://x.example">',
    ],
)
def test_a_load_from_elsewhere_would_be_found(text: str, tmp_path: Path) -> None:
    """The test above can fail, for each way to load."""
    (tmp_path / "page.html").write_text(f'<a href="https://x.example/">to read</a>{text}')
    assert len(list(Elements(tmp_path / "page.html").loads())) == 1


def test_every_module_describes_itself(site: Path) -> None:
    """Each module of each package is on the page of its package; the commands have a page of their own."""
    packages = {path.parent.name for path in (ROOT / "src/peak_trade").glob("*/__init__.py")} - {"cli"}
    assert {path.stem for path in (DOCS / "reference/api").glob("*.md")} == packages | {"index"}
    for package in sorted(packages):
        ids = Elements(site / f"reference/api/{package}.html").ids
        sources = (ROOT / "src/peak_trade" / package).rglob("*.py")
        names = [path.relative_to(ROOT / "src").with_suffix("").parts for path in sources if path.stem != "__init__"]
        assert [name for name in map(".".join, names) if f"module-{name}" not in ids] == []


def test_schemas_and_pictures_are_there_as_committed(site: Path) -> None:
    """Each schema can be downloaded and each diagram is shown, byte for byte as it is committed."""
    given = {path.name: path.read_bytes() for path in (site / "_downloads").rglob("*") if path.is_file()}
    for path in [*(DOCS / "schemas").iterdir(), *(ROOT / "spec/schema").iterdir()]:
        assert given[path.name] == path.read_bytes()
    for path in (ROOT / "diagrams").glob("*.svg"):
        assert (site / "_images" / path.name).read_bytes() == path.read_bytes()


def test_the_site_works_from_its_files(site: Path) -> None:
    """In Chromium, light and dark, pages and search work without a server; only files of the site are asked for."""
    driver = pytest.importorskip("playwright.sync_api", reason="no Playwright here; install playwright")
    program = shutil.which("chromium") or pytest.skip("no Chromium on this computer; install chromium")
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            asked, said, page = list[str](), list[str](), browser.new_page(color_scheme=scheme)
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            for name in ("index.html", "machines/session.html", "reference/api/session.html"):
                page.goto((site / name).as_uri())
                assert page.locator("h1").first.is_visible()
            assert darkness(page) == (scheme == "dark")
            page.goto((site / "search.html").as_uri() + "?q=tripwire")
            page.locator("#search-results li a").first.wait_for()
            assert said == []
            assert [url for url in asked if not url.startswith(site.as_uri())] == []
            page.close()
        browser.close()


def darkness(page: Any) -> bool:
    """Whether the page is shown light on dark."""
    red = page.evaluate("getComputedStyle(document.body).backgroundColor").partition("(")[2].partition(",")[0]
    return int(red) < 128


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkout with one page, under the same rules."""
    (tmp_path / "docs").mkdir()
    shutil.copy(DOCS / "conf.py", tmp_path / "docs")
    shutil.copytree(DOCS / "_static", tmp_path / "docs/_static")
    (tmp_path / "docs/index.md").write_text("# A page\n\n## A part\n\n[here](#a-part)\n")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_pages_give_the_same_site(small: Path) -> None:
    """Built again over the first site, every file has the same bytes, and the sources are as before."""
    before = files(small)
    assert build("--root", small, "--out", small / "out").exit_code == 0
    first = files(small / "out")
    (small / "out/of-an-earlier-site.html").write_text("old")
    assert build("--root", small, "--out", small / "out").exit_code == 0
    assert files(small / "out") == first
    assert {name: data for name, data in files(small).items() if not name.startswith("out/")} == before


MISTAKES = {
    "[x](gone.md)": "gone.md",
    "[x](#no-such-part)": "no-such-part",
    "![x](gone.svg)": "gone.svg",
    "#### Too deep": "Non-consecutive header level",
    "```{eval-rst}\n:py:func:`peak_trade.gone.call`\n```": "peak_trade.gone.call",
    "```{nothing}\n```": "Unknown directive type: 'nothing'",
    "```{toctree}\nabsent\n```": "absent",
}


def test_mistakes_fail_the_build_and_leave_the_earlier_site(small: Path) -> None:
    """A wrong link, anchor, image, heading, name or directive, a page or package that is not there: all are told."""
    (small / "docs/index.md").write_text("# A page\n\n" + "\n\n".join(MISTAKES))
    (small / "docs/alone.md").write_text("# In no table of contents\n")
    (small / "docs/reference/api").mkdir(parents=True)
    (small / "docs/reference/api/gone.md").write_text("---\norphan: true\n---\n# A package that is gone\n")
    (small / "out").mkdir()
    (small / "out/.buildinfo").write_text("of an earlier site")
    result = build("--root", small, "--out", small / "out")
    assert result.exit_code == 1
    assert result.stdout == ""
    for said in (*MISTAKES.values(), "alone.md: WARNING: document isn't included", "peak_trade.gone, was none"):
        assert said in result.stderr
    assert "next: " in result.stderr
    assert files(small / "out") == {".buildinfo": b"of an earlier site"}


def test_a_wrong_call_is_exit_two(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with something else in it, no pages, an option of the gates, no Sphinx: each is said, with a remedy."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    calls = {
        "holds something else": ("--root", small, "--out", tmp_path / "full"),
        "expected docs/conf.py": ("--root", tmp_path / "full", "--out", tmp_path / "new"),
        "--fix is for the gates": ("--root", small, "--fix"),
        "--all is for the gates": ("--root", small, "--all"),
    }
    for said, arguments in calls.items():
        result = build(*arguments)
        assert result.exit_code == 2
        assert said in " ".join(result.output.split())
    assert files(tmp_path / "full") == {"mine.txt": b"mine"}
    refused = CliRunner().invoke(peak, ["docs", "targets", "--out", str(tmp_path / "new")])
    assert refused.exit_code == 2
    monkeypatch.setattr(manual, "NEEDED", ("sphinx", "no_such_theme"))
    result = build("--root", small, "--out", tmp_path / "new")
    assert result.exit_code == 2
    assert "no_such_theme" in result.output
    assert "peak-trade[dev]" in result.output
    assert not (tmp_path / "new").exists()
