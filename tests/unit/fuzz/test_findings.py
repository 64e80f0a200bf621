"""A finding is a folder that says what happened, plays it again, and becomes a test."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from peak_trade.cli import finding as commands
from peak_trade.fuzz.folders import other
from peak_trade.fuzz.found import findings
from peak_trade.fuzz.found.findings import Again, Finding, FindingError, Kept, kept, put, replay, specs
from peak_trade.fuzz.found.program import BarsPart, OrderPart, Program, ProgramError, parsed
from peak_trade.fuzz.found.regression import save, source, wrong
from peak_trade.fuzz.found.trial import Trial, kind_of, problems, tried
from peak_trade.fuzz.world import Machines, World
from peak_trade.journal.scan import read
from peak_trade.lang.trace import replay as stepped
from peak_trade.proof.recall.itf import record, trace_of
from peak_trade.session.desk import Desk

CASH = "the book's cash is # its executions come to #"
FILES = {
    "README.md",
    "coverage.json",
    "finding.json",
    "journal.jsonl",
    "order.itf.json",
    "plan.yaml",
    "program.yaml",
    "sequence.svg",
    "trace.itf.json",
}
ROOT = Path(__file__).resolve().parents[3]
Plant = Callable[[], None]


def program(lots: int = 5) -> Program:
    """A program with an order, which is busted, and another."""
    return Program(
        bars=BarsPart(seed=3, steps=6, volume_lots=100),
        config={"seed": 3, "wind_down_steps": 1, "venue": {"participation_permille_max": 1000}},
        orders=[OrderPart(step=1, lots=lots), OrderPart(step=2, lots=3, off_permille=-40)],
        faults=[{"kind": "bust", "order": 1}],
    )


def finding(lots: int = 5, seed: int = 11) -> Finding:
    """The finding of the planted bug."""
    return Finding("sessions", seed, CASH, program(lots), {"executions": 7})


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Plants a bug: a bust costs a tick. It is gone after `monkeypatch.undo()`."""
    apply = Desk.apply

    def broken(self: Desk, order: Any, event: str, *rest: Any) -> Any:
        outcome = apply(self, order, event, *rest)
        self.book.cash_ticks -= event == "bust"
        return outcome

    def plant() -> None:
        monkeypatch.setattr(Desk, "apply", broken)

    plant()
    return plant


@pytest.fixture
def found(bug: Plant, tmp_path: Path, machines: Machines) -> Kept:
    """The finding in its folder, while the bug is there."""
    del bug
    return kept(put(tmp_path / "findings", finding(), machines))


def test_a_folder_has_all_that_a_reader_needs(found: Kept, machines: Machines) -> None:
    """Each file says its part, and the folder appeared at once."""
    folder = found.folder
    assert {item.name for item in folder.iterdir()} == FILES
    assert [item.name for item in folder.parent.iterdir()] == [folder.name]
    facts = json.loads((folder / "finding.json").read_text(encoding="utf-8"))
    assert (facts["kind"], facts["verdict"], facts["engine"], facts["seeds"]) == (CASH, "fails", "sessions", [11])
    assert facts["specs"] == specs(machines)
    assert set(facts["versions"]) == {"peak-trade", "hypothesis", "python"}
    assert found.program == program()
    goals = json.loads((folder / "coverage.json").read_text(encoding="utf-8"))
    assert ["fault", "", "bust", 1, 11] in goals
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert f"peak fuzz replay {folder.name}" in readme
    assert "step 1: buy 5 at the market, day." in readme
    assert found.problems[0] in readme
    assert "bust" in (folder / "plan.yaml").read_text(encoding="utf-8")


def test_the_traces_are_those_of_the_journal(found: Kept, machines: Machines) -> None:
    """Played again by the definition of the language they end where the journal says that session and order ended."""
    records = list(read(found.folder / "journal.jsonl"))
    for name, machine, kind in (
        ("trace.itf.json", machines.session, "session"),
        ("order.itf.json", machines.order, "order"),
    ):
        text = (found.folder / name).read_text(encoding="utf-8")
        trace = trace_of(record(text, name), machine)
        again = stepped(machine, trace.start, tuple((link.event, dict(link.payload)) for link in trace.links))
        assert again == trace
        last = [item for item in records if item.kind == kind][-1]
        assert trace.last.state == last.body["state"]
    picture = (found.folder / "sequence.svg").read_text(encoding="utf-8")
    assert all(word in picture for word in ("session", "order", "start_dryrun", "submit"))
    assert "tick(" not in picture


