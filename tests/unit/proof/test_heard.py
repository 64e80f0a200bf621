"""That an event is heard: proved of all values and payloads, refuted by an offer, and worth something."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from peak_trade.lang.machine import Heard, Machine
from peak_trade.lang.sorts import Datum, IntSort
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Ignored, Outcome, Refused, Stepper, Taken, Value
from peak_trade.lang.trace import text
from peak_trade.proof.cache import Cache
from peak_trade.proof.case import Case, Finding, Open
from peak_trade.proof.change.delta import Word
from peak_trade.proof.change.diff import diff
from peak_trade.proof.doubt.cuts import NoCut, cuts
from peak_trade.proof.doubt.mutate import mutants
from peak_trade.proof.doubt.roles import Role, roles
from peak_trade.proof.doubt.scope import Scope
from peak_trade.proof.doubt.score import LIMITS, Killed, Survived, score
from peak_trade.proof.doubt.trial import Trial
from peak_trade.proof.doubt.vacuity import Shown, Vacuous, interests
from peak_trade.proof.many import Job, prove_job
from peak_trade.proof.planner import opinions
from peak_trade.proof.prove import prove
from peak_trade.proof.recall.regress import fault
from peak_trade.proof.recall.shown import REFUTED, shows
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import NotInductive, Proved, Refuted
from peak_trade.proof.warrant.certificate import Absent, Certificate, certify
from peak_trade.proof.warrant.second import Checked, Rejected, recheck

Write = Callable[..., str]
Read = Callable[[str], Machine]
LIMIT = "- {id: L, lemma: limit == 3, says: The limit stays.}\n"
FITS = "- {id: H, heard: add, when: state == open and count + amount <= limit, says: What fits is added.}\n"
ANY = "- {id: H, heard: add, says: All is added.}\n"
CLOSES = "- {id: C, heard: close, when: state == open and count > 0, says: It can be closed.}\n"
SMALL = Limits(refutation_steps_max=4, inference_rlimit=200_000)


def result(machine: Machine) -> tuple[object, tuple[str, ...]]:
    """The verdict on H, and the lemmas of its proof."""
    found = prove(machine, SMALL, frozenset(("H",))).result("H")
    return found.verdict, found.lemmas


def last(verdict: object) -> tuple[int, Outcome]:
    """The length of the run that refutes, and what its last offer was answered."""
    assert isinstance(verdict, Refuted)
    assert verdict.trace is not None
    assert all(isinstance(link.outcome, Taken) for link in verdict.trace.links[:-1])
    return len(verdict.trace.links), verdict.trace.links[-1].outcome


def test_it_is_proved_with_the_lemmas_that_it_needs(counter: Write, read: Read) -> None:
    """What fits stays within the bounds because the limit does; what needs no lemma names none."""
    assert result(read(counter(LIMIT + FITS))) == (Proved("induction"), ("L",))
    assert result(read(counter(LIMIT + CLOSES.replace("id: C", "id: H")))) == (Proved("induction"), ())


def test_a_step_of_which_nothing_excludes_the_start_is_shown(counter: Write, read: Read) -> None:
    """Without the lemma nobody refutes it within four steps, and a value is shown that no invariant excludes."""
    machine = read(counter(FITS))
    verdict = prove(machine, replace(SMALL, exploration_values_max=1), engines=("induction", "bmc")).result("H").verdict
    assert isinstance(verdict, NotInductive)
    assert verdict.links[-1].outcome == Refused(VALUE_BOUNDS, "count")


@pytest.mark.parametrize(
    ("claim", "edits", "wanted"),
    [
        (ANY, (), (1, Refused("full"))),
        ("- {id: H, heard: close, when: state == open, says: x}\n", (), (1, Refused("soon", "T2"))),
        ("- {id: H, heard: close, when: count > 0, says: x}\n", (), (3, Refused("over"))),
        (
            FITS,
            (("count + amount <= limit", "count + amount <= 2"), ("amount > limit", "amount > 2")),
            (1, Refused("full")),
        ),
        (FITS.replace("<= limit", "<= limit + 9"), (), (1, Refused("full"))),
    ],
)
def test_a_refutation_is_a_shortest_run_to_an_offer_that_is_not_taken(
    counter: Write, read: Read, claim: str, edits: tuple[tuple[str, str], ...], wanted: tuple[int, Refused]
) -> None:
    """Whatever refuses it; the run is replayed, and shows what it is said to show."""
    machine = read(counter(claim, *edits))
    verdict, _ = result(machine)
    assert last(verdict) == wanted
    assert isinstance(verdict, Refuted)
    assert verdict.trace is not None
    (heard,) = (item for item in machine.properties if isinstance(item, Heard))
    assert shows(machine, heard, REFUTED, verdict.trace)
    assert not shows(machine, replace(heard, event="close" if heard.event == "add" else "add"), REFUTED, verdict.trace)
    offers = [(link.event, dict(link.payload)) for link in verdict.trace.links]
    assert fault(machine, "H", offers) == f"H is broken after {wanted[0]} steps: {heard.says}"
    assert f"refused: {wanted[1].reason}" in text(machine, verdict.trace).splitlines()[-1]


def test_ignored_and_out_of_bounds_are_not_heard(counter: Write, read: Read) -> None:
    """An event that is ignored is not taken, and neither is one whose update leaves its bounds."""
    machine = read(counter("- {id: H, heard: add, when: count == 0, says: x}\n", ("refuse:", "ignore:")))
    assert last(result(machine)[0]) == (1, Ignored("full"))
    free = read(counter(FITS, ("count: count + amount}", "count: count + amount + 9}")))
    assert last(result(free)[0]) == (1, Refused(VALUE_BOUNDS, "count"))


def test_what_an_invariant_would_stop_is_not_heard(counter: Write, read: Read) -> None:
    """A step that leaves an invariant, false as it is, is not taken by what runs; so the event is not heard."""
    machine = read(counter("- {id: A, always: count < 2, says: Few.}\n" + LIMIT + FITS))
    assert last(result(machine)[0]) == (1, Broken("A"))
    kept = read(counter("- {id: A, always: count < 2, says: Few.}\n" + LIMIT + FITS.replace("<= limit", "< 2")))
    assert result(kept) == (Proved("induction"), ("L",))


def test_the_engines_say_the_same(counter: Write, read: Read) -> None:
    """Induction and exploration prove it, runs and exploration refute it; who cannot say is open."""
    for claims, proved in ((LIMIT + FITS, True), (LIMIT + ANY, False)):
        machine = _finite(read(counter(claims)))
        claim = next(item for item in machine.properties if isinstance(item, Heard))
        said = opinions(Case.of(machine, SMALL), claim)
        kinds = {name: isinstance(one, Finding) and type(one.verdict) for name, one in said.items()}
        assert isinstance(said["kinduction"], Open)
        assert kinds["induction"] is (Proved if proved else False)
        assert kinds["bmc"] is (False if proved else Refuted)
        assert kinds["explore"] is (Proved if proved else Refuted)


def _finite(machine: Machine) -> Machine:
    """The counter with a limit and amounts of at most nine, so that all its values can be looked at."""
    count, limit = machine.variables
    add = machine.event("add")
    small = replace(add, payload=(replace(add.payload[0], sort=IntSort(1, 9)),))
    bounded = (count, replace(limit, sort=IntSort(0, 9)))
    return replace(machine, variables=bounded, events=tuple(small if one is add else one for one in machine.events))


def test_a_second_solver_checks_the_proof(counter: Write, read: Read) -> None:
    """cvc5 accepts the certificate, and rejects the same text for a machine that refuses one more payload."""
    machine = read(counter(LIMIT + FITS))
    (found,) = certify(machine, prove(machine), frozenset(("H",)))
    assert isinstance(found, Certificate)
    assert recheck(found.text) == Checked(found.questions)
    lamed = found.text.replace("(<= (+ now.count with.amount) now.limit)", "(< (+ now.count with.amount) now.limit)", 1)
    assert lamed != found.text
    assert isinstance(recheck(lamed), Rejected)


def test_there_is_no_certificate_while_an_invariant_is_open(counter: Write, read: Read) -> None:
    """An invariant that is not proved may stop the step at run time."""
    machine = read(counter("- {id: A, always: count < 2, says: Few.}\n" + LIMIT + FITS.replace("<= limit", "< 2")))
    (found,) = certify(machine, prove(machine, SMALL), frozenset(("H",)))
    assert found == Absent("H", "heard", "an invariant that is not proved may hold back the event")


def test_what_is_known_is_read_again(counter: Write, read: Read, tmp_path: Path) -> None:
    """A proof and a refutation come back from the cache as they were; another `when` is another claim."""
    complaints: list[str] = []
    cache = Cache(tmp_path, complaints.append)
    for claim in (LIMIT + FITS, LIMIT + ANY):
        job = Job(read(counter(claim)), frozenset(("H",)), SMALL)
        assert prove_job(job, cache) == prove_job(job, cache) == prove_job(job)
    assert len(list(tmp_path.rglob("*.json"))) == 2
    assert complaints == []


def test_a_claim_about_no_offer_is_vacuous(counter: Write, read: Read) -> None:
    """What no reachable value and no payload has is reported, proved; another comes with a run that ends in it."""
    found = interests(
        read(counter(LIMIT + "- {id: H, heard: add, when: limit < amount and limit > 3, says: x}\n" + CLOSES))
    )
    said = {item.property: item for item in found}
    assert said["H"] == Vacuous("H", "limit < amount and limit > 3", proved=True)
    shown = said["C"]
    assert isinstance(shown, Shown)
    assert [link.event for link in shown.trace.links] == ["add", "close"]


def test_a_fault_that_only_refuses_is_noticed_by_it(counter: Write, read: Read) -> None:
    """Two locks that are one too narrow survive every other claim, and are killed by a run that ends in a refusal."""
    edit = ("require: {soon: count > 0}", "require: {soon: count > 0 and limit < 9}")
    without, with_it = (score(read(counter(LIMIT + claim, edit))) for claim in ("", CLOSES))
    silent = {item.name for item in without.survivors}
    heard = {item.name: item.fate for item in with_it.judged if item.by == ("C",)}
    assert heard
    assert set(heard) <= silent
    for fate in heard.values():
        assert isinstance(fate, Killed)
        assert fate.trace is not None
        assert isinstance(fate.trace.links[-1].outcome, Refused)
    assert not any(isinstance(item.fate, Survived) and item.name in heard for item in with_it.judged)


def test_the_smallest_quantity_at_which_it_shows(counter: Write, read: Read) -> None:
    """A lock that wants two shows at one: nothing in the run is larger than the limit itself, which is three."""
    machine = read(counter(LIMIT + CLOSES))
    trial = Trial.of(machine, found := mutants(machine), LIMITS)
    (mutant,) = (item for item in found if item.name == "T2.require.soon.near.2")
    trace = trial.trace(trial.faulty(mutant), "C")
    assert trace is not None
    small = Scope.of(trial).smallest(mutant, "C", trace)
    assert (small.property, small.quantity) == ("C", 3)


def test_what_it_rests_on(counter: Write, read: Read) -> None:
    """No guard, lock or update is needed to hear more, but what keeps the values in their bounds; nothing cuts it."""
    machine = read(counter(LIMIT + FITS + CLOSES))
    found = roles(machine)
    assert {"H", "C"} <= set(found.claims)
    assert found.role("T2.require.soon", "C") is Role.IRRELEVANT
    assert {item.property: item for item in cuts(machine, frozenset(("H", "C")))} == {
        "H": NoCut("H", None),
        "C": NoCut("C", None),
    }


@pytest.mark.parametrize(
    ("was", "now", "word"),
    [
        ("heard: add, when: amount < 5", "heard: add, when: amount < 6", Word.STRICTER),
        ("heard: add, when: amount < 6", "heard: add, when: amount < 5", Word.LOOSER),
        ("heard: add, when: amount < 6", "heard: add, when: amount <= 5", Word.SAME),
        ("heard: add, when: amount > 0", "heard: add", Word.SAME),
        ("heard: add, when: amount < 6", "heard: add, when: count < 6", Word.INCOMPARABLE),
        ("heard: add, when: count < 6", "heard: close, when: count < 6", Word.INCOMPARABLE),
        ("heard: add", "step: next_count > count", Word.INCOMPARABLE),
    ],
)
def test_it_claims_more_the_more_it_speaks_of(counter: Write, read: Read, was: str, now: str, word: Word) -> None:
    """One that speaks of fewer offers claims less, and is flagged with its clause."""
    old, new = (read(counter(f"- {{id: P, {claim}, says: So., answers: [C1]}}\n")) for claim in (was, now))
    delta = diff(old, new)
    assert [item.word for item in delta.claims] == [word]
    weaker = word in (Word.LOOSER, Word.INCOMPARABLE)
    assert [(item.kind, item.clauses) for item in delta.loosened] == ([("property", ("C1",))] if weaker else [])


def test_a_wider_guard_touches_nothing_that_is_heard(counter: Write, read: Read) -> None:
    """A step more makes no event unheard."""
    claim = "- {id: H, heard: close, when: count > 0 and state == open, says: x, answers: [C1]}\n"
    old, new = read(counter(claim)), read(counter(claim, ("require: {soon: count > 0}", "require: {soon: count >= 0}")))
    assert diff(old, new).loosened == ()


def test_the_shipped_order_hears_a_late_fill(shipped: Callable[[str], Machine]) -> None:
    """Without its row for late fills the order would refuse one, and ORD-H1 says so with a run."""
    machine = shipped("order")
    assert prove(machine, only=frozenset(("ORD-H1",))).passed
    row = machine.transition("O14")
    deaf = replace(row, sources=tuple(name for name in row.sources if name != "expired"))
    changed = replace(machine, transitions=tuple(deaf if item is row else item for item in machine.transitions))
    verdict = prove(changed, only=frozenset(("ORD-H1",))).result("ORD-H1").verdict
    assert last(verdict)[1] == Refused("overfill")
    assert isinstance(verdict, Refuted)
    assert verdict.trace is not None
    assert verdict.trace.last.state == "expired"


@pytest.mark.parametrize(
    ("start", "offer", "reason"),
    [
        (("order", "new", {"qty": 5, "leaves": 5}), ("correct", {"cum_qty": 6}), "overfill"),
        (
            ("order", "pending_new", {"qty": 5, "leaves": 5}),
            ("inform", {"order_qty": 5, "cum_qty": 1}),
            "report_disagrees",
        ),
        (
            ("session", "DRYRUN_ACTIVE", {"trading": "reducing"}),
            ("order_batch", {"sent": 2, "adding": 1}),
            "only_reducing",
        ),
    ],
)
def test_what_no_claim_can_say_is_refused(
    shipped: Callable[[str], Machine],
    start: tuple[str, str, dict[str, Datum]],
    offer: tuple[str, dict[str, int]],
    reason: str,
) -> None:
    """No claim about steps sees a payload: what must be refused by it, and nothing else would notice, is tried."""
    name, state, context = start
    machine = replace(shipped(name), properties=())
    value = Value(state, tuple(context.get(item.name, item.init) for item in machine.variables))
    outcome, after = Stepper.of(machine).step(value, *offer)
    assert isinstance(outcome, Refused)
    assert (outcome.reason, after) == (reason, value)
