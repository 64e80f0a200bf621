"""A run run again from what was kept of it: the same journal, or the first record that differs.

`fresh` starts in an empty folder with its own venue and takes from the journal only what came from outside the program
(kill switch, operator, drifted configuration), each at its step. It checks all: our decisions and the venue's answers.
`tape` runs over a copy of the journal, takes every outer answer from it, and checks that our decisions follow. It is
the weaker claim, and tells which side differs when `fresh` fails.

Limits: the strategy must be importable; `tape` ends where the journal ends, in the middle of a step or not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, Literal, TypeAlias

from peak_trade.cli.job import fenced, strategy_of
from peak_trade.evidence.artifacts import Snapshot
from peak_trade.evidence.collect import RECOVERED
from peak_trade.evidence.compare import END, Comparison, Differs, compare, reached, said, valid
from peak_trade.evidence.provenance import installed
from peak_trade.journal.chain import Chain
from peak_trade.journal.errors import JournalHalted
from peak_trade.journal.record import Record
from peak_trade.journal.tape import Diverged
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import Scalar
from peak_trade.market.bars import Bars
from peak_trade.session.assembly import JOURNAL, KILL_SWITCH, Session, Setup, open_session
from peak_trade.session.config import Config
from peak_trade.session.inputs import EXTERNAL, Input
from peak_trade.session.killswitch import KillSwitch

Mode: TypeAlias = Literal["fresh", "tape"]
MODES: Final = ("fresh", "tape")
DRAIN_STEPS_MAX: Final = 200
BY: Final = "replay"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of a run: its journal, its configuration, and what it ran on."""

    journal: Path
    snapshot: Snapshot
    session: Machine
    order: Machine
    breaker: Machine
    bars: Bars

    def setup(self, folder: Path, rearm: str) -> Setup:
        """Return the setup of the run in another folder."""
        config = Config.model_validate(self.snapshot.config)
        return Setup(
            folder=folder,
            session=self.session,
            order=self.order,
            breaker=self.breaker,
            config=config,
            bars=self.bars,
            strategy=strategy_of(config),
            steps_max=self.snapshot.steps_max,
            version=installed("peak-trade"),
            rearm=rearm,
        )