def test_the_same_finding_is_one_folder(found: Kept, machines: Machines) -> None:
    """A seed is added; the same seed changes nothing; another program is another folder, also under the same name."""
    root = found.folder.parent
    assert put(root, finding(seed=4), machines) == found.folder
    assert put(root, finding(seed=4), machines) == found.folder
    assert kept(found.folder).seeds == (4, 11)
    second = put(root, finding(lots=6), machines)
    assert second != found.folder
    assert kept(second).program == program(6)
    assert list(findings.folders(root)) == sorted([found.folder, second])


def test_equal_findings_give_equal_bytes(found: Kept, machines: Machines, tmp_path: Path) -> None:
    """No file holds a time, a place or anything else that is not of the finding."""
    again = put(tmp_path / "elsewhere", finding(), machines)
    assert again.name == found.folder.name
    for item in found.folder.iterdir():
        assert (again / item.name).read_bytes() == item.read_bytes()
        assert str(tmp_path) not in item.read_text(encoding="utf-8")


def test_a_finding_that_does_not_fail_is_refused(machines: Machines, tmp_path: Path) -> None:
    """Without the bug nothing is written."""
    with pytest.raises(FindingError, match="was no problem"):
        put(tmp_path, finding(), machines)
    assert list(tmp_path.iterdir()) == []


