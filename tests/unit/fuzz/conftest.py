"""Small worlds to play, and the machines that sessions run on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.disks import Dying
from peak_trade.fuzz.play import Played, play
from peak_trade.fuzz.world import Machines, World

Plays = Callable[..., Played]


@pytest.fixture(scope="session")
def machines() -> Machines:
    """The project's own machines."""
    return Machines(machine_named("session"), machine_named("order"), machine_named("breaker"))


@pytest.fixture
def plays(tmp_path: Path, machines: Machines) -> Plays:
    """Plays worlds, each in a folder of its own."""
    count = 0

    def one(world: World, disk: Dying | None = None) -> Played:
        nonlocal count
        count += 1
        return play(world, machines, tmp_path / f"run{count}", disk)

    return one
