"""How two machines differ: the laws of the comparison, on random machines and by enumeration, and what it flags."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies.expressions import CONTEXT, STATES, guards
from strategies.machines import machines

from peak_trade.lang.cells import enabled
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import And, Expr
from peak_trade.lang.machine import Machine, Transition
from peak_trade.lang.sorts import EnumSort, ScalarSort
from peak_trade.lang.step import Stepper, Taken, Value
from peak_trade.proof.change.delta import Delta, Shift, Word
from peak_trade.proof.change.diff import diff, fallen, unproved
from peak_trade.proof.change.reword import Wording, reword
from peak_trade.proof.prove import prove
from peak_trade.proof.solve import Limits

SPEC = Path(__file__).resolve().parents[3] / "spec"
LIMITS = Limits(question_rlimit=300_000)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOT_LOOSER = {Word.SAME, Word.STRICTER, Word.UNKNOWN}
NOT_STRICTER = {Word.SAME, Word.LOOSER, Word.UNKNOWN}
MIRRORED = {Word.STRICTER: Word.LOOSER, Word.LOOSER: Word.STRICTER}

Write = Callable[..., str]
Read = Callable[[str], Machine]


@st.composite
def started(draw: st.DrawFn) -> Machine:
    """A random machine with one initial state."""
    machine = draw(machines())
    states = tuple(replace(state, initial=place == 0) for place, state in enumerate(machine.states))
    return replace(machine, states=states)


def with_first(machine: Machine, change: Callable[[Transition], Transition]) -> Machine:
    """The machine with its first transition changed."""
    first, *rest = machine.transitions
    return replace(machine, transitions=(change(first), *rest))


def of(delta: Delta, name: str) -> Shift | None:
    """What became of the transition called `name`, unless it was taken for another one."""
    return next((item for item in delta.shifts if item.old == item.new == name), None)


def one(delta: Delta, name: str) -> Shift:
    """What became of the transition called `name` now."""
    return next(item for item in delta.shifts if item.name == name)


@FEW
@given(started())
def test_a_machine_is_the_same_as_itself(machine: Machine) -> None:
    """Nothing differs, nothing is loosened, nothing is open."""
    delta = diff(machine, machine, LIMITS)
    assert delta.quiet
    assert not (delta.loosened)
    assert not (delta.free)
    assert not (delta.undecided)


@FEW
@given(started(), guards)
def test_a_further_condition_is_never_looser(machine: Machine, more: Expr) -> None:
    """A conjunct more makes a transition stricter or leaves it the same, and admits no new step by it."""
    stricter = with_first(machine, lambda item: replace(item, when=And((item.when, more))))
    shift = of(diff(machine, stricter, LIMITS), machine.transitions[0].name)
    assert shift is None or (shift.word in NOT_LOOSER and shift.admits is None and shift.gained is None)


@FEW
@given(started())
def test_a_lock_less_is_never_stricter(machine: Machine) -> None:
    """Without its locks a transition is looser or the same."""
    looser = with_first(machine, lambda item: replace(item, require=()))
    shift = of(diff(machine, looser, LIMITS), machine.transitions[0].name)
    assert shift is None or (shift.word in NOT_STRICTER and shift.dropped is None)


@FEW
@given(started(), guards)
def test_the_other_way_round_is_the_opposite(machine: Machine, other: Expr) -> None:
    """What is stricter one way is looser the other way, and the rest is what it is both ways."""
    changed = with_first(machine, lambda item: replace(item, when=other))
    there, back = diff(machine, changed, LIMITS), diff(changed, machine, LIMITS)
    name = machine.transitions[0].name
    one_way, other_way = of(there, name), of(back, name)
    if one_way is None or other_way is None or Word.UNKNOWN in (one_way.word, other_way.word):
        return
    assert MIRRORED.get(one_way.word, one_way.word) is other_way.word
    assert one_way.effect is other_way.effect or Word.UNKNOWN in (one_way.effect, other_way.effect)


@FEW
@given(started(), st.sampled_from(CONTEXT), st.sampled_from(STATES.members), st.booleans())
def test_another_name_is_no_difference(machine: Machine, var: object, state: str, rename_state: bool) -> None:
    """A variable, a state or the ids of transitions under other names change no transition, cell or property."""
    members = tuple("RENAMED" if name == state else name for name in STATES.members)

    def sort(item: ScalarSort) -> ScalarSort:
        return (
            EnumSort("State", members) if rename_state and isinstance(item, EnumSort) and item.name == "State" else item
        )

    words = Wording({state: "RENAMED"} if rename_state else {}, {} if rename_state else {var.name: "renamed"}, {}, sort)  # type: ignore[attr-defined]
    other = reword(machine, words)
    other = replace(other, transitions=tuple(replace(item, name=f"X{item.name}") for item in other.transitions))
    delta = diff(machine, other, LIMITS)
    assert {(item.word, item.effect) for item in delta.shifts} == {(Word.SAME, Word.SAME)}
    assert all(item.renamed for item in delta.shifts)
    assert not delta.loosened
    assert not delta.cells
    assert {item.word for item in delta.claims} <= {Word.SAME}


GUARDS = (
    "count > 0",
    "count > 1",
    "amount == 2",
    "count + amount <= limit",
    "count < 2 or amount > 3",
    "amount > count",
)


@pytest.mark.parametrize(("old", "new"), list(product(GUARDS, GUARDS)))
def test_the_word_is_that_of_an_enumeration(counter: Write, read: Read, old: str, new: str) -> None:
    """For every pair of guards over small bounds Z3's word is the one that trying all values gives."""
    sizes = (("min: 0, init: 3", "min: 0, max: 3, init: 3"), ("min: 1, doc", "min: 1, max: 4, doc"))

    def machine(guard: str) -> Machine:
        rows = (
            ("when: count + amount <= limit", f"when: {guard}"),
            ("when: count + amount > limit", "when: otherwise"),
        )
        text = counter("", *rows)
        for was, now in sizes:
            text = text.replace(was, now)
        return read(text)

    one, other = machine(old), machine(new)
    values = list(product(range(10), range(4), range(1, 5)))

    def taken(item: Machine) -> set[tuple[int, int, int]]:
        guard = enabled(item.transition("T1"))
        return {
            (count, limit, amount)
            for count, limit, amount in values
            if evaluate(guard, Env({"count": count, "limit": limit}, {"amount": amount}))
        }

    was, now = taken(one), taken(other)
    word = {(False, False): Word.SAME, (True, False): Word.STRICTER, (False, True): Word.LOOSER}.get(
        (bool(was - now), bool(now - was)), Word.INCOMPARABLE
    )
    shift = of(diff(one, other), "T1")
    assert shift is not None
    assert shift.word is word


