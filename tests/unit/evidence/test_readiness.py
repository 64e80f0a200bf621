"""A row passes by current, intact evidence and by nothing else; people close what is theirs."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from peak_trade.cli import gather
from peak_trade.evidence.bag import DATA, write
from peak_trade.evidence.checklist import (
    COUNTERS,
    HEALTH,
    HEALTH_FILE,
    METRICS_FILE,
    ROWS,
    SIGN_OFF,
    Command,
    Fact,
    Suite,
)
from peak_trade.evidence.exhibit import Exhibit
from peak_trade.evidence.facts import Facts
from peak_trade.evidence.judge import FACTS, Status, judge
from peak_trade.evidence.pack import make
from peak_trade.evidence.paper import readiness_page
from peak_trade.evidence.readiness import Current, Pack, Readiness, basis_sha256, evaluate, shelf
from peak_trade.evidence.rules import LINES, text

DATE = "20260118"
Invoke = Callable[..., Result]
Collect = Callable[..., Facts]
REQUIREMENTS = {
    *(f"C0.{n}" for n in range(1, 5)), *(f"C1.{n}" for n in range(1, 7)), *(f"C2.{n}" for n in range(1, 7)),
    *(f"C3.{n}" for n in range(1, 5)), *(f"C4.{n}" for n in range(1, 5)), *(f"C5.{n}" for n in range(1, 5)),
    "D1.1", "D1.2", *(f"D4.{n}" for n in range(1, 6)),
}  # fmt: skip


def full(found: Facts) -> Exhibit:
    """Everything that a run cannot show by itself: tests, attached results, snapshots."""
    modules = [module for row in ROWS for need in row.needs if isinstance(need, Suite) for module in need.modules]
    names = [need.name for row in ROWS for need in row.needs if isinstance(need, Command)]
    return replace(
        found.exhibit,
        tests={f"{module}::test_x": "passed" for module in modules},
        attached={name: {"exit_code": 0} for name in names},
        snapshots={
            HEALTH_FILE: {"checks": dict.fromkeys(HEALTH, 0)},
            METRICS_FILE: {"metrics": [{"name": name} for name in COUNTERS]},
        },
    )


def drill(shown: Exhibit) -> Exhibit:
    """The same run as an incident pack of a session that was killed."""
    assert shown.story is not None
    killed = replace(shown.story, ended=False)
    return replace(shown, name="INC-20260118-0900-DRILL", phase="INC", story=killed)


def current(shown: Exhibit) -> Current:
    """What the exhibit was made of, as what is there now."""
    return Current(shown.origin.spec_sha256, shown.origin.code_sha256)


def stands(*exhibits: Exhibit, now: Current | None = None) -> dict[str, Status]:
    """The status of each row with these exhibits, newest first."""
    return {item.row.name: item.status for item in found_by(*exhibits, now=now).rows}


def found_by(*exhibits: Exhibit, now: Current | None = None) -> Readiness:
    """The readiness with these exhibits, newest first."""
    here = now or current(exhibits[0])
    packs = [Pack(shown.name, "0" * 64, shown) for shown in exhibits]
    return evaluate(packs, here, {}, basis_sha256(packs, here))


def test_on_nothing_everything_is_open(invoke: Invoke) -> None:
    """Without evidence: exit 3, every row open, none passed, and the commands that make evidence are listed."""
    result = invoke("readiness", "--format", "json")
    found = json.loads(result.output)
    assert result.exit_code == found["exit_code"] == 3
    assert {item["row"]: item["status"] for item in found["rows"]} == {row.name: "open" for row in ROWS}
    shown = invoke("readiness")
    assert shown.exit_code == 3
    assert shown.output.startswith("NOT READY")
    assert "peak evidence new --phase C5" in shown.output


def test_with_all_evidence_only_people_are_left(facts: Collect) -> None:
    """A C5 pack and a drill close every row but those of people: nothing that the program does closes them."""
    shown = full(facts("C5"))
    found = found_by(shown, drill(shown))
    for item in found.rows:
        assert item.status is (Status.OPEN if item.row.area == SIGN_OFF else Status.PASSED), item
    assert found.exit_code == 3


def test_a_pack_speaks_only_for_its_phase(facts: Collect) -> None:
    """A C3 pack closes rows of C3 and no other."""
    shown = replace(full(facts("C3")), phase="C3")
    passed = {name for name, status in stands(shown).items() if status is Status.PASSED}
    assert passed == {row.name for row in ROWS if row.phase == "C3"}


CHANGED: Mapping[str, Callable[[Current, Exhibit], tuple[Current, Exhibit]]] = {
    "spec": lambda now, shown: (replace(now, spec_sha256={**now.spec_sha256, "order": "f" * 64}), shown),
    "new machine": lambda now, shown: (replace(now, spec_sha256={**now.spec_sha256, "venue": "f" * 64}), shown),
    "code": lambda now, shown: (replace(now, code_sha256="f" * 64), shown),
    "dirty": lambda now, shown: (now, replace(shown, origin=shown.origin.model_copy(update={"dirty": True}))),
    "no commit": lambda now, shown: (
        now, replace(shown, origin=shown.origin.model_copy(update={"commit": "unknown", "dirty": None})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGED)
def test_evidence_of_something_else_is_suspect(facts: Collect, what: str) -> None:
    """Another specification, other code, or code that no commit names: every row that would pass is suspect, exit 3."""
    shown = full(facts("C5"))
    now, other = CHANGED[what](current(shown), shown)
    rows = stands(other, drill(other), now=now)
    assert {status for name, status in rows.items() if not name.startswith("SIGN")} == {Status.SUSPECT}
    assert found_by(other, now=now).exit_code == 3


def test_newer_current_evidence_decides(facts: Collect) -> None:
    """The newest current pack decides, for better and for worse; a suspect one never outvotes it."""
    good = full(facts("C5"))
    bad = replace(good, attached=good.attached | {"docs": {"exit_code": 1}})
    stale = replace(good, name="EV-20260120-FINISH_C5-OLD", origin=good.origin.model_copy(update={"dirty": True}))
    assert stands(bad, good)["DOC-3"] is Status.FAILED
    assert stands(good, bad)["DOC-3"] is Status.PASSED
    assert stands(stale, bad, now=current(good))["DOC-3"] is Status.FAILED
    assert found_by(bad).exit_code == 1


def worse(shown: Exhibit) -> Mapping[str, tuple[Exhibit, Status]]:
    """One thing that speaks against each row, and what the row is then."""
    assert shown.proofs is not None
    assert shown.story is not None
    story: Any = shown.story

    def proofs(verdict: str) -> Exhibit:
        rows = [item | {"verdict": verdict} for item in (shown.proofs or {})["results"]]
        return replace(shown, proofs={**(shown.proofs or {}), "results": rows})

    def told(**changes: Any) -> Exhibit:
        return replace(shown, story=replace(story, **changes))

    failing = replace(shown, tests=shown.tests | {"tests.unit.rails.test_x::test_y": "failure"})
    return {
        "GOV-1": (proofs("refuted"), Status.FAILED),
        "GOV-2": (replace(shown, config={**shown.config, "enable_live_broker": True}), Status.FAILED),
        "GOV-3": (proofs("unknown"), Status.OPEN),
        "GOV-4": (replace(shown, attached={"gate": {"exit_code": 3}}), Status.OPEN),
        "ADA-1": (told(events=story.events.__class__()), Status.OPEN),
        "ADA-3": (replace(shown, config={**shown.config, "adapter": "other"}), Status.FAILED),
        "ORC-1": (proofs("not inductive"), Status.OPEN),
        "ORC-2": (told(happenings=[]), Status.FAILED),
        "ORC-3": (replace(shown, journal={**shown.journal, "verdict": "Torn"}), Status.FAILED),
        "ORC-4": (told(ended=False), Status.OPEN),
        "REC-1": (told(differences=[{"code": "ghost"}]), Status.FAILED),
        "REC-2": (failing, Status.FAILED),
        "REC-3": (told(trades=[*story.trades, story.trades[0]]), Status.FAILED),
        "REC-4": (replace(shown, attached={}), Status.OPEN),
        "OBS-1": (replace(shown, snapshots={}), Status.OPEN),
        "OBS-2": (replace(shown, snapshots={METRICS_FILE: {"metrics": [COUNTERS[0]]}}), Status.FAILED),
        "OBS-3": (replace(shown, tests={"tests.unit.watch::x": "skipped"}), Status.OPEN),
        "DOC-1": (replace(shown, texts=dict(shown.texts) | {"trades.csv": "x"}), Status.FAILED),
        "DOC-2": (replace(shown, replay={"verdict": "FAIL", "seq": 3, "was": "x"}), Status.FAILED),
    }


def test_each_row_can_fail(facts: Collect) -> None:
    """For each row that the program judges there is evidence with which it does not pass, and which it names."""
    shown = full(facts("C5"))
    for name, (exhibit, status) in worse(shown).items():
        assert stands(exhibit)[name] is status, name
    idle = replace(shown, attached=dict(shown.attached) | {"gate": {"exit_code": 0, "stages": []}})
    assert stands(idle)["GOV-4"] is Status.OPEN
    assert stands(replace(shown, story=None))["ORC-4"] is Status.OPEN
    assert stands(replace(shown, proofs=None, replay=None))["DOC-2"] is Status.OPEN
    assert stands(shown)["DOC-4"] is Status.OPEN
    assert stands(shown, replace(drill(shown), story=shown.story))["DOC-4"] is Status.OPEN
    judged = set(worse(shown)) | {"ADA-2", "DOC-3", "DOC-4"}
    assert judged == {row.name for row in ROWS if row.area != SIGN_OFF}


def test_a_tampered_pack_is_a_failure_and_no_evidence(facts: Collect, invoke: Invoke, tmp_path: Path) -> None:
    """One changed byte in a pack: exit 1, its file named, and no row passes by it."""
    pack, _ = make(facts("C5"), DATE, tmp_path)
    before = json.loads(invoke("readiness", "--evidence", tmp_path, "--format", "json").output)
    assert "passed" in {row["status"] for row in before["rows"]}
    page = pack / DATA / "evidence.md"
    page.write_bytes(page.read_bytes().replace(b"passed", b"pasted", 1))
    result = invoke("readiness", "--evidence", tmp_path, "--format", "json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert found["packs"][0]["problem"].startswith("data/evidence.md: changed")
    assert {row["status"] for row in found["rows"]} == {"open"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("verdicts/proofs.json", b'{"results": [{"answers": ["C0.1"]}]}'),
        ("verdicts/replay.json", b"{}"),
        ("run/run_manifest.json", b"[]"),
        ("verdicts/tests.json", b'{"tests": 7}'),
        ("versions.json", b"{}"),
        ("journal/journal.jsonl", b""),
    ],
)
def test_a_pack_that_makes_no_sense_is_no_evidence(
    facts: Collect, invoke: Invoke, tmp_path: Path, name: str, content: bytes
) -> None:
    """With right sums over contents that nobody can judge, nothing passes by it and nothing crashes."""
    pack, _ = make(facts("C5"), DATE, tmp_path / "made")
    payload = {path.relative_to(pack / DATA).as_posix(): path for path in (pack / DATA).rglob("*") if path.is_file()}
    write(tmp_path / "packs" / pack.name, {**payload, name: content}, {})
    result = invoke("readiness", "--evidence", tmp_path / "packs", "--format", "json")
    assert result.exit_code in (1, 3), result.output
    rows = {row["row"]: row["status"] for row in json.loads(result.output)["rows"]}
    assert "passed" not in rows.values() or name == "journal/journal.jsonl"
    assert rows["ORC-4"] != "passed"


def test_the_shelf_is_newest_first_and_only_packs(facts: Collect, tmp_path: Path) -> None:
    """Packs are ordered by their dates; other folders are left alone; no folder is a clear error."""
    found = facts("C5")
    for date in ("20260117", "20260119", "20260118"):
        named = replace(found, exhibit=replace(found.exhibit, name=f"EV-{date}-FINISH_C5-TRY"))
        make(named, date, tmp_path)
    (tmp_path / "notes").mkdir()
    assert [pack.name[3:11] for pack in shelf(tmp_path)] == ["20260119", "20260118", "20260117"]
    with pytest.raises(NotADirectoryError, match="peak evidence new"):
        shelf(tmp_path / "nowhere")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not here")
def test_a_person_signs_this_readiness_and_no_other(invoke: Invoke, tmp_path: Path) -> None:
    """A row of people closes by the role's signature over the basis; another basis is suspect, another hand fails."""
    evidence = tmp_path / "packs"
    evidence.mkdir()
    for name in ("risk", "stranger"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / name)], check=True
        )
    signers = tmp_path / "signers"
    signers.write_text(f"risk {(tmp_path / 'risk.pub').read_text()}")
    note = evidence / "SIGNOFF-risk.txt"

    def status(line: str, key: str) -> str:
        note.write_text(f"I have looked.\n{line}\n")
        note.with_name(f"{note.name}.sig").unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(tmp_path / key), "-n", "peak-trade", str(note)]
        subprocess.run(command, check=True, capture_output=True)
        asked = ("readiness", "--evidence", evidence, "--signers", signers, "--format", "json")
        rows = json.loads(invoke(*asked).output)["rows"]
        return next(row["status"] for row in rows if row["row"] == "SIGN-2")

    basis = json.loads(invoke("readiness", "--evidence", evidence, "--format", "json").output)["basis"]
    assert status(f"basis {basis}", "risk") == "passed"
    assert status(f"basis {'0' * 64}", "risk") == "suspect"
    assert status(f"basis {basis}", "stranger") == "failed"
    without = json.loads(invoke("readiness", "--evidence", evidence, "--format", "json").output)["rows"]
    assert next(row["status"] for row in without if row["row"] == "SIGN-2") == "open"


