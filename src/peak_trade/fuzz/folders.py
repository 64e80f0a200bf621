"""What is done to a run's folder while no process has it open: by a careless hand, a restored copy, a full disk."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from peak_trade.fuzz.world import Machines
from peak_trade.journal.anchor import CHECKPOINT
from peak_trade.journal.verify import JOURNAL as FILE
from peak_trade.session.assembly import JOURNAL, KILL_SWITCH
from peak_trade.session.killswitch import KillSwitch

OTHER_SPEC: Final = "other_spec"
"""Between two processes the specification is changed; nothing happens in the folder."""


def _nothing(folder: Path) -> None:
    del folder


def _unwritable(folder: Path) -> None:
    """Put a file where the journal's folder has to be."""
    folder.mkdir(parents=True)
    (folder / JOURNAL).write_text("in the way\n", encoding="utf-8")


def _latched(folder: Path) -> None:
    """Leave the kill switch as somebody latched it."""
    folder.mkdir(parents=True)
    KillSwitch(folder / KILL_SWITCH).latch("somebody")


def _torn_switch(folder: Path) -> None:
    """Leave a kill switch that cannot be read."""
    folder.mkdir(parents=True)
    (folder / KILL_SWITCH).write_text('{"latched": fal', encoding="utf-8")


def _rolled_back(folder: Path) -> None:
    """Restore an older copy of the journal: its last lines are gone, its checkpoint is not."""
    journal = folder / JOURNAL
    lines = (journal / FILE).read_bytes().splitlines(keepends=True)
    (journal / FILE).write_bytes(b"".join(lines[: len(lines) // 2]))
    assert (journal / CHECKPOINT).is_file()


def _edited(folder: Path) -> None:
    """Change one digit within a line of the journal that is not the last."""
    path = folder / JOURNAL / FILE
    data = bytearray(path.read_bytes())
    at = data.index(b'"step":') + len(b'"step":')
    data[at] ^= 1
    path.write_bytes(data)


BEFORE: Final[Mapping[str, Callable[[Path], None]]] = {
    "": _nothing,
    "unwritable": _unwritable,
    "latched": _latched,
    "torn_switch": _torn_switch,
}
BETWEEN: Final[Mapping[str, Callable[[Path], None]]] = {
    "": _nothing,
    "rolled_back": _rolled_back,
    "edited": _edited,
    OTHER_SPEC: _nothing,
}


def other(machines: Machines) -> Machines:
    """Return machines of another specification: the order's, with one claim less."""
    order = machines.order
    return replace(machines, order=replace(order, properties=order.properties[1:]))
