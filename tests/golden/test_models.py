"""The classic models of docs/models: each has its known verdicts, its known number of states, and its shortest bug.

What the proofs say is compared with a walk over `lang.step` that knows nothing of proofs: for finite models over every
reachable value, for the others over every value that small payloads reach in as many steps as the bug takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from peak_trade.cli.exhibits import exhibit
from peak_trade.cli.spec import check_file
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Always, Event, Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Scalar, Sort
from peak_trade.lang.step import Stepper, Taken, Value, initial
from peak_trade.proof.claim import claims_of
from peak_trade.proof.prove import prove
from peak_trade.proof.recall.rerun import rerun
from peak_trade.proof.verdict import Proved, Refuted, Report

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "models"
SMALL = (0, 1, 2)
"""What the walk offers for a field without a bound."""


@dataclass(frozen=True)
class Known:
    """What is known of one model: the claims that are false with their shortest bug in steps, the rest being true.

    `witnesses` are the shortest runs to what must be possible; `states` are all reachable values, None for a model
    whose values have no bound.
    """

    refuted: dict[str, int] = field(default_factory=dict)
    witnesses: dict[str, int] = field(default_factory=dict)
    states: int | None = None


KNOWN = {
    "alternating-bit": Known(witnesses={"ABP-W1": 5}),
    "alternating-bit-forgotten": Known({"ABF-1": 3}),
    "bakery": Known(witnesses={"BAK-W1": 7}),
    "bakery-hasty": Known({"BKH-1": 6}),
    "bank-retry": Known({"BNR-1": 4}),
    "bank-transfer": Known(witnesses={"BNK-W1": 3}),
    "bounded-buffer": Known(witnesses={"BUF-W1": 3}),
    "buffer-race": Known({"RAC-1": 8}),
    "elevator": Known(witnesses={"ELE-W1": 6}),
    "knight": Known({"KNI-1": 2}),
    "knight-gated": Known(witnesses={"KNG-W1": 10}),
    "leader-election": Known(witnesses={"LEA-W1": 5}),
    "lost-update": Known({"LUP-1": 4}),
    "lost-update-locked": Known(witnesses={"LUL-W1": 6}),
    "needham-schroeder": Known({"NSP-1": 4, "NSP-2": 3}, states=9),
    "needham-schroeder-lowe": Known(witnesses={"NSL-W1": 4}, states=7),
    "peterson": Known(witnesses={"PET-W1": 5}, states=20),
    "peterson-swapped": Known({"PSW-1": 6}, states=32),
    "philosophers": Known({"PHI-1": 3}, {"PHI-W1": 3}, states=14),
    "philosophers-ordered": Known(witnesses={"PHO-W1": 3}, states=12),
    "readers-writers": Known(witnesses={"RW-W1": 5}),
    "test-and-set": Known(witnesses={"TAS-W1": 3}),
    "test-then-set": Known({"TTS-1": 4}, states=13),
    "therac": Known({"THE-1": 5}),
    "token-ring": Known(witnesses={"TOK-W1": 7}),
    "traffic-light": Known(witnesses={"LIT-W1": 3}),
    "two-phase-commit": Known(witnesses={"TPC-W1": 5, "TPC-W2": 2}, states=22),
    "two-phase-early": Known({"TPE-1": 3}, states=28),
    "vending": Known(witnesses={"VEN-W1": 4}),
}
FINITE = sorted(name for name, known in KNOWN.items() if known.states is not None)
BROKEN = sorted(name for name, known in KNOWN.items() if known.refuted)


@cache
def machine(name: str) -> Machine:
    """The model called `name`."""
    found = parse_file(FOLDER / f"{name}.yaml").machine
    assert found is not None
    return found


@cache
def report(name: str) -> Report:
    """Its verdicts."""
    return prove(machine(name))


def offers(event: Event) -> Iterator[dict[str, Scalar]]:
    """All payloads of an event, or all small ones where there is no last one."""
    names = [item.name for item in event.payload]
    for values in product(*(scalars(item.sort) for item in event.payload)):
        yield dict(zip(names, values, strict=True))


def scalars(sort: Sort) -> tuple[Scalar, ...]:
    """All values of a bounded sort, small ones of another."""
    match sort:
        case BoolSort():
            return (False, True)
        case EnumSort(_, members):
            return members
        case IntSort(int() as low, int() as high):
            return tuple(range(low, high + 1))
        case IntSort(low, _):
            return tuple((low or 0) + item for item in SMALL)
        case _:
            pytest.fail(f"no model has a payload of {sort}")


def walk(name: str, steps_max: int | None = None) -> dict[Value, int]:
    """Each value that is reached, with its distance, by any steps or at most so many; nothing is filtered."""
    found = replace(machine(name), properties=())
    stepper, start = Stepper.of(found), initial(found)
    distance, border, steps = {start: 0}, [start], 0
    while border and steps != steps_max:
        steps += 1
        reached = []
        for value in border:
            for event in found.events:
                for payload in offers(event):
                    outcome, after = stepper.step(value, event.name, payload)
                    if isinstance(outcome, Taken) and after not in distance:
                        distance[after] = steps
                        reached.append(after)
        border = reached
    return distance


def soonest(name: str, claim: str, distance: dict[Value, int]) -> int | None:
    """The distance of the nearest value without the invariant `claim`."""
    (item,) = [one for one in machine(name).properties if one.name == claim]
    assert isinstance(item, Always)
    names = [one.name for one in machine(name).variables]
    wrong = (
        steps
        for value, steps in distance.items()
        if not evaluate(item.holds, Env(dict(zip(names, value.context, strict=True)), state=value.state))
    )
    return min(wrong, default=None)


def test_every_model_is_known() -> None:
    """Each file of the folder has its row here, and the folder has what is promised of it."""
    assert {path.stem for path in FOLDER.glob("*.yaml")} == KNOWN.keys()
    unbounded = KNOWN.keys() - set(FINITE)
    assert len(KNOWN) >= 14
    assert len(unbounded) >= 5
    assert len(BROKEN) >= 5


@pytest.mark.parametrize("name", KNOWN)
def test_a_model_is_well_formed(name: str) -> None:
    """Each model passes all checks, the solver's too: every cell is decided once, no row is dead."""
    assert check_file(FOLDER / f"{name}.yaml").found == ()


