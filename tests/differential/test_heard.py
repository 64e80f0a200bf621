"""What is claimed to be heard, judged by every engine, agrees with offering everything in every value there is."""

from collections import deque
from random import Random

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Heard, Machine
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Stepper, Taken, Value, initial
from peak_trade.proof.lockstep.sample import HUE, VALUES_MAX, sample
from peak_trade.proof.prove import prove
from peak_trade.proof.recall.shown import REFUTED, shows
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import NotInductive, Proved, Refuted

LIMITS = Limits(refutation_steps_max=VALUES_MAX, witness_steps_max=VALUES_MAX, exploration_values_max=1)
"""A shortest run visits no value twice, so the search is complete; exploration is asked apart."""
OFFERS: tuple[tuple[str, dict[str, Scalar]], ...] = (("give", {"amount": 0}), ("give", {"amount": 1}), ("go", {}))

machines = st.integers(0, 2**32).map(lambda seed: sample(Random(seed)))
hearing = machines.filter(lambda machine: any(isinstance(item, Heard) for item in machine.properties))


def soonest(machine: Machine, claim: Heard) -> int | None:
    """The length of a shortest run of the machine, filtered by its invariants, whose last offer is not heard."""
    stepper, start = Stepper.of(machine), initial(machine)
    hues = HUE.members if machine.variables[2].free else ("red",)
    distance = {Value(start.state, (*start.context[:2], hue)): 0 for hue in hues}
    queue, found = deque(distance), []
    while queue:
        value = queue.popleft()
        for name, payload in OFFERS:
            outcome, after = stepper.step(value, name, payload)
            if not isinstance(outcome, Taken) and name == claim.event and spoken(claim, value, payload):
                found.append(distance[value] + 1)
            if after not in distance:
                distance[after] = distance[value] + 1
                queue.append(after)
    return min(found, default=None)


def spoken(claim: Heard, value: Value, payload: dict[str, Scalar]) -> bool:
    """Whether the claim speaks of that payload in that value."""
    context = dict(zip(("count", "flag", "tint"), value.context, strict=True))
    return bool(evaluate(claim.when, Env(context, payload, value.state, claim.event)))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(hearing)
def test_what_must_be_heard(machine: Machine) -> None:
    """It is refuted iff a run ends in an offer that is not taken, by a shortest one; proved only if none does."""
    (claim,) = (item for item in machine.properties if isinstance(item, Heard))
    shortest = soonest(machine, claim)
    verdict = prove(machine, LIMITS, frozenset(("H",))).result("H").verdict
    walk = prove(machine, only=frozenset(("H",)), engines=("explore",)).result("H").verdict
    event(f"{type(verdict).__name__}, {'none' if shortest is None else 'some'}")
    if shortest is None:
        assert isinstance(verdict, Proved | NotInductive)
        assert walk == Proved("exploration")
        return
    for found in (verdict, walk):
        assert isinstance(found, Refuted)
        assert found.trace is not None
        assert len(found.trace.links) == shortest
        assert shows(machine, claim, REFUTED, found.trace)