def test_the_pages_show_every_row_and_make_no_request(facts: Collect, invoke: Invoke, tmp_path: Path) -> None:
    """readiness.html and .md hold each row with its status; the page runs nothing and asks for nothing."""
    make(facts("C5"), DATE, tmp_path / "packs")
    result = invoke("readiness", "--evidence", tmp_path / "packs", "--out", tmp_path)
    assert result.exit_code == 3
    html, plain = (tmp_path / "readiness.html").read_text(), (tmp_path / "readiness.md").read_text()
    for row in ROWS:
        assert f'<th scope="row">{row.name}</th>' in html
        assert f"| {row.name} |" in plain
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert re.search(r"(src|href)=|https?:", html) is None


def test_what_others_wrote_is_escaped(facts: Collect) -> None:
    """A name with markup in it is shown and not obeyed, in both pages."""
    shown = full(facts("C5"))
    bad = replace(shown, config={**shown.config, "adapter": "<b>|x"})
    found = found_by(bad)
    assert "&lt;b&gt;|x" in readiness_page(found, "html")
    assert "\\<b\\>\\|x" in readiness_page(found, "md")


def test_the_checklist_is_complete_and_sound() -> None:
    """Every requirement of the track has a row, every row's id is its own, and every fact that it names exists."""
    assert set().union(*(row.answers for row in ROWS)) == REQUIREMENTS
    assert len({row.name for row in ROWS}) == len(ROWS)
    named = {need.name for row in ROWS for need in row.needs if isinstance(need, Fact)}
    assert named == set(FACTS)
    assert {row.area for row in ROWS} == {
        "governance", "adapter", "orchestrator", "reconciler", "observability", "docs", "sign-off",
    }  # fmt: skip


