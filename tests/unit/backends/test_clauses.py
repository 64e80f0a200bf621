"""The clauses of guards: their names, what a probe says of them, and when one alone decides."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.clauses import Probe, clauses, compile_probe
from peak_trade.backends.guards import Clause
from peak_trade.lang.cells import Table, cells, enabled
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import TRUE, And, At, Compare, Comparison, Expr, Ite, Lit, Not, Or, Scope, Var
from peak_trade.lang.machine import (
    Dismissal,
    Event,
    Machine,
    Origin,
    Reason,
    Requirement,
    State,
    Transition,
    Variable,
)
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import BOOL, INT, BoolSort, EnumSort, IntSort, MapSort, Sort, example
from peak_trade.proof.doubt.anatomy import parts

ROOT = Path(__file__).resolve().parents[3]
FILES = {name: ROOT / f"spec/{name}.yaml" for name in ("session", "order", "breaker", "venue")}
FILES["gate"] = ROOT / "tests/golden/gate.yaml"


def declared(name: str) -> Machine:
    """The machine in one of the files."""
    machine = parse_file(FILES[name]).machine
    assert machine is not None
    return machine


MACHINES = {name: declared(name) for name in FILES}


Offer = tuple[tuple[Any, ...], str, tuple[Any, ...]]


def scalars(sort: Sort) -> st.SearchStrategy[Any]:
    """Values of a sort, small numbers as often as not, so that comparisons come out both ways."""
    match sort:
        case BoolSort():
            return st.booleans()
        case EnumSort(_, members):
            return st.sampled_from(members)
        case IntSort(low, high):
            least = -3 if low is None else low
            return st.integers(least, least + 3 if high is None else min(high, least + 3)) | st.integers(low, high)
        case MapSort(element):
            entries = st.dictionaries(st.integers(0, 4), scalars(element).filter(lambda one: one != example(element)))
            return entries.map(lambda found: tuple(sorted(found.items())))


def offers(machine: Machine) -> st.SearchStrategy[Offer]:
    """A well-sorted value, reachable or not, an event, and its payload."""
    context = st.tuples(*(scalars(item.sort) for item in machine.variables))
    value = st.tuples(st.sampled_from([state.name for state in machine.states]), context)
    one_of = [
        st.tuples(st.just(event.name), st.tuples(*(scalars(item.sort) for item in event.payload)))
        for event in machine.events
    ]
    return st.tuples(value, st.one_of(one_of)).map(lambda pair: ((pair[0][0], *pair[0][1]), *pair[1]))


def said(machine: Machine, known: tuple[Clause, ...], table: Table, offer: Offer) -> tuple[set[str], set[str], str]:
    """The outcomes, the deciding ones and the chosen row, by the definition of meaning."""
    value, event, payload = offer
    context = {item.name: one for item, one in zip(machine.variables, value[1:], strict=True)}
    fields = {item.name: one for item, one in zip(machine.event(event).payload, payload, strict=True)}
    env = Env(context, fields, value[0], event)
    own = [one for one in known if value[0] in one.states and event in one.events]
    words = {one.name: f"{one.name}={'true' if evaluate(one.holds, env) else 'false'}" for one in own}
    seen = {words[one.name] for one in own if ".require." not in one.name}
    (chosen,) = (choice.row for choice in table[value[0], event] if evaluate(choice.when, env))
    for lock in chosen.require if isinstance(chosen, Transition) else ():
        head = f"{chosen.name}.require.{lock.reason}"
        seen |= {word for name, word in words.items() if name == head or name.startswith(f"{head}.")}
        if not evaluate(lock.holds, env):
            break
    row = chosen.name if isinstance(chosen, Transition) else chosen.reason
    return seen, {words[one.name] for one in own if evaluate(one.decides, env)}, row


@pytest.mark.parametrize("name", FILES)
def test_a_probe_says_what_the_definition_says(name: str) -> None:
    """Outcomes, deciding clauses and the chosen row are those of `lang.evaluate`, in any value, reachable or not."""
    machine = MACHINES[name]
    probe, table = compile_probe(machine), cells(machine)

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(offers(machine))
    def check(offer: Offer) -> None:
        reading = probe.look(*offer)
        found = set(reading.outcomes), set(reading.deciding), reading.row.partition("#")[0]
        assert found == said(machine, probe.clauses, table, offer)
        assert len(set(reading.outcomes)) == len(reading.outcomes)

    check()


@pytest.mark.parametrize("name", FILES)
def test_names_are_those_of_the_parts_of_a_machine(name: str) -> None:
    """Each conjunct and lock is a clause by its own name, or has several, numbered behind it; no name comes twice."""
    machine = MACHINES[name]
    names = [one.name for one in clauses(machine)]
    heads = [part.name for part in parts(machine) if part.kind != "update"]
    assert len(set(names)) == len(names)
    for head in heads:
        own = [one for one in names if one == head or one.startswith(f"{head}.")]
        assert own == [head] or own == [f"{head}.{place}" for place in range(1, len(own) + 1)] != [f"{head}.1"]
    rest = [one for one in names if "#" not in one]
    assert all(any(one == head or one.startswith(f"{head}.") for head in heads) for one in rest)


def test_clauses_of_a_choice_between_truths_are_numbered() -> None:
    """`not flag or test_override` are two clauses of one conjunct, and a lock with `or` has two as well."""
    names = {one.name: one for one in clauses(MACHINES["session"])}
    assert {"S05.when.1.1", "S05.when.1.2", "S05.when.2", "S33.require.trading_halted"} <= names.keys()
    assert {"S33.require.only_reducing.1", "S33.require.only_reducing.2"} <= names.keys()
    assert names["S05.when.1.1"].holds == Not(Var("flag", BOOL, Scope.PAYLOAD))
    assert "already_restricted#1.when.1" in names
    assert "S04.when.1" in names
    assert names["S04.when.1"].outcomes == ("S04.when.1=true", "S04.when.1=false")


def test_locks_are_evaluated_up_to_the_first_that_is_closed() -> None:
    """Behind a closed lock nothing is looked at, and it decides only if all the others are open."""
    probe = compile_probe(MACHINES["session"])
    names = [item.name for item in MACHINES["session"].variables]

    def gate(**facts: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
        open_all = {"live_flag": True, "allowlist_count": 1, "override_granted": True, "kill_switch": "clear"}
        start = dict(zip(names, (item.init for item in MACHINES["session"].variables), strict=True))
        value = start | open_all | {"override_until": 5} | facts
        reading = probe.look(("DRYRUN_ACTIVE", *(value[name] for name in names)), "go_live", ())
        return reading.outcomes, reading.deciding

    outcomes, deciding = gate()
    assert len(outcomes) == 6
    assert outcomes == deciding
    outcomes, deciding = gate(override_granted=False)
    assert outcomes[2:] == ("S22.require.override_missing=false",)
    assert deciding == ("S22.require.override_missing=false",)
    outcomes, deciding = gate(live_flag=False, kill_switch="latched")
    assert outcomes == ("S22.require.flag_off=false",)
    assert deciding == ()


A, B, C = (Var(name, BOOL, Scope.CONTEXT) for name in "abc")
GUARDS = (
    A,
    Not(A),
    And((A, B, C)),
    Or((A, Not(B), C)),
    And((Or((A, B)), Not(C))),
    Not(And((A, Or((B, C))))),
    Ite(A, B, C),
    And((Not(Not(A)), Ite(Not(B), C, TRUE))),
    Or((And((A, Not(B))), C)),
)


def lamp(when: Expr, *locks: Expr, sorts: tuple[Sort, ...] = (BOOL, BOOL, BOOL)) -> Machine:
    """A machine of one state, with one guarded step, locked by `locks`, and refused otherwise."""
    variables = zip("abc", sorts, strict=True)
    start = {BOOL: False, INT: 0}
    require = tuple(Requirement(f"r{place}", holds) for place, holds in enumerate(locks))
    return Machine(
        name="lamp",
        version=1,
        summary="A lamp.",
        enums=(),
        variables=tuple(Variable(name, sort, start.get(sort, ()), "One") for name, sort in variables),
        states=(State("on", "On", initial=True),),
        events=(Event("press", Origin.CLOCK, "Press"),),
        reasons=(Reason("dark", "It is dark."),),
        transitions=(Transition("L1", ("on",), "press", None, when, require),),
        dismissals=(Dismissal(("on",), ("press",), "dark", refused=True, when=None),),
        properties=(),
    )


@pytest.mark.parametrize("guard", GUARDS, ids=range(len(GUARDS)))
@pytest.mark.parametrize("locked", [False, True])
def test_a_clause_decides_iff_the_guard_changes_with_its_variable(guard: Expr, *, locked: bool) -> None:
    """Each variable stands once, so a clause alone turned around is its variable turned around: all values tried."""
    machine = lamp(TRUE, guard) if locked else lamp(guard)
    probe, whole = compile_probe(machine), enabled(machine.transitions[0])
    for values in product((False, True), repeat=3):
        context = dict(zip("abc", values, strict=True))
        expected = set()
        for one in probe.clauses:
            (name,) = {name for name in "abc" if str(f"name='{name}'") in str(one.holds)}
            other = context | {name: not context[name]}
            alone = evaluate(whole, Env(context)) is not evaluate(whole, Env(other))
            assert evaluate(one.decides, Env(context)) is alone
            if alone:
                expected.add(f"{one.name}={'true' if evaluate(one.holds, Env(context)) else 'false'}")
        assert set(probe.look(("on", *values), "press", ()).deciding) == expected


def test_a_guard_without_clauses_has_nothing_to_see() -> None:
    """A step that is always taken has no clause, and its row is told all the same."""
    probe = compile_probe(replace(lamp(TRUE), dismissals=()))
    assert probe.clauses == ()
    reading = probe.look(("on", False, False, False), "press", ())
    assert (reading.row, reading.outcomes, reading.deciding) == ("L1", (), ())
    assert compile_probe(lamp(A)).look(("on", False, False, False), "press", ()).row == "dark"


def test_a_clause_may_ask_a_map() -> None:
    """The element at an index is compared, written or not."""
    kind = MapSort(INT)
    sorts: tuple[Sort, ...] = (kind, INT, BOOL)
    at = At(Var("a", kind, Scope.CONTEXT), Var("b", INT, Scope.CONTEXT))
    probe = compile_probe(lamp(Compare(Comparison.GT, at, Lit(2, INT)), sorts=sorts))
    for index, found in ((4, "true"), (5, "false"), (6, "false")):
        reading = probe.look(("on", ((4, 3), (5, 2)), index, False), "press", ())
        assert reading.outcomes == (f"L1.when.1={found}",)


def test_opposite_comparisons_share_a_bit() -> None:
    """A cell's bits are its guard outcome and no more: what follows from the state or another bit has none."""
    probe = compile_probe(MACHINES["breaker"])
    assert probe.table["open"]["tick"](("open", 3, 2, 3, 1, 1, False), ()) in {0, 1}
    seen = {
        probe.bits(("closed", 3, 2, failures, 0, 0, calling), "fail", ())
        for failures in range(5)
        for calling in (False, True)
    }
    assert len(seen) == 4


def widest(probe: Probe) -> int:
    """The most bits that a cell of the probe has."""
    return max(line.count("<<") for line in probe.text.splitlines())


@pytest.mark.parametrize(("make", "most"), [(lambda: MACHINES["order"], 12), (lambda: MACHINES["session"], 8)])
def test_cells_have_few_bits(make: Callable[[], Machine], most: int) -> None:
    """Equal clauses of several rows are asked once, so that a look at the largest cell is a few comparisons."""
    assert 0 < widest(compile_probe(make())) <= most
