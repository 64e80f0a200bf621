"""What was proved of each specification, as committed data: by which method, on which lemmas, with which certificate.

`peak prove --certify --evidence FILE` writes it, once every certificate was judged by the second solver; pages read it.
A proof of another specification than the one at hand is no evidence: its fingerprint differs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from peak_trade.lang.pretty import expression
from peak_trade.proof.verdict import Proved, Result

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the second solver said of the certificate with this hash: `accepted`, or the reason why there is nothing."""

    sha256: str
    accepted: bool
    reason: str = ""


class Told(BaseModel):
    """What is known of one claim; `steps` is the length of its run if it has one, `invented` the text of lemmas."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    kind: str
    says: str
    proved: bool
    method: str
    lemmas: list[str]
    invented: list[str]
    steps: int | None
    sha256: str
    accepted: bool
    reason: str


class Proofs(BaseModel):
    """The claims of one specification with this fingerprint, in declared order, and the solvers that judged them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    specification: str
    found_by: str
    checked_by: str
    results: list[Told]

    def told(self, claim: str) -> Told | None:
        """Return what is known of `claim`, None if nothing is."""
        return next((item for item in self.results if item.id == claim), None)


def told(result: Result, sealed: Sealed | None) -> Told:
    """Return a result and what became of its certificate as committed data."""
    verdict = result.verdict
    proved = isinstance(verdict, Proved)
    trace = verdict.trace if isinstance(verdict, Proved) else None
    names = {item.name for item in result.inferred}
    seal = sealed or Sealed("", accepted=False, reason="no certificate was asked for")
    return Told(
        id=result.property,
        kind=result.kind,
        says=result.says,
        proved=proved,
        method=verdict.method if isinstance(verdict, Proved) else type(verdict).__name__.lower(),
        lemmas=[name for name in result.lemmas if name not in names],
        invented=[expression(item.holds) for item in result.inferred],
        steps=None if trace is None else len(trace.links),
        **asdict(seal),
    )


def document(found: Mapping[str, Proofs]) -> dict[str, Any]:
    """Return the committed file as plain data, specifications by name."""
    return {"schema_version": SCHEMA_VERSION, "machines": {name: item.model_dump() for name, item in found.items()}}


def fresh(data: Any, name: str, specification: str) -> Proofs | None:  # noqa: ANN401 - JSON holds any data
    """Return what `data` says of the specification `name`; None iff nothing, or of another fingerprint."""
    try:
        found = Proofs.model_validate(data["machines"][name])
    except (KeyError, TypeError, ValidationError):
        return None
    return found if found.specification == specification else None


def stale(data: Any, wanted: Iterable[tuple[str, str]]) -> tuple[str, ...]:  # noqa: ANN401 - JSON holds any data
    """Return the names among `wanted` (with their fingerprints) of which `data` holds no fresh proofs."""
    return tuple(name for name, specification in wanted if fresh(data, name, specification) is None)