def session(*edits: tuple[str, str]) -> Machine:
    """The shipped session after exact edits of its text."""
    from peak_trade.lang.parse import parse
    from peak_trade.lang.source import Source

    text = (SPEC / "session.yaml").read_text()
    head, gate = text.split("- id: S22\n", 1)
    gate = f"- id: S22\n{gate}"
    for old, new in edits:
        assert old in gate, old
        gate = gate.replace(old, new, 1)
    parsed = parse(Source("session.yaml", head + gate))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


def test_a_lock_taken_from_the_live_gate_loosens_its_clause() -> None:
    """Without the flag's lock the live gate is looser: SES-1 and its clauses are named, and the example does it."""
    old, new = session(), session(("      flag_off: live_flag\n", ""))
    delta = diff(old, new)
    shift = one(delta, "S22")
    assert (shift.word, shift.effect) == (Word.LOOSER, Word.SAME)
    assert shift.notes == ("lock flag_off is gone",)
    assert [(item.name, item.breaks, item.clauses) for item in delta.loosened] == [
        ("S22", ("SES-1",), ("C0.1", "H-unintended-live"))
    ]
    assert shift.gained is not None
    given = dict(shift.gained.values)
    context = tuple(given.get(item.name, item.init) for item in old.variables)
    value = Value(shift.gained.state, context)
    outcomes = [Stepper.of(replace(item, properties=())).step(value, "go_live", {})[0] for item in (old, new)]
    assert not isinstance(outcomes[0], Taken)
    assert outcomes[1] == Taken("S22")


