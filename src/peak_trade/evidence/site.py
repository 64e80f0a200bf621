"""The review site: what governance reads before it signs, as pages that need no server and make no request.

It opens with what is open. What is known of each claim comes from the verdicts given, from committed evidence of the
very same specification, or it says `no evidence`. Equal contents give equal bytes.

Limits: the run's own pages and the simulators are made elsewhere; here they are links.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from peak_trade.backends.label import ident
from peak_trade.backends.markdown import code, prose
from peak_trade.evidence.hypertext import html, inline, slug
from peak_trade.evidence.page import Claim
from peak_trade.evidence.policy import bare, sealed

INDEX: Final = "index.html"
CONTRACT: Final = "contract.html"
THREATS: Final = "threats.html"
MODELS: Final = "models.html"
RUN: Final = "run.html"
OPERATOR: Final = "operator.html"
TITLES: Final = {CONTRACT: "Governance contract", THREATS: "Threat model", MODELS: "Classic models"}
NO_EVIDENCE: Final = "no evidence"
PROVED: Final = "proved"


@dataclass(frozen=True, slots=True)
class Known:
    """A claim, what it rests on, and what committed evidence says of it, as Markdown cells; `path` iff a run shows it."""

    claim: Claim
    lemmas: tuple[str, ...]
    invented: tuple[str, ...]
    certificate: str
    witness: str
    roles: str
    mutants: str
    accepted: bool
    path: bool

    @property
    def anchor(self) -> str:
        """The place of the claim on its page."""
        return ident(self.claim.name)


@dataclass(frozen=True, slots=True)
class Path_:
    """A run that shows a claim: its steps in words and its picture."""

    anchor: str
    title: str
    says: str
    picture: str
    steps: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What faults put in on purpose said: how many there were and what the parts are to the claims."""

    noticed: int
    total: int
    roles: Sequence[tuple[str, str, str, str]]
    survivors: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One machine or system: its picture, its text as Markdown, and all that is known of its claims.

    `measured` is None without evidence for this very fingerprint; `measure` is the command that makes it, if any does.
    """

    name: str
    summary: str
    version: int
    fingerprint: str
    system: bool
    picture: str
    picture_missing: str
    legend: Sequence[str]
    text: str
    claims: Sequence[Known]
    paths: Sequence[Path_]
    measured: Measured | None
    measure: str
    simulator: str

    @property
    def page(self) -> str:
        """The file of its page."""
        return f"machine-{ident(self.name)}.html"

    def count(self, verdict: str) -> int:
        """Return how many claims have `verdict`."""
        return sum(row.claim.verdict == verdict for row in self.claims)

    @property
    def undecided(self) -> int:
        """How many claims are neither proved nor refuted."""
        return len(self.claims) - self.count(PROVED) - self.count("refuted")

    @property
    def certified(self) -> int:
        """How many claims have a certificate that a second solver accepted."""
        return sum(row.accepted for row in self.claims)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The contract's two pages as Markdown, and for each of its clauses and hazards the status; or why there is none."""

    contract: str = ""
    threats: str = ""
    clauses: Mapping[str, str] = ()  # type: ignore[assignment]
    hazards: Mapping[str, str] = ()  # type: ignore[assignment]
    missing: str = ""
