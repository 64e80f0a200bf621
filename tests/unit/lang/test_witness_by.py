"""How a witness that names the events of its run is read, written and checked."""

from pathlib import Path

import pytest

from peak_trade.lang.assemble import assemble
from peak_trade.lang.check import examine
from peak_trade.lang.machine import Machine, Witness
from peak_trade.lang.parse import parse
from peak_trade.lang.pretty import document, fingerprint
from peak_trade.lang.source import Source

FOLDER = Path(__file__).parents[2] / "golden" / "system"
DOOR = """\
machine: door
version: 1
summary: A door.
context:
  count: {type: int, min: 0, init: 0, doc: How often it was opened}
states:
  shut: {initial: true, doc: Closed}
  open: {tags: [ajar], doc: Open}
events:
  push: {origin: operator, doc: Somebody pushes}
  close: {origin: operator, doc: Somebody closes it}
reasons:
  already: It is so already.
transitions:
  - {id: D1, from: shut, on: push, set: {count: count + 1}, to: open}
  - {id: D2, from: open, on: close, to: shut}
ignore:
  - {in: open, on: push, reason: already}
  - {in: shut, on: close, reason: already}
properties:
"""
TWICE = "- {id: W, witness: count == 2, by: [push, close], says: It opens twice.}"


def text(*claims: str) -> str:
    """The door with these claims, as it is written."""
    return DOOR + "".join(f"  {claim}\n" for claim in claims)


def door(*claims: str) -> Machine:
    """The machine of the door with these claims."""
    parsed = parse(Source("door.yaml", text(*claims)))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


def codes(*claims: str) -> list[str]:
    """The codes of what is wrong with the door with these claims."""
    return [item.code for item in examine(parse(Source("door.yaml", text(*claims))))]


def test_it_names_its_events() -> None:
    """They are kept in their order; without `by` there are none, which means all."""
    (claim,) = door(TWICE).properties
    assert isinstance(claim, Witness)
    assert claim.by == ("push", "close")
    (free,) = door(TWICE.replace(" by: [push, close],", "")).properties
    assert isinstance(free, Witness)
    assert free.by == ()


def test_it_is_read_again_as_it_was_written() -> None:
    """The canonical text gives the same claim, and has no `by` where there was none."""
    machine = door(TWICE)
    assert parse(Source("again", document(machine))).machine == machine
    free = door(TWICE.replace(" by: [push, close],", ""))
    assert '"by"' in document(machine)
    assert '"by"' not in document(free)


def test_the_fingerprint_has_it() -> None:
    """Other events, or none, are another machine."""
    texts = (TWICE, TWICE.replace("[push, close]", "[push]"), TWICE.replace(" by: [push, close],", ""))
    assert len({fingerprint(door(item)) for item in texts}) == len(texts)


@pytest.mark.parametrize(
    ("claim", "wanted"),
    [
        (TWICE, []),
        ("- {id: W, witness: count == 2, by: [push, pusch], says: x}", ["PT021"]),
        ("- {id: W, always: count >= 0, by: [push], says: x}", ["PT012"]),
        ("- {id: W, lemma: count >= 0, by: [push], says: x}", ["PT012"]),
        ("- {id: W, step: next_count >= count, by: [push], says: x}", ["PT012"]),
        ("- {id: W, heard: push, when: state == shut, by: [push], says: x}", ["PT012"]),
        (
            "- {id: W, leads_to: {from: is_ajar, to: state == shut, rank: '0', fair: [close]}, by: [close], says: x}",
            ["PT012"],
        ),
        ("- {id: W, witness: count == 2, by: push, says: x}", ["PT012"]),
    ],
)
def test_each_mistake_has_its_code(claim: str, wanted: list[str]) -> None:
    """Only a witness has it, and only declared events are in it."""
    assert codes(claim) == wanted


def test_an_unknown_event_is_pointed_at() -> None:
    """The diagnostic is at the name itself, inside the list."""
    source = text("- {id: W, witness: count == 2, by: [push, pusch], says: x}")
    (found,) = examine(parse(Source("door.yaml", source)))
    line = source.splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 :].startswith("pusch")


def test_other_events_are_another_claim() -> None:
    """The same value by the same events is one claim, in whatever order they are named; by others it is another."""
    again = TWICE.replace("id: W", "id: V")
    assert codes(TWICE, again) == ["PT061"]
    assert codes(TWICE, again.replace("[push, close]", "[close, push]")) == ["PT061"]
    assert codes(TWICE, again.replace(" by: [push, close],", "")) == []


def test_in_a_system_it_names_rules() -> None:
    """A rule of the system is known, an event of its part is not, unless it happens by itself."""
    sound = (FOLDER / "sound.yaml").read_text(encoding="utf-8")
    load = {"counter": parse(Source("counter.yaml", (FOLDER / "counter.yaml").read_text(encoding="utf-8"))).machine}
    claim = "  - {id: W, witness: counter.count == 2, by: [put, counter.clear], says: Two.}\n"

    def wrong(text: str) -> list[str]:
        found = assemble(Source("sound.yaml", sound + text), lambda name: load[name] or name)
        return [item.code for item in found.diagnostics]

    assert wrong(claim) == []
    assert wrong(claim.replace("[put,", "[counter.add,")) == ["PT021"]