@pytest.mark.parametrize("name", KNOWN)
def test_the_verdicts_are_the_known_ones(name: str) -> None:
    """Each claim is proved or refuted as the literature says, by a trace of the known length; none is left open."""
    known, verdicts = KNOWN[name], {item.property: item.verdict for item in report(name).results}
    assert verdicts.keys() == {claim.name for claim in claims_of(machine(name))}
    refuted = {claim for claim, verdict in verdicts.items() if isinstance(verdict, Refuted)}
    assert refuted == known.refuted.keys()
    assert all(isinstance(verdicts[claim], Proved) for claim in verdicts.keys() - refuted)
    traces = {claim: verdict.trace for claim, verdict in verdicts.items() if isinstance(verdict, Proved | Refuted)}
    lengths = {claim: len(trace.links) for claim, trace in traces.items() if trace is not None}
    assert lengths == known.refuted | known.witnesses


@pytest.mark.parametrize("name", FINITE)
def test_a_finite_model_has_the_known_states(name: str) -> None:
    """A walk over every value counts what is known, and finds each bug at the length that the proof gave, or none."""
    distance = walk(name)
    assert len(distance) == KNOWN[name].states
    for claim in (item.name for item in machine(name).properties if isinstance(item, Always)):
        assert soonest(name, claim, distance) == KNOWN[name].refuted.get(claim)


@pytest.mark.parametrize("name", sorted(set(BROKEN) - set(FINITE)))
def test_no_bug_is_nearer_than_the_shortest(name: str) -> None:
    """Where values have no bound, a walk with small payloads finds the bug at the proof's length and not before."""
    for claim, steps in KNOWN[name].refuted.items():
        assert soonest(name, claim, walk(name, steps)) == steps


@pytest.mark.parametrize("name", KNOWN)
def test_every_trace_replays_in_all_engines(name: str) -> None:
    """`lang.step`, kernel and python-statemachine do what each trace says, and it shows what it is said to show."""
    claims = {claim.name: claim for claim in claims_of(machine(name))}
    for result in report(name).results:
        shown = exhibit(machine(name), name, result)
        if shown is not None:
            assert rerun(machine(name), claims[result.property], shown.told.verdict, shown.trace).passed


@pytest.mark.parametrize("name", KNOWN)
def test_the_page_says_so(name: str) -> None:
    """The table of the folder's page has the model with its verdict, its states, and its shortest bug."""
    known = KNOWN[name]
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| [`{name}`]({name}.yaml) |")]
    states = "no bound" if known.states is None else f"{known.states}"
    bugs = ", ".join(f"{claim}: {steps}" for claim, steps in known.refuted.items()) or "–"
    verdict = "**refuted**" if known.refuted else "proved"
    assert row.endswith(f"| {verdict} | {states} | {bugs} |")