def test_the_claim_that_falls_is_named_too(counter: Write, read: Read) -> None:
    """With the proofs of both machines a claim that was proved and is refuted is a loosening of its own."""
    claims = """\
        - {id: P, always: count <= limit, says: Few., answers: [C1]}
        - {id: Q, always: limit == 3, says: Fixed., answers: [C2]}
        """
    looser = (
        ("when: count + amount <= limit", "when: count + amount <= 9"),
        ("count + amount > limit", "count + amount > 9"),
    )
    old, new = read(counter(claims)), read(counter(claims, *looser))
    delta, now = diff(old, new), prove(new)
    assert unproved(delta, now) == {"P"}
    told = fallen(delta, prove(old, only=frozenset({"P"})), now)
    assert [(item.kind, item.name, item.breaks) for item in told.loosened] == [
        ("transition", "T1", ("P",)),
        ("proof", "P", ("P",)),
    ]
    assert told.loosened[1].clauses == ("C1",)
    assert fallen(delta, now, now) == delta


def test_a_renaming_throughout_is_all_that_is_told() -> None:
    """A state, a variable and an id renamed everywhere: renamed, and nothing else."""
    new = session(("- id: S22\n", "- id: S99\n"))
    words = Wording({"LIVE_ACTIVE": "TRADING"}, {"live_flag": "flag_set"}, {}, lambda sort: sort)
    delta = diff(session(), reword(new, words))
    assert dict(delta.renamed.states) == {"LIVE_ACTIVE": "TRADING"}
    assert dict(delta.renamed.variables) == {"live_flag": "flag_set"}
    assert [(item.old, item.new) for item in delta.shifts if not item.quiet] == [("S22", "S99")]
    assert not (delta.parts)
    assert not (delta.cells)
    assert not (delta.loosened)
    assert not (delta.undecided)


def test_a_split_transition_admits_nothing_new(counter: Write, read: Read) -> None:
    """Two transitions that do together what one did are added and stricter, and no step is new."""
    whole = "  - {id: T1, from: open, on: add, when: count + amount <= limit, set: {count: count + amount}}\n"
    parts = whole.replace("limit,", "limit and amount < 3,") + whole.replace("T1", "T9").replace(
        "limit,", "limit and amount >= 3,"
    )
    delta = diff(read(counter()), read(counter("", (whole, parts))))
    assert (one(delta, "T1").word, one(delta, "T9").word) == (Word.STRICTER, Word.ADDED)
    assert one(delta, "T9").admits is None
    assert not (delta.loosened)
    assert not (delta.free)


def test_a_step_that_no_property_speaks_of_is_told_and_not_flagged(counter: Write, read: Read) -> None:
    """A looser guard loosens a clause only if a property speaks of what the step writes."""
    edits = (("require: {soon: count > 0}, to: shut", "to: shut"),)
    kept = counter("- {id: P, always: count <= 9, says: Few., answers: [C1]}\n", *edits)
    new = kept.replace("reasons:\n", "reasons:\n").replace("  soon: It has only begun.\n", "")
    old = counter("- {id: P, always: count <= 9, says: Few., answers: [C1]}\n")
    delta = diff(read(old), read(new))
    assert one(delta, "T2").word is Word.LOOSER
    assert delta.free == ("T2",)
    assert not delta.loosened


@pytest.mark.parametrize(
    ("was", "now", "word"),
    [
        ("always: count <= 9", "always: count <= 8", Word.STRICTER),
        ("always: count <= 8", "always: count <= 9 and limit <= 5", Word.INCOMPARABLE),
        ("always: count <= 8", "always: count <= 9", Word.LOOSER),
        ("always: count <= 8", "always: not count > 8", Word.SAME),
        ("step: next_count >= count", "step: next_count > count", Word.STRICTER),
        ("step: next_count > count", "step: next_count >= count", Word.LOOSER),
        ("witness: count > 3", "witness: count > 1", Word.LOOSER),
        ("always: count <= 8", "step: next_count <= 8", Word.INCOMPARABLE),
        (
            "leads_to: {from: is_terminal, to: count > 3, rank: count, fair: [add]}",
            "leads_to: {from: is_terminal, to: count > 1, rank: count, fair: [add]}",
            Word.LOOSER,
        ),
        (
            "leads_to: {from: is_terminal, to: count > 3, rank: count, fair: [add, close]}",
            "leads_to: {from: is_terminal, to: count > 3, rank: count, fair: [add]}",
            Word.LOOSER,
        ),
        (
            "leads_to: {from: count > 5, to: count > 3, rank: count, fair: [add]}",
            "leads_to: {from: count > 4, to: count > 3, rank: count, fair: [add]}",
            Word.STRICTER,
        ),
    ],
)
def test_a_property_is_weaker_or_stronger(counter: Write, read: Read, was: str, now: str, word: Word) -> None:
    """What a property claims is compared for all values; one that claims less is flagged with its clause."""
    old, new = (counter(f"- {{id: P, {text}, says: So., answers: [C1]}}\n") for text in (was, now))
    delta = diff(read(old), read(new))
    assert [item.word for item in delta.claims] == [word]
    flagged = [(item.kind, item.clauses) for item in delta.loosened]
    assert flagged == ([] if word in (Word.SAME, Word.STRICTER) else [("property", ("C1",))])


