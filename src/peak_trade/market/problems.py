"""A malformed bar file is described by its problems, all at once: where, what was expected, what was found, what to do.

Limits: `Findings.problems_max` problems are kept; the one after them ends the reading.
"""

from dataclasses import dataclass


class Flaw(Exception):  # noqa: N818 - a fact about a cell or a line, raised where the place is not known
    """What is wrong, without where; the reader adds file, line and column."""

    def __init__(self, code: str, expected: str, remedy: str) -> None:
        super().__init__(code, expected, remedy)
        self.code = code
        self.expected = expected
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file of bars; `line` counts from 1, `column` is the header's name or the word `line`."""

    code: str
    path: str
    line: int
    column: str
    expected: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}:{self.column}: {self.code}: "
            f"expected {self.expected}, was {self.found}; {self.remedy}"
        )


class MalformedBars(Exception):  # noqa: N818 - named for what the file is
    """The file is not a file of bars; `problems` says why, `truncated` iff there were more than `problems_max`."""

    def __init__(self, problems: tuple[Problem, ...], truncated: bool) -> None:
        super().__init__(problems, truncated)
        self.problems = problems
        self.truncated = truncated

    def __str__(self) -> str:
        more = ("... and more: the limit problems_max was reached",) if self.truncated else ()
        return "\n".join((*(str(problem) for problem in self.problems), *more))


class Findings:
    """The problems of one file so far."""

    def __init__(self, path: str, problems_max: int) -> None:
        self._path = path
        self._problems_max = problems_max
        self._problems: list[Problem] = []

    def __len__(self) -> int:
        return len(self._problems)

    def add(self, line: int, column: str, flaw: Flaw, found: str) -> None:
        """Keep the problem.

        Raises:
            MalformedBars: there is no room for it.
        """
        if len(self._problems) == self._problems_max:
            raise MalformedBars(tuple(self._problems), truncated=True)
        self._problems.append(Problem(flaw.code, self._path, line, column, flaw.expected, found, flaw.remedy))

    def verdict(self) -> None:
        """Return iff there is no problem.

        Raises:
            MalformedBars: with all of them.
        """
        if self._problems:
            raise MalformedBars(tuple(self._problems), truncated=False)

    def stop(self, line: int, column: str, flaw: Flaw, found: str) -> MalformedBars:
        """The exception to raise when nothing after this problem can be understood."""
        self.add(line, column, flaw, found)
        return MalformedBars(tuple(self._problems), truncated=False)
