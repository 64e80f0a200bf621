"""Generated rules hold a system to its specification: what is right passes, what is wrong is found, shrunk and told."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.backends.offers import Offers
from peak_trade.backends.payloads import LIKELY_MAX, likely, scalars
from peak_trade.backends.rules import KernelRules, Observed, SpecRules, kernel_rules, rules, system_rules
from peak_trade.backends.stateful import Differs, command, dumped, loaded
from peak_trade.cli.specs import machine_named, system_at
from peak_trade.lang.expr import Lit
from peak_trade.lang.machine import Event, Field, Heard, Machine, Origin, Step
from peak_trade.lang.sorts import BOOL, BoolSort, EnumSort, IntSort, inhabits
from peak_trade.lang.step import Outcome, Payload, Refused, Stepper, Taken, initial

ROOT = Path(__file__).resolve().parents[3]
SORTS = (IntSort(1, None), IntSort(None, -3), IntSort(2, 5), IntSort(), BoolSort(), EnumSort("Hue", ("red", "green")))


@pytest.fixture(scope="module")
def order() -> Machine:
    """The order's machine."""
    return machine_named("order")


@pytest.mark.parametrize(("name", "least"), [("order", 25), ("session", 15), ("breaker", 9), ("venue", 12)])
def test_the_kernel_is_what_the_definition_says(name: str, least: int) -> None:
    """Drawn programs find no difference, and they get around: many transitions are taken, and witnesses reached."""
    machine = kernel_rules(machine_named(name))
    machine.examine(20, 25, shrinks=False)
    assert len(machine.taken) >= least
    assert sum(machine.witnessed.values()) > 0
    assert machine.counts["offered"] > sum(machine.taken.values()) > 0


def test_a_system_has_rules_too() -> None:
    """A session with two orders is walked: names that Python does not take are no obstacle."""
    machine = system_rules(system_at(str(ROOT / "docs" / "models" / "ptref" / "system.yaml")), 2)
    assert any("[2]" in event.name for event in machine.machine.events)
    machine.examine(10, 20, shrinks=False)
    assert len(machine.taken) > 8


def shown_wrong(order: Machine) -> type[KernelRules]:
    """Rules of a system that forgets how much was executed."""

    class Forgetful(kernel_rules(order)):  # type: ignore[misc]  # the class is made at run time
        """Shows that nothing was executed."""

        def observe(self) -> Observed:
            state, context = super().observe()
            return state, {**context, "cum": 0}

    return Forgetful


def test_a_wrong_value_is_found_shrunk_and_runs_again(order: Machine) -> None:
    """The shortest program that shows it is told line by line, with seed and replay, which differs again."""
    wrong = shown_wrong(order)
    with pytest.raises(Differs) as caught:
        wrong.examine(30, 30)
    found = caught.value
    assert found.expected == "cum = 1"
    assert found.was.startswith("0, which breaks ORD-")
    assert found.told.count("\n") <= 4
    assert "fill(last_qty=1)" in found.told
    assert (found.seed, "replay(" in found.replay) == (1, True)
    program = found.replay.partition("replay('")[2].rpartition("')")[0]
    assert "fill" in [name for name, _ in loaded(program)]
    with pytest.raises(Differs, match="expected cum = 1"):
        wrong.replay(program)
    assert kernel_rules(order).replay(program).value.context[1] == 1


def test_a_wrong_outcome_is_found(order: Machine) -> None:
    """A system that takes what the specification refuses says so, and that is enough."""

    class Willing(kernel_rules(order)):  # type: ignore[misc]  # as above
        """Never refuses."""

        def perform(self, event: str, payload: Payload) -> Outcome:
            outcome: Outcome = super().perform(event, payload)
            return Taken("O01") if isinstance(outcome, Refused) else outcome

    with pytest.raises(Differs, match=r"expected Refused\(.*was Taken\(transition='O01'\)"):
        Willing.examine(20, 8)


def test_only_what_may_be_taken_is_offered_where_that_is_asked_for(order: Machine) -> None:
    """With `refuses` off no rule offers an event that has no transition; with it on, one does."""

    def offered(refuses: bool) -> set[bool]:
        found: set[bool] = set()

        class Noting(rules(order)):  # type: ignore[misc]  # as above
            """Notes whether what is offered may be taken."""

            def offer(self, event: str, payload: Any) -> None:
                found.add(event in self.live())
                super().offer(event, payload)

        Noting.refuses = refuses
        Noting.examine(8, 10, shrinks=False)
        return found

    assert (offered(refuses=False), offered(refuses=True)) == ({True}, {True, False})


def test_an_error_of_the_system_carries_the_program(order: Machine) -> None:
    """What the system raises stays what it is, with a note of the program that led to it."""

    class Raising(rules(order)):  # type: ignore[misc]  # as above
        """Fails to submit."""

        def perform(self, event: str, payload: Payload) -> None:
            assert payload is not None
            if event == "submit":
                raise ArithmeticError("no")

    with pytest.raises(ArithmeticError, match="no") as caught:
        Raising.examine(20, 5)
    (note,) = [note for note in caught.value.__notes__ if "submit(order_qty=1)" in note]
    assert "next: " in note


