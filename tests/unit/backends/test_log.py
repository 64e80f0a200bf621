"""A machine with maps and free variables means the same to every backend, and is shown with them."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.kernel import IllSorted, compile_kernel, generate
from peak_trade.backends.relation import Encoding
from peak_trade.backends.statemachine import Driver
from peak_trade.backends.table import table
from peak_trade.lang.check import examine
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse, parse_file
from peak_trade.lang.pretty import document
from peak_trade.lang.source import Source
from peak_trade.lang.step import Refused, Stepper, Taken, Value, initial
from peak_trade.lang.trace import plain, replay, text
from peak_trade.proof.decide import decide
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import NotInductive, Proved, Refuted

SPEC = Path(__file__).resolve().parents[3] / "spec"
SOURCE = Source(
    "log",
    """
machine: log
version: 1
summary: What the venue reports, and what was read of it.
enums: {Side: [buy, sell]}
context:
  head: {type: int, min: 0, max: 9, init: any, doc: How many reports there are}
  sums: {type: map, of: int, min: 0, max: 3, unit: lots, doc: What each report says}
  seen: {type: map, of: bool, doc: Which were read}
  sides: {type: map, of: Side, doc: The side of each}
states:
  ON: {initial: true, doc: Up}
events:
  report: {origin: venue, doc: A report, payload: {qty: {type: int, doc: How much}, side: {type: Side, doc: Side}}}
  read: {origin: clock, doc: One is read, payload: {at: {type: int, doc: Which}, fresh: {type: bool, doc: Mark}}}
  wipe: {origin: operator, doc: One is emptied, payload: {at: {type: int, doc: Which}}}
reasons: {empty: Nothing is there.}
transitions:
  - {id: L1, from: ON, on: report, set: {"sums[head]": qty, "sides[head]": side, head: head + 1}}
  - {id: L2, from: ON, on: read, require: {empty: "sums[at] > 0"}, set: {"seen[at]": fresh}}
  - {id: L3, from: ON, on: wipe, set: {"sums[at]": "sums[sums[at]]", "seen[at]": "seen[at + 1]"}}
properties:
  - {id: LOG-1, always: "0 <= sums[0] <= 3", says: The element keeps its bounds.}
  - {id: LOG-2, step: "event != read or next_sums[0] == sums[0]", says: Reading changes nothing.}
  - {id: LOG-3, witness: "sums[2] == 3 and seen[2] and sides[2] == sell", says: A report can be read.}
  - {id: LOG-4, always: "sums[5] != 2", says: Wrong.}
  - {id: LOG-5, lemma: "seen[3] or not seen[3 + 1]", says: Wrong too.}
""",
)


def log(*, claims: bool) -> Machine:
    """The machine, perhaps without its run-time filter."""
    head, _, rest = SOURCE.text.partition("properties:")
    source = SOURCE if claims else Source("log", head)
    parsed = parse(source)
    assert examine(parsed) == (), rest
    assert parsed.machine is not None
    assert decide(parsed.machine, source) == ()
    return parsed.machine


LOG = log(claims=True)
QUIET = log(claims=False)
KERNEL = compile_kernel(QUIET)

NEAR, SMALL = st.integers(-1, 2), st.integers(-1, 4)
OFFERS = st.one_of(
    st.tuples(st.just("report"), st.fixed_dictionaries({"qty": SMALL, "side": st.sampled_from(["buy", "sell"])})),
    st.tuples(st.just("read"), st.fixed_dictionaries({"at": NEAR, "fresh": st.booleans()})),
    st.tuples(st.just("wipe"), st.fixed_dictionaries({"at": NEAR})),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(OFFERS, min_size=5, max_size=25), st.integers(-1, 1))
def test_every_engine_writes_and_reads_the_same_elements(offers: list[tuple[str, dict[str, int]]], head: int) -> None:
    """Definition, kernel and python-statemachine agree on reports at a few indices, defaults written back too."""
    stepper, start = Stepper.of(QUIET), initial(QUIET)
    value = Value(start.state, (max(0, head), *start.context[1:]))
    driver = Driver.at(KERNEL, value)
    for event, payload in offers:
        expected, after = stepper.step(value, event, payload)
        assert KERNEL.offer(KERNEL.load(value), event, payload) == (expected, KERNEL.load(after))
        assert driver.fire(event, payload) == expected
        assert KERNEL.dump(driver.value) == after
        value = after


def test_an_element_beyond_its_bounds_is_refused_with_the_maps_name() -> None:
    """The step is refused before anything is written."""
    start = initial(QUIET)
    outcome, after = Stepper.of(QUIET).step(start, "report", {"qty": 4, "side": "buy"})
    assert outcome == Refused("value_bounds", "sums")
    assert after is start


def test_what_is_written_with_its_default_leaves_no_entry() -> None:
    """A value is canonical however it came about: a report of nothing is as if there was none."""
    start, stepper = initial(QUIET), Stepper.of(QUIET)
    once = stepper.step(start, "report", {"qty": 0, "side": "buy"})[1]
    assert once == Value("ON", (1, (), (), ()))
    assert stepper.step(once, "report", {"qty": 2, "side": "sell"})[1] == Value(
        "ON", (2, ((1, 2),), (), ((1, "sell"),))
    )


@pytest.mark.parametrize("entries", [((0, 4),), ((0, 0),), ((2, 1), (1, 1)), 7])
def test_a_kernel_loads_canonical_maps_only(entries: object) -> None:
    """A value from outside with elements beyond their bounds, or written in another way, is none of the machine's."""
    with pytest.raises(IllSorted, match="sums"):
        KERNEL.load(Value("ON", (0, entries, (), ())))  # type: ignore[arg-type]  # what is wrong on purpose


