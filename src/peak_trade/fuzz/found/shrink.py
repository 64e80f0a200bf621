"""A failing program is shrunk to a smaller one that fails in the same way, by Hypothesis; what is returned was played.

The program's dials (`fuzz.found.dials`) are a strategy of whole numbers; where they stand is the one example of a
database, and Hypothesis replays and shrinks it by stages: events with the faults that strike them, then faults with
events as they are, then numbers, and again until nothing changes. "In the same way": the kind of the first problem
(`trial.kind_of`) is among the kinds of the smaller program's problems, so that shrinking does not slip to another bug.

Limits: `executions_max` programs are played, then every new one counts as not failing; at most `ROUNDS_MAX` rounds.
Hypothesis ends a stage itself after 500 successes or five minutes; the result is then small, not smallest.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from unittest import SkipTest

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import ExampleDatabase, choices_to_bytes

from peak_trade.fuzz.found.dials import STAGES, Setting, Stage, stage
from peak_trade.fuzz.found.program import Program
from peak_trade.fuzz.found.trial import Trial

EXECUTIONS_MAX: Final = 1_000
ROUNDS_MAX: Final = 6
UNSHRUNK: Final = b".secondary"
"""How the keys end under which Hypothesis looks for examples that it has not shrunk yet; others it takes for shrunk."""
SEED: Final = 0
"""Hypothesis tries in an order that it draws; it is the same in every run."""

Try = Callable[[Program], Trial]


class _Fails(Exception):  # noqa: N818 - what is looked for
    """The setting fails. Never leaves this module."""


class Single(ExampleDatabase):
    """A database with one example, that of whoever asks for what is not shrunk yet; it keeps nothing else."""

    def __init__(self, choices: bytes) -> None:
        super().__init__()
        self.choices = choices

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the example."""
        return (self.choices,) if key.endswith(UNSHRUNK) else ()

    def save(self, key: bytes, value: bytes) -> None:
        """Keep nothing."""

    def delete(self, key: bytes, value: bytes) -> None:
        """Keep the one that there is."""


class ShrinkError(RuntimeError):
    """A program cannot be shrunk: `expected` what its first execution must do, `was` what it did."""

    def __init__(self, expected: str, was: str, remedy: str) -> None:
        self.expected, self.was, self.remedy = expected, was, remedy
        super().__init__(f"expected {expected}, was {was}; {remedy}")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a program is after a stage, and how many programs had been played until then."""

    stage: str
    faults: int
    events: int
    steps: int
    executions: int


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smaller program, what came of playing it, the kind of problem, and the way there.

    `complete` is false iff the executions ran out, so that it may not be the smallest.
    """

    program: Program
    trial: Trial
    kind: str
    sizes: tuple[Size, ...]
    complete: bool

    @property
    def executions(self) -> int:
        """How many programs were played."""
        return self.sizes[-1].executions


@dataclass(slots=True)
class Meter:
    """Plays each program once, and none any more once `left` is used up."""

    play: Try
    kind: str
    left: int
    played: dict[str, Trial] = field(default_factory=dict)
    short: bool = False

    def fails(self, program: Program) -> bool:
        """Return true iff the program is known to fail in the way that is looked for."""
        name = _name(program)
        if name not in self.played:
            if len(self.played) >= self.left:
                self.short = True
                return False
            self.played[name] = self.play(program)
        return self.kind in self.played[name].kinds

    def trial(self, program: Program) -> Trial:
        """Return what came of a program that was played."""
        return self.played[_name(program)]


def shrink(program: Program, play: Try, executions_max: int = EXECUTIONS_MAX) -> Shrunk:
    """Return a smaller program that `play` says fails in the same way.

    Raises:
        ShrinkError: the program does not fail, or Hypothesis does not replay what it was given.
    """
    first = play(program)
    if not first.kinds:
        raise ShrinkError("a program that fails", "one with no problem", "shrink what a campaign found")
    meter = Meter(play, first.kinds[0], executions_max, {_name(program): first})
    sizes = [_size("as found", program, meter)]
    for _ in range(ROUNDS_MAX):
        before = program
        for name in STAGES:
            program = _shrunk(stage(name, program, meter.trial(program).sent), program, meter)
            sizes.append(_size(name, program, meter))
        if program == before or meter.short:
            break
    return Shrunk(program, meter.trial(program), meter.kind, tuple(sizes), not meter.short)


def _shrunk(made: Stage, program: Program, meter: Meter) -> Program:
    """Return the program after one stage."""
    if made.build(made.stands) != program:
        raise ShrinkError(f"the program from the dials of {made.name}", "another one", "report this as a bug")
    if not any(made.stands):
        return program
    return made.build(minimal(made.stands, lambda setting: _fails(made, setting, meter)))


def _fails(made: Stage, setting: Setting, meter: Meter) -> bool:
    program = made.build(setting)
    return _possible(program) and meter.fails(program)


def minimal(stands: Setting, fails: Callable[[Setting], bool]) -> Setting:
    """Return the smallest setting that Hypothesis finds from `stands` downwards for which `fails` holds.

    Raises:
        ShrinkError: Hypothesis did not begin with `stands`, or `fails` does not hold of it.
    """
    tried, found = list[Setting](), list[Setting]()

    @settings(
        database=Single(choices_to_bytes([high for high in stands if high])),
        phases=(Phase.reuse, Phase.shrink),
        deadline=None,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=tuple(HealthCheck),
    )
    @seed(SEED)
    @given(st.tuples(*(st.integers(0, high) if high else st.just(0) for high in stands)))
    def search(setting: Setting) -> None:
        tried.append(setting)
        if fails(setting):
            found[:] = [setting]
            raise _Fails

    with suppress(_Fails, SkipTest):
        search()
    if not found or tried[0] != stands:
        was = f"{tried[0]!r:.80}" if tried else "no replay of it"
        raise ShrinkError(f"{stands!r:.80}, which fails", was, "replay the program as it was found")
    return found[0]


def _possible(program: Program) -> bool:
    """Return true iff the program makes a world at all: some settings put two faults in one place."""
    try:
        program.world()
    except ValueError:
        return False
    return True


def _name(program: Program) -> str:
    return json.dumps(program.plain(), sort_keys=True)


def _size(name: str, program: Program, meter: Meter) -> Size:
    steps = len(program.bars.closes) or program.bars.steps
    return Size(name, len(program.faults), program.events, steps, len(meter.played))
