"""A certificate stands alone: cvc5 accepts those of true claims, and rejects what is not what was proved."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.expressions import COLOUR, CONTEXT, EVENTS, PAYLOAD, SIZE, STATES, claims, expressions, guards, steps

from peak_trade.lang.expr import TRUE, Arith, Arithmetic, Compare, Comparison, Expr, Lit, Not, Scope, Var, conjunction
from peak_trade.lang.machine import (
    Always,
    Dismissal,
    Event,
    Field,
    Machine,
    Mirror,
    Origin,
    Property,
    Reason,
    State,
    Step,
    Transition,
    Update,
    Variable,
)
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import INT, IntSort
from peak_trade.proof.prove import prove
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import Proved, Refuted, Report, Result
from peak_trade.proof.warrant.certificate import Absent, Certificate, certify, support
from peak_trade.proof.warrant.second import Checked, Rejected, Unknown, recheck

QUICK = Limits(refutation_steps_max=3, witness_steps_max=3, inference_rlimit=500_000, exploration_values_max=200)
PROPERTIES = """\
- {id: C-1, always: count <= limit, says: Never more than the limit., answers: [C0.1]}
- {id: C-2, always: "count >= 1 or state == open", says: It is shut only if it was used.}
- {id: C-3, always: "count <= limit + 1 or state == shut", says: Follows from the first.}
- {id: C-4, step: "event != close or next_count == count", says: Closing keeps the count.}
- {id: C-5, step: "next_count > count or event == close", says: Only closing does not count.}
- {id: C-6, witness: "state == shut and count == 2", says: It can be shut at two.}
- id: C-7
  leads_to: {from: "state == open and count > 0", to: state == shut, rank: limit - count, fair: [close]}
  says: A used counter is shut in the end.
