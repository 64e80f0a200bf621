"""The house rules that no linter knows, read from the tree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
DRAWERS = {"utils", "helpers", "common", "manager", "misc", "base"}
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + r"X|NotImplementedError)\b")
CLOCKS = re.compile(r"\b(time\.(time|monotonic|perf_counter|process_time)|datetime\.now|datetime\.utcnow|date\.today)")
RANDOM = re.compile(r"\b(random\.(random|randint|choice|shuffle)\(|uuid\.uuid|os\.urandom|secrets\.)")


def tree(path: Path) -> ast.Module:
    """Parse one source file."""
    return ast.parse(path.read_text())


def functions(path: Path) -> list[ast.FunctionDef]:
    """All functions of one source file."""
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_module_fits_in_the_head(path: Path) -> None:
    """A module has at most 300 lines, its functions at most 50, a docstring, and one word for a name."""
    text = path.read_text()
    assert len(text.splitlines()) <= MODULE_LINES_MAX
    long = [f"{node.name}:{node.lineno}" for node in functions(path) if lines(node) > FUNCTION_LINES_MAX]
    assert not long
    assert ast.get_docstring(tree(path))
    assert path.stem == "__init__" or re.fullmatch(r"[a-z]+", path.stem)
    assert path.stem not in DRAWERS


def lines(node: ast.FunctionDef) -> int:
    """How many lines a function has."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_nothing_is_left_unfinished(path: Path) -> None:
    """No module holds a mark of unfinished work."""
    assert not UNFINISHED.search(path.read_text())


def test_only_the_session_clock_reads_a_clock() -> None:
    """Time is an argument everywhere but in session/clock.py."""
    guilty = [path for path in SOURCES if CLOCKS.search(path.read_text())]
    assert [path.relative_to(ROOT / "src" / "peak_trade").as_posix() for path in guilty] == ["session/clock.py"]


def test_nobody_draws_from_hidden_randomness() -> None:
    """Randomness is seeded by an argument; no module uses a global or the system's source."""
    assert [path for path in SOURCES if RANDOM.search(path.read_text())] == []


def test_only_the_command_line_prints() -> None:
    """Check and render are separate: below cli nothing prints."""
    below = [path for path in SOURCES if "cli" not in path.parts]
    printing = [
        path
        for path in below
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_every_test_has_a_sentence() -> None:
    """A test says in a sentence what it establishes."""
    mute = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in functions(path)
        if node.name.startswith("test") and not ast.get_docstring(node)
    ]
    assert mute == []


def tracked() -> list[Path]:
    """All files that git knows or would add."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_no_file_names_a_place_of_one_machine_or_a_registry() -> None:
    """No committed file holds a home folder, this checkout's own path, or a package registry's address."""
    places = [str(ROOT) + "/", "/home" + "/", "pypi" + ".org", "pythonhosted" + ".org", "registry.npm" + "js"]
    found = []
    for path in tracked():
        if path.suffix in {".gz", ".png", ".svg"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {place}" for place in places if place in text]
    assert found == []


def test_the_lock_has_hashes_and_no_address() -> None:
    """The lock pins every package by hash and names no host."""
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    pinned = re.findall(r"^[a-z0-9_.-]+==\S+", text, re.MULTILINE)
    assert len(pinned) > 20
    assert text.count("--hash=sha256:") >= len(pinned)


def test_the_import_contracts_hold() -> None:
    """import-linter finds no import that points the wrong way."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
