"""Verdicts: what is proved, what is refuted and how shortly, and what is honestly left open."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Refused, Taken, Value, initial
from peak_trade.lang.trace import replay
from peak_trade.proof.prove import NoSuchClaim, claims, prove
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Report, Result, Unknown, Verdict

Write = Callable[..., str]
Read = Callable[[str], Machine]


PLAIN = ("induction", "bmc")
"""The engines that invent nothing: with what is declared alone."""


def verdict(machine: Machine, name: str, limits: Limits | None = None) -> Verdict:
    """The verdict on one claim, with what is declared alone."""
    return prove(machine, limits or Limits(), frozenset((name,)), engines=PLAIN).result(name).verdict


@pytest.mark.parametrize("name", ["order", "session"])
def test_the_shipped_machines_are_proved(
    shipped: Callable[[str], Machine], whole: Callable[[str], Report], name: str
) -> None:
    """Every claim of a shipped machine is proved, its witnesses by runs of the machine as it is."""
    machine, report = shipped(name), whole(name)
    assert {item.property: item.verdict for item in report.results if not isinstance(item.verdict, Proved)} == {}
    assert report.passed
    assert report.fingerprint == fingerprint(machine)
    assert tuple(item.property for item in report.results) == claims(machine)
    for item in report.results:
        assert isinstance(item.verdict, Proved)
        assert item.verdict.method == {"witness": "witness", "leads_to": "ranking"}.get(item.kind, "induction")
        trace = item.verdict.trace
        assert (trace is not None) == (item.kind == "witness")
        if trace is not None:
            offers = tuple((link.event, dict(link.payload)) for link in trace.links)
            assert trace == replay(machine, initial(machine), offers)
            assert all(isinstance(link.outcome, Taken) for link in trace.links)


def test_equal_arguments_give_equal_reports(counter: Write, read: Read) -> None:
    """A report has no time and no chance in it: traces and what was spent are the same again."""
    machine = read(counter("- {id: A, always: count <= 2, says: x}\n- {id: W, witness: count == 3, says: y}"))
    assert prove(machine) == prove(machine)


def test_a_simple_invariant_stands_alone(counter: Write, read: Read) -> None:
    """An invariant that its own truth keeps needs no lemma, even if others are declared."""
    text = counter("- {id: A, always: count <= limit, says: x}\n- {id: B, always: limit == 3, says: y}")
    report = prove(read(text))
    assert report.passed
    assert report.result("A").lemmas == ()


def test_invariants_that_need_each_other_are_proved_together(counter: Write, read: Read) -> None:
    """An invariant that only follows from another names it, and falls back to open without it."""
    weak = "- {id: A, always: count <= 3, says: x}\n"
    both = read(counter(weak + "- {id: B, lemma: count <= limit and limit == 3, says: y}"))
    assert prove(both).result("A").lemmas == ("B",)
    assert prove(both).result("B").kind == "lemma"
    found = verdict(read(counter(weak)), "A")
    assert isinstance(found, NotInductive)
    assert found.start.context[1] != 3
    assert [link.outcome for link in found.links] == [Broken("A")]


def test_a_pair_needs_each_other_both_ways(counter: Write, read: Read) -> None:
    """Neither of two invariants is inductive alone; together they are, and both say so."""
    rows = ("set: {count: count + amount}}", "set: {count: limit, limit: count}}")
    guard = ("when: count + amount <= limit,", "when: amount == 1,")
    rest = ("when: count + amount > limit", "when: amount != 1")
    text = counter("- {id: A, always: count <= 3, says: x}\n- {id: B, always: limit <= 3, says: y}", rows, guard, rest)
    report = prove(read(text))
    assert report.passed
    assert (report.result("A").lemmas, report.result("B").lemmas) == (("B",), ("A",))


def test_a_refutation_is_shortest_and_replayed(counter: Write, read: Read) -> None:
    """A false invariant falls by the shortest run there is; its last step is what the run-time filter would stop."""
    machine = read(counter("- {id: A, always: state == open or count < 2, says: x}"))
    found = verdict(machine, "A")
    assert isinstance(found, Refuted)
    assert found.trace is not None
    assert found.trace.start == initial(machine)
    assert [type(link.outcome) for link in found.trace.links] == [Taken, Broken]


def test_a_false_start_is_refuted_by_no_step(counter: Write, read: Read) -> None:
    """An invariant that the initial value lacks is refuted by the start itself."""
    found = verdict(read(counter("- {id: A, always: limit == 4, says: x}")), "A")
    assert isinstance(found, Refuted)
    assert found.trace is not None
    assert found.trace.links == ()


def test_one_false_invariant_does_not_hide_another(counter: Write, read: Read) -> None:
    """Both of two false invariants are refuted, also where the first run-time filter would stop the second's run."""
    report = prove(read(counter("- {id: A, always: count < 1, says: x}\n- {id: B, always: count < 3, says: y}")))
    assert [type(report.result(name).verdict) for name in ("A", "B")] == [Refuted, Refuted]
    assert not report.passed


