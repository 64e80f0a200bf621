"""The reference model of docs/models/ptref: the counts of its table, its theorems for any number, faults it must show.

Counts are compared with a walk written here, which knows nothing of our machines; shortest runs of faults are found by
walking every value within small bounds, and again by Z3 without any.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from peak_trade.backends.domains import Bounds
from peak_trade.backends.successors import predicate
from peak_trade.cli.specs import system_at
from peak_trade.lang.compose import instance
from peak_trade.lang.expr import Compare, Comparison, Ite, Lit, Or, Scope, Var, conjunction
from peak_trade.lang.machine import LeadsTo
from peak_trade.lang.sorts import INT
from peak_trade.lang.system import System
from peak_trade.proof.case import Case
from peak_trade.proof.claim import claims_of
from peak_trade.proof.cycles import weak_fairness
from peak_trade.proof.doubt.variants import variants
from peak_trade.proof.doubt.vary import conjuncts
from peak_trade.proof.explore import Graph, explore
from peak_trade.proof.parametric import Task, prove_system
from peak_trade.proof.search import reached
from peak_trade.proof.solve import Limits
from peak_trade.proof.survey import verdict_on
from peak_trade.proof.verdict import Proved, Refuted

SYSTEM = Path(__file__).resolve().parents[2] / "docs" / "models" / "ptref" / "system.yaml"
TABLE = {(1, 3): (297, 12), (1, 5): (735, 12), (1, 10): (3_020, 12), (2, 3): (24_231, 20), (2, 5): (153_975, 20)}
"""Orders and largest quantity: states, and steps to the farthest."""
CLOSED = ("filled", "canceled", "rejected", "expired")
BROKER = ("BAck", "BRej", "BFill", "BCxl", "BCxlLate", "BExp")
CLIENT = ("RAck", "RRej", "RFill", "RCxl", "RExp")


@cache
def ptref() -> System:
    """The reference model in our language."""
    return system_at(str(SYSTEM))


@cache
def walked(orders: int, quantity: int) -> Graph:
    """All that the model reaches with so many orders of at most that quantity."""
    graph = explore(instance(ptref(), orders), 1_000_000, bounds(quantity))
    assert isinstance(graph, Graph)
    return graph


def bounds(quantity: int) -> Bounds:
    """Quantities from 1 to `quantity`."""
    return Bounds({"x": (1, quantity)}, quantity)


class Order(NamedTuple):
    """One order, as the text of the reference model has it."""

    qty: int
    st: str = "created"
    loc: int = 0
    bst: str = "none"
    fil: int = 0
    out: str = "no"
    inm: str = "no"
    inq: int = 0


def moved(o: Order, session: str) -> Iterator[Order]:
    """What one order can be next; a transcription of the reference model's text and not of our files."""
    active = session in ("dry", "live")
    if active and o.st == "created" and o.out == "no":
        yield o._replace(st="pending_new", out="new")
    if (active or session == "stopping") and o.st in ("acked", "partial") and o.out == "no":
        yield o._replace(st="pending_cancel", out="cxl")
    if o.inm == "no":
        yield from _broker(o)
    else:
        yield _client(o)


def _broker(o: Order) -> Iterator[Order]:
    if o.out == "new" and o.bst == "none":
        yield o._replace(out="no", bst="open", inm="ack")
        yield o._replace(out="no", bst="done", inm="rej")
    if o.bst == "open":
        for x in range(1, o.qty - o.fil + 1):
            yield o._replace(fil=o.fil + x, inm="fill", inq=x, bst="done" if o.fil + x == o.qty else "open")
        yield o._replace(bst="done", inm="expd")
    if o.out == "cxl" and o.bst == "open":
        yield o._replace(out="no", bst="done", inm="cxld")
    if o.out == "cxl" and o.bst == "done":
        yield o._replace(out="no")


def _client(o: Order) -> Order:
    if o.inm != "fill":
        names = {"ack": "acked", "rej": "rejected", "cxld": "canceled", "expd": "expired"}
        return o._replace(st=names[o.inm], inm="no")
    loc = o.loc + o.inq
    st = "filled" if loc == o.qty else o.st if o.st == "pending_cancel" else "partial"
    return o._replace(loc=loc, inq=0, inm="no", st=st)


