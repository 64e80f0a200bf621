"""Names that would mean something else to an engine are refused."""

import keyword
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statemachine import State, StateMachine

from peak_trade.lang.reserved import CONVENTIONS, LITERALS, STATEMACHINE, why_reserved, why_reserved_sort


class Lamp(StateMachine):
    """A machine with nothing of its own, to see which attributes all machines have."""

    first = State(initial=True)
    second = State(final=True)
    press = first.to(second)


def test_every_public_attribute_of_a_machine_is_reserved() -> None:
    """Whatever the installed library calls an attribute of its machines, no specification can call something else."""
    machine = Lamp()
    own = {"first", "second", "press"}
    names = {name for name in {*dir(machine), *vars(machine)} if not name.startswith("_")} - own
    assert {name for name in names if not why_reserved(name)} == set()


@pytest.mark.parametrize(
    "name", [*keyword.kwlist, *sorted(STATEMACHINE), "true", "TRUE", "Null", "otherwise", "state", "next_x"]
)
def test_a_reserved_name_has_its_reason(name: str) -> None:
    """Keywords, the library's names, and the language's own are refused with a reason."""
    assert why_reserved(name)


@pytest.mark.parametrize("name", ["bool", "int", "State", "Event", "class"])
def test_a_sort_may_not_be_called_like_the_languages_own(name: str) -> None:
    """An enumeration called `State` would be comparable with the control state."""
    assert why_reserved_sort(name)


@given(st.text(ascii_letters, min_size=9, max_size=12))
def test_most_names_are_free(name: str) -> None:
    """A long random word is free unless it happens to be one of the reserved ones."""
    assert not why_reserved(name) or name in STATEMACHINE or keyword.iskeyword(name) or name.lower() in LITERALS


@pytest.mark.parametrize("prefix", CONVENTIONS)
def test_a_name_that_the_library_would_call_is_refused(prefix: str) -> None:
    """python-statemachine sends or calls what is named by its conventions; a specification may not use them."""
    assert "itself calls" in why_reserved(f"{prefix}fill")