def test_steps_are_judged_before_and_after(counter: Write, read: Read) -> None:
    """A true claim about steps is proved, a false one refuted by a run whose last step is taken."""
    text = counter(
        """\
        - {id: UP, step: next_count >= count, says: x}
        - {id: SAME, step: next_count == count or event == close, says: y}
        - {id: END, step: state != shut, says: z}
        """
    )
    report = prove(read(text), engines=PLAIN)
    assert [type(item.verdict) for item in report.results] == [Proved, Refuted, Proved, NotInductive, NotInductive]
    same = report.result("SAME").verdict
    assert isinstance(same, Refuted)
    assert same.trace is not None
    assert [link.outcome for link in same.trace.links] == [Taken("T1")]


def test_an_update_that_leaves_its_bounds_is_found(counter: Write, read: Read) -> None:
    """The claim on sorts that nobody need declare falls by a run that `lang.step` refuses for the bounds."""
    machine = read(counter("", ("amount <= limit,", "amount <= limit + 9,"), ("amount > limit", "amount > limit + 9")))
    found = verdict(machine, "COUNTER-SORTS")
    assert isinstance(found, Refuted)
    assert found.trace is not None
    assert found.trace.links[-1].outcome == Refused(VALUE_BOUNDS, "count")
    lemma = "- {id: A, always: count <= limit and limit == 3, says: x}"
    kept = prove(read(counter(lemma))).result("COUNTER-SORTS")
    assert kept.verdict == Proved("induction")
    assert kept.lemmas == ("A",)


def test_a_start_outside_its_sort_is_found(counter: Write, read: Read) -> None:
    """An initial value outside its bounds refutes the claim on sorts, so that nothing is proved of no value at all."""
    machine = read(counter())
    count, limit = machine.variables
    found = verdict(replace(machine, variables=(replace(count, init=10), limit)), "COUNTER-SORTS")
    assert isinstance(found, Refuted)
    assert found.trace is not None
    assert found.trace.links == ()


def test_a_witness_has_the_shortest_run(counter: Write, read: Read) -> None:
    """What can be reached is proved by a shortest run: by none where the start has it."""
    text = counter("- {id: W, witness: state == shut and count == 3, says: x}\n- {id: S, witness: count == 0, says: y}")
    report = prove(read(text))
    lengths = [len(item.verdict.trace.links) for item in report.results if getattr(item.verdict, "trace", None)]
    assert lengths == [2, 0]


def test_a_witness_out_of_reach_is_refuted_or_unknown(counter: Write, read: Read) -> None:
    """Unreachable by proof is refuted; not reached within the limit is only unknown, and says the limit."""
    lemma = "- {id: B, lemma: count <= limit and limit == 3, says: y}\n"
    machine = read(counter(lemma + "- {id: W, witness: count == 4, says: x}"))
    assert isinstance(verdict(machine, "W"), Refuted)
    far = read(counter("- {id: W, witness: count == 4, says: x}"))
    assert verdict(far, "W", Limits(witness_steps_max=3)) == Unknown("not reached within 3 steps")