"""

Write = Callable[..., str]
Read = Callable[[str], Machine]
Shipped = Callable[[str], Machine]
Whole = Callable[[str], Report]


def certificates(machine: Machine, report: Report | None = None) -> dict[str, Certificate]:
    """The certificates of all that is proved of `machine`, or that `report` says of another one."""
    report = report or prove(machine, QUICK)
    found = certify(machine, replace(report, fingerprint=fingerprint(machine)))
    return {item.claim: item for item in found if isinstance(item, Certificate)}


@pytest.fixture
def sound(counter: Write, read: Read) -> Machine:
    """The counter with a claim of each kind, all true."""
    return read(counter(PROPERTIES))


@pytest.mark.parametrize("name", ["order", "venue"])
def test_every_shipped_claim_has_a_certificate_that_cvc5_accepts(shipped: Shipped, whole: Whole, name: str) -> None:
    """Whatever is proved of the shipped machines is shown by a text that a second solver accepts."""
    machine, report = shipped(name), whole(name)
    found = certificates(machine, report)
    assert set(found) == {item.property for item in report.results}
    for item in found.values():
        assert recheck(item.text) == Checked(item.questions), item.claim


def test_equal_machines_give_equal_bytes(sound: Machine) -> None:
    """Printing is deterministic, and the hash is that of the text."""
    one, two = certificates(sound), certificates(sound)
    assert one == two
    assert len({item.sha256 for item in one.values()}) == len(one) == len(sound.properties) + 2


def test_the_head_tells_what_it_is_about(sound: Machine) -> None:
    """A reader sees the claim, its sentence, the method, what it rests on, and of which specification it speaks."""
    text = certificates(sound)["C-3"].text
    assert text.startswith(
        "; Certificate of Peak Trade: C-3 of the machine counter.\n; says: Follows from the first.\n"
    )
    assert f"; specification: {fingerprint(sound)}\n" in text
    assert ";   count <= limit\n(define-fun Inv.C-1 " in certificates(sound)["C-1"].text
    assert "; rests on: C-3\n" in text


def test_lemmas_of_lemmas_are_there(sound: Machine) -> None:
    """What a proof rests on is closed: a set that is inductive only together stays together."""
    lemmas = {"C-3": ("C-1",), "C-1": ("C-2",), "C-2": ("C-1",)}
    results = tuple(Result(name, "always", "", Proved("induction"), found) for name, found in lemmas.items())
    kept = support(sound, Report("counter", "", results), results[0])
    assert [item.name for item in kept] == ["C-1", "C-2"]


def test_inferred_lemmas_are_printed_like_declared_ones(counter: Write, read: Read) -> None:
    """A claim that holds only with an invented invariant has it in its certificate, with its text."""
    machine = read(counter("- {id: C-3, always: count <= limit + 1, says: Follows.}"))
    lemma = read(counter("- {id: NEW-1, always: count <= limit, says: Invented.}")).properties[0]
    assert isinstance(lemma, Always)
    result = Result("C-3", "always", "Follows.", Proved("spacer"), ("NEW-1",), 0, (lemma,))
    with_it = certificates(machine, Report("counter", "", (result,)))["C-3"]
    assert recheck(with_it.text) == Checked(with_it.questions)
    assert ";   count <= limit\n(define-fun Inv.NEW-1 " in with_it.text


def test_each_lemma_is_needed(shipped: Shipped, whole: Whole) -> None:
    """Without the lemmas that its proof names, the certificate of an invariant is rejected."""
    machine, report = shipped("order"), whole("order")
    bare = tuple(replace(item, lemmas=()) for item in report.results if item.kind == "always" and item.lemmas)
    found = certificates(machine, replace(report, results=bare))
    assert len(found) > 2
    assert [name for name, item in found.items() if not isinstance(recheck(item.text), Rejected)] == []


def test_bounded_exploration_has_no_certificate(sound: Machine) -> None:
    """What was only walked through is said to have none; what is not proved has none either."""
    results = (
        Result("C-1", "always", "", Proved("exploration")),
        Result("C-2", "always", "", Refuted(None, "no")),
    )
    found = list(certify(sound, Report("counter", fingerprint(sound), results)))
    assert [type(item) for item in found] == [Absent, Absent]
    assert [item.reason.split(":")[0] for item in found if isinstance(item, Absent)] == ["none", "it is not proved"]


def test_an_unproved_invariant_may_hold_back_a_fair_event(sound: Machine) -> None:
    """What must happen has no certificate while an invariant could still refuse the step that brings it about."""
    report = prove(sound, QUICK)
    open_one = replace(report.result("C-1"), verdict=Refuted(None, "no"))
    results = tuple(open_one if item.property == "C-1" else item for item in report.results)
    assert "C-7" not in certificates(sound, replace(report, results=results))
    assert "C-7" in certificates(sound, report)


TWICE = """\
machine: swing
version: 1
summary: Two truths that follow each other.
context:
  a: {type: bool, init: false, doc: One}
  b: {type: bool, init: false, doc: Other}
  c: {type: bool, init: false, doc: Third}
states:
  on: {initial: true, doc: The only one}
events:
  turn: {origin: clock, doc: All move, payload: {x: {type: int, min: 0, doc: Something}}}
reasons: {no: No.}
transitions:
  - {id: T1, from: on, on: turn, when: x > 0, set: {a: b, b: c, c: "false"}}
refuse:
  - {in: on, on: turn, when: x == 0, reason: no}
properties:
  - {id: S-1, always: not a, says: The first is never true.}