def turned(session: str, orders: tuple[Order, ...]) -> Iterator[str]:
    """What the session can be next; the flag is never set, so it is never live."""
    still = {"init": ("ok", "failed"), "failed": ("init",), "ok": ("dry",), "dry": ("stopping", "error")}
    yield from still.get(session, ())
    if session == "stopping":
        yield "error"
        if all(o.st in ("created", *CLOSED) and o.out == "no" and o.inm == "no" for o in orders):
            yield "stopped"
    if session == "error":
        yield "stopping"


def naive(orders: int, quantity: int) -> tuple[int, int]:
    """Number of reachable states and depth, by the shortest program that does it."""
    level = {("init", tuple(map(Order, sizes))) for sizes in product(range(1, quantity + 1), repeat=orders)}
    seen, depth = set(level), 0
    while True:
        following = set()
        for session, found in level:
            following |= {(after, found) for after in turned(session, found)}
            for place, one in enumerate(found):
                following |= {(session, (*found[:place], new, *found[place + 1 :])) for new in moved(one, session)}
        level = following - seen
        if not level:
            return len(seen), depth
        seen |= level
        depth += 1


@pytest.mark.parametrize(("orders", "quantity"), TABLE)
def test_the_counts_are_those_of_the_table(orders: int, quantity: int) -> None:
    """Our explorer counts what TLC, SPIN and Stateright agreed on."""
    graph = walked(orders, quantity)
    assert (len(graph.values), graph.depth) == TABLE[orders, quantity]


@pytest.mark.parametrize(("orders", "quantity"), list(TABLE)[:4])
def test_an_independent_walk_counts_the_same(orders: int, quantity: int) -> None:
    """States and strict breadth-first depth are those of a walk that shares no code with ours."""
    assert naive(orders, quantity) == TABLE[orders, quantity]


def test_everything_is_proved_of_any_number_of_orders_of_any_size() -> None:
    """Safety, liveness and lemmas are proved without a bound; what must be possible is shown by a run."""
    report = prove_system(Task(ptref()))
    assert {item.property for item in report.results if not isinstance(item.verdict, Proved)} == set()
    assert {"S1", "S2", "S3", "S4", "S5", "S6", "Drains"} <= {item.property for item in report.results}
    assert report.result("S3").verdict == Proved("induction")
    assert report.result("Drains").verdict == Proved("ranking")


def fair(orders: int, *, without: tuple[str, ...]) -> list[frozenset[str]]:
    """The groups of the reference model's fairness for so many orders, without the rules named."""
    groups = [frozenset({"Stopped"}), frozenset({"session.op_ack"})]
    for number in range(1, orders + 1):
        kinds = (BROKER, CLIENT, ("Cancel",))
        groups += [frozenset(f"{name}[{number}]" for name in names if name not in without) for names in kinds]
    return [group for group in groups if group]


def drains(orders: int, quantity: int, *without: str) -> bool:
    """Whether a stopping session must come to an end, as the explicit engine finds it."""
    graph = walked(orders, quantity)
    claim = next(item for item in graph.machine.properties if isinstance(item, LeadsTo))
    when, then = (predicate(graph.machine, expr) for expr in (claim.when, claim.then))
    return weak_fairness(graph, fair(orders, without=without), when, then) is None


@pytest.mark.parametrize(("orders", "quantity"), [(1, 3), (2, 1)])
def test_what_fairness_a_stopping_session_needs(orders: int, quantity: int) -> None:
    """It drains if cancels are fair, or if the broker must at least fill or expire; with neither it waits for ever."""
    assert drains(orders, quantity)
    assert drains(orders, quantity, "Cancel")
    assert drains(orders, quantity, "BExp")
    assert drains(orders, quantity, "BExp", "BFill")
    assert drains(orders, quantity, "Cancel", "BExp")
    assert not drains(orders, quantity, "Cancel", "BExp", "BFill")
    assert not drains(orders, quantity, *CLIENT)
    assert not drains(orders, quantity, *BROKER)


def shortest(system: System, quantity: int, orders: int = 1) -> tuple[str, int] | None:
    """The claim with the shortest counterexample within the bounds, lemmas aside, and its length; replayed."""
    machine = instance(system, orders)
    case = Case.bare(machine, Limits())
    named = {f"qty[{number}]": (1, quantity) for number in range(1, orders + 1)}
    wide = Bounds({"x": (-1, quantity), **named}, 2 * quantity)
    found = []
    for claim in claims_of(machine):
        if not getattr(claim, "lemma", False) and not isinstance(claim, LeadsTo):
            verdict = verdict_on(case, claim, 1_000_000, wide).verdict
            if isinstance(verdict, Refuted) and verdict.trace is not None:
                found.append((len(verdict.trace.links), claim.name))
    return min(((name, length) for length, name in found), key=lambda one: one[1], default=None)


