import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from strategies.corpus import clean, plant, put

from peak_trade.cli import docs
from peak_trade.cli.app import command as peak
from peak_trade.cli.catalogue import CODES
from peak_trade.gates.baseline import BASELINE_FILE


def run(*arguments: object) -> Result:
    """Run `peak docs` in this process."""
    return CliRunner().invoke(peak, ["docs", *map(str, arguments)], prog_name="peak")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small clean tree."""
    clean(tmp_path, 50)
    return tmp_path


def test_one_snapshot_runs_every_gate(root: Path) -> None:
    """`peak docs` and `peak docs snapshot` are the same: a line for each gate, exit 0 when all pass."""
    result = run("--root", root)
    assert result.exit_code == 0
    assert result.output == run("snapshot", "--all", "--root", root).output
    rows = [line.split()[:2] for line in result.stdout.splitlines()[2:]]
    assert rows == [["targets", "PASS"], ["tokens", "PASS"], ["hygiene", "PASS"], ["templates", "PASS"]]


def test_a_violation_is_exit_one_with_the_place_and_the_next_action(root: Path) -> None:
    """A finding is shown with line and caret, its gate fails and says what to do, the others pass."""
    put(root / "docs/area-000/page-00001.md", "fine\n\nSee [x](gone.md).\n")
    result = run("--root", root)
    assert result.exit_code == 1
    assert "docs/area-000/page-00001.md:3:5: DG001" in result.stdout
    assert "FAIL     1" in result.stdout
    assert "peak explain DG001" in result.stdout
    assert run("tokens", "--root", root).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--changed"],
        ["--base", "main"],
        ["--changed", "--all", "--base", "main"],
        ["--changed", "--base", "nowhere"],
        ["targets", "--fix"],
        ["tokens", "--write-baseline"],
        ["--changed", "--base", "HEAD", "--write-baseline"],
        ["nonsense"],
        ["--format", "xml"],
        ["--root", "nowhere"],
    ],
)
def test_a_wrong_call_is_exit_two(arguments: list[str]) -> None:
    """Options that contradict each other, an unknown gate, base, format or folder: exit 2, nothing on stdout."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_tree_without_pages_is_exit_two(tmp_path: Path) -> None:
    """Nothing checked is no pass."""
    result = run("--root", tmp_path)
    assert result.exit_code == 2
    assert "expected Markdown pages" in result.stderr


def test_fix_rewrites_examples_and_only_them(root: Path) -> None:
    """`--fix` mends the token policy and leaves broken references, which still fail."""
    put(root / "docs/x.md", "`execution/a.py` and `src/gone.py`\n")
    result = run("--fix", "--root", root)
    assert result.exit_code == 1
    assert "fixed docs/x.md: 1 token" in result.stderr
    assert (root / "docs/x.md").read_text() == "`execution&#47;a.py` and `src/gone.py`\n"
    assert run("tokens", "--fix", "--root", root).stderr == ""


def test_the_baseline_takes_debt_once_and_then_only_shrinks(root: Path) -> None:
    """Old debt is counted, new breakage fails and cannot be written in, cured debt is named and written out."""
    page = root / "docs/x.md"
    page.write_text("[a](one.md)\n\n[b](two.md)\n")
    assert run("--write-baseline", "--root", root).exit_code == 0
    page.write_text("moved\n\n[a](one.md)\n\n[c](three.md)\n")
    result = run("targets", "--root", root)
    assert result.exit_code == 1
    assert "three.md" in result.stdout
    assert "one.md" not in result.stdout
    assert "cured: docs/x.md: DG001 `two.md` does not exist" in result.stdout
    assert run("targets", "--write-baseline", "--root", root).exit_code == 1
    debt = json.loads((root / BASELINE_FILE).read_text())["debt"]
    assert [item["message"] for item in debt] == ["`one.md` does not exist"]
    page.write_text("[a](one.md)\n")
    facts = json.loads(run("targets", "--format", "json", "--root", root).stdout)
    assert (facts["exit_code"], facts["gates"][0]["old"], facts["gates"][0]["cured"]) == (0, 1, {})


def test_every_format_holds_every_finding(root: Path) -> None:
    """JSON, GitHub annotations and SARIF say the same places and codes as the snapshot has."""
    expected = plant(root, 50, seed=1)
    facts = json.loads(run("--format", "json", "--root", root).stdout)
    assert sorted((item["file"], item["line"], item["code"]) for item in facts["diagnostics"]) == expected
    assert (facts["exit_code"], facts["scope"], facts["pages"]) == (1, "all", 56)
    lines = run("--format", "github", "--root", root).stdout.splitlines()
    assert len(lines) == len(expected)
    assert all(line.startswith("::error file=docs/area-000/page-") for line in lines)
    log = json.loads(run("--format", "sarif", "--root", root).stdout)["runs"][0]
    assert sorted(map(located, log["results"])) == expected
    rules = [rule["id"] for rule in log["tool"]["driver"]["rules"]]
    assert all(rules[item["ruleIndex"]] == item["ruleId"] for item in log["results"])


def located(result: dict[str, Any]) -> tuple[str, int, str]:
    """Page, line and code of a SARIF result."""
    place = result["locations"][0]["physicalLocation"]
    return place["artifactLocation"]["uri"], place["region"]["startLine"], result["ruleId"]


def test_github_says_nothing_when_nothing_is_wrong(root: Path) -> None:
    """Without findings there is no annotation, not even an empty line."""
    result = run("--format", "github", "--root", root)
    assert (result.exit_code, result.stdout) == (0, "")


def test_the_text_has_a_limit(tmp_path: Path) -> None:
    """Of many findings the first are shown, and how many are left."""
    put(tmp_path / "a.md", "".join(f"[x](gone-{number}.md)\n\n" for number in range(docs.SHOWN_MAX + 7)))
    output = run("targets", "--root", tmp_path).stdout
    assert output.count("DG001 `") == docs.SHOWN_MAX
    assert "… and 7 more" in output


def test_many_pages_are_read_by_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit the pages go to processes, with the same result."""
    clean(tmp_path, 50)
    plant(tmp_path, 50, seed=2)
    alone = run("--root", tmp_path)
    monkeypatch.setattr(docs, "ALONE_PAGES_MAX", 5)
    monkeypatch.setattr(docs, "cpu_count", lambda: 2)
    assert run("--root", tmp_path).output == alone.output
    assert alone.exit_code == 1


def test_explain_knows_the_codes_of_the_gates() -> None:
    """`peak explain DG001` says what the code means, and every code of the gates is in the list."""
    result = CliRunner().invoke(peak, ["explain", "dg001"])
    assert result.output.startswith("DG001: link to nothing")
    listed = CliRunner().invoke(peak, ["explain"]).output
    assert all(f"{code}  " in listed for code in CODES)
