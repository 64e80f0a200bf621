"""A trial plays a program once and says what is wrong with how it went, and of which kind each problem is.

Two problems are of one kind iff they differ in nothing but names, numbers and what stands in brackets. So a smaller
program that fails in another way is not taken for the same failure.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peak_trade.fuzz.found.program import Program
from peak_trade.fuzz.matrix import MEMORY
from peak_trade.fuzz.play import FILE, HANGS, Played, play
from peak_trade.fuzz.world import Machines, World
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.session.assembly import JOURNAL
from peak_trade.session.recording import ORDER

ENDS: Final = ("STOPPED", "ERROR_REQUIRES_OPERATOR")
"""Where a session may end; all of these begin, so none may fail its startup checks."""
MESSAGE_CHARS_MAX: Final = 300
KIND_CHARS_MAX: Final = 120
_BRACKETS: Final = re.compile(r"\([^()]*\)|\{[^{}]*\}|\[[^\[\]]*\]")
_NAMES: Final = re.compile(r"\b(r[0-9a-f]{8}|hand)-[\w-]+|\b[a-z]+\d[\w-]*|\bSYN\d+")
_NUMBERS: Final = re.compile(r"-?\d[\d_,.]*")
_SENT: Final = re.compile(r"r[0-9a-f]{8}-(\d+)-(\d+)")

Judge = Callable[[Played], tuple[str, ...]]
"""What is wrong with how a session ended, a sentence each; nothing iff it ended as it may."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of playing a program: `problems`, and the orders that left, as step and number within the step.

    `played` is None iff the session raised, which then is its only problem.
    """

    problems: tuple[str, ...]
    sent: tuple[tuple[int, int], ...]
    played: Played | None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the problems, in the order in which they are told."""
        return tuple(dict.fromkeys(map(kind_of, self.problems)))


def problems(played: Played) -> tuple[str, ...]:
    """Return what is wrong with a session: what it did not explain, or nothing does, a hang, an end that is none."""
    found = [*played.verdict.unexplained, *played.strange]
    if played.state == HANGS:
        found.append(f"it hangs: not over after {played.steps} steps")
    elif played.state not in ENDS:
        found.append(f"expected the end {' or '.join(ENDS)}, was {played.state} ({played.why})")
    return tuple(found)


def kind_of(problem: str) -> str:
    """Return the kind of a problem: its words without names, numbers and what stands in brackets."""
    _, colon, rest = problem.partition(": ")
    text = rest if colon and _NAMES.fullmatch(problem[: -len(rest) - 2]) else problem
    while (fewer := _BRACKETS.sub("…", text)) != text:
        text = fewer
    return " ".join(_NUMBERS.sub("#", _NAMES.sub("#", text)).split())[:KIND_CHARS_MAX]


def tried(program: Program, machines: Machines, judge: Judge = problems) -> Trial:
    """Play a program in a folder that is gone afterwards; an error that nobody expected is a problem like any other."""
    with tempfile.TemporaryDirectory(prefix="peak-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        return tried_in(program.world(), machines, Path(folder) / "run", judge)


def tried_in(world: World, machines: Machines, folder: Path, judge: Judge = problems) -> Trial:
    """Play a world in `folder`, a fresh one, which stays."""
    try:
        played = play(world, machines, folder)
    except Exception as error:  # noqa: BLE001 - whatever a session raises is what is looked for
        message = str(error).replace(str(folder.parent), "")[:MESSAGE_CHARS_MAX]
        return Trial((f"{type(error).__name__}: {message}",), _sent(_left(folder)), None)
    return Trial(judge(played), _sent(played.records), played)


def _left(folder: Path) -> tuple[Record, ...]:
    """Return the records that a session which raised left behind, as far as they can be read."""
    try:
        return tuple(read(folder / JOURNAL / FILE))
    except (OSError, JournalRefusal):
        return ()


def _sent(records: tuple[Record, ...]) -> tuple[tuple[int, int], ...]:
    """Return the orders that left, in their order, each once; those of others are not the program's."""
    names = (str(item.body["order"]) for item in records if item.kind == ORDER and item.body.get("event") == "submit")
    found = (_SENT.fullmatch(name) for name in dict.fromkeys(names))
    return tuple((int(item[1]), int(item[2])) for item in found if item is not None)
