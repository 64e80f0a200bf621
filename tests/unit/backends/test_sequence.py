"""Sequence diagrams of traces, and machines under other names."""

import re
from dataclasses import replace
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest

from peak_trade.backends.chart import chart
from peak_trade.backends.kernel import Unnameable, compile_kernel
from peak_trade.backends.mangle import Names, mangled
from peak_trade.backends.metrics import width
from peak_trade.backends.palette import TONES
from peak_trade.backends.sequence import Sequence, sequence, text
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import INT, MapSort
from peak_trade.lang.step import Refused, Stepper, Value, initial
from peak_trade.lang.trace import Link, Trace, replay
from peak_trade.proof.lockstep.draw import pick

MODELS = Path(__file__).resolve().parents[3] / "docs" / "models"
BUG = (("transfer", {"amount": 7}), ("book", {}), ("time_out", {}), ("book", {}))


def read(name: str) -> Machine:
    """The model called `name`."""
    machine = parse_file(MODELS / f"{name}.yaml").machine
    assert machine is not None
    return machine


RETRY = read("bank-retry")


def composed() -> Machine:
    """The machine of a transfer with names as a composition has them."""
    names = Names(
        {"mine": "bank.state", "yours": "bank.cum[1]", "moving": "order.cum[1]", "total": "total"},
        {item.name: f"bank.{item.name}[1]" for item in RETRY.events},
        {"cash": "cash", "amount": "order.amount"},
    )
    return mangled(RETRY, names)


def parsed(svg: str) -> ET.Element:
    """The elements of a picture."""
    return ET.fromstring(svg)  # noqa: S314 - our own picture


def drawn(machine: Machine = RETRY, trace: Trace | None = None) -> Sequence:
    """The sequence of the transfer that is booked twice, or of another trace."""
    shown = replay(RETRY, initial(RETRY), BUG) if trace is None else trace
    return sequence(machine, shown, "bank_retry · BNR-1", "BNR-1 refuted: No money is made.", bad=True)


def test_each_step_says_who_and_what_and_only_what_changed() -> None:
    """A message comes from its event's origin; its note has the state and the variables that changed, no others."""
    found = drawn()
    assert found.lifelines == ("operator", "venue", "clock", "bank_retry")
    assert [(item.source, item.text, item.by) for item in found.messages] == [
        ("operator", "transfer(amount=7)", "M2"),
        ("venue", "book", "M3"),
        ("clock", "time_out", "M6"),
        ("venue", "book", ""),
    ]
    assert [note.lines for item in found.messages for note in item.notes] == [
        ("ready → open", "mine: 100 → 93", "moving: 0 → 7"),
        ("open → unsure", "yours: 0 → 7"),
        ("unsure → open",),
        ("would break BNR-1", "open → unsure", "yours: 7 → 14"),
    ]
    assert [item.taken for item in found.messages] == [True, True, True, False]
    assert [item.bad for item in found.messages] == [False, False, False, True]


def test_a_start_of_its_own_is_said() -> None:
    """A trace from anywhere shows the variables that are not as the machine starts; an empty one has no messages."""
    found = drawn(trace=Trace("bank_retry", Value("open", (100, 3, 4, 100)), ()))
    assert [note.lines for note in found.start] == [("starts in open", "yours = 3", "moving = 4")]
    assert found.messages == ()
    parsed(chart(found))


def test_a_composed_machine_has_a_lifeline_for_each_part() -> None:
    """Variables named by part and index are of that part; an event that changes two parts reaches both."""
    machine = composed()
    offers = (("bank.transfer[1]", {"order.amount": 7}), ("bank.book[1]", {}), ("bank.book[1]", {}))
    found = drawn(machine, replay(machine, initial(machine), offers))
    assert found.parts == ("bank", "bank[1]", "order[1]")
    assert [[note.part for note in item.notes] for item in found.messages] == [
        ["bank", "order[1]"],
        ["bank", "bank[1]"],
        ["bank[1]"],
    ]
    assert found.messages[0].notes[1].lines == ("cum: 0 → 7",)
    assert found.messages[2].notes[0].lines == ("refused: nothing_open",)


def test_a_part_is_never_taken_for_a_source() -> None:
    """A machine called as an origin is called has a lifeline of its own."""
    machine = replace(RETRY, name="venue")
    assert drawn(machine).lifelines == ("operator", "venue", "clock", "the venue")


def test_of_a_map_only_the_elements_that_changed_are_shown() -> None:
    """Each changed element of a map is a line; one that was never written is a dot."""
    variables = tuple(
        replace(item, sort=MapSort(INT), init=()) if item.name == "mine" else item for item in RETRY.variables
    )
    machine = replace(RETRY, variables=variables)
    before, after = Value("ready", (((1, 5), (2, 6)), 0, 0, 100)), Value("ready", (((2, 7), (9, 1)), 0, 0, 100))
    trace = Trace("bank_retry", before, (Link("book", (), Refused("made_up"), after),))
    (message,) = drawn(machine, trace).messages
    assert message.notes[0].lines[1:] == ("mine[1]: 5 → ·", "mine[2]: 6 → 7", "mine[9]: · → 1")