"""


def test_deeper_induction_unrolls(read: Read) -> None:
    """A claim that needs the values of three moments is accepted at depth 3 and rejected at depth 2."""
    machine = read(TWICE)
    for depth, accepted in ((2, False), (3, True)):
        result = Result("S-1", "always", "", Proved(f"{depth}-induction"))
        found = certificates(machine, Report("swing", "", (result,)))["S-1"]
        judged = recheck(found.text)
        assert (judged == Checked(found.questions)) is accepted
        assert accepted or isinstance(judged, Rejected)


def test_weak_fairness_asks_whether_any_fair_event_can_be_taken(sound: Machine) -> None:
    """Under weak fairness some payload of some fair event suffices; the payload is quantified, not chosen."""
    last = sound.properties[-1]
    weak = replace(last, weak=True, fair=("add", "close"), name="C-8")  # type: ignore[call-arg]  # it is a LeadsTo
    machine = replace(sound, properties=(*sound.properties[:-1], weak))
    results = tuple(
        replace(item, property="C-8") if item.property == "C-7" else item for item in prove(sound, QUICK).results
    )
    found = certificates(machine, replace(prove(sound, QUICK), results=results))["C-8"]
    assert "(forall ((with.amount Int))" in found.text
    assert recheck(found.text) == Checked(found.questions)


def mirrored(*, known: bool) -> Machine:
    """One of many that share a sum: another one's `mine` comes in the payload, and is an invariant of it as well."""
    whole, positive = IntSort(), IntSort(0, None)
    mine, total = Var("order.mine", whole, Scope.CONTEXT), Var("total", whole, Scope.CONTEXT)
    theirs = Var("order.mine", whole, Scope.PAYLOAD)
    grows = Update("total", Arith(Arithmetic.ADD, total, theirs))
    zero = Lit(0, INT)
    return Machine(
        "many",
        1,
        "",
        (),
        (Variable("order.mine", whole, 0, "", free=False), Variable("total", positive, 0, "")),
        (State("composed", "", initial=True),),
        (Event("other.pay", Origin.VENUE, "", (Field("order.mine", whole, ""),)),),
        (),
        (Transition("other.T1", ("composed",), "other.pay", None, TRUE, (), (grows,)),),
        (),
        (Always("M-1", "Nobody owes.", Compare(Comparison.GE, mine, zero)),),
        mirrors=(Mirror("other.pay", (("order.mine", "order.mine"),)),) if known else (),
    )


@pytest.mark.parametrize("known", [True, False])
def test_whoever_else_acts_has_the_invariant_too(*, known: bool) -> None:
    """The bounds of the sum hold because the other one has the invariant; without the mirror they are rejected."""
    results = (
        Result("M-1", "always", "", Proved("induction")),
        Result("MANY-SORTS", "sorts", "", Proved("induction"), ("M-1",)),
    )
    found = certificates(mirrored(known=known), Report("many", "", results))
    assert recheck(found["M-1"].text) == Checked(found["M-1"].questions)
    judged = recheck(found["MANY-SORTS"].text)
    assert isinstance(judged, Checked if known else Rejected)


def _guard(machine: Machine, name: str, **changed: object) -> Machine:
    found = tuple(replace(item, **changed) if item.name == name else item for item in machine.transitions)  # type: ignore[arg-type]  # the names are a transition's
    assert found != machine.transitions
    return replace(machine, transitions=found)


def _claim(machine: Machine, name: str, holds: Expr) -> Machine:
    found = tuple(
        replace(item, holds=holds) if item.name == name and isinstance(item, Always | Step) else item
        for item in machine.properties
    )
    assert found != machine.properties
    return replace(machine, properties=found)


def _property(machine: Machine, name: str, **changed: object) -> Machine:
    found = tuple(replace(item, **changed) if item.name == name else item for item in machine.properties)  # type: ignore[arg-type]  # the names are a property's
    assert found != machine.properties
    return replace(machine, properties=found)


COUNT, LIMIT = Var("count", IntSort(0, 9), Scope.CONTEXT), Var("limit", IntSort(0, None), Scope.CONTEXT)
AMOUNT = Var("amount", IntSort(1, None), Scope.PAYLOAD)
ROOM = Compare(Comparison.LE, Arith(Arithmetic.ADD, COUNT, AMOUNT), Arith(Arithmetic.ADD, LIMIT, Lit(1, INT)))
TIGHT = Compare(Comparison.LT, COUNT, LIMIT)


