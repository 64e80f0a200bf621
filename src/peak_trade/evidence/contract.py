"""The governance contract and the threat model as declared: what was agreed, what can go wrong, and where it is held.

A contract is sound iff each id is declared once, every id that a property answers is declared, and every declared id is
answered by a property or says in `open` why not. `problems` names all that is wrong, at once.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from peak_trade.lang.machine import Property
from peak_trade.lang.read import read
from peak_trade.lang.source import Findings, Source

CLAUSES_MAX: Final = 500
WORDS_CHARS_MAX: Final = 400
PATHS_MAX: Final = 20


class Clause(BaseModel):
    """One clause (`C…`) or hazard (`H-…`): its sentence, whence it comes, and the files that hold and test it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=r"^(C[0-5]\.[1-9][0-9]*|H-[a-z]+(-[a-z]+)*)$", description="C0.1 or H-some-hazard")
    says: str = Field(min_length=1, max_length=WORDS_CHARS_MAX, description="its sentence")
    source: str = Field(min_length=1, max_length=WORDS_CHARS_MAX, description="the rule or incident it comes from")
    tests: list[str] = Field(default_factory=list, max_length=PATHS_MAX, description="files that fail without it")
    code: list[str] = Field(default_factory=list, max_length=PATHS_MAX, description="files that enforce it")
    open: str = Field(default="", max_length=WORDS_CHARS_MAX, description="why no property answers it")

    @property
    def kind(self) -> Literal["clause", "hazard"]:
        """Whether it is something that was agreed, or something that can go wrong."""
        return "hazard" if self.id.startswith("H-") else "clause"


class Contract(BaseModel):
    """All clauses and hazards in declared order."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    contract: list[Clause] = Field(min_length=1, max_length=CLAUSES_MAX)

    def of(self, kind: Literal["clause", "hazard"]) -> tuple[Clause, ...]:
        """Return those of one kind, in declared order."""
        return tuple(item for item in self.contract if item.kind == kind)


class ContractRefusal(ValueError):  # noqa: N818 - named by what happened, like the other exceptions
    """The declared contract cannot be read, or is not sound; `found` are its mistakes."""

    def __init__(self, name: str, found: Iterable[str]) -> None:
        self.name, self.found = name, tuple(found)
        super().__init__("\n".join((f"expected a sound contract, {name} has {len(self.found)} mistakes", *self.found)))


def contract(name: str, text: str) -> Contract:
    """Return the contract that `text` declares; messages call it `name`. ContractRefusal iff it declares none."""
    findings = Findings(Source(name, text))
    data = read(findings)
    if data is None:
        raise ContractRefusal(
            name, (f"{item.span.line}:{item.span.column}: {item.message}" for item in findings.sorted())
        )
    try:
        return Contract.model_validate(data[0])
    except ValidationError as error:
        raise ContractRefusal(name, (_said(item) for item in error.errors())) from error


def _said(error: Any) -> str:  # noqa: ANN401 - pydantic's own mapping
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def answering(properties: Iterable[Property]) -> dict[str, tuple[str, ...]]:
    """Return for each id the properties that answer it, in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for item in properties:
        for name in item.answers:
            found[name] = (*found.get(name, ()), item.name)
    return found


def problems(declared: Contract, properties: Iterable[Property], root: Path) -> tuple[str, ...]:
    """Return what is wrong with the contract of these properties, with files under `root`; empty iff it is sound."""
    return tuple(_problems(declared, answering(properties), root))


def _problems(declared: Contract, answers: dict[str, tuple[str, ...]], root: Path) -> Iterator[str]:
    known = [item.id for item in declared.contract]
    for name in sorted({name for name in known if known.count(name) > 1}):
        yield f"{name}: expected one declaration, was {known.count(name)}"
    for name in sorted(answers.keys() - set(known)):
        known_by = ", ".join(answers[name])
        yield f"{name}: expected a clause or hazard of the contract, was only named by {known_by}; declare it"
    for item in declared.contract:
        if item.id not in answers and not item.open:
            yield f"{item.id}: expected a property that answers it, or the reason in `open`, was neither"
        for path in (*item.tests, *item.code):
            if not (root / path).is_file():
                yield f"{item.id}: expected a file of the project, was {path}"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, for editors."""
    return Contract.model_json_schema()
