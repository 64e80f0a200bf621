"""How many things must fail together."""

from collections.abc import Callable
from itertools import combinations

import pytest

from peak_trade.lang.machine import Machine
from peak_trade.lang.step import Broken
from peak_trade.proof.doubt.anatomy import parts, without
from peak_trade.proof.doubt.cuts import Cut, NoCut, cuts
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import Proved, Refuted

Write = Callable[..., str]
Read = Callable[[str], Machine]
CLAIMS = """
- {id: A, always: state != shut or count > 0, says: x}
- {id: B, always: "state in {open, shut}", says: y}
"""


def test_one_lock_is_a_cut_of_order_one(counter: Write, read: Read) -> None:
    """The claim falls with its only lock; a claim that rests on nothing stands whatever fails."""
    found = {item.property: item for item in cuts(read(counter(CLAIMS)))}
    cut = found["A"]
    assert isinstance(cut, Cut)
    assert (cut.order, cut.dropped, cut.exact) == (1, ("T2.require.soon",), True)
    assert cut.trace.links[-1].outcome == Broken("A")
    assert found["B"] == NoCut("B", None)


HAZARDS = ("SES-1", "SES-2", "SES-3", "SES-4", "SES-5", "SES-6")


@pytest.fixture(scope="module")
def hazards(shipped: Callable[[str], Machine]) -> dict[str, Cut | NoCut]:
    """The cuts of the claims that the session is not live while something is off."""
    return {item.property: item for item in cuts(shipped("session"), frozenset(HAZARDS))}


@pytest.mark.parametrize("claim", HAZARDS)
def test_no_single_failure_makes_the_session_live(hazards: dict[str, Cut | NoCut], claim: str) -> None:
    """Every hazard of "live while off" needs two failures at least, and a run shows the two where they suffice."""
    found = hazards[claim]
    if isinstance(found, NoCut):
        assert found.order_min is None or found.order_min >= 2
        return
    assert found.order >= 2
    assert found.exact
    assert found.trace.links[-1].outcome == Broken(claim)
    assert found.trace.links[-1].event == "go_live"


def test_a_cut_is_least(shipped: Callable[[str], Machine], hazards: dict[str, Cut | NoCut]) -> None:
    """Whatever is left out of a cut, the rest of it leaves a proof; the whole of it a refutation by `prove`."""
    machine, cut = shipped("session"), hazards["SES-1"]
    assert isinstance(cut, Cut)
    only = frozenset(("SES-1",))
    for some in combinations(cut.dropped, cut.order - 1):
        (left,) = prove(without(machine, some), only=only).results
        assert isinstance(left.verdict, Proved)
    (result,) = prove(without(machine, cut.dropped), only=only).results
    assert isinstance(result.verdict, Refuted)


def test_no_single_failure_is_missed(counter: Write, read: Read) -> None:
    """Compared with `prove` on the counter: a cut of order one is found iff some part's loss refutes the claim."""
    machine = read(counter(CLAIMS + "- {id: D, always: count <= limit, says: z}\n"))
    for item in cuts(machine):
        refuted = [
            part.name
            for part in parts(machine)
            if not part.name.startswith("T1.when")  # its loss leaves two rows, which the checks report
            and isinstance(
                prove(without(machine, (part.name,)), only=frozenset((item.property,))).results[0].verdict, Refuted
            )
        ]
        assert (isinstance(item, Cut) and item.order == 1) == bool(refuted), item