def test_a_witness_must_pass_the_filter_of_the_machine(counter: Write, read: Read) -> None:
    """A run that the declared invariants would stop is no witness, even where those invariants are not proved."""
    both = "- {id: A, always: count < 2, says: x}\n- {id: W, witness: count == 3, says: y}"
    machine = read(counter(both))
    assert isinstance(verdict(machine, "A"), Refuted)
    assert not isinstance(verdict(machine, "W"), Proved)


def test_a_value_that_nothing_leaves_is_found(counter: Write, read: Read) -> None:
    """Where no event can be taken before the end, the claim on deadlocks falls by a shortest run."""
    lemma = "- {id: A, lemma: limit == 3 and count <= limit, says: x}"
    assert verdict(read(counter(lemma)), "COUNTER-DEADLOCK") == Proved("induction")
    locked = counter("", ("when: count + amount <= limit,", "when: count + amount <= limit and amount == 1,"),
                     ("when: count + amount > limit", "when: not (count + amount <= limit and amount == 1)"),
                     ("{soon: count > 0}", "{soon: count > 7}"))  # fmt: skip
    found = verdict(read(locked), "COUNTER-DEADLOCK")
    assert isinstance(found, Refuted)
    assert found.trace is not None
    assert found.trace.last.context == (3, 3)
    assert len(found.trace.links) == 3


def test_too_small_a_budget_is_unknown(shipped: Callable[[str], Machine]) -> None:
    """When Z3 may spend next to nothing, every verdict is unknown, and none is a pass."""
    report = prove(shipped("order"), Limits(question_rlimit=1))
    assert {type(item.verdict) for item in report.results} == {Unknown}
    assert not report.passed


def test_a_violation_beyond_the_search_is_open(counter: Write, read: Read) -> None:
    """Deeper than the limit nothing is refuted: the verdict is a step that no invariant excludes."""
    one = ("set: {count: count + amount}", "set: {count: count + 1}")
    machine = read(counter("- {id: A, always: count < 3, says: x}", one))
    assert isinstance(verdict(machine, "A", Limits(refutation_steps_max=2)), NotInductive)
    found = verdict(machine, "A", Limits(refutation_steps_max=3))
    assert isinstance(found, Refuted)
    assert found.trace is not None
    assert len(found.trace.links) == 3


def test_only_what_is_asked_for_is_judged(counter: Write, read: Read) -> None:
    """`only` selects results, and a wrong or empty selection is refused: proving nothing is no pass."""
    machine = read(counter("- {id: A, always: count <= limit, says: x}\n- {id: B, always: limit == 3, says: y}"))
    heard: list[Result] = []
    report = prove(machine, only=frozenset(("B",)), progress=heard.append)
    assert tuple(item.property for item in report.results) == ("B",)
    assert tuple(heard) == report.results
    for wrong in (frozenset(("B", "C")), frozenset[str]()):
        with pytest.raises(NoSuchClaim) as caught:
            prove(machine, only=wrong)
        assert caught.value.known == ("A", "B", "COUNTER-SORTS", "COUNTER-DEADLOCK")
    assert not Report("counter", "", ()).passed


def test_a_result_says_what_it_cost(counter: Write, read: Read) -> None:
    """Each result has what Z3 spent on it, in a unit that does not depend on the machine it runs on."""
    report = prove(read(counter("- {id: A, always: count <= limit, says: x}")))
    assert all(item.rlimit > 0 for item in report.results)


def test_a_value_is_data() -> None:
    """A step that no invariant excludes can be shown: its start is an ordinary value."""
    assert NotInductive(Value("open", (0, 3)), (), "x").start.state == "open"
