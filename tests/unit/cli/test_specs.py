"""The project's own specifications, by name or by path."""

import pickle
from pathlib import Path

import pytest
import rich_click as click

from peak_trade.cli.specs import WrongSpec, machine_at, machine_named, relative, spec_folder, spec_names

GOLDEN = Path(__file__).parents[2] / "golden" / "spec"


def test_the_folder_is_the_checkouts() -> None:
    """In a checkout the specifications are read from its root."""
    assert spec_folder() == Path(__file__).parents[3] / "spec"
    assert {"order", "session"} <= set(spec_names())


def test_a_machine_is_found_by_name_and_by_path() -> None:
    """Both ways give the same machine."""
    assert machine_named("order") == machine_at("order") == machine_at(str(spec_folder() / "order.yaml"))
    assert machine_named("order").name == "order"


@pytest.mark.parametrize("place", ["ordr", "nowhere.yaml", "."])
def test_what_is_no_machine_is_a_usage_error(place: str) -> None:
    """A wrong name or path is told as such."""
    with pytest.raises(click.UsageError, match=r"order|nowhere|read"):
        machine_at(place)


def test_a_wrong_specification_carries_its_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that needs a sound machine ends with exit 2, the mistakes, and the command that shows them."""
    with pytest.raises(WrongSpec) as caught:
        machine_at(str(GOLDEN / "PT032_unknown_name.yaml"))
    caught.value.show()
    told = capsys.readouterr().err
    assert caught.value.exit_code == 2
    assert [item.code for item in caught.value.found] == ["PT032"]
    assert "PT032" in told
    assert told.splitlines()[-1].startswith("next: peak check ")


def test_a_machine_travels_between_processes() -> None:
    """Machines are plain values: they can be sent to a pool of workers."""
    machine = machine_named("order")
    assert pickle.loads(pickle.dumps(machine)) == machine  # noqa: S301 - our own bytes


def test_paths_are_told_relative_to_where_the_user_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the working folder a path is relative, with forward slashes; elsewhere it is whole."""
    monkeypatch.chdir(tmp_path)
    assert relative(tmp_path / "a" / "b.yaml") == "a/b.yaml"
    assert relative(tmp_path.parent / "b.yaml") == (tmp_path.parent / "b.yaml").resolve().as_posix()
