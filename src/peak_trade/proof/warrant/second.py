"""A certificate is accepted iff cvc5, a second solver, answers `unsat` to every question that its text says it asks.

Only the text is read: no specification, no Z3. The text may define, ask and nothing else: options are set here, and an
assertion stands only inside a question, so that none can make a later one empty. This module needs the extra `certify`.

Limits: `question_rlimit` for each question, in cvc5's own deterministic unit; the seeds are fixed; no wall time.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import cvc5  # type: ignore[import-untyped]  # cvc5 publishes no types

VERSION: Final[str] = cvc5.__version__
LOGIC: Final = "(set-logic ALL)"
QUESTION_RLIMIT: Final = 2_000_000
SEED: Final = "0"

_COUNT: Final = re.compile(r"^; questions: ([0-9]+)$", re.MULTILINE)
_DEFINING: Final = frozenset({"set-info", "set-logic", "declare-datatypes", "declare-fun", "define-fun"})
_DEPTHS: Final = {"(push 1)": 1, "(pop 1)": -1}


@dataclass(frozen=True, slots=True)
class Checked:
    """Every question was answered `unsat`."""

    questions: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """It does not show what it says: a question has another answer, or the text is not a certificate."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """cvc5 gave up on a question within its limit."""

    reason: str


Judgement: TypeAlias = Checked | Rejected | Unknown


def recheck(text: str, question_rlimit: int = QUESTION_RLIMIT) -> Judgement:
    """Return whether cvc5 accepts the certificate `text`; total over any text."""
    count = _COUNT.search(text)
    if count is None or int(count[1]) == 0 or LOGIC not in text.splitlines():
        return Rejected("expected a certificate that says how many questions it asks, was another text")
    try:
        return _Check.of(question_rlimit).run(text, int(count[1]))
    except RuntimeError as error:
        # Every complaint of cvc5 about a text, its own parser's included, is one of these.
        return Rejected(" ".join(str(error).split()))


@dataclass(slots=True)
class _Check:
    """One reading of one text."""

    solver: Any
    symbols: Any
    depth: int = 0
    answered: int = 0
    open: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, question_rlimit: int) -> "_Check":
        terms = cvc5.TermManager()
        solver = cvc5.Solver(terms)
        options = {"incremental": "true", "rlimit-per": str(question_rlimit), "arrays-exp": "true"}
        for name, value in (options | {"seed": SEED, "sat-random-seed": SEED}).items():
            solver.setOption(name, value)
        return cls(solver, cvc5.SymbolManager(terms))

    def run(self, text: str, expected: int) -> Judgement:
        parser = cvc5.InputParser(self.solver, self.symbols)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "certificate")
        while not (command := parser.nextCommand()).isNull():
            wrong = self._obey(command)
            if wrong is not None:
                return wrong
        if self.answered != expected:
            return Rejected(f"expected {expected} questions, was {self.answered}")
        return Unknown("; ".join(self.open)) if self.open else Checked(self.answered)

    def _obey(self, command: Any) -> Rejected | None:  # noqa: ANN401 - cvc5 publishes no types
        name, text = command.getCommandName(), str(command)
        if name not in _DEFINING | {"assert", "check-sat"} and text not in _DEPTHS:
            return Rejected(f"expected only definitions and questions, was {text}")
        self.depth += _DEPTHS.get(text, 0)
        if self.depth not in ((1,) if name in ("assert", "check-sat") else (0, 1)):
            return Rejected(f"expected one question at a time, was {text} at depth {self.depth}")
        if name != "check-sat":
            said = command.invoke(self.solver, self.symbols).strip()
            return Rejected(said) if said.startswith("(error") else None
        return self._answer(command.invoke(self.solver, self.symbols).strip())

    def _answer(self, said: str) -> Rejected | None:
        self.answered += 1
        if said == "unknown":
            self.open.append(f"question {self.answered}: cvc5 gave up within its limit")
        elif said != "unsat":
            return Rejected(f"question {self.answered}: expected unsat, was {said}")
        return None
