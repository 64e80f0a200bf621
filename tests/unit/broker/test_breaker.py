"""The circuit breaker runs its specification: held against a textbook one, over every short run."""

from dataclasses import dataclass
from itertools import product

import pytest

from peak_trade.backends.kernel import IllSorted, Kernel, compile_kernel
from peak_trade.broker.breaker import Breaker, CircuitOpen
from peak_trade.broker.errors import Transient, VenueUnavailable
from peak_trade.cli.specs import machine_named
from peak_trade.session.recording import BREAKER_STATES

EVENTS = ("call", "succeed", "fail", "tick")
LENGTH = 7


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    """The shipped breaker, compiled."""
    return compile_kernel(machine_named("breaker"))


@dataclass
class Textbook:
    """Nygard's breaker written down a second time, from the book and not from the specification."""

    failures_max: int
    cooldown_steps: int
    state: str = "closed"
    failures: int = 0
    left_steps: int = 0
    calling: bool = False

    def offer(self, event: str) -> bool:
        """Whether the event does something."""
        if event == "call":
            may = self.state != "open" and not self.calling
            self.calling = self.calling or may
            return may
        if event == "tick":
            if self.state != "open":
                return False
            self.left_steps -= 1
            self.state = "open" if self.left_steps else "half_open"
            return True
        if not self.calling:
            return False
        self.calling = False
        if event == "succeed":
            self.state, self.failures = "closed", 0
            return True
        self.failures += 1
        if self.state == "half_open" or self.failures == self.failures_max:
            self.state, self.left_steps = "open", self.cooldown_steps
        return True


@pytest.mark.parametrize(("failures_max", "cooldown_steps"), [(1, 1), (2, 1), (2, 2), (3, 2)])
def test_the_breaker_is_the_one_in_the_book(kernel: Kernel, failures_max: int, cooldown_steps: int) -> None:
    """Over every run of seven events, each is taken or not, and leads to the state, as in the textbook."""
    for events in product(EVENTS, repeat=LENGTH):
        ours, book = Breaker(kernel, failures_max, cooldown_steps), Textbook(failures_max, cooldown_steps)
        for event in events:
            assert (ours.offer(event), ours.state) == (book.offer(event), book.state), events


def test_it_opens_at_the_last_failure_and_lets_one_probe_through(kernel: Kernel) -> None:
    """Three failures in a row open it; two steps later one call passes, and a second does not; an answer closes it."""
    breaker = Breaker(kernel, failures_max=3, cooldown_steps=2)
    for _ in range(3):
        assert breaker.state == "closed"
        assert breaker.offer("call")
        assert breaker.offer("fail")
    assert breaker.state == "open"
    assert not breaker.offer("call")
    breaker.offer("tick")
    assert not breaker.offer("call")
    breaker.offer("tick")
    assert breaker.state == "half_open"
    assert breaker.offer("call")
    assert not breaker.offer("call")
    breaker.offer("succeed")
    assert (breaker.state, breaker.offer("call")) == ("closed", True)


def test_what_was_kept_is_gone_on_with(kernel: Kernel) -> None:
    """From every value between two calls, kept and restored breakers behave alike."""
    for events in product(EVENTS, repeat=5):
        first, second = Breaker(kernel, 2, 2), Breaker(kernel, 2, 2)
        for event in events:
            first.offer(event)
        if first.kept()["state"] != "open" and not first.offer("call"):
            continue  # a call is on its way: nothing is kept then
        if first.state != "open":
            first.offer("fail")
        second.restore(first.kept())
        assert second.value == first.value


def test_a_call_of_an_earlier_process_is_on_its_way_no_more(kernel: Kernel) -> None:
    """Restored in the middle of a call, a breaker waits for no answer."""
    breaker = Breaker(kernel, 2, 2)
    breaker.offer("call")
    breaker.restore(breaker.kept())
    assert breaker.offer("call")


def test_what_cannot_be_is_not_restored(kernel: Kernel) -> None:
    """A state that there is none of, and a negative count, are refused with their names."""
    breaker = Breaker(kernel, 2, 2)
    for change in ({"state": "ajar"}, {"failures": -1}):
        with pytest.raises(IllSorted):
            breaker.restore(breaker.kept() | change)


@pytest.mark.parametrize("limits", [(0, 1), (1, 0)])
def test_limits_start_at_one(kernel: Kernel, limits: tuple[int, int]) -> None:
    """A breaker that opens at no failure, or cools down for no step, is refused."""
    with pytest.raises(IllSorted):
        Breaker(kernel, *limits)


def test_the_journal_admits_the_states_of_the_specification() -> None:
    """The words of the journal's allowlist are the machine's states."""
    assert {state.name for state in machine_named("breaker").states} == BREAKER_STATES


def test_an_open_circuit_is_an_unavailable_venue() -> None:
    """Whoever knows what to do when the venue has not got a request knows it here too, and is told what to wait for."""
    error = CircuitOpen("the adapter", "place_order")
    assert isinstance(error, VenueUnavailable)
    assert isinstance(error, Transient)
    assert "place_order waits for the cool-down" in str(error)
