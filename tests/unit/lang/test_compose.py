"""What a system means: its parts move by their own steps, and any number is seen by one."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.lang.assemble import assemble
from peak_trade.lang.check import examine
from peak_trade.lang.compose import COUNT_MAX, instance
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Scope, variables
from peak_trade.lang.locality import obstacles
from peak_trade.lang.machine import Always, LeadsTo, Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.source import Source
from peak_trade.lang.step import Ignored, Refused, Stepper, Taken, Value
from peak_trade.lang.system import Answer, System, names
from peak_trade.lang.track import OTHER, tracked
from tests.strategies.walks import walk

ROOT = Path(__file__).resolve().parents[3]
READY = {"flag": False, "test_override": False, "allowlist": 1, "adapter_found": "mock"}
READY |= {"journal_redacting": True, "digest": 7}
PRELUDE = (
    ("session.kill_switch_read", {"read_latched": False}),
    ("session.preflight", READY),
    ("session.start_dryrun", {}),
)
KINDS = {Answer.TAKEN: Taken, Answer.IGNORED: Ignored, Answer.REFUSED: Refused}


def system_in(path: Path) -> System:
    """Return the system in the file at `path`, its machines beside it."""

    def load(name: str) -> Machine | str:
        parsed = parse_file(path.parent / f"{name}.yaml")
        assert parsed.machine is not None, examine(parsed)
        return parsed.machine

    found = assemble(Source(path.name, path.read_text("utf-8")), load)
    assert found.system is not None, found.diagnostics
    return found.system


SHIPPED = system_in(ROOT / "spec" / "system.yaml")
PTREF = system_in(ROOT / "docs" / "models" / "ptref" / "system.yaml")
CASES = {"system": (SHIPPED, PRELUDE), "ptref": (PTREF, (("session.pre_ok", {}), ("session.start_dry", {})))}


def rare(system: System) -> frozenset[str]:
    """Return the rules that end or halt the session, so that walks are about orders."""
    return frozenset(rule.name for rule in system.rules if rule.name.startswith("session.")) | {
        f"doubt_report[{number}]" for number in (1, 2)
    }


def named(machine: Machine, value: Value) -> dict[str, Any]:
    """Return the context of `value` by name."""
    return {item.name: datum for item, datum in zip(machine.variables, value.context, strict=True)}


@pytest.mark.parametrize("case", CASES)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_parts_move_by_their_own_steps_and_by_no_other(case: str, seed: int) -> None:
    """In each step every part that the rule moves answers as declared by its own machine; every other part stays."""
    system, prelude = CASES[case]
    machine = instance(system, 2)
    for before, link in walk(machine, random.Random(seed), 40, prelude, rare(system)):
        assert isinstance(link.outcome, Taken), link
        old, new = named(machine, before), named(machine, link.value)
        rule_name, _, number = link.event.partition("[")
        suffix = f"[{number}" if number else ""
        rule = system.rule(rule_name)
        for part in system.parts:
            for copy in ("[1]", "[2]") if part.each else ("",):
                moves = [move for move in rule.moves if move.part == part.name and copy in ("", suffix)]
                value, after = projected(part, old, copy), projected(part, new, copy)
                if not moves:
                    assert value == after, f"{link.event} moved {part.name}{copy}"
                for move in moves:
                    env = Env({**old, **own(system, old, suffix)}, dict(link.payload))
                    payload = {name: evaluate(expr, env) for name, expr in move.arguments}
                    outcome, expected = Stepper.of(replace(part.machine, properties=())).step(
                        value, move.event, payload
                    )
                    assert isinstance(outcome, tuple(KINDS[answer] for answer in move.answers))
                    assert after == expected


def projected(part: Any, values: dict[str, Any], copy: str) -> Value:
    """Return the value of one part in the context of the composed machine."""
    context = tuple(values[f"{part.name}.{item.name}{copy}"] for item in part.machine.variables)
    return Value(values[f"{part.name}.state{copy}"], context)


def own(system: System, values: dict[str, Any], suffix: str) -> dict[str, Any]:
    """Return what one of the many has, by the names of the system."""
    return {name: values[f"{name}{suffix}"] for name in names(system).local} if suffix else {}


@pytest.mark.parametrize("case", CASES)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), me=st.sampled_from((1, 2)))
def test_every_run_of_some_number_seen_by_one_is_a_run_of_the_tracked_machine(case: str, seed: int, me: int) -> None:
    """Any number is over-approximated: what one of two sees, with the other's steps as another's, is a tracked run."""
    system, prelude = CASES[case]
    machine, view = instance(system, 2), tracked(system)
    stepper = Stepper.of(replace(view, properties=()))
    for before, link in walk(machine, random.Random(seed), 40, prelude, rare(system)):
        old, new = named(machine, before), named(machine, link.value)
        rule, _, number = link.event.partition("[")
        other = number not in ("", f"{me}]")
        payload = dict(link.payload)
        if other:
            payload |= {f"{OTHER}{name}": old[f"{name}[{number}"] for name in names(system).local}
        outcome, after = stepper.step(seen(system, view, old, me), f"{OTHER}{rule}" if other else rule, payload)
        assert isinstance(outcome, Taken), (link.event, outcome)
        assert after == seen(system, view, new, me)


def seen(system: System, view: Machine, values: dict[str, Any], me: int) -> Value:
    """Return the value of the tracked machine in which `me` of two is tracked."""
    local = names(system).local
    totals = {
        item.name: sum(evaluate(item.term, Env({**values, **own(system, values, f"[{number}]")})) for number in (1, 2))
        for item in system.sums
    }
    context = tuple(
        totals[item.name] if item.name in totals else values[f"{item.name}[{me}]" if item.name in local else item.name]
        for item in view.variables
    )
    return Value("composed", context)


def test_rules_of_nobody_name_nothing_of_one() -> None:
    """The locality on which any number rests: a rule that happens to nobody reads and writes only what is shared."""
    for system, _ in CASES.values():
        local = names(system).local
        for rule in system.rules:
            if not rule.each:
                assert not {var.name for var in variables(rule.when)} & local
                assert not {update.variable for update in rule.updates} & local
        assert obstacles(system) == ()


def test_a_sum_that_does_not_start_with_nothing_is_an_obstacle() -> None:
    """Any number is refused where a sum over it starts with an unknown value."""
    [total] = PTREF.sums
    free = next(item for item in PTREF.own if item.name == "qty")
    lone = replace(PTREF, sums=(replace(total, term=next(iter(variables_named(total.term, "qty")))),))
    assert free.free
    assert obstacles(lone) == (
        "the sum work of any number does not start with 0: its term may start with something else",
    )


def variables_named(expr: Any, name: str) -> Any:
    """Return the variables called `name` in `expr`."""
    return (var for var in variables(expr) if var.name == name and var.scope is Scope.CONTEXT)


def test_fairness_to_two_rules_that_wait_for_everyone_is_an_obstacle() -> None:
    """Weak fairness of two rules with `every` would need a case for each pair of orders."""
    stopped = PTREF.rule("Stopped")
    both = replace(
        PTREF, rules=tuple(replace(rule, every=stopped.every) if rule.name == "BExp" else rule for rule in PTREF.rules)
    )
    assert obstacles(both) == ("Drains is fair to Stopped and BExp, which both wait for everyone",)


def test_strong_fairness_to_a_rule_that_waits_for_everyone_is_an_obstacle() -> None:
    """One order alone cannot tell that such a rule happens whenever it is offered."""
    strong = tuple(replace(item, weak=False) if isinstance(item, LeadsTo) else item for item in PTREF.properties)
    assert obstacles(replace(PTREF, properties=strong)) == (
        "Drains rests on Stopped, which waits for everyone; only weak fairness can",
    )


@pytest.mark.parametrize("count", [0, COUNT_MAX + 1])
def test_a_machine_has_a_bounded_number_side_by_side(count: int) -> None:
    """The size of a composed machine has a limit with a name."""
    with pytest.raises(ValueError, match=f"expected 1 to {COUNT_MAX}"):
        instance(PTREF, count)


def test_properties_of_one_are_claimed_of_each() -> None:
    """A property that names what each one has is claimed of each, with its number; what is shared is claimed once."""
    claims = [item.name for item in instance(PTREF, 3).properties]
    assert [name for name in claims if name.startswith("S1[")] == ["S1[1]", "S1[2]", "S1[3]"]
    assert claims.count("S2") == 1
    assert "session.S2" in claims


def test_what_is_known_of_sums_is_claimed() -> None:
    """What the tracked machine assumes of a positive sum stands among its lemmas, so it is proved and shown."""
    lemmas = {item.name for item in tracked(SHIPPED).properties if isinstance(item, Always) and item.lemma}
    assert {"SUM-open", "SUM-open-LEAST", "SUM-owed", "SUM-owed-LEAST"} <= lemmas