def test_a_removed_property_is_flagged_unless_it_follows(counter: Write, read: Read) -> None:
    """Without P its clause is lost; if Q implies it, nothing is; a clause that is answered no more is lost too."""
    one_claim = "- {id: P, always: count <= 8, says: Few., answers: [C1]}\n"
    two = one_claim + "- {id: Q, always: count <= 7, says: Fewer., answers: [C1]}\n"
    silent = one_claim.replace("answers: [C1]", "answers: [C2]")
    gone = diff(read(counter(one_claim)), read(counter()))
    assert [(item.kind, item.name, item.clauses) for item in gone.loosened] == [("property", "P", ("C1",))]
    backed = diff(read(counter(two)), read(counter(two.partition("\n")[2])))
    assert not backed.loosened
    assert next(item for item in backed.claims if item.old == "P").follows == ("Q",)
    bounds = one_claim.replace("count <= 8", "count <= 9")
    assert not diff(read(counter(bounds)), read(counter())).loosened
    mute = diff(read(counter(one_claim)), read(counter(silent)))
    assert [item.lost for item in mute.claims] == [("C1",)]
    assert len(mute.loosened) == 1


def test_declarations_are_compared_too(counter: Write, read: Read) -> None:
    """A wider variable, another start and a wider payload are seen; the wider variable and the start are flagged."""
    claim = "- {id: P, always: count <= limit or count <= 9, says: Few., answers: [C1]}\n"
    old = counter(claim)
    wider = diff(read(old), read(old.replace("max: 9, init: 0", "max: 20, init: 0")))
    assert [(item.kind, item.name, item.word) for item in wider.parts] == [("variable", "count", Word.LOOSER)]
    assert ("variable", "count") in {(item.kind, item.name) for item in wider.loosened}
    start = diff(read(old), read(old.replace("min: 0, init: 3", "min: 0, init: 4")))
    assert [(item.kind, item.clauses) for item in start.loosened] == [("start", ("C1",))]
    payload = diff(read(old), read(old.replace("amount: {type: int, min: 1", "amount: {type: int, min: 0")))
    assert one(payload, "T1").word is Word.LOOSER
    retyped = diff(
        read(old), read(old.replace("max: 9, init: 0", "min: 10, max: 19, init: 10").replace("min: 0, min", "min"))
    )
    assert one(retyped, "T1").effect is Word.INCOMPARABLE


def test_a_changed_outcome_of_a_cell_is_told(counter: Write, read: Read) -> None:
    """Another reason of a refusal, and a refusal that is ignored now, are told with their states."""
    new = counter("", ("{in: shut, on: [add, close], reason: over}", "{in: shut, on: [add, close], reason: full}"))
    delta = diff(read(counter()), read(new.replace("  over: It is over.\n", "")))
    told = {(item.event, item.states, item.was, item.now) for item in delta.cells}
    assert told == {(event, ("shut",), "refused over", "refused full") for event in ("add", "close")}
    assert not delta.loosened


def test_a_solver_that_gives_up_is_never_the_same() -> None:
    """With next to no resources what could not be decided is unknown, and the comparison is open."""
    old = session()
    new = session(("override_expired: step_no < override_until", "override_expired: step_no + 1 <= override_until"))
    assert one(diff(old, new), "S22").word is Word.SAME
    delta = diff(old, new, Limits(question_rlimit=1))
    assert one(delta, "S22").word is Word.UNKNOWN
    assert "S22" in delta.undecided