def test_there_is_a_limit_to_findings(found: Kept, machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is refused; a known one only gets a seed."""
    monkeypatch.setattr(findings, "FINDINGS_MAX", 1)
    with pytest.raises(FindingError, match="fewer than 1 findings"):
        put(found.folder.parent, finding(lots=6), machines)
    assert put(found.folder.parent, finding(seed=1), machines) == found.folder


def test_a_replay_says_what_became_of_it(found: Kept, machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails in the same way, in another way, or passes now; if the specification is another, that says nothing."""
    assert replay(found, machines).again is Again.SAME
    assert replay(found, other(machines)).again is Again.SAME
    otherwise = replay(found, machines, lambda _: ("something else",))
    assert (otherwise.again, otherwise.problems) == (Again.OTHER, ("something else",))
    monkeypatch.undo()
    assert replay(found, machines).again is Again.PASSES
    changed = replay(found, other(machines))
    assert (changed.again, changed.changed) == (Again.INCOMPARABLE, ("order",))


def test_a_session_that_raises_is_a_finding(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a folder without a verdict of book and venue, and is replayed like any other."""

    def broken(*_: Any, **__: Any) -> None:
        raise LookupError(f"no such thing in {tmp_path}")

    monkeypatch.setattr(Desk, "listen", broken)
    trial = tried(program(), machines)
    assert trial.kinds[0].startswith("LookupError: no such thing")
    folder = put(tmp_path, Finding("sessions", 1, trial.kinds[0], program()), machines)
    assert json.loads((folder / "finding.json").read_text(encoding="utf-8"))["end"] == "RAISED"
    assert replay(kept(folder), machines).again is Again.SAME


def test_what_is_no_finding_is_refused(found: Kept, tmp_path: Path) -> None:
    """The message names the folder, or the line of the program."""
    with pytest.raises(FindingError, match="name the folder of a finding"):
        kept(tmp_path)
    (found.folder / "program.yaml").write_text("bars: 3\n", encoding="utf-8")
    with pytest.raises(ProgramError, match=r"program\.yaml:1: bars"):
        kept(found.folder)
    (found.folder / "finding.json").write_text("[]", encoding="utf-8")
    with pytest.raises(FindingError):
        kept(found.folder)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("r162e4eea-2-1: the book has ('new', 5), the venue ('filled', 5)",
         "r00000000-9-1: the book has (), the venue ()", True),
        ("r162e4eea-2-1: execution e5 was counted 2 times", "r162e4eea-3-1: execution e77 was counted 3 times", True),
        ("r162e4eea-2-1: execution e5 is (1, 2, 3) in the book and None at the venue",
         "r162e4eea-2-1: execution e5 is None in the book and (1, 2, 3) at the venue", False),
        ("KeyError: 'r162e4eea-2-1'", "KeyError: 'r00000000-1-1'", True),
        ("KeyError: 'a'", "LookupError: 'a'", False),
        ("it hangs: not over after 240 steps", "it hangs: not over after 9 steps", True),
        ("expected the end STOPPED, was PREFLIGHT_FAILED (a)", "expected the end STOPPED, was INIT (a)", False),
        ("the book's positions are {'SYN000': 3}, its", "the book's positions are {}, its", True),
    ],
)  # fmt: skip
def test_problems_are_of_one_kind_iff_their_words_are_the_same(one: str, two: str, same: bool) -> None:
    """Names, numbers and what stands in brackets make no difference."""
    assert (kind_of(one) == kind_of(two)) is same
    assert kind_of(kind_of(one)) == kind_of(one)


def test_an_end_that_is_none_and_a_hang_are_problems(machines: Machines) -> None:
    """What a campaign calls a failure is one here."""
    played = tried(program(), machines).played
    assert played is not None
    assert problems(played) == ()
    assert kind_of(problems(replace(played, state="HANGS"))[0]) == "it hangs: not over after # steps"
    assert "was PREFLIGHT_FAILED" in problems(replace(played, state="PREFLIGHT_FAILED"))[0]


def lint(file: Path, *arguments: str) -> str:
    """What ruff says of the file under the project's rules, as if it lay among the tests."""
    name = f"tests/regressions/{file.name}"
    command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", name, "-"]
    text = file.read_text(encoding="utf-8")
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_a_regression_fails_until_the_bug_is_mended(
    found: Kept, machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is as the house wants it, its test fails with the bug and passes without."""
    file = save(tmp_path / "regressions", found)
    assert file.name == "test_the_book_s_cash_is_its_executions_come_to_11.py"
    assert (lint(file, "check", "--no-cache"), lint(file, "format", "--check")) == ("", "")
    scope: dict[str, Any] = {}
    exec(compile(source(found), file.name, "exec"), scope)  # noqa: S102 - the text that was just made
    test = scope["test_the_book_s_cash_is_its_executions_come_to_11"]
    with pytest.raises(AssertionError, match="cash is"):
        test()
    monkeypatch.undo()
    test()
    with pytest.raises(ProgramError):
        wrong("nothing", machines)


def test_a_long_or_odd_program_is_a_regression_too(found: Kept, tmp_path: Path) -> None:
    """Long lines and backslashes are as the house wants them."""
    odd = found.program.model_copy(update={"orders": [OrderPart(step=1, raises='\\ "" ' + "x" * 140)]})
    file = save(tmp_path, replace(found, program=odd, kind='a "quoted" \\ kind ' + "of " * 30))
    assert (lint(file, "check", "--no-cache"), lint(file, "format", "--check")) == ("", "")
    scope: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), file.name, "exec"), scope)  # noqa: S102 - as above
    assert parsed(scope["PROGRAM"], "text") == odd


def test_the_command_replays(found: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1 while it fails, 0 when it passes, 3 if the specification is another, 2 for what is no finding."""
    run = CliRunner()
    fails = run.invoke(commands.replay, [str(found.folder), "--save-regression", str(tmp_path / "kept")])
    assert fails.exit_code == 1
    assert "fails in the same way" in fails.stdout
    assert "next: " in fails.stderr
    assert len(list((tmp_path / "kept").glob("test_*.py"))) == 1
    monkeypatch.undo()
    passes = run.invoke(commands.replay, [str(found.folder), "--format", "json"])
    assert (passes.exit_code, json.loads(passes.stdout)["again"]) == (0, "passes now")
    facts = json.loads((found.folder / "finding.json").read_text(encoding="utf-8"))
    facts["specs"]["order"] = "0" * 64
    (found.folder / "finding.json").write_text(json.dumps(facts), encoding="utf-8")
    changed = run.invoke(commands.replay, [str(found.folder)])
    assert changed.exit_code == 3
    assert "the machine order is another one now" in changed.stdout
    assert run.invoke(commands.replay, [str(tmp_path)]).exit_code == 2


def test_the_command_shrinks(bug: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seed that fails becomes a finding, and the last line is its folder; one that does not is told so."""
    del bug

    def world(_: int) -> World:
        return program().world()

    run, out = CliRunner(), tmp_path / "out"
    monkeypatch.setattr("peak_trade.fuzz.campaign.digest.seeded_world", world)
    arguments = ["--seed", "5", "--out", str(out), "--executions", "15"]
    fails = run.invoke(commands.shrink, arguments)
    assert fails.exit_code == 1, fails.output
    folder = Path(fails.stdout.splitlines()[-1])
    assert kept(folder).seeds == (5,)
    assert f"next: peak fuzz replay {folder}" in fails.stderr
    monkeypatch.undo()
    monkeypatch.setattr("peak_trade.fuzz.campaign.digest.seeded_world", world)
    passes = run.invoke(commands.shrink, arguments)
    assert (passes.exit_code, passes.stdout) == (0, "seed 5: no problem, so nothing to shrink\n")


def test_a_trial_tells_kinds_once() -> None:
    """Many problems of one kind are one kind, in the order in which they are told."""
    trial = Trial(("b 1", "a", "b 2"), (), None)
    assert trial.kinds == ("b #", "a")
