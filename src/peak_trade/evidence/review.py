"""What a reviewer is shown, as data, and what of it is open: a claim that is not proved, evidence that is not there.

No evidence is never a pass, so everything that lacks some is an open point, and so is what nobody has built yet.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from peak_trade.backends.label import ident
from peak_trade.backends.markdown import code, prose
from peak_trade.evidence.claims import NOT_PROVED
from peak_trade.evidence.clauses import IN_PART, OPEN, PROVED, TESTED
from peak_trade.evidence.hypertext import slug
from peak_trade.evidence.page import LIVE_CLAUSE, Claim

CONTRACT: Final = "contract.html"
THREATS: Final = "threats.html"
RUN: Final = "run.html"
WORDS: Final = (PROVED, IN_PART, TESTED, OPEN, NOT_PROVED)
"""What can be known of a clause or hazard, the best first."""

CERTIFY: Final = "peak prove --certify --evidence docs/evidence/proofs.json"
NO_PROOF: Final = "not proved, as no accepted proof of these very specifications is committed for all that answers it."
NO_CARRIER: Final = "open, as neither an accepted proof nor a test carries it."
NO_MATRIX: Final = ("The failure matrix", "it is not here; `peak matrix --write docs/failure-matrix.md` executes it.")


@dataclass(frozen=True, slots=True)
class Known:
    """A claim, what its proof rests on, and what committed evidence says of it, as Markdown.

    `path` is true iff a run on the page shows it, `accepted` iff a second solver accepted its certificate.
    """

    claim: Claim
    lemmas: Sequence[str] = ()
    invented: Sequence[str] = ()
    certificate: str = ""
    witness: str = ""
    roles: str = ""
    mutants: str = ""
    accepted: bool = False
    path: bool = False

    @property
    def anchor(self) -> str:
        """The place of the claim on its page."""
        return ident(self.claim.name)


@dataclass(frozen=True, slots=True)
class Shown:
    """A run that shows a claim: its picture and its steps in words."""

    anchor: str
    title: str
    says: str
    picture: str
    steps: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What faults put in on purpose have shown: how many were noticed, and what each part is to the claims."""

    noticed: int
    total: int
    roles: Sequence[tuple[str, str, str, str]]
    survivors: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as SVG with the lines of its legend; without one, why there is none."""

    svg: str = ""
    legend: Sequence[str] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One machine or system; `text` is its Markdown page, `simulator` the page that steps it, if there is one.

    `measured` is None without evidence for this very fingerprint; `measure` is the command that makes it.
    """

    name: str
    summary: str
    version: int
    fingerprint: str
    system: bool
    drawn: Drawn
    text: str
    claims: Sequence[Known]
    shown: Sequence[Shown]
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
        return len(self.claims) - self.count("proved") - self.count("refuted")

    @property
    def certified(self) -> int:
        """How many claims have a certificate that a second solver accepted."""
        return sum(row.accepted for row in self.claims)

    @property
    def tone(self) -> str:
        """How its verdicts are to be taken: good, bad, or unsure."""
        if self.count("refuted"):
            return "bad"
        return "good" if self.claims and not self.undecided else "unsure"


@dataclass(frozen=True, slots=True)
class Agreed:
    """The contract's pages as Markdown, and the status of each clause and hazard; `missing` iff it cannot be shown."""

    contract: str = ""
    threats: str = ""
    clauses: Mapping[str, str] = field(default_factory=dict)
    hazards: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """The run under review; `specs` are the fingerprints of the specifications that drove it, by their names."""

    name: str
    state: str
    problems: Sequence[str]
    specs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Review:
    """All that is under review; `models` is the page of the classic models as Markdown, `sources` their texts.

    `failures` is the failure matrix as Markdown.
    """

    parts: Sequence[Part]
    agreed: Agreed
    run: Ran | None = None
    models: str = ""
    failures: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """What is open for one reason: what, why as Markdown, and the page that says more, if there is one.

    `more` is what else is open for the same reason, each with its page.
    """

    what: str
    why: str
    page: str = ""
    more: Sequence[tuple[str, str]] = ()

    @property
    def subjects(self) -> Sequence[tuple[str, str]]:
        """All that is open, each with its page."""
        return ((self.what, self.page), *self.more)


def points(review: Review) -> Iterator[Point]:
    """Yield every open point, the gravest first; none iff nothing is open."""
    yield from _stale(review)
    yield from _claims(review)
    yield from _clauses(review.agreed)
    if not review.failures:
        yield Point(*NO_MATRIX)
    yield from _evidence(review)
    yield from _run(review.run)


def compared(review: Review) -> Iterator[tuple[str, str, str]]:
    """Yield each specification that drove the run with the run's fingerprint and the review's."""
    ours = {part.name: part.fingerprint for part in review.parts}
    for name, theirs in (review.run.specs if review.run else {}).items():
        yield name, theirs, ours.get(name, "not in this review")


def gate(review: Review) -> Sequence[Claim]:
    """Return the claims of machines about the live gate; a system proves the same again, of any number."""
    parts = [part for part in review.parts if not part.system]
    return [row.claim for part in parts for row in part.claims if LIVE_CLAUSE in row.claim.clauses]


def _stale(review: Review) -> Iterator[Point]:
    names = [name for name, theirs, ours in compared(review) if theirs != ours]
    if names:
        why = f"made by another specification of {' and '.join(names)}; what is proved here is not proved of it."
        yield Point("The run", prose(why), RUN)


def _claims(review: Review) -> Iterator[Point]:
    for part in review.parts:
        if not part.claims:
            yield Point(part.name, "no evidence: nothing was proved for this review.", part.page)
        for row in part.claims:
            if row.claim.verdict != "proved":
                yield Point(
                    row.claim.name, f"{row.claim.verdict}. {prose(row.claim.says)}", f"{part.page}#{row.anchor}"
                )


def _clauses(agreed: Agreed) -> Iterator[Point]:
    if agreed.missing:
        yield Point("The contract", prose(agreed.missing), CONTRACT)
    for status, why in ((NOT_PROVED, NO_PROOF), (OPEN, NO_CARRIER)):
        for page, each in ((CONTRACT, agreed.clauses), (THREATS, agreed.hazards)):
            names = [(name, f"{page}#{slug(name)}") for name, known in each.items() if known == status]
            if names:
                yield Point(names[0][0], why, names[0][1], names[1:])
    count = Counter((*agreed.clauses.values(), *agreed.hazards.values()))[IN_PART]
    if count:
        yield Point(f"{count} clauses and hazards", "proved in part; each says what is left to its reader.", CONTRACT)


def _evidence(review: Review) -> Iterator[Point]:
    for part in review.parts:
        bare = len(part.claims) - part.certified
        if bare:
            why = f"{bare} claims have no accepted certificate for this very specification."
            yield Point(f"Certificates of {part.name}", f"{why} {code(CERTIFY)} makes them.", part.page)
        if part.measured is None:
            why = "nobody has measured which faults its claims notice for this very specification."
            yield Point(f"Faults of {part.name}", f"{why} {code(part.measure)} does.", part.page)


def _run(run: Ran | None) -> Iterator[Point]:
    if run is None:
        yield Point("No run", f"none was given; {code('peak report RUN --site DIR')} shows one.")
        return
    for text in run.problems:
        yield Point("The run", prose(text), RUN)
