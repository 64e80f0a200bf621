"""What was found once stays found: a trace replayed in three engines, and the test that is made of it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from peak_trade.cli.exhibits import exhibit
from peak_trade.lang.expr import Compare, Comparison, Expr, Lit, Scope, Var
from peak_trade.lang.machine import LeadsTo, Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.step import Refused, Value, initial
from peak_trade.lang.trace import Link, Trace, replay
from peak_trade.proof.prove import prove
from peak_trade.proof.recall.itf import Told, told_of
from peak_trade.proof.recall.regress import fault, source
from peak_trade.proof.recall.rerun import ENGINES, Agrees, Differs, rerun
from peak_trade.proof.recall.shown import NOT_INDUCTIVE, PROVED, REFUTED, claim_named, shows

MODELS = Path(__file__).resolve().parents[3] / "docs" / "models"


def read(name: str) -> Machine:
    """The model called `name`."""
    machine = parse_file(MODELS / f"{name}.yaml").machine
    assert machine is not None
    return machine


RETRY, TRANSFER = read("bank-retry"), read("bank-transfer")


def bug() -> tuple[Told, Trace]:
    """The counterexample of the transfer without a key, and what it tells."""
    (result,) = prove(RETRY, only=frozenset({"BNR-1"})).results
    found = exhibit(RETRY, "x", result)
    assert found is not None
    return found.told, found.trace


def test_all_engines_do_what_is_recorded() -> None:
    """A trace of a proof replays in each engine, and shows what it was said to show."""
    _, trace = bug()
    found = rerun(RETRY, claim_named(RETRY, "BNR-1"), REFUTED, trace)
    assert found.engines == tuple(Agrees(engine, 4) for engine in ENGINES)
    assert found.passed


@pytest.mark.parametrize("place", range(4))
def test_a_step_that_was_tampered_with_is_found(place: int) -> None:
    """Another value at any step is a difference at that step for every engine."""
    _, trace = bug()
    link = trace.links[place]
    other = replace(link, value=Value(link.value.state, (*link.value.context[:-1], 7)))
    forged = replace(trace, links=(*trace.links[:place], other, *trace.links[place + 1 :]))
    found = rerun(RETRY, claim_named(RETRY, "BNR-1"), REFUTED, forged)
    assert [(item.number if isinstance(item, Differs) else 0) for item in found.engines] == [place + 1] * 3
    assert not found.passed


def test_a_trace_that_shows_something_else_does_not_pass() -> None:
    """All engines agree on a run that breaks nothing, but it refutes nothing; nor does one from another start."""
    claim = claim_named(RETRY, "BNR-1")
    quiet = replay(RETRY, initial(RETRY), (("transfer", {"amount": 1}),))
    assert not rerun(RETRY, claim, REFUTED, quiet).passed
    rich = Value("ready", (100, 1, 0, 100))
    assert not shows(RETRY, claim, REFUTED, Trace("bank_retry", rich, ()))
    assert shows(RETRY, claim, NOT_INDUCTIVE, Trace("bank_retry", rich, ()))
    assert not shows(RETRY, claim, PROVED, Trace("bank_retry", rich, ()))


def test_a_value_that_is_none_of_the_machine_is_a_difference() -> None:
    """A start beyond the bounds of its variable is said to be so by the engines that load it."""
    trace = Trace("bank_retry", Value("ready", (-1, 0, 0, 100)), ())
    found = rerun(RETRY, claim_named(RETRY, "BNR-1"), NOT_INDUCTIVE, trace)
    assert [type(item) for item in found.engines] == [Agrees, Differs, Differs]


def test_the_fault_is_gone_once_the_machine_is_mended() -> None:
    """The same steps break the machine without a key and not the one with it, where the last is booked once."""
    _, trace = bug()
    offers = [(link.event, dict(link.payload)) for link in trace.links]
    assert fault(RETRY, "BNR-1", offers).startswith("BNR-1 is broken after 4 steps")
    assert not fault(TRANSFER, "BNK-1", offers)


def test_a_step_of_before_may_be_unknown_now() -> None:
    """A mended machine may have no such event or field any more; the engines agree on that too."""
    assert not fault(TRANSFER, "BNK-1", [("teleport", {}), ("transfer", {"how_much": 3}), ("transfer", {"amount": -1})])


def test_a_witness_must_stay_reachable() -> None:
    """The run to a witness is fine as long as it reaches it."""
    offers = [("transfer", {"amount": 30}), ("book", {}), ("answered", {})]
    assert not fault(TRANSFER, "BNK-W1", offers)
    assert "no longer reached" in fault(TRANSFER, "BNK-W1", offers[:2])


def test_a_start_that_an_invariant_excludes_proves_nothing() -> None:
    """A step that was not inductive is cured by a lemma that excludes its start."""
    start = ("unsure", {"mine": 0, "yours": 100, "moving": 5, "total": 100, "booked": False})
    assert not fault(TRANSFER, "BNK-1", [("time_out", {}), ("book", {})], start)
    bare = replace(TRANSFER, properties=tuple(item for item in TRANSFER.properties if item.name == "BNK-1"))
    assert "BNK-1 is broken" in fault(bare, "BNK-1", [("time_out", {}), ("book", {})], start)


def test_what_must_happen_is_judged_by_its_rule() -> None:
    """A fair event that is refused while waiting puts the goal off; one that comes after it does not."""
    machine = read("elevator")
    claim = claim_named(machine, "ELE-L1")
    assert isinstance(claim, LeadsTo)
    going = Value("moving", (0, 2, False))
    stuck = Link("go_on", (), Refused("made_up"), going)
    assert shows(machine, claim, NOT_INDUCTIVE, Trace("elevator", going, (stuck,)))
    there = Value("standing", (2, 2, False))
    assert not shows(machine, claim, NOT_INDUCTIVE, Trace("elevator", there, (replace(stuck, value=there),)))
    worse = replay(machine, going, (("go_on", {}),))
    assert not shows(machine, claim, NOT_INDUCTIVE, worse)
    bad = replace(claim, rank=claim_named(read("vending"), "VEN-L1").rank)  # type: ignore[union-attr]  # a rank of 1
    assert shows(machine, bad, NOT_INDUCTIVE, worse)


def test_a_run_that_goes_round_fairly_puts_off_for_ever() -> None:
    """Back at an earlier value with a fair event on the way, a goal can be put off for ever; without one it cannot."""
    machine = read("traffic-light")
    rank = claim_named(read("vending"), "VEN-L1").rank  # type: ignore[union-attr]  # a rank of 1
    when, then = (_parsed(machine, text) for text in ("main == green", "cars == 7"))
    claim = LeadsTo("L", "x", when, then, rank, ("tick",))
    around = replay(machine, initial(machine), (("tick", {}),) * 4)
    assert around.last == around.start
    assert shows(machine, claim, REFUTED, around)
    assert not shows(machine, claim, REFUTED, replace(around, links=around.links[:3]))
    assert not shows(machine, replace(claim, then=_parsed(machine, "side == green")), REFUTED, around)
    failing = replay(machine, initial(machine), (("fail", {}), ("repair", {}), ("fail", {})))
    assert failing.last == failing.links[0].value
    assert not shows(machine, claim, REFUTED, failing)
    assert shows(machine, replace(claim, weak=True), REFUTED, failing)


def _parsed(machine: Machine, text: str) -> Expr:
    """The expression about the lights that `text` is: a variable, and the value that it shall have."""
    name, _, word = text.partition(" == ")
    item = {one.name: one for one in machine.variables}[name]
    value = int(word) if word.isdecimal() else word
    return Compare(Comparison.EQ, Var(name, item.sort, Scope.CONTEXT), Lit(value, item.sort))


@pytest.mark.parametrize("start", [None, Value("open", (10, 5, 2**80, 100))], ids=["initial", "anywhere"])
def test_the_test_of_a_trace_is_clean_and_runs(tmp_path: Path, start: Value | None) -> None:
    """What is written is formatted and linted as the project is, fails as long as the fault is there, and is stable."""
    told, trace = bug()
    if start is not None:
        told = told_of(RETRY, ("BNR-1", "always", 'Says "a" lot \\ and ' + "much " * 40), NOT_INDUCTIVE, "x")
        trace = replay(RETRY, start, (("book", {}), ("pay_in", {"cash": 10**70}), ("time_out", {})))
    text = source(
        told, trace, RETRY, f'str(Path(__file__).resolve().parents[0] / "{MODELS.as_posix()}/bank-retry.yaml")'
    )
    assert text == source(told, trace, RETRY, text.partition("SPEC = ")[2].partition("\n")[0])
    file = tmp_path / "tests" / "test_it.py"
    file.parent.mkdir()
    file.write_text(text)
    # The path of the checkout stands in this text, and a checkout may be below /tmp (S108).
    for check in (["check", "-q", "--extend-ignore=S108"], ["format", "--check", "-q"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "--stdin-filename", "tests/unit/test_it.py", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=MODELS.parents[1])
        assert done.returncode == 0, done.stdout + done.stderr + text
    found: dict[str, object] = {"__file__": str(file)}
    exec(compile(text, str(file), "exec"), found)  # noqa: S102 - our own text
    with pytest.raises(AssertionError, match="BNR-1 is broken"):
        found["test_bank_retry_bnr_1"]()  # type: ignore[operator]