def planted(sound: Machine) -> Iterator[tuple[str, str, Machine]]:
    """Yield what was tampered with, the claim whose certificate no longer shows it, and the tampered machine."""
    add = sound.transition("T1")
    yield "guard dropped", "C-1", _guard(sound, "T1", when=TRUE)
    yield "guard negated", "C-1", _guard(sound, "T1", when=Not(add.when))
    yield "guard off by one", "C-1", _guard(sound, "T1", when=ROOM)
    yield "lock dropped", "C-2", _guard(sound, "T2", require=())
    yield "lock dropped, run", "C-7", _guard(sound, "T2", sources=("shut",))
    yield "update dropped", "C-5", _guard(sound, "T1", updates=())
    doubled = Update("count", Arith(Arithmetic.ADD, Arith(Arithmetic.ADD, COUNT, AMOUNT), AMOUNT))
    yield "update changed", "C-1", _guard(sound, "T1", updates=(doubled,))
    yield "update out of bounds", "COUNTER-SORTS", _guard(sound, "T1", when=TRUE)
    yield "retargeted", "C-2", _guard(sound, "T1", target="shut", updates=())
    yield "retargeted, must happen", "C-7", _guard(sound, "T2", target="open")
    yield "retargeted, run", "C-6", _guard(sound, "T2", target=None)
    yield "event changed", "C-4", _guard(sound, "T1", event="close", when=TRUE, updates=(Update("count", LIMIT),))
    free = Transition("T3", ("open",), "close", "shut", TRUE, (), (Update("count", Lit(0, INT)),))
    yield "unguarded transition added", "C-2", replace(sound, transitions=(*sound.transitions, free))
    deep = (Variable("count", IntSort(0, 9), 4, ""), *sound.variables[1:])
    yield "start changed", "C-1", replace(sound, variables=deep)
    wide = (Variable("count", IntSort(0, 9), 0, "", free=True), *sound.variables[1:])
    yield "start freed", "C-1", replace(sound, variables=wide)
    yield "claim strengthened", "C-1", _claim(sound, "C-1", TIGHT)
    yield "claim negated", "C-1", _claim(sound, "C-1", Not(Compare(Comparison.LE, COUNT, LIMIT)))
    yield "step claim strengthened", "C-4", _claim(sound, "C-4", Not(TRUE))
    yield "rank that may be negative", "C-7", _property(sound, "C-7", rank=Arith(Arithmetic.SUB, COUNT, LIMIT))
    yield "rank that grows", "C-7", _property(sound, "C-7", rank=COUNT)
    yield "what is unfair", "C-7", _property(sound, "C-7", fair=("add",))
    yield "what is reached", "C-6", _property(sound, "C-6", reach=Compare(Comparison.EQ, COUNT, Lit(3, INT)))
    early = tuple(replace(state, tags=()) for state in sound.states)
    yield "end not declared", "COUNTER-DEADLOCK", replace(sound, states=early)


def test_what_was_tampered_with_is_rejected(sound: Machine) -> None:
    """The certificate of a tampered machine with the old proof is rejected, for each kind of tampering."""
    report = prove(sound, QUICK)
    assert report.passed, [item for item in report.results if not isinstance(item.verdict, Proved)]
    kinds = set()
    for kind, claim, machine in planted(sound):
        kinds.add(kind)
        judged = recheck(certificates(machine, report)[claim].text)
        assert isinstance(judged, Rejected), (kind, judged)
    assert len(kinds) == 23


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(check-sat)", "(echo unsat)"),
        ("(assert Init)", "(assert Start)(check-sat)"),
        ("(push 1)", "(push 2)"),
        ("(push 1)", "(assert false)"),
        ("(pop 1)", ""),
        ("(set-logic ALL)", "(set-option :rlimit 1)"),
        ("(set-logic ALL)", "(set-logic QF_UF)"),
        ("; questions: ", "; questions: 1"),
        ("; questions: ", "; asks: "),
        ("(define-fun Init () Bool", "(define-fun Init () Bool ("),
        ("(= now.count 0)", "(= now.count 1) (= now.count 2)"),
        ("(declare-const now.count Int)", "(declare-const now.count Bool)"),
        ("(check-sat)", "(get-model)"),
        ("(check-sat)", "(check-sat-assuming (false))"),
        ("(check-sat)", "(reset)"),
    ],
)
def test_a_text_that_was_edited_is_rejected(sound: Machine, old: str, new: str) -> None:
    """The checker takes definitions and questions and nothing else, and as many as the head says."""
    text = certificates(sound)["C-1"].text
    assert old in text
    assert isinstance(recheck(text), Checked)
    assert isinstance(recheck(text.replace(old, new, 1)), Rejected)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.data())
