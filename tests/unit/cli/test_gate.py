"""`peak gate` in a checkout of its own: each planted violation is found at its place, and nothing else is."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from peak_trade.backends.dot import dot
from peak_trade.backends.outputs import outputs, picture
from peak_trade.backends.svg import svg
from peak_trade.cli import gate as module
from peak_trade.cli.app import COMMANDS, command
from peak_trade.cli.catalogue import CODES
from peak_trade.cli.findings import FORMATS
from peak_trade.cli.gate import gate, render
from peak_trade.gates.specs import acknowledgements
from peak_trade.gates.stops import SEVERITY
from peak_trade.gates.templates import SECTIONS
from peak_trade.lang.parse import parse_file
from peak_trade.proof import many, parametric

ROOT = Path(__file__).resolve().parents[3]
DOOR = """\
machine: door
version: 1
summary: A door with a lock that counts how often it was opened.
context:
  count: {type: int, min: 0, init: 0, doc: How often it was opened}
  keyed: {type: bool, init: false, doc: Whether the key was turned}
states:
  shut: {initial: true, doc: Closed}
  open: {tags: [live], doc: Open}
events:
  turn: {origin: operator, doc: Somebody turns the key}
  push: {origin: operator, doc: Somebody pushes}
  close: {origin: operator, doc: Somebody closes it}
reasons:
  no_key: The key was not turned.
  already: It is so already.
transitions:
  - {id: D1, from: shut, on: turn, set: {keyed: true}}
  - id: D2
    from: shut
    on: push
    require:
      no_key: keyed
    set: {count: count + 1}
    to: open
  - {id: D3, from: open, on: close, set: {keyed: false}, to: shut}
ignore:
  - {in: open, on: [turn, push], reason: already}
refuse:
  - {in: shut, on: close, reason: already}
properties:
  - {id: DOOR-1, step: next_count >= count, says: The count never falls., answers: [C2]}
  - {id: DOOR-2, always: not is_live or keyed, says: It is open only with the key., answers: [C1, H-theft]}
