"""Hypothesis rules that keep their program: what was done, as lines of data that run again without Hypothesis.

Public: `Stateful`, `Differs`; see docs/how-to/stateful.md.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Self, TypeAlias

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

Line: TypeAlias = tuple[str, dict[str, Any]]
"""One line of a program: what was done, and with which facts, as JSON has them."""

LOCAL: Final = "<locals>"
"""Part of the name of a class that was made in a function, so that no command can import it."""


class Differs(AssertionError):  # noqa: N818 - said of the system under test
    """The system under test did not do what it must: `expected`, `was`, the readable `told`, the `seed`, `replay`."""

    def __init__(self, facts: tuple[str, str], told: str, seed: int, replay: str) -> None:
        self.expected, self.was = facts
        self.told, self.seed, self.replay = told, seed, replay
        super().__init__(facts, told, seed, replay)

    def __str__(self) -> str:
        return f"expected {self.expected}, was {self.was}\n{self.told}\nseed {self.seed}\nnext: {self.replay}"


class Stateful(RuleBasedStateMachine):
    """Rules whose programs are data. `seed` is where the drawing begins: equal seeds and settings draw the same."""

    seed: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        seeded(cls.seed)(cls)

    def __init__(self) -> None:
        super().__init__()
        self.program: list[Line] = []

    def do(self, name: str, facts: Mapping[str, Any]) -> None:
        """Do one line of a program: the rule of this name with these facts."""
        getattr(self, name)(**facts)

    def told(self) -> str:
        """Return the program so far as a person reads it."""
        lines = (", ".join(f"{key}={value}" for key, value in facts.items()) for _, facts in self.program)
        return "\n".join(
            f"{number:>3}  {name}({line})"
            for number, (name, line) in enumerate(zip((name for name, _ in self.program), lines, strict=True))
        )

    def differs(self, expected: str, was: str) -> Differs:
        """Return what to raise: with the readable program, the seed, and the command that runs it again."""
        return Differs((expected, was), self.told(), self.seed, command(type(self), self.program))

    @classmethod
    def replay(cls, program: str) -> Self:
        """Do the lines of `program` again, without Hypothesis; return the machine that did them.

        Raises:
            Differs: it differs again.
            ValueError: the text is no program.
        """
        machine = cls()
        try:
            for name, facts in loaded(program):
                machine.do(name, facts)
        finally:
            machine.teardown()
        return machine

    @classmethod
    def examine(cls, examples_max: int = 100, steps_max: int = 50, *, shrinks: bool = True) -> None:
        """Draw so many programs of at most so many steps and run them; what differs is shrunk, unless told not to.

        Raises:
            Differs: a program was found for which it does.
        """
        wanted = settings(
            max_examples=examples_max,
            stateful_step_count=steps_max,
            phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
            database=None,
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(cls, settings=wanted)


def dumped(program: Iterable[Line]) -> str:
    """Return the program as one line of JSON; `loaded` gives it back."""
    return json.dumps([list(line) for line in program], separators=(",", ":"))


def loaded(program: str) -> list[Line]:
    """Return the lines of a program.

    Raises:
        ValueError: it is none.
    """
    lines = json.loads(program)
    if not isinstance(lines, list) or not all(isinstance(line, list) and len(line) == 2 for line in lines):
        raise ValueError(f"expected a list of pairs, was {program:.60}; copy the program whole")
    return [(str(name), dict(facts)) for name, facts in lines]


def command(of: type[Stateful], program: Iterable[Line]) -> str:
    """Return the command that runs the program again; of a class without a name for others, the call alone."""
    name, text = of.__qualname__, dumped(program)
    if LOCAL in name:
        return f"{of.__name__}.replay({text!r})"
    return f"python -c {shlex.quote(f'from {of.__module__} import {name}; {name}.replay({text!r})')}"
