"""The kill switch fails closed, is latched until a named operator clears it, and is never half written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.session.killswitch import KillSwitch


def test_a_missing_switch_counts_as_latched(tmp_path: Path) -> None:
    """No file is no permission."""
    assert KillSwitch(tmp_path / "k.json").read().latched


def test_a_new_switch_is_clear_and_an_old_one_is_left_alone(tmp_path: Path) -> None:
    """Creating never clears a latched switch."""
    switch = KillSwitch(tmp_path / "k.json")
    switch.create()
    assert not switch.read().latched
    switch.latch("ada")
    switch.create()
    assert switch.read().latched
    assert "ada" in switch.read().why


def test_only_a_named_operator_rearms(tmp_path: Path) -> None:
    """An empty name is refused and changes nothing; a name clears it."""
    switch = KillSwitch(tmp_path / "k.json")
    switch.latch("ada")
    with pytest.raises(ValueError, match="name of the operator"):
        switch.rearm("  ")
    assert switch.read().latched
    switch.rearm("grace")
    assert not switch.read().latched


@given(st.binary(max_size=64))
def test_whatever_stands_in_the_file_only_a_clear_word_is_clear(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Any bytes that are not a JSON object with `latched: false` read as latched."""
    path = tmp_path_factory.mktemp("k") / "k.json"
    path.write_bytes(data)
    assert KillSwitch(path).read().latched


@pytest.mark.parametrize(
    "text", ['{"latched": true}', '{"latched": 0}', '{"latched": "false"}', "{}", "[]", "null", "false"]
)
def test_near_misses_are_latched(tmp_path: Path, text: str) -> None:
    """Values that look false but are not the word false do not clear the switch."""
    path = tmp_path / "k.json"
    path.write_text(text)
    assert KillSwitch(path).read().latched


def test_a_folder_in_its_place_is_latched(tmp_path: Path) -> None:
    """A switch that cannot be read is latched, without an exception."""
    (tmp_path / "k.json").mkdir()
    assert KillSwitch(tmp_path / "k.json").read().latched
