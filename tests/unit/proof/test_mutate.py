"""The small faults that a machine might have."""

from collections.abc import Callable
from dataclasses import replace

from peak_trade.lang.check import check
from peak_trade.lang.expr import And, Compare, Comparison, Lit, Not, Scope, Var
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.pretty import document, fingerprint
from peak_trade.lang.sorts import BOOL, INT, EnumSort
from peak_trade.lang.source import Source
from peak_trade.proof.doubt.mutate import Mutant, mutants
from peak_trade.proof.doubt.vary import conjuncts, near, opposite, put, shifted

Write = Callable[..., str]
Read = Callable[[str], Machine]
COUNT = Var("count", INT, Scope.CONTEXT)
LOCKED = ("require: {soon: count > 0}", "require: {soon: count > 0, full: count <= limit}")


def test_every_mutant_is_another_machine_that_can_be_read(shipped: Callable[[str], Machine]) -> None:
    """Ids are unique, each text is read back to the mutant, no two are the same, and none is the machine itself."""
    machine = shipped("order")
    found = mutants(machine)
    assert len({item.name for item in found}) == len(found)
    assert len({fingerprint(item.machine) for item in found} | {fingerprint(machine)}) == len(found) + 1
    for item in (*(one for one in found if one.kind == "payload"), *found[::37]):
        parsed = parse(Source(item.name, document(item.machine)))
        assert parsed.machine == item.machine, item.name


def test_the_same_machine_gives_the_same_mutants(counter: Write, read: Read) -> None:
    """Two readings give equal mutants in equal order."""
    first, second = (mutants(read(counter("", LOCKED))) for _ in range(2))
    assert [(item.name, item.says, item.machine) for item in first] == [
        (item.name, item.says, item.machine) for item in second
    ]


def test_each_kind_of_fault_is_made(counter: Write, read: Read) -> None:
    """The counter has a mutant of each kind, each with its sentence."""
    found = {item.name: item for item in mutants(read(counter("", LOCKED)))}
    assert {name: found[name].says for name in EXPECTED} == EXPECTED


EXPECTED = {
    "T1.when.1.drop": "T1 without `count + amount <= limit`.",
    "T1.when.1.negate": "T1 with the negation of `count + amount <= limit`.",
    "T1.when.1.near.1": "T1 with `count + amount < limit` for `count + amount <= limit`.",
    "T2.require.soon.drop": "T2 without the lock `count > 0`.",
    "T2.require.soon.negate": "T2 with the lock `count <= 0` for `count > 0`.",
    "T2.require.full.near.1": "T2 with the lock `count < limit` for `count <= limit`.",
    "T1.set.count.drop": "T1 without `count := count + amount`.",
    "T1.set.count.shift.1": "T1 with `count := count + amount + 1` for `count := count + amount`.",
    "T1.to.shut": "T1 leads to shut.",
    "T2.to.stay": "T2 stays where it is.",
    "T2.from.shut.in": "T2 is also taken in shut.",
    "add@open.full.taken": "`add` is taken in open, changing nothing, instead of being refused for full.",
    "close@shut.over.taken": "`close` is taken in shut, changing nothing, instead of being refused for over.",
    "add.amount.min": "`add` takes a `amount` below 1.",
}


def test_a_fault_is_in_one_place(shipped: Callable[[str], Machine]) -> None:
    """A changed transition leaves all others as they are; an added one leaves all."""
    machine = shipped("order")
    for item in mutants(machine):
        if item.new is not None:
            others = tuple(one for one in machine.transitions if one is not item.old)
            assert tuple(one for one in item.machine.transitions if one is not item.new) == others


def test_the_table_stays_whole_where_the_fault_allows_it(shipped: Callable[[str], Machine]) -> None:
    """A changed target, update, source, or row that is taken leaves every cell with a row, and every name used."""
    kept = {"target", "set-drop", "set-shift", "lock-drop", "source-in", "source-out", "self-loop", "unguarded"}
    for item in mutants(shipped("order")):
        if item.kind in kept:
            assert {one.code for one in check(item.machine, Source(item.name, ""))} <= {"PT041"}, item.name


def test_a_lifted_bound_is_known_wherever_the_field_stands(counter: Write, read: Read) -> None:
    """With a bound of a payload gone, guards and updates speak of the field with its new sort."""
    item: Mutant = next(one for one in mutants(read(counter())) if one.kind == "payload")
    fields = {field.name: field.sort for field in item.machine.event("add").payload}
    assert parse(Source("mutant", document(item.machine))).machine == item.machine
    assert fields["amount"] != read(counter()).event("add").payload[0].sort


def test_expressions_off_by_one() -> None:
    """Bounds are made strict or not and numbers moved, everywhere in an expression, each alone."""
    low = Compare(Comparison.GE, COUNT, Lit(2, INT))
    assert near(low) == (
        replace(low, op=Comparison.GT),
        replace(low, right=Lit(3, INT)),
        replace(low, right=Lit(1, INT)),
    )
    assert near(And((low, Not(low))))[3:] == tuple(And((low, Not(one))) for one in near(low))
    assert near(Lit(True, BOOL)) == ()


def test_parts_and_opposites() -> None:
    """Conjunctions fall apart through all levels; an opposite undoes itself; a variable is replaced everywhere."""
    low, high = Compare(Comparison.GE, COUNT, Lit(2, INT)), Compare(Comparison.NE, COUNT, Lit(9, INT))
    assert conjuncts(And((low, And((high, Not(low)))))) == (low, high, Not(low))
    assert conjuncts(Lit(True, BOOL)) == ()
    for expr in (low, high, Not(And((low, high)))):
        assert opposite(opposite(expr)) == expr
    assert put(And((low, Not(high))), COUNT, Lit(0, INT)) == And(
        (replace(low, left=Lit(0, INT)), Not(replace(high, left=Lit(0, INT))))
    )


def test_wrong_updates() -> None:
    """A number is one more or one less, a truth value the other one, a member the next one."""
    enum = EnumSort("Side", ("buy", "sell"))
    assert shifted(Lit(4, INT), INT) == (Lit(5, INT), Lit(3, INT))
    assert shifted(Lit(True, BOOL), BOOL) == (Lit(False, BOOL),)
    assert shifted(Lit("sell", enum), enum) == (Lit("buy", enum),)