@dataclass(slots=True)
class Script:
    """What came from outside, says the journal: a latched switch, who re-armed it, events by the step before them."""

    records: int = 0
    interrupted: bool = False
    latched: bool = False
    rearm: str = ""
    events: dict[int, list[Input]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


class WrongWorld(ValueError):  # noqa: N818 - said of what was given
    """What is given to run again on is not what the journal was written on."""

    def __init__(self, what: str, expected: str, was: str, remedy: str) -> None:
        self.what, self.expected, self.was = what, expected, was
        super().__init__(f"{what}: expected {expected}, was {was}; {remedy}")


def reenact(kept: Kept, scratch: Path, mode: Mode) -> Comparison:
    """Run `kept` again in the new folder `scratch` and return whether it wrote the same.

    Raises:
        WrongWorld: version, specification, bars or configuration are not those of the journal.
        StrategyError: the strategy cannot be imported.
    """
    fenced()
    expect_world(kept)
    script = script_of(kept)
    return _fresh(kept, scratch, script) if mode == "fresh" else _tape(kept, scratch, script)


def expect_world(kept: Kept) -> None:
    """Raise WrongWorld unless the run record names what is given."""
    first = next(valid(kept.journal), None)
    if first is None or first.kind != "run":
        raise WrongWorld("journal", "a run record first", "none", "the journal is empty or its head is damaged")
    body = first.body
    given = (
        ("version", installed("peak-trade"), "install the version that wrote it, or check out its commit"),
        ("session_spec", fingerprint(kept.session), "give the specification that the run was driven by"),
        ("order_spec", fingerprint(kept.order), "give the specification that the run was driven by"),
        ("breaker_spec", fingerprint(kept.breaker), "give the specification that the run was driven by"),
        ("data", kept.bars.sha256, "give the same file of bars with --bars"),
        ("config", Config.model_validate(kept.snapshot.config).sha256(), "give the run's own config_snapshot.json"),
    )
    for name, was, remedy in given:
        if body.get(name) != was:
            raise WrongWorld(name, f"{body.get(name)} as the journal says", was, remedy)


def script_of(kept: Kept) -> Script:
    """Return what came from outside, from the journal's longest valid prefix."""
    script = Script()
    payloads = {event.name: [item.name for item in event.payload] for event in kept.session.events}
    for record in valid(kept.journal):
        script.records += 1
        script.interrupted = script.interrupted or record.kind == RECOVERED
        body = record.body
        if record.kind != "session":
            continue
        event = str(body["event"])
        if event == "kill_switch_read":
            script.latched = script.latched or bool(body["read_latched"])
        elif event == "rearm":
            script.rearm = str(body.get("operator") or BY)
        elif event in EXTERNAL:
            payload = {name: _scalar(body[name]) for name in payloads[event]}
            script.events.setdefault(int(body["step"] or 0), []).append((event, payload))
            if body.get("operator"):
                script.names[event] = str(body["operator"])
    return script


def _scalar(value: object) -> Scalar:
    assert isinstance(value, bool | int | str)
    return value


def _fresh(kept: Kept, scratch: Path, script: Script) -> Comparison:
    scratch.mkdir(parents=True)
    if script.latched:
        KillSwitch(scratch / KILL_SWITCH).latch(BY)
    session = open_session(kept.setup(scratch, script.rearm), resume=False)
    try:
        session.start()
        _play(session, script, lambda: script.interrupted or _head(session) < script.records)
    finally:
        session.close()
    return compare(kept.journal, scratch / JOURNAL / kept.journal.name)


def _head(session: Session) -> int:
    return session.journal.head.records if session.journal is not None else 0


def _tape(kept: Kept, scratch: Path, script: Script) -> Comparison:
    place = Chain()
    for _ in valid(kept.journal, place):
        pass
    copy = scratch / JOURNAL / kept.journal.name
    copy.parent.mkdir(parents=True)
    with kept.journal.open("rb") as file:
        copy.write_bytes(file.read(place.size_bytes))
    KillSwitch(scratch / KILL_SWITCH).create()
    if script.latched:
        KillSwitch(scratch / KILL_SWITCH).latch(BY)
    try:
        session = open_session(kept.setup(scratch, script.rearm), resume=True)
        return _over_tape(session) or reached(kept.journal, "records")
    except Diverged as error:
        return Differs(error.seq, said(error.expected), said(error.was))


def _over_tape(session: Session) -> Comparison | None:
    """Run while recorded records are left; return what is left over of them, if anything."""
    tape, journal = session.tape, session.journal
    assert journal is not None, session.problem
    journal.abandon()  # nothing is ever appended: the first record after the tape's end is refused
    try:
        session.start()
        _play(session, Script(), lambda: tape.replaying)
    except JournalHalted:
        if tape.replaying:
            raise
    finally:
        session.close()
    left: Record | None = tape.peek()
    return None if left is None else Differs(left.seq, said(left), END)


def _play(session: Session, script: Script, wanted: Callable[[], bool]) -> None:
    """Take bounded steps while they are wanted, offering what came from outside at its step."""
    orchestrator = session.orchestrator
    config = session.setup.config
    for _ in range(orchestrator.plan.steps + config.wind_down_steps + DRAIN_STEPS_MAX):
        if orchestrator.over or not wanted():
            return
        orchestrator.inputs.asked = list(script.events.get(orchestrator.moment.step, ()))
        orchestrator.inputs.names = dict(script.names)
        orchestrator.run_n_steps(1)


def outside(script: Script) -> list[str]:
    """Return the names of what came from outside, in order."""
    return [event for event, _ in chain.from_iterable(script.events.values())]
