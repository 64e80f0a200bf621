import pytest

from peak_trade.gates.meaning import Meaning, meaning
from peak_trade.gates.pattern import matches
from peak_trade.gates.shape import shape
from peak_trade.gates.tree import Tree, grown

PAGE = "docs/ops/page.md"


@pytest.fixture(scope="module")
def tree() -> Tree:
    """A small checkout."""
    files = (
        "README.md",
        "x",
        ".ci/land",
        "src/lang/step.py",
        "src/lang/Parse.py",
        "docs/ops/page.md",
        "docs/ops/templates/a.md",
    )
    return grown(files)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("src/lang/step.py", Meaning.PRESENT),
        ("src/lang/step.py:12", Meaning.PRESENT),
        ("src/lang/step.py::test_x[a-1]", Meaning.PRESENT),
        ("src/lang/", Meaning.PRESENT),
        ("src/*/step.py", Meaning.PRESENT),
        ("src/**", Meaning.PRESENT),
        ("templates/a.md", Meaning.PRESENT),
        ("../ops/page.md", Meaning.PRESENT),
        ("./src/lang", Meaning.PRESENT),
        (".ci/land", Meaning.PRESENT),
        ("src/lang/gone.py", Meaning.MISSING),
        ("src/lang", Meaning.PRESENT),
        ("src/nothing", Meaning.MISSING),
        ("src/lang/*.rs", Meaning.MISSING),
        ("lang/step.py", Meaning.MISSING),
        ("scr/lang/step.py", Meaning.MISSING),
        ("src/README.md", Meaning.MISSING),
        ("docs/RUNBOOK_FINISH_C3.md", Meaning.MISSING),
        ("src/NAME.py", Meaning.ILLUSTRATIVE),
        ("src/.../step.md", Meaning.ILLUSTRATIVE),
        ("docs/EV-YYYYMMDD-X.md", Meaning.ILLUSTRATIVE),
        ("execution/live/state.py", Meaning.ILLUSTRATIVE),
        ("scripts/*.sh", Meaning.ILLUSTRATIVE),
        ("execution&#47;live/state.py", Meaning.ILLUSTRATIVE),
        ("../../../elsewhere/a.md", Meaning.ILLUSTRATIVE),
        ("and/or", Meaning.PLAIN),
        ("origin/main", Meaning.PLAIN),
        ("text/html", Meaning.PLAIN),
        ("1/2", Meaning.PLAIN),
        ("github.com/owner/a.md", Meaning.PLAIN),
        ("out/run", Meaning.PLAIN),
    ],
)
def test_each_token_means_what_the_page_about_the_gates_says(tree: Tree, code: str, expected: Meaning) -> None:
    """A token is present, missing, illustrative or plain, as docs/ops/README.md has it."""
    found = shape(code)
    assert found is not None
    assert meaning(found, PAGE, tree) is expected


@pytest.mark.parametrize(
    "code",
    [
        "step.py",
        "/etc/x.conf",
        "~/x.md",
        "$HOME/x.md",
        "--out=a/b.json",
        "a b/c.py",
        "https://x.org/a.md",
        "a//b.py",
        "src/<n>.py",
        "src/{a,b}.py",
        "a/b.py;",
        "src&#47;a.py",
        "a/" * 200,
        "@scope/pkg.js",
        "//x/a.md",
        "/",
    ],
)
def test_what_has_another_shape_is_no_path(code: str) -> None:
    """Addresses, options, absolute paths, commands and placeholders in brackets are never taken for references."""
    assert shape(code) is None


def test_a_path_that_the_change_took_away_is_missing_and_no_example(tree: Tree) -> None:
    """Even when its top folder went with it, a deleted path is a broken reference."""
    found = shape("legacy/old.py")
    assert found is not None
    assert meaning(found, PAGE, tree) is Meaning.ILLUSTRATIVE
    assert meaning(found, PAGE, tree, {"legacy/old.py"}) is Meaning.MISSING


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("src/lang/parse.py", "src/lang/Parse.py"),
        ("lang/step.py", "src/lang/step.py"),
        ("src/lang/stepp.py", "src/lang/step.py"),
        ("src/lang/zzz.py", ""),
    ],
)
def test_the_nearest_path_is_suggested(tree: Tree, wrong: str, right: str) -> None:
    """Wrong case, a missing beginning and a misspelt name lead to the path that was meant; anything else to none."""
    assert tree.near(wrong) == right


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/x/a.md", False),
        ("docs/**", "docs/x/a.md", True),
        ("docs/", "docs/x/a.md", True),
        ("docs/**/a.md", "docs/a.md", True),
        ("docs/**/a.md", "docs/x/y/a.md", True),
        ("docs/?.md", "docs/ab.md", False),
        ("docs/a.md", "docs/axmd", False),
    ],
)
def test_a_star_stays_within_a_folder(pattern: str, path: str, expected: bool) -> None:
    """`*` and `?` match within one folder, `**` across folders, everything else itself."""
    assert matches(pattern, path) is expected
