"""The breaker outlives the process: on the tape, at commits, and taken from there by whoever resumes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.errors import BrokerError, VenueUnavailable
from peak_trade.cli.specs import machine_named
from peak_trade.journal.record import Body
from peak_trade.journal.scan import read
from peak_trade.journal.store import Journal
from peak_trade.journal.tape import Diverged, Tape
from peak_trade.session.circuit import Circuit, Paced
from peak_trade.session.recording import ACCOUNT, ANNOTATIONS, BREAKER, END, RECONCILED, schema

KERNEL = compile_kernel(machine_named("breaker"))
SCHEMA = schema(machine_named("session"), machine_named("order"))
STEPS = 12
DOWN = {3, 4, 5, 7}
"""Steps in which the venue gives no answer."""


class Venue:
    """Answers the number of the step, but not while it is down; `asked` are the steps in which it heard anything."""

    def __init__(self) -> None:
        self.step = 0
        self.asked: list[int] = []

    def advance(self, step: int, bars: tuple[object, ...]) -> None:  # noqa: ARG002 - the world's signature
        """Be at the step."""
        self.step = step

    def list_open_orders(self) -> tuple[int, ...]:
        """The step, as what is open."""
        self.asked.append(self.step)
        if self.step in DOWN:
            raise VenueUnavailable("venue", "list_open_orders")
        return (self.step,)


class Run:
    """A process: it opens the journal in the folder and takes steps, as an orchestrator does."""

    def __init__(self, folder: Path) -> None:
        self.venue = Venue()
        self.adapter = Adapter(self.venue, KERNEL, Bounds(attempts_max=2, failures_max=3, cooldown_steps=2))
        self.world = Paced(self.venue, self.adapter)
        self.journal = Journal.open(folder, SCHEMA)
        self.tape = Circuit(Tape(self.journal, ANNOTATIONS), self.adapter)
        self.states: list[str] = []

    def steps(self, last: int) -> None:
        """Take all steps up to the last."""
        for step in range(1, last + 1):
            if not self.tape.replaying:
                self.world.advance(step, ())
            self.tape.outcome(RECONCILED, lambda step=step: self.ask(step))
            self.tape.append(ACCOUNT, {"step": step})
            self.tape.commit()
            self.states.append(self.adapter.breaker.state)
        if last == STEPS:
            self.tape.append(END, {"step": last})
            self.tape.commit()
        self.journal.close()

    def ask(self, step: int) -> Body:
        """What the venue says, once or twice; no answer is one, too."""
        try:
            found = self.adapter.list_open_orders()
        except BrokerError:
            return {"step": step, "asked": False}
        return {"step": step, "asked": True, "orders": int(found[0])}


def bytes_of(folder: Path) -> bytes:
    """The journal's bytes."""
    return (folder / "journal.jsonl").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[str], list[int]]:
    """The journal, the breaker's states, and when the venue was asked, of the run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    run = Run(folder)
    run.steps(STEPS)
    return bytes_of(folder), run.states, run.venue.asked


@pytest.mark.parametrize("died", range(STEPS + 1))
def test_a_resumed_run_has_the_breaker_of_the_undisturbed_one(
    tmp_path: Path, whole: tuple[bytes, list[str], list[int]], died: int
) -> None:
    """Stopped after any step and resumed: the same journal, and the venue is asked when it would have been."""
    first = Run(tmp_path)
    first.steps(died)
    second = Run(tmp_path)
    second.steps(STEPS)
    wanted, states, asked = whole
    assert bytes_of(tmp_path) == wanted
    assert second.states == states
    assert first.venue.asked + second.venue.asked == asked


def test_the_journal_tells_the_breaker_moves(whole: tuple[bytes, list[str], list[int]], tmp_path: Path) -> None:
    """Two failures in step 3 and one in step 4 open it; it cools down in step 5, and a probe in step 6 closes it."""
    (tmp_path / "journal.jsonl").write_bytes(whole[0])
    records = list(read(tmp_path / "journal.jsonl"))
    told = [(r.body["step"], r.body["state"], r.body["failures"]) for r in records if r.kind == BREAKER]
    assert told[:4] == [(3, "closed", 2), (4, "open", 3), (5, "open", 3), (6, "closed", 0)]
    assert records[-1].kind == END
    assert 5 not in whole[2], "the venue is left alone while the circuit is open"


def test_a_run_without_failures_says_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the venue answers there is no record of the breaker."""
    monkeypatch.setattr(f"{__name__}.DOWN", set())
    run = Run(tmp_path)
    run.steps(STEPS)
    assert {record.kind for record in read(tmp_path / "journal.jsonl")} == {RECONCILED, ACCOUNT, END}


def test_the_tape_below_is_as_strict_as_ever(tmp_path: Path) -> None:
    """Another record than the recorded one is still a divergence, and annotations pass."""
    first = Run(tmp_path)
    first.steps(4)
    second = Run(tmp_path)
    with pytest.raises(Diverged):
        second.tape.append(ACCOUNT, {"step": 9})
    second.journal.close()


def test_a_failure_in_the_last_step_stands_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What moves the breaker between the last commit and the end is written before the end."""
    monkeypatch.setattr(f"{__name__}.DOWN", {STEPS})
    run = Run(tmp_path)
    commit: Callable[[], object] = run.tape.commit
    run.tape.commit = lambda: None if run.adapter.step == STEPS and not run.states[STEPS - 1 :] else commit()
    run.steps(STEPS)
    assert [record.kind for record in read(tmp_path / "journal.jsonl")][-2:] == [BREAKER, END]
