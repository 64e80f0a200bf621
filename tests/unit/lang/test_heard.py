"""How a claim that an event is heard is read, written and checked."""

from dataclasses import replace
from pathlib import Path

import pytest

from peak_trade.backends.table import table
from peak_trade.lang.assemble import assemble
from peak_trade.lang.check import examine
from peak_trade.lang.compose import instance
from peak_trade.lang.expr import TRUE, Scope, variables
from peak_trade.lang.machine import Heard, Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.pretty import document, fingerprint, kind_of
from peak_trade.lang.promise import NotOfSystems, is_local
from peak_trade.lang.source import Source
from peak_trade.lang.track import tracked

FOLDER = Path(__file__).parents[2] / "golden" / "system"
DOOR = """\
machine: door
version: 1
summary: A door.
enums:
  Hue: [red, green]
context:
  count: {type: int, min: 0, init: 0, doc: How often it was opened}
  hue: {type: Hue, init: red, doc: Its colour}
states:
  shut: {initial: true, tags: [low], doc: Closed}
  open: {doc: Open}
events:
  push: {origin: operator, doc: Somebody pushes, payload: {force: {type: int, min: 0, max: 9, doc: How hard}}}
  close: {origin: operator, doc: Somebody closes it}
reasons:
  weak: The push was too weak.
  already: It is so already.
transitions:
  - {id: D1, from: shut, on: push, require: {weak: force > 3}, set: {count: count + 1}, to: open}
  - {id: D2, from: open, on: close, to: shut}
ignore:
  - {in: open, on: push, reason: already}
refuse:
  - {in: shut, on: close, reason: already}
properties:
"""
STRONG = "- {id: H, heard: push, when: state == shut and force > 3 and hue == red and is_low, says: It opens.}"


def door(*claims: str) -> Machine:
    """The door with these claims."""
    parsed = parse(Source("door.yaml", DOOR + "".join(f"  {claim}\n" for claim in claims)))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


def codes(*claims: str) -> list[str]:
    """The codes of what is wrong with the door with these claims."""
    found = examine(parse(Source("door.yaml", DOOR + "".join(f"  {claim}\n" for claim in claims))))
    return [item.code for item in found]


def test_it_names_the_value_and_the_payload() -> None:
    """Variables, members, the state, tags and the payload of its event mean something in `when`."""
    (claim,) = door(STRONG).properties
    assert isinstance(claim, Heard)
    assert (claim.event, kind_of(claim)) == ("push", "heard")
    assert {(var.name, var.scope) for var in variables(claim.when)} == {
        ("state", Scope.STATE),
        ("force", Scope.PAYLOAD),
        ("hue", Scope.CONTEXT),
    }


def test_without_when_it_speaks_of_every_offer() -> None:
    """`when` is true by default, and is not written then."""
    machine = door("- {id: H, heard: close, says: It closes.}")
    assert machine.properties == (Heard("H", "It closes.", "close", TRUE),)
    assert '"when"' not in document(machine).partition("properties:")[2]


@pytest.mark.parametrize("claim", [STRONG, "- {id: H, heard: close, says: It closes., answers: [C0.1]}"])
def test_it_is_read_again_as_it_was_written(claim: str) -> None:
    """The canonical text gives the same claim."""
    machine = door(claim)
    assert parse(Source("again", document(machine))).machine == machine


def test_the_fingerprint_and_the_page_have_it() -> None:
    """Another event or another `when` is another machine; the page says what is taken when."""
    texts = (STRONG, STRONG.replace("> 3", "> 4"), "- {id: H, heard: close, when: count > 0, says: It opens.}")
    assert len({fingerprint(door(text)) for text in texts}) == len(texts)
    assert "`close` is taken when `count > 0`" in table(door(texts[2]))


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("- {id: H, heard: pusch, when: force > 3, says: x}", "PT021"),
        ("- {id: H, heard: close, when: force > 3, says: x}", "PT032"),
        ("- {id: H, heard: push, when: next_count > 3, says: x}", "PT032"),
        ("- {id: H, heard: push, when: event == push, says: x}", "PT032"),
        ("- {id: H, heard: push, when: force, says: x}", "PT033"),
        ("- {id: H, heard: push, when: 'force >', says: x}", "PT030"),
        ("- {id: H, step: next_count >= count, when: count > 0, says: x}", "PT012"),
        ("- {id: H, heard: push, step: next_count >= count, says: x}", "PT060"),
        ("- {id: H, when: count > 0, says: x}", "PT060"),
        ("- {id: H, heard: door.push, says: x}", "PT021"),
        ("- {id: H, heard: [push, close], says: x}", "PT012"),
    ],
)
def test_each_mistake_has_its_code(claim: str, code: str) -> None:
    """One mistake, one diagnostic."""
    assert codes(claim) == [code]


def test_the_same_is_not_claimed_twice() -> None:
    """Two claims with one event and one `when` are one; with another event or `when` they are not."""
    assert codes(STRONG, STRONG.replace("id: H", "id: I")) == ["PT061"]
    assert codes(STRONG, STRONG.replace("id: H", "id: I").replace("> 3", "> 4")) == []
    both = [f"- {{id: {name}, heard: {name}, when: count > 0, says: x}}" for name in ("push", "close")]
    assert codes(*(text.replace("id: ", "id: H-") for text in both)) == []


def test_a_system_that_claims_it_all_the_same_is_refused() -> None:
    """Made in another way than by the reader, a system with such a claim has no machine, of any number or of one."""
    parts = {"counter": parse(Source("counter", (FOLDER / "counter.yaml").read_text("utf-8"))).machine}
    found = assemble(Source("sound", (FOLDER / "sound.yaml").read_text("utf-8")), lambda name: parts[name] or name)
    assert found.system is not None
    wrong = replace(found.system, properties=(Heard("H", "x", "put"),))
    assert not is_local(wrong, wrong.properties[0])
    for meaning in (tracked, lambda system: instance(system, 1)):
        with pytest.raises(NotOfSystems) as raised:
            meaning(wrong)
        assert raised.value.claim == "H"