def test_no_text_makes_the_checker_fall_over(noise: str, data: st.DataObject) -> None:
    """Noise anywhere, or a torn file, is judged and never accepted as a longer proof than it is."""
    text = "; questions: 1\n(set-logic ALL)\n(push 1)\n(assert false)\n(check-sat)\n(pop 1)\n"
    assert recheck(text) == Checked(1)
    cut = data.draw(st.integers(0, len(text)))
    assert isinstance(recheck(text[:cut] + noise), Checked | Rejected | Unknown)


def test_giving_up_is_no_pass() -> None:
    """A question beyond cvc5's limit is unknown, never accepted; a later wrong answer is still rejected."""
    hard = "(assert (forall ((x Int)) (exists ((y Int)) (= (* y y y) (+ (* x x) 7)))))"
    text = f"; questions: 1\n(set-logic ALL)\n(push 1)\n{hard}\n(check-sat)\n(pop 1)\n"
    assert isinstance(recheck(text, 20_000), Unknown)
    more = text.replace("questions: 1", "questions: 2") + "(push 1)\n(assert true)\n(check-sat)\n(pop 1)\n"
    assert isinstance(recheck(more, 20_000), Rejected)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A random machine whose cells have one row each, and claims about it: true and false ones."""

    def transition(state: str, event: str) -> Transition:
        names = (*CONTEXT, *PAYLOAD) if event == "press" else CONTEXT
        target = draw(st.sampled_from(STATES.members) | st.none())
        one = st.sampled_from(CONTEXT).flatmap(
            lambda var: st.builds(Update, st.just(var.name), expressions(var.sort, names, 2))
        )
        updates = draw(st.lists(one, max_size=2, unique_by=lambda item: item.variable).map(tuple))
        when = draw(guards if event == "press" else claims)
        return Transition(f"{state}-{event}", (state,), event, target, when, (), updates)

    fields = {"press": tuple(Field(var.name, var.sort, "") for var in PAYLOAD), "fail": ()}
    rest = Dismissal(STATES.members, EVENTS.members, "no", refused=True, when=None)
    inits = {"count": 0, "total": 0, "left": 0, "lit": False, "hue": "red", "size": "small"}
    always = st.builds(Always, st.just("P-1"), st.just("says"), claims)
    more = st.builds(Always, st.just("P-2"), st.just("says"), claims)
    step = st.builds(Step, st.just("P-3"), st.just("says"), steps)
    properties: tuple[Property, ...] = (draw(always), draw(more), draw(step))
    return Machine(
        "lamp",
        1,
        "",
        (COLOUR, SIZE),
        tuple(Variable(var.name, var.sort, inits[var.name], "") for var in CONTEXT),
        tuple(State(name, "", initial=name == "OFF") for name in STATES.members),
        tuple(Event(name, Origin.CLOCK, "", fields[name]) for name in EVENTS.members),
        (Reason("no", ""),),
        tuple(transition(state, event) for state in STATES.members for event in EVENTS.members),
        (rest,),
        properties,
    )


@settings(max_examples=20, deadline=None)
@given(machines())
def test_the_second_solver_never_contradicts_the_first(machine: Machine) -> None:
    """On random machines cvc5 accepts each certificate of a proved claim, and none of a claim that is refuted."""
    report = prove(machine, QUICK)
    judged = {name: recheck(item.text) for name, item in certificates(machine, report).items()}
    wrong = {name: found for name, found in judged.items() if isinstance(found, Rejected)}
    assert not wrong, report
    forged = tuple(
        replace(item, verdict=Proved("induction"), lemmas=(), inferred=())
        for item in report.results
        if isinstance(item.verdict, Refuted) and item.kind != "deadlock"
    )
    assume(judged or forged)
    for item in certificates(machine, replace(report, results=forged)).values():
        assert not isinstance(recheck(item.text), Checked), item.claim


def test_conjunctions_keep_their_meaning_in_guards(sound: Machine) -> None:
    """A guard of `when` and locks is printed as one conjunction: nothing of it is lost."""
    item = sound.transition("T2")
    whole = conjunction((item.when, *(lock.holds for lock in item.require)))
    assert whole == Compare(Comparison.GT, COUNT, Lit(0, INT))
    assert "(> now.count 0)" in certificates(sound)["C-2"].text
