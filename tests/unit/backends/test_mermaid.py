"""The Mermaid text: complete, and free of what Mermaid takes for its own."""

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from peak_trade.backends.mermaid import mermaid, shown
from peak_trade.lang.machine import Machine


def test_each_transition_stands_once_for_each_source(machine: Machine) -> None:
    """No transition is missing from the diagram, none is there twice."""
    drawn = Counter(
        (line.split()[0], text.split()[0])
        for line in mermaid(machine).splitlines()
        if " : " in line
        for text in line.split(" : ", 1)[1].split("<br/>")
        if text.split()[0] in {item.name for item in machine.transitions}
    )
    assert drawn == Counter((f"s_{source}", item.name) for item in machine.transitions for source in item.sources)


def test_every_id_has_the_prefix(machine: Machine) -> None:
    """A state called `state` or `end` would empty the diagram, so none is called so."""
    lines = [line.strip() for line in mermaid(machine).splitlines()[2:]]
    heads = [line.split(" : ")[0] for line in lines if not line.startswith(("classDef", "class "))]
    assert all(word.startswith("s_") for head in heads for word in head.replace("[*]", "s_").split(" --> "))
    assert {f"s_{state.name}" for state in machine.states} <= set(heads)


@given(st.text(max_size=40))
def test_labels_read_back(text: str) -> None:
    """Decoding the entities gives the text back, white space aside; nothing that ends a label is left."""
    label = shown(text)
    bare = re.sub(r"#\d+;", "", label)
    assert not set(bare) & set(';#"<>{}:|`\\%&')
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label) == " ".join(text.split())


def test_hostile_machine_has_harmless_lines(hostile: Machine) -> None:
    """Ids are words, labels have no markup, each statement is one line."""
    text = mermaid(hostile)
    assert all(
        re.fullmatch(r"s_\w+|\[\*\]", word)
        for word in re.findall(r"(\S+) -->|--> (\S+)", text)
        for word in word
        if word
    )
    assert "<script" not in text
    assert len(text.splitlines()) == len(mermaid(hostile).split("\n")) - 1