@pytest.mark.parametrize(
    "claim",
    [
        Step("X-1", "nothing ever happens", Lit(False, BOOL)),
        Heard("X-2", "a fill is always taken", "fill", Lit(True, BOOL)),
    ],
)
def test_a_specification_that_breaks_its_own_claim_is_found(order: Machine, claim: Step | Heard) -> None:
    """Claims about steps, and that an event is heard, are judged beside the invariants."""
    with pytest.raises(Differs, match=claim.says):
        rules(replace(order, properties=(claim,))).examine(40, 20, shrinks=False)


def test_what_is_not_shown_is_not_compared_and_what_is_unknown_differs(order: Machine) -> None:
    """A system may show as little as it likes, and nothing that the machine has not."""

    def showing(shown: Observed) -> type[SpecRules]:
        class Showing(rules(order)):  # type: ignore[misc]  # as above
            """Shows what it is told to show."""

            def observe(self) -> Observed:
                return shown

        return Showing

    showing((None, {})).examine(5, 10, shrinks=False)
    for shown in ((None, {"height": 1}), ("nowhere", {}), (None, {"cancel_asked": 0})):
        with pytest.raises(Differs):
            showing(shown).examine(5, 10, shrinks=False)


def test_equal_seeds_draw_equal_programs(order: Machine) -> None:
    """A seed is a program; another seed is another one."""

    def programs(seed: int) -> list[str]:
        found: list[str] = []

        class Noting(rules(order)):  # type: ignore[misc]  # as above
            """Keeps its programs."""

            def teardown(self) -> None:
                found.append(dumped(self.program))

        fresh: Any = type("Noting", (Noting,), {"seed": seed})
        fresh.examine(4, 6, shrinks=False)
        return found

    assert programs(3) == programs(3) != programs(4)


@given(st.sampled_from(SORTS), st.lists(st.integers(-9, 9), max_size=4).map(tuple), st.data())
def test_what_is_drawn_is_of_its_sort(sort: Any, numbers: tuple[int, ...], data: st.DataObject) -> None:
    """Likely or not, a value is one of the field's sort."""
    assert inhabits(data.draw(scalars(sort, numbers)), sort)
    event = Event("go", Origin.CLOCK, "x", (Field("a", sort, "x"), Field("b", sort, "x")))
    found = likely(event, numbers)
    assert 0 < len(found) <= LIKELY_MAX
    assert len(set(found)) == len(found)
    assert all(inhabits(item, sort) for packed in found for item in packed)


@pytest.mark.parametrize("name", ["order", "session"])
def test_an_opening_leads_to_its_transition(name: str) -> None:
    """By the definition, each opening is taken to its last step, and no two end with the same transition."""
    machine = machine_named(name)
    stepper, last = Stepper.of(machine), []
    empty, *openings = Offers.of(machine).openings()
    assert empty == ()
    for opening in openings:
        value = initial(machine)
        for event, payload in opening:
            outcome, value = stepper.step(value, event, payload)
            assert isinstance(outcome, Taken)
        last.append(outcome.transition)
    assert len(set(last)) == len(last) > len(machine.transitions) // 2


def test_a_program_is_text_and_back(order: Machine) -> None:
    """A program survives its text; what is none is refused; a class that nobody can import has no shell command."""
    program = [("begin", {"free": {}}), ("submit", {"order_qty": 3})]
    assert loaded(dumped(program)) == program
    with pytest.raises(ValueError, match="expected a list of pairs"):
        loaded(json.dumps({"submit": 1}))
    assert command(shown_wrong(order), program).startswith("Forgetful.replay(")
    assert command(KernelRules, program).startswith("python -c 'from peak_trade.backends.rules import KernelRules; ")


@pytest.fixture(scope="module")
def page() -> str:
    """The first block of code of the guide."""
    return (ROOT / "docs" / "how-to" / "stateful.md").read_text().split("```python\n")[1].partition("```")[0]


def ran(code: str) -> Any:
    """What a block of code defines."""
    found: dict[str, Any] = {"__name__": "page"}
    exec(code, found)  # noqa: S102 - the guide's own code
    return found


def test_the_guide_s_component_does_what_it_says(page: str) -> None:
    """The breaker of the page passes, all of its specification's transitions are taken."""
    rules_of_page = ran(page)["BreakerRules"]
    rules_of_page.examine(25, 30, shrinks=False)
    assert len(rules_of_page.taken) == 9


def test_the_guide_s_mistake_is_told_as_the_guide_says(page: str, tmp_path: Path) -> None:
    """The text on the page is what comes out, and the command that it ends with finds the mistake again."""
    shown: Callable[[str], list[str]] = lambda text: text.splitlines()[:-1]  # noqa: E731 - what is before the command
    wrong = page.replace("self.failures >= self.failures_max", "self.failures > self.failures_max")
    with pytest.raises(Differs) as caught:
        ran(wrong)["BreakerRules"].examine(60, 30)
    text = (ROOT / "docs" / "how-to" / "stateful.md").read_text().split("```text\n")[1].partition("```")[0]
    assert shown(str(caught.value)) == shown(text)
    (tmp_path / "page.py").write_text(wrong)
    _, _, code = caught.value.replay.partition("python -c ")
    script = code.strip("'").replace("'\"'\"'", "'")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "expected state open, was closed" in done.stderr