def test_a_long_payload_goes_into_the_note() -> None:
    """A payload that would widen the picture is folded into the note; nothing of it gets lost."""
    found = drawn(trace=replay(RETRY, initial(RETRY), (("pay_in", {"cash": 10**60}),)))
    (message,) = found.messages
    assert message.text == "pay_in(…)"
    assert message.notes[0].lines[:2] == ("with", f"cash={10**60}")


def test_the_picture_is_one_file_that_needs_nothing() -> None:
    """The SVG is well formed, names itself, loads nothing, and uses no colour that has no dark tone."""
    svg = chart(drawn())
    root = parsed(svg)
    assert [child.tag.rpartition("}")[2] for child in root][:3] == ["title", "desc", "style"]
    assert not re.search(r"href|url\(|<script|<image|@import", svg)
    colours = {item.get(part) for item in root.iter() for part in ("fill", "stroke")} - {None, "none"}
    assert colours <= {tone.light for tone in TONES}
    assert chart(drawn()) == svg


def test_nothing_reaches_beyond_the_picture() -> None:
    """Every text, as wide as Helvetica makes it, and every box lies inside the view box."""
    for found in (drawn(), drawn(composed(), replay(composed(), initial(composed()), (("bank.book[1]", {}),)))):
        root = parsed(chart(found))
        wide, tall = map(int, root.get("viewBox", "").split()[2:])
        for item in root.iter():
            if item.tag.endswith("text"):
                x, size = int(item.get("x", "0")), int(item.get("font-size", "0"))
                long = width(item.text or "", size, bold=item.get("font-weight") == "bold")
                middle = item.get("text-anchor") == "middle"
                assert x - (long // 2 if middle else 0) >= 0
                assert x + (long // 2 if middle else long) <= wide
                assert 0 <= int(item.get("y", "0")) <= tall
            if item.tag.endswith("rect"):
                assert float(item.get("x", "0")) + float(item.get("width", "0")) <= wide


def test_notes_of_one_step_do_not_overlap() -> None:
    """The boxes of a picture are apart from each other, whatever parts a step changes."""
    machine = composed()
    offers = (("bank.transfer[1]", {"order.amount": 77}), ("bank.book[1]", {}), ("bank.answered[1]", {}))
    root = parsed(chart(drawn(machine, replay(machine, initial(machine), offers))))
    boxes = [
        [float(item.get(name, "0")) for name in ("x", "y", "width", "height")] for item in root.iter() if item.get("rx")
    ]
    for place, (x, y, wide, tall) in enumerate(boxes):
        for other_x, other_y, other_wide, other_tall in boxes[place + 1 :]:
            apart = x + wide <= other_x or other_x + other_wide <= x or y + tall <= other_y or other_y + other_tall <= y
            assert apart


def test_mermaid_says_the_same() -> None:
    """The Mermaid text has each lifeline, message and note; what Mermaid could obey is an entity."""
    lines = text(drawn()).splitlines()
    assert lines[0] == "sequenceDiagram"
    assert "    participant p3 as bank_retry" in lines
    assert "    p0->>p3: 1 transfer(amount=7) · M2" in lines
    assert "    p1-xp3: 4 book" in lines
    assert "    Note over p3: would break BNR-1<br/>open → unsure<br/>yours#58; 7 → 14" in lines
    assert lines[-1] == "    Note over p0,p3: BNR-1 refuted#58; No money is made."


def test_other_names_change_nothing() -> None:
    """A machine under names that Python takes does step by step what it does under names that Python does not."""
    machine = composed()
    with pytest.raises(Unnameable):
        compile_kernel(machine)
    names = Names.of(machine)
    kernel, stepper, rng = compile_kernel(mangled(machine, names)), Stepper.of(machine), Random(7)
    value = initial(machine)
    for _ in range(300):
        event = rng.choice(machine.events)
        payload = {item.name: pick(rng, item.sort, value) for item in event.payload}
        running = kernel.load(value)
        outcome, after = kernel.offer(running, names.events[event.name], names.payload(payload))
        expected = stepper.step(value, event.name, payload)
        assert (names.outcome(outcome), kernel.dump(after)) == expected
        value = expected[1]


def test_a_refusal_names_what_the_machine_calls_it() -> None:
    """The detail of a refusal is translated back: a field or a variable by its own name."""
    machine = composed()
    names = Names.of(machine)
    assert names.outcome(Refused("value_bounds", names.variables["order.cum[1]"])).detail == "order.cum[1]"  # type: ignore[union-attr]
    assert names.outcome(Refused("payload_invalid", names.fields["order.amount"])).detail == "order.amount"  # type: ignore[union-attr]