def test_only_a_machine_with_maps_has_their_functions_in_its_kernel() -> None:
    """The generated text of other machines is what it was."""
    order = parse_file(SPEC / "order.yaml").machine
    assert order is not None
    assert "lang.maps" not in generate(order)
    assert "lang.maps import select as _at" in generate(LOG)


def test_claims_about_elements_are_proved_and_refuted() -> None:
    """Bounds and frames by induction, a report that is read by a run, and what is wrong by a shortest run."""
    report = prove(LOG)
    found = {item.property: item.verdict for item in report.results}
    assert isinstance(found["LOG-1"], Proved)
    assert isinstance(found["LOG-2"], Proved)
    assert isinstance(found["LOG-3"], Proved)
    refuted = found["LOG-4"]
    assert isinstance(refuted, Refuted)
    assert refuted.trace is not None
    assert len(refuted.trace.links) == 1, "the start is free, so one report at index 5 is enough"
    assert refuted.trace.start.context[0] == 5
    assert isinstance(found["LOG-5"], Refuted | NotInductive)


def test_a_claim_that_holds_but_is_not_inductive_is_shown_by_a_value_with_entries() -> None:
    """From a value that no run leads to, replayed like any other."""
    head, _, _ = SOURCE.text.partition("properties:")
    claims = 'properties:\n  - {id: LOG-9, always: "seen[99] or not seen[98]", says: No report is read that far.}\n'
    machine = parse(Source("log", head.replace("sums[at] > 0", "sums[at] > 3") + claims)).machine
    assert machine is not None
    verdict = prove(machine, only=frozenset(("LOG-9",))).result("LOG-9").verdict
    assert isinstance(verdict, NotInductive)
    assert (99, True) in verdict.start.context[2]  # type: ignore[operator]  # a map


def test_the_document_survives_writing_and_reading() -> None:
    """Maps, elements, writes and free variables are read again as they were."""
    again = parse(Source("again", document(LOG))).machine
    assert again == LOG


def test_pages_and_traces_show_maps_in_full() -> None:
    """The table says how each starts and what is written where; a trace shows entries, and where a run began."""
    page = table(LOG)
    assert "`head: int 0..9` | `any`" in page
    assert "`sums: map of int 0..3 lots` | `0 everywhere`" in page
    assert "`sums[head] := qty`" in page
    start = Value("ON", (3, (), (), ()))
    trace = replay(QUIET, start, (("report", {"qty": 2, "side": "sell"}), ("read", {"at": 3, "fresh": True})))
    assert [type(link.outcome) for link in trace.links] == [Taken, Taken]
    assert text(QUIET, trace).splitlines() == [
        "  0  ON  head = 3",
        "  1  report(qty=2, side=sell)  L1  → ON  head := 4, sums := {3: 2}, sides := {3: sell}",
        "  2  read(at=3, fresh=true)  L2  → ON  seen := {3: true}",
    ]
    steps = plain(QUIET, trace)["steps"]
    assert steps[0]["changed"] == {"head": 4, "sums": {"3": 2}, "sides": {"3": "sell"}}
    assert plain(QUIET, trace)["start"]["context"]["sums"] == {}


def test_an_undecided_cell_is_shown_with_elements() -> None:
    """The example of values that no row decides has the entries that matter."""
    text_of = SOURCE.text.partition("properties:")[0].replace("on: wipe, set", 'on: wipe, when: "sums[head] < 3", set')
    source = Source("log", text_of)
    machine = parse(source).machine
    assert machine is not None
    (found,) = decide(machine, source)
    assert found.code == "PT050"
    assert re.search(r"head=(\d), sums=\{\1: 3\}", found.message)


def test_two_encodings_of_a_machine_with_maps_stand_side_by_side() -> None:
    """Arrays too belong to the context of their encoding."""
    assert Encoding.of(LOG).world.context is not Encoding.of(LOG).world.context
