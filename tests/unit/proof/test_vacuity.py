"""Whether claims say something."""

from collections.abc import Callable

import pytest

from peak_trade.lang.machine import Always, Heard, Machine, Step
from peak_trade.lang.pretty import expression
from peak_trade.proof.doubt.vacuity import Shown, Vacuous, interesting, interests

Write = Callable[..., str]
Read = Callable[[str], Machine]


@pytest.mark.parametrize(
    ("claim", "cases"),
    [
        ("always: not (state == shut) or count > 0", ["state == shut"]),
        ("always: state != shut or count > 0", ["state == shut"]),
        ("always: count <= limit if state == open else count > 0", ["state == open", "state != open"]),
        ("always: count <= limit", ["count != 0 or limit != 3"]),
        ("step: event != close or next_state == shut", ["event == close"]),
        ("step: not (state == open and next_state == shut) or count > 0", ["state == open and next_state == shut"]),
        ("step: next_count == count or event == add", ["next_count != count"]),
        ("step: (event != add or state == open) and next_count >= count", ["event == add", "next_count != count"]),
    ],
)
def test_the_interesting_cases_of_a_claim(counter: Write, read: Read, claim: str, cases: list[str]) -> None:
    """The antecedent of an implication, both sides of a choice, and for the rest that something moved."""
    machine = read(counter(f'- {{id: A, {claim.partition(": ")[0]}: "{claim.partition(": ")[2]}", says: x}}'))
    (item,) = machine.properties
    assert isinstance(item, Always | Step)
    assert [expression(case) for case in interesting(machine, item)] == cases


def test_a_claim_about_nothing_is_vacuous(counter: Write, read: Read) -> None:
    """An antecedent that no run reaches is reported, proved where induction sees it; another comes with its run."""
    text = counter(
        "- {id: A, always: not (count > 3) or limit > 7, says: x}\n"
        "- {id: L, lemma: count <= limit and limit == 3, says: y}\n"
        "- {id: B, step: event != close or next_state == shut, says: z}"
    )
    found = {item.property: item for item in interests(read(text))}
    assert found["A"] == Vacuous("A", "count > 3", proved=True)
    shown = found["B"]
    assert isinstance(shown, Shown)
    assert [link.event for link in shown.trace.links] == ["add", "close"]


@pytest.mark.parametrize("name", ["order", "session"])
def test_no_shipped_claim_is_vacuous(shipped: Callable[[str], Machine], name: str) -> None:
    """Every case of every claim about all runs is reached by a run."""
    found = interests(shipped(name))
    assert [item for item in found if not isinstance(item, Shown)] == []
    claims = {item.name for item in shipped(name).properties if isinstance(item, Always | Step | Heard)}
    assert {item.property for item in found} == claims