def mutant(name: str) -> System:
    """The reference model with one fault, by the name that `peak mutate` gives it."""
    return next(item.system for item in variants(ptref()) if item.name == name)


DELETED = {
    "BFill.when.1.drop": ("S5[1]", 5),
    "BFill.when.2.drop": ("S3[1]", 7),
    "BFill.when.3.drop": ("PTREF@1-SORTS", 6),
    "BFill.when.4.drop": ("S1[1]", 6),
    "RFill.when.1.drop": ("S9[1]", 1),
    "Stopped.every.1.drop": ("S5[1]", 7),
    "Stopped.every.2.drop": ("S5[1]", 10),
    "session/StartLive.require.flag_off.drop": ("S2", 2),
}


@pytest.mark.parametrize("name", DELETED)
def test_each_guard_is_needed(name: str) -> None:
    """Without one conjunct of a guard a claim falls, by a shortest run that `lang.step` takes."""
    assert shortest(mutant(name), 2) == DELETED[name]


def test_one_conjunct_of_stopped_says_nothing_new() -> None:
    """That nothing is on its way to the client follows from the rest: without it exactly the same is reached."""
    less = explore(instance(mutant("Stopped.every.3.drop"), 2), 1_000_000, bounds(2))
    assert isinstance(less, Graph)
    whole = walked(2, 2)
    assert (set(less.values), less.transitions) == (set(whole.values), whole.transitions)


def rule(name: str, **changes: object) -> System:
    """The reference model with one rule changed."""
    changed = replace(ptref().rule(name), **changes)  # type: ignore[arg-type]  # fields of a rule
    return replace(ptref(), rules=tuple(changed if item.name == name else item for item in ptref().rules))


def lost_race() -> System:
    """M1: a fill that arrives while a cancel is pending is dropped."""
    found = ptref().rule("RFill")
    sort = next(item.sort for item in ptref().own if item.name == "st")
    pending = Compare(Comparison.EQ, Var("st", sort, Scope.CONTEXT), Lit("pending_cancel", sort))
    loc = Var("loc", next(item.sort for item in ptref().own if item.name == "loc"), Scope.CONTEXT)
    updates = tuple(
        replace(item, value=Ite(pending, loc, item.value)) if item.variable == "loc" else item for item in found.updates
    )
    return rule("RFill", updates=updates)


def live_after_error() -> System:
    """M2: the operator's acknowledgement leads to LIVE_ACTIVE, whatever the flag."""
    part = ptref().part("session")
    rows = tuple(replace(row, target="LIVE_ACTIVE") if row.name == "OpAck" else row for row in part.machine.transitions)
    return replace(ptref(), parts=(replace(part, machine=replace(part.machine, transitions=rows)),))


def overfill_at_six() -> System:
    """M3: the bound of a fill is forgotten when exactly 6 are filled."""
    found = conjuncts(ptref().rule("BFill").when)
    six = Compare(Comparison.EQ, Var("fil", INT, Scope.CONTEXT), Lit(6, INT))
    return rule("BFill", when=conjunction((*found[:-1], Or((found[-1], six)))))


SEEDED = {"M1": (lost_race, "S4[1]", 8), "M2": (live_after_error, "S2", 4), "M3": (overfill_at_six, "S1[1]", 8)}


@pytest.mark.parametrize("name", SEEDED)
def test_each_seeded_fault_is_refuted_by_a_shortest_run(name: str) -> None:
    """Z3 finds the run without any bound of quantities; it is replayed by `lang.step` before it is shown."""
    make, property_, steps = SEEDED[name]
    machine = instance(make(), 1)
    claim = next(item for item in machine.properties if item.name == property_)
    found = reached(Case.bare(machine, Limits()), claim, 10)
    assert isinstance(getattr(found, "verdict", None), Refuted), found
    assert found.verdict.trace is not None  # type: ignore[union-attr]  # as above
    assert len(found.verdict.trace.links) == steps  # type: ignore[union-attr]  # as above


def test_an_exhaustive_check_of_small_orders_passes_an_overfill() -> None:
    """With orders of up to 5 every value holds: the fault needs one of 7, and shows there."""
    assert shortest(overfill_at_six(), 5) is None
    assert shortest(overfill_at_six(), 6) is None
    assert shortest(overfill_at_six(), 7) == ("S1[1]", 8)
