"""A need is met iff the exhibit holds evidence of it and the evidence speaks for it; without evidence it is open."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, assert_never

from peak_trade.evidence.artifacts import CONFIG, FIVE, MANIFEST, sha256
from peak_trade.evidence.checklist import Command, Drill, Fact, Locks, Names, Need, Person, Proof, Replay, Suite
from peak_trade.evidence.exhibit import INCIDENT, Exhibit
from peak_trade.evidence.story import Story
from peak_trade.evidence.timeline import OUTSIDE

UNANSWERED: Final = frozenset({"pending_new", "unknown"})


class Status(StrEnum):
    """What became of a need or a row, best first; only PASSED is a pass."""

    PASSED = "passed"
    OPEN = "open"
    SUSPECT = "suspect"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judged:
    """A status and, for a person, why."""

    status: Status
    why: str


def judge(need: Need, exhibit: Exhibit) -> Judged:  # noqa: PLR0911 - one line for each kind of need
    """Return what the exhibit says about `need`; OPEN iff it holds no evidence of it."""
    match need:
        case Proof(clauses):
            return _proof(clauses, exhibit.proofs)
        case Locks():
            return _locks(exhibit.proofs)
        case Fact(name):
            return FACTS[name](exhibit)
        case Replay():
            return _replay(exhibit.replay)
        case Suite(modules):
            return _tests(modules, exhibit.tests)
        case Names(snapshot, names):
            return _names(snapshot, names, exhibit.snapshots)
        case Command(name, _):
            return _command(name, exhibit.attached)
        case Drill():
            return _drill(exhibit)
        case Person(role):
            return Judged(Status.OPEN, f"waits for a person: {role}")
        case _:
            assert_never(need)


def _verdict(good: bool, yes: str, no: str) -> Judged:
    return Judged(Status.PASSED, yes) if good else Judged(Status.FAILED, no)


def _none(what: str) -> Judged:
    return Judged(Status.OPEN, f"no evidence: {what}")


def _proof(clauses: tuple[str, ...], proofs: Mapping[str, Any] | None) -> Judged:
    mine = [
        item
        for item in (proofs or {}).get("results", [])
        if any(answer.startswith(clauses) for answer in item["answers"])
    ]
    if not mine:
        return _none(f"no property that answers {', '.join(clauses)} was proved")
    bad = [f"{item['property']} {item['verdict']}" for item in mine if item["verdict"] != "proved"]
    refuted = any(item["verdict"] == "refuted" for item in mine)
    if bad and not refuted:
        return Judged(Status.OPEN, f"no verdict yet: {', '.join(bad)}")
    return _verdict(not bad, f"{len(mine)} properties proved", ", ".join(bad))


def _locks(proofs: Mapping[str, Any] | None) -> Judged:
    rows = (proofs or {}).get("locks", [])
    if not rows:
        return _none("the locks of the live gate were not looked at")
    idle = [f"{row['transition']} {row['lock']}" for row in rows if row["needed"] == "no"]
    if not idle and any(row["needed"] not in ("yes", "backed") for row in rows):
        return Judged(Status.OPEN, "not every lock could be decided")
    return _verdict(not idle, f"{len(rows)} locks, each needed", f"not needed: {', '.join(idle)}")


def _replay(replay: Mapping[str, Any] | None) -> Judged:
    if replay is None:
        return _none("the run was not replayed")
    yes = f"{replay.get('records')} records the same, compared as {replay.get('compared')}"
    return _verdict(replay["verdict"] == "PASS", yes, f"record {replay.get('seq')} differs: {replay.get('was')}")


def _tests(modules: tuple[str, ...], tests: Mapping[str, str]) -> Judged:
    counted = 0
    for module in modules:
        mine = {name: outcome for name, outcome in tests.items() if f"{name.split('::')[0]}.".startswith(f"{module}.")}
        bad = [name for name, outcome in mine.items() if outcome in ("failure", "error")]
        if bad:
            return Judged(Status.FAILED, f"{len(bad)} tests failed, the first is {bad[0]}")
        if "passed" not in mine.values():
            return _none(f"no test of {module} ran")
        counted += sum(outcome == "passed" for outcome in mine.values())
    return Judged(Status.PASSED, f"{counted} tests passed in {', '.join(modules)}")


def _names(snapshot: str, names: tuple[str, ...], snapshots: Mapping[str, Any]) -> Judged:
    if snapshot not in snapshots:
        return _none(f"no {snapshot}")
    found = _keys(snapshots[snapshot])
    missing = [name for name in names if name not in found]
    return _verdict(not missing, f"{len(names)} names in {snapshot}", f"not in {snapshot}: {', '.join(missing)}")


def _keys(data: Any) -> set[str]:  # noqa: ANN401 - JSON data
    """Return every key of nested JSON data, and every text under a key `name`."""
    if isinstance(data, list):
        return set().union(*map(_keys, data)) if data else set()
    if not isinstance(data, dict):
        return set()
    named = {value for key, value in data.items() if key == "name" and isinstance(value, str)}
    return set(data) | named | set().union(*map(_keys, data.values()))


def _command(name: str, attached: Mapping[str, Any]) -> Judged:
    if name not in attached:
        return _none(f"no result of peak {name}")
    code = attached[name].get("exit_code")
    if attached[name].get("stages") == []:
        return _none(f"peak {name} had nothing to judge; make it judge everything, with --all")
    if code not in (0, 1):
        return Judged(Status.OPEN, f"peak {name} was inconclusive: exit code {code}")
    return _verdict(code == 0, f"peak {name} passed", f"peak {name} failed: exit code {code}")


def _drill(exhibit: Exhibit) -> Judged:
    if exhibit.phase != INCIDENT or exhibit.replay is None:
        return _none("no incident pack that was replayed")
    story = exhibit.story
    if story is None or (story.ended and not any(item.event in OUTSIDE for item in story.happenings)):
        return _none("the packed session was neither killed nor stopped from outside")
    return _replay(exhibit.replay)


def _told(fact: Callable[[Exhibit, Story], Judged]) -> Callable[[Exhibit], Judged]:
    def judged(exhibit: Exhibit) -> Judged:
        return _none("the pack holds no whole journal") if exhibit.story is None else fact(exhibit, exhibit.story)

    return judged


def _no_live(exhibit: Exhibit, story: Story) -> Judged:
    if not exhibit.live_states:
        return _none("no specification says which states are live")
    entered = sorted(name for name in exhibit.live_states if story.entered["session"][name])
    flag = exhibit.config.get("enable_live_broker")
    why = f"live flag {flag}, live states entered: {', '.join(entered) or 'none'}"
    return _verdict(flag is False and not entered, why, why)


def _mock_only(exhibit: Exhibit, _: Story) -> Judged:
    adapter = exhibit.config.get("adapter")
    return _verdict(adapter == "mock", "the adapter was the mock", f"the adapter was {adapter}")


def _preflight(_: Exhibit, story: Story) -> Judged:
    taken = [item.event for item in story.happenings if item.outcome == "taken"]
    good = [event for event in taken if event != "rearm"][:3] == ["kill_switch_read", "preflight", "start_dryrun"]
    return _verdict(good, "kill switch read, preflight passed, dry run started", f"began with {', '.join(taken[:3])}")


def _journal(exhibit: Exhibit, _: Story) -> Judged:
    found = exhibit.journal
    good = found.get("verdict") == "Intact" and found.get("admitted") is True
    return _verdict(good, f"{found.get('records')} records, root {str(found.get('root'))[:16]}…", str(dict(found)))


def _stopped(_: Exhibit, story: Story) -> Judged:
    if not story.ended:
        return _none("the run is not over")
    return _verdict(story.state == "STOPPED", f"STOPPED after {story.steps} steps", f"ended in {story.state}")


def _reconciled(_: Exhibit, story: Story) -> Judged:
    if not story.reconciled.get("asked"):
        return _none("the venue was not asked")
    if story.reconciled.get("closing") is False:
        return _none("the last comparison was in the middle of the run")
    count = len(story.differences)
    return _verdict(not count, f"{story.reconciled['orders']} orders compared", f"{count} differences")


def _resolved(_: Exhibit, story: Story) -> Judged:
    met = story.events["time_out"]
    if not met:
        return _none("no time-out was met; run with --faults 100")
    left = [line.order for line in story.lines.values() if line.state in UNANSWERED]
    return _verdict(not left, f"{met} met, all resolved", f"not resolved: {', '.join(left[:5])}")


def _fills_once(_: Exhibit, story: Story) -> Judged:
    if not story.trades:
        return _none("nothing was filled")
    names = {trade.exec_id for trade in story.trades}
    over = [line.order for line in story.lines.values() if line.cum > line.qty]
    good = len(names) == len(story.trades) and not over
    return _verdict(
        good, f"{len(names)} fills, each once", f"{len(story.trades) - len(names)} fills twice, over: {over}"
    )


def _artifacts(exhibit: Exhibit, _: Story) -> Judged:
    texts = exhibit.texts
    missing = [name for name in FIVE if name not in texts]
    if missing:
        return _none(f"no {', '.join(missing)}")
    listed = json.loads(texts[MANIFEST])["outputs_sha256"]
    bad = [name for name in FIVE if name != MANIFEST and listed.get(name) != sha256(texts[name])]
    return _verdict(not bad, f"five artifacts; {CONFIG} and three others as hashed", f"not as hashed: {', '.join(bad)}")


FACTS: Final[dict[str, Callable[[Exhibit], Judged]]] = {
    "no_live": _told(_no_live),
    "mock_only": _told(_mock_only),
    "preflight": _told(_preflight),
    "journal": _told(_journal),
    "stopped": _told(_stopped),
    "reconciled": _told(_reconciled),
    "resolved": _told(_resolved),
    "fills_once": _told(_fills_once),
    "artifacts": _told(_artifacts),
}
"""What a packed run's journal can be asked, by the name that a row of the checklist uses."""