def test_the_mapping_is_an_aid_and_names_only_what_exists() -> None:
    """The page says that it is no advice; each line names requirements of the track, or that nothing here covers it."""
    page = text()
    assert "It is not advice" in page
    for line in LINES:
        assert set(line.answers) <= REQUIREMENTS
        assert line.place in page
    assert "| – | – | all of it |" in page


def test_attached_results_and_tests_reach_the_pack(
    invoke: Invoke, run: Path, proofs: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--tests` and `--attach` are packed and judged; what is no JSON of a command is refused."""
    monkeypatch.setattr(gather, "proofs", lambda: proofs)
    junit, docs = tmp_path / "junit.xml", tmp_path / "docs.json"
    junit.write_text('<testsuite><testcase classname="tests.unit.rails.test_limits" name="x"/></testsuite>')
    docs.write_text('{"exit_code": 0}')
    given = ("evidence", "new", "--phase", "C5", "--date", DATE, "--run", run, "--out", tmp_path, "--no-replay")
    good = invoke(*given, "--tag", "A", "--tests", junit, "--attach", f"docs={docs}")
    assert good.exit_code == 0, good.output
    shown = shelf(tmp_path)[0].exhibit
    assert shown is not None
    assert judge(Command("docs", "peak docs"), shown).status is Status.PASSED
    assert judge(Suite(("tests.unit.rails",)), shown).status is Status.PASSED
    assert judge(Suite(("tests.unit.rail",)), shown).status is Status.OPEN
    docs.write_text("no json")
    for wrong in (f"docs={docs}", "docs", f"docs={tmp_path / 'nowhere'}"):
        assert invoke(*given, "--tag", "B", "--attach", wrong).exit_code == 2