"""
PAGE = "# The door\n\nIt is in [its file](../spec/door.yaml).\n"

Edit = Callable[[str], str]


def git(folder: Path, *arguments: str) -> None:
    """Run git in `folder` as somebody."""
    author = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run(["git", "-C", folder, *author, *arguments], check=True, capture_output=True)


def put(path: Path, text: str) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def generated(root: Path) -> None:
    """Write what follows from the door's specification."""
    machine = parse_file(root / "spec" / "door.yaml").machine
    assert machine is not None
    for name, text in (*outputs(machine).items(), (picture(machine), svg(dot(machine)))):
        put(root / name, text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the door, what is generated of it, a page, and the pages that the docs gates require."""
    put(tmp_path / "spec" / "door.yaml", DOOR)
    put(tmp_path / "docs" / "door.md", PAGE + "".join(f"\nSee `{name}`.\n" for name in SECTIONS))
    for name, sections in SECTIONS.items():
        put(tmp_path / name, "# Page\n\n" + "\n\n".join(f"## {section}" for section in sections) + "\n")
    generated(tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "as it is")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def peak(*arguments: object) -> Result:
    """Run `peak gate` in this process."""
    return CliRunner().invoke(command, ["gate", *map(str, arguments)], prog_name="peak")


def change(root: Path, *edits: tuple[str, str], drift: bool = False) -> None:
    """Edit the door; what is generated follows, unless it shall drift."""
    path = root / "spec" / "door.yaml"
    text = path.read_text()
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)
    if not drift and parse_file(path).machine is not None:
        generated(root)


def places(result: Result) -> list[str]:
    """The code and place of each finding, `CODE file:line:column`."""
    return [
        f"{code} {place}" for place, code in re.findall(r"^(\S.*?:\d+:\d+): ([A-Z]+\d+)", result.stdout, re.MULTILINE)
    ]


def at(root: Path, part: str) -> str:
    """Where in the door's specification `part` stands, `file:line:column`."""
    lines = (root / "spec" / "door.yaml").read_text().splitlines()
    return next(f"spec/door.yaml:{row}:{item.index(part) + 1}" for row, item in enumerate(lines, 1) if part in item)


LOCK = ("    require:\n      no_key: keyed\n", "")
REASON = ("  no_key: The key was not turned.\n", "")
STEPS = ["check", "prove", "locks", "compare", "drift", "docs"]


def test_nothing_watched_has_changed(root: Path) -> None:
    """Without a change the gate says that it judged nothing; a file that it does not watch is none of its business."""
    assert peak("--base", "HEAD").exit_code == 0
    put(root / "notes.txt", "x")
    result = peak("--base", "HEAD")
    assert result.exit_code == 0
    assert result.stdout == "gate: nothing that the gate watches has changed since HEAD; nothing was judged\n"


def test_a_harmless_change_passes_every_step(root: Path) -> None:
    """A renamed transition passes; each step says what it looked at."""
    change(root, ("id: D3", "id: D9"))
    result = peak("--base", "HEAD")
    assert result.exit_code == 0, result.output
    rows = [row.split()[:2] for row in result.stdout.splitlines()[1:]]
    assert rows == [[name, "PASS"] for name in STEPS]
    assert peak("--base", "HEAD", "--all").exit_code == 0


def _loosened(root: Path) -> str:
    change(root, LOCK, REASON)
    return f"GATE004 {at(root, 'D2')}"


def _refuted(root: Path) -> str:
    change(root, LOCK, REASON)
    return f"GATE001 {at(root, 'DOOR-2')}"


def _mistake(root: Path) -> str:
    change(root, ("count: count + 1", "count: cuont + 1"))
    return f"PT032 {at(root, 'cuont')}"


def _undecided_cell(root: Path) -> str:
    change(root, ("{id: D3, from: open, on: close,", "{id: D3, from: open, on: close, when: keyed,"))
    return f"PT050 {at(root, 'D3')}"


def _idle_lock(root: Path) -> str:
    change(root, ("      no_key: keyed\n", "      no_key: keyed\n      never: count >= 0\n"))
    change(root, ("  already: It", "  never: It cannot be.\n  already: It"))
    return f"GATE003 {at(root, 'never: count')}"


def _weaker(root: Path) -> str:
    change(root, ("always: not is_live or keyed", "always: not is_live or keyed or count == 7"))
    return f"GATE004 {at(root, 'DOOR-2')}"


def _removed_claim(root: Path) -> str:
    text = next(item for item in DOOR.splitlines(keepends=True) if "DOOR-1" in item)
    change(root, (text, ""))
    return "GATE004 spec/door.yaml:1:1"


def _removed(root: Path) -> str:
    (root / "spec" / "door.yaml").unlink()
    return "GATE007 spec/door.yaml:1:1"


def _drifted(root: Path) -> str:
    change(root, ("summary: A door", "summary: The door"), drift=True)
    return "GATE008 diagrams/door.dot:5:1"


def _edited(root: Path) -> str:
    path = root / "docs" / "machines" / "door.md"
    put(path, path.read_text() + "One more line.\n")
    return f"GATE008 docs/machines/door.md:{len(path.read_text().splitlines())}:1"


def _missing(root: Path) -> str:
    change(root, ("id: D3", "id: D9"))
    (root / "diagrams" / "door.svg").unlink()
    return "GATE008 diagrams/door.svg:1:1"


def _broken_page(root: Path) -> str:
    put(root / "docs" / "new.md", "See [it](gone.md).\n")
    return "DG001 docs/new.md:1:5"


def _other_start(root: Path) -> str:
    change(root, ("keyed: {type: bool, init: false", "keyed: {type: bool, init: true"))
    return f"GATE004 {at(root, 'shut: {initial')}"


VIOLATIONS = (
    _loosened, _refuted, _mistake, _undecided_cell, _idle_lock, _weaker, _removed_claim, _removed, _drifted, _edited,
    _missing, _broken_page, _other_start,
)  # fmt: skip


@pytest.mark.parametrize("violate", VIOLATIONS, ids=lambda item: item.__name__.strip("_"))
def test_each_violation_is_found_at_its_place(root: Path, violate: Callable[[Path], str]) -> None:
    """Each kind of violation is exit 1, with its code, its file, line and column, and the next command."""
    wanted = violate(root)
    result = peak("--base", "HEAD")
    assert wanted in places(result), result.output
    assert result.exit_code == 1
    assert result.stderr.startswith("next: peak explain ")


def test_a_removed_page_breaks_the_page_that_names_it(root: Path) -> None:
    """The docs gates look at pages that the change did not write, too."""
    put(root / "docs" / "other.md", "See [it](door.md).\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "more")
    (root / "docs" / "door.md").unlink()
    assert "DG001 docs/other.md:1:5" in places(peak("--base", "HEAD"))


def test_a_loosening_is_acknowledged_in_a_message(root: Path) -> None:
    """A line with id and reason in a commit since the base, or in the message being written, turns it into a note."""
    change(root, ("always: not is_live or keyed", "always: not is_live or keyed or count == 7"))
    assert peak("--base", "HEAD").exit_code == 1
    put(root / "message", "Weaker\n\nLoosens: DOOR-2 seven is lucky\n")
    written = peak("--base", "HEAD", root / "message")
    assert written.exit_code == 0, written.output
    assert "GATE010" in written.stdout
    assert "acknowledged: seven is lucky" in written.stdout
    for message, code in (("Loosens: DOOR-2", 1), ("Loosens: DOOR-1 why not", 1), ("# Loosens: DOOR-2 comment", 1)):
        put(root / "message", message)
        assert peak("--base", "HEAD", root / "message").exit_code == code, message
    (root / "message").unlink()
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Weaker\n\nLoosens: DOOR-2 seven is lucky")
    assert peak("--base", "HEAD~1").exit_code == 0


def test_an_acknowledgement_never_covers_a_refuted_claim(root: Path) -> None:
    """Saying that a lock is gone does not make the claim true that rests on it."""
    change(root, LOCK, REASON)
    put(root / "message", "Loosens: D2 no\nLoosens: DOOR-2 no\n")
    result = peak("--base", "HEAD", root / "message")
    assert result.exit_code == 1
    assert {item.split()[0] for item in places(result)} == {"GATE001", "GATE009", "GATE010"}


def test_trailers_are_read_from_messages() -> None:
    """One line each, the newest counts, a reason may be missing, other lines say nothing."""
    said = acknowledgements(("x\n\nLoosens: A one\nLoosens: B\n", "Loosens: A two\n  Loosens: C x\nloosens: D x\n"))
    assert said == {"A": "one", "B": ""}


def test_a_wrong_base_is_exit_two(root: Path) -> None:
    """An unknown base, or one without a common history, is wrong input and no pass."""
    for base in ("nowhere", "--output=x"):
        result = peak(f"--base={base}")
        assert (result.exit_code, result.stdout) == (2, "")
    git(root, "checkout", "--quiet", "--orphan", "alone")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "alone")
    result = peak("--base", "HEAD@{1}")
    assert result.exit_code == 2


def test_a_shallow_clone_says_what_to_fetch(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """In a clone without the base's history the remedy is named."""
    for number in range(3):
        put(root / "docs" / "more.md", f"{number}\n")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", str(number))
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", "--depth", "1", root.as_uri(), "x")
    done = CliRunner()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(clone / "x")
        result = done.invoke(command, ["gate", "--base", "HEAD~2"])
    assert result.exit_code == 2
    assert "fetch" in result.stderr


def test_what_the_base_does_not_decide_is_exit_three(root: Path) -> None:
    """A base with mistakes cannot be compared with, and a file that is no machine is not judged: undecided, no pass."""
    put(root / "spec" / "door.yaml", DOOR.replace("count + 1", "cuont + 1"))
    git(root, "commit", "--quiet", "--all", "--message", "broken")
    put(root / "spec" / "door.yaml", DOOR)
    result = peak("--base", "HEAD")
    assert (result.exit_code, places(result)) == (3, ["GATE006 spec/door.yaml:1:1"])
    put(root / "spec" / "contract.yaml", "clauses: all\n")
    assert "GATE011 spec/contract.yaml:1:1" in places(peak("--base", "HEAD"))
    put(root / "message", "Loosens: contract read by two people\n")
    assert "GATE010 spec/contract.yaml:1:1" in places(peak("--base", "HEAD", root / "message"))


def test_a_new_specification_is_checked_and_proved(root: Path) -> None:
    """There is nothing to compare it with, and all it claims must be proved."""
    put(
        root / "spec" / "gate.yaml",
        DOOR.replace("machine: door", "machine: gate").replace("not is_live or keyed", "not keyed"),
    )
    assert "GATE001 spec/gate.yaml:33:10" in places(peak("--base", "HEAD"))


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_has_the_same_exit_code(root: Path, style: str) -> None:
    """The format changes how it is told, not what is."""
    assert peak("--base", "HEAD", "--format", style).exit_code == 0
    change(root, LOCK, REASON, drift=True)
    result = peak("--base", "HEAD", "--format", style)
    assert result.exit_code == 1
    assert "GATE004" in result.stdout


def test_the_formats_are_what_their_readers_expect(root: Path) -> None:
    """JSON has the severity of each finding; SARIF 2.1.0 its shape; GitHub its level; JUnit a case for each step."""
    change(root, LOCK, REASON, drift=True)
    told = gate(root, "HEAD", "Loosens: D2 we know\n")
    data = json.loads(render(told, "json"))
    assert (data["exit_code"], data["base"], data["changed"]) == (1, "HEAD", ["spec/door.yaml"])
    levels = {item["code"]: item["severity"] for item in data["diagnostics"]}
    assert levels == {"GATE001": "error", "GATE008": "error", "GATE010": "note"}
    log = json.loads(render(told, "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [item["id"] for item in run["tool"]["driver"]["rules"]]
    for item in run["results"]:
        assert item["level"] == SEVERITY[item["ruleId"]]
        assert rules[item["ruleIndex"]] == item["ruleId"]
        assert item["message"]["text"]
        (where,) = item["locations"]
        region = where["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["endColumn"] >= region["startColumn"] >= 1
        assert not where["physicalLocation"]["artifactLocation"]["uri"].startswith("/")
    lines = render(told, "github").splitlines()
    assert lines[-1].startswith("::notice::gate FAIL: check PASS, prove FAIL")
    assert sum(item.startswith("::notice file=spec/door.yaml,line=") for item in lines) == 1
    cases = ET.fromstring(render(told, "junit"))  # noqa: S314 - our own output
    names = {item.get("name"): [part.tag for part in item] for item in cases.iter("testcase")}
    assert names == {"check": [], "prove": ["failure"], "locks": [], "compare": [], "drift": ["failure"]}
    assert (cases.get("tests"), cases.get("failures"), cases.get("errors")) == ("5", "2", "0")


def told(*arguments: object) -> tuple[int, str]:
    """What the gate says as JSON, and its exit code."""
    result = peak("--base", "HEAD", "--format", "json", *arguments)
    return result.exit_code, result.stdout


def nobody(*_: object, **__: object) -> None:
    """An engine that must not be asked."""
    raise AssertionError("expected a verdict that is known, was a question to an engine")


@pytest.mark.parametrize("violate", [_refuted, _idle_lock, _weaker], ids=lambda item: item.__name__.strip("_"))
def test_what_is_known_changes_no_byte(
    root: Path, violate: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anew, with an empty cache and with a warm one the gate says the same; a warm one is not proved again."""
    violate(root)
    anew = told("--no-cache")
    assert not (root / ".peak-cache").exists()
    assert told() == anew
    assert (root / ".peak-cache").is_dir()
    monkeypatch.setattr(many, "prove", nobody)
    assert told() == anew
    with pytest.raises(AssertionError, match="a verdict that is known"):
        CliRunner().invoke(command, ["gate", "--base", "HEAD", "--no-cache"], catch_exceptions=False)


def test_a_changed_specification_is_proved_anew(root: Path) -> None:
    """What is known of another version counts for nothing: with it, a loosened lock is refuted as without."""
    change(root, ("id: D3", "id: D9"))
    assert told()[0] == 0
    wanted = _refuted(root)
    assert wanted in places(peak("--base", "HEAD"))
    assert told() == told("--no-cache")


def test_the_gate_knows_what_prove_knows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine and system alike: after `peak prove` no engine is asked, and no other limit is taken for the same."""
    for name in ("sound", "counter"):
        put(root / "spec" / f"{name}.yaml", (ROOT / "tests/golden/system" / f"{name}.yaml").read_text())
    monkeypatch.setattr(module, "PROCESSES_MAX", 1)  # other processes would not know that no engine may be asked
    files = ("spec/door.yaml", "spec/sound.yaml", "spec/counter.yaml")
    CliRunner().invoke(command, ["prove", *files, "--rlimit", "1000000"])
    with monkeypatch.context() as patch:
        patch.setattr(many, "prove", nobody)
        with pytest.raises(AssertionError, match="a verdict that is known"):
            CliRunner().invoke(command, ["gate", "--base", "HEAD", "--all"], catch_exceptions=False)
    assert CliRunner().invoke(command, ["prove", *files]).exit_code == 0
    monkeypatch.setattr(many, "prove", nobody)
    monkeypatch.setattr(parametric, "reached", nobody)
    stages = {item["name"]: item["verdict"] for item in json.loads(told("--all")[1])["stages"]}
    assert (stages["prove"], stages["locks"]) == ("PASS", "PASS")


def test_a_system_must_be_able_to_do_what_it_claims(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that no run reaches is left open at its own line: it is as much a claim as what must not happen."""
    text = (ROOT / "tests/golden/system/sound.yaml").read_text()
    put(root / "spec" / "counter.yaml", (ROOT / "tests/golden/system/counter.yaml").read_text())
    put(root / "spec" / "sound.yaml", text + "  - {id: ANY-W, witness: counter.count == 9, says: It counts to nine.}\n")
    monkeypatch.setattr(module, "PROCESSES_MAX", 1)
    result = peak("--base", "HEAD")
    row = len(text.splitlines()) + 1
    assert [item for item in places(result) if item.startswith(("GATE001", "GATE002"))] == [
        f"GATE002 spec/sound.yaml:{row}:10"
    ]


def test_a_change_cannot_bring_its_own_verdicts(root: Path) -> None:
    """A forged verdict is believed of a folder that only this computer writes, and of none that git tracks."""
    wanted = _refuted(root)
    assert wanted in places(peak("--base", "HEAD"))
    texts = {path: json.loads(path.read_text()) for path in (root / ".peak-cache").rglob("*.json")}
    for path, data in texts.items():
        if not data["proved"]:
            path.write_text(json.dumps(data | {"proved": True, "why": "induction", "trace": None}))
    assert wanted not in places(peak("--base", "HEAD"))
    git(root, "add", "--all")
    assert wanted not in places(peak("--base", "HEAD"))  # the folder keeps itself out of a commit
    git(root, "add", "--force", ".peak-cache")
    result = peak("--base", "HEAD")
    assert wanted in places(result)
    assert "git tracks .peak-cache" in result.stderr
    assert "git rm -r --cached .peak-cache" in result.stderr


def test_every_code_is_in_the_catalogue() -> None:
    """What the gate can say has a severity and a page."""
    assert set(SEVERITY) <= set(CODES)
    assert set(SEVERITY.values()) == {"error", "warning", "note"}


def _commands(text: str) -> list[str]:
    return re.findall(r"\./x peak (\w+)", text)


def test_the_action_and_the_hook_call_the_gate() -> None:
    """Both files have the shape that their readers ask for, and the commands that they name exist."""
    yaml = YAML(typ="safe", pure=True)
    path = ROOT / ".github" / "actions" / "peak-gate" / "action.yml"
    action = yaml.load(path.read_text())
    assert action["runs"]["using"] == "composite"
    assert action["inputs"]["base"]["required"] is True
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
    hooks = yaml.load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (hook,) = hooks
    assert hook["id"] == "peak-gate"
    assert hook["language"] == "script" or hook["language"] == "system"
    assert hook["entry"] == "./x peak gate --base HEAD"
    assert hook["stages"] == ["commit-msg"]
    text = path.read_text() + (ROOT / ".pre-commit-hooks.yaml").read_text()
    assert set(_commands(text)) == {"gate"} <= set(COMMANDS)
    assert (ROOT / "x").is_file()
    assert "://" not in text
