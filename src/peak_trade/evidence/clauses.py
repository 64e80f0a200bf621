"""The governance contract and the threat model as pages: each clause and hazard with the evidence that carries it.

Held iff at least one property answers it and every one that does is proved. Tested iff none does and tests are named.
Everything else is OPEN, and OPEN is never a pass.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from peak_trade.backends.markdown import code, codes, grid, prose
from peak_trade.evidence.claims import WRITTEN_BY, Evidence, proof, seal
from peak_trade.evidence.contract import Clause, Contract
from peak_trade.proof.verdict import Proved

PROVED, TESTED, OPEN, BROKEN = "proved", "tested", "**OPEN**", "**NOT PROVED**"
MANY: Final = (
    "Whether a test passes is said by the run that is at hand, not by this page: `proved` is about the",
    "model.",
)

Answers = Mapping[str, tuple[tuple[Evidence, str], ...]]
"""For each id the claims that answer it."""


def contract_page(declared: Contract, found: Iterable[Evidence]) -> str:
    """Return docs/contract.md (C0.2)."""
    lines = [
        "# Governance contract",
        "",
        "What was agreed, clause by clause, from `spec/contract.yaml`, and what carries each: properties with their proof",
        "and certificate, tests, and the code that enforces it. A clause without evidence is **OPEN**, never passed.",
    ]
    return _page(lines, declared.of("clause"), _answers(found))


def threats_page(declared: Contract, found: Iterable[Evidence]) -> str:
    """Return docs/threats.md (C0.3)."""
    lines = [
        "# Threat model",
        "",
        "What can go wrong, the incident or rule that it is known from, the control against it, and the evidence for that",
        "control. A hazard without evidence is **OPEN**, never passed.",
    ]
    return _page(lines, declared.of("hazard"), _answers(found))


def status(clause: Clause, answers: Answers) -> str:
    """Return the one word that says what is known of a clause or hazard."""
    claims = answers.get(clause.id, ())
    if claims:
        good = all(isinstance(item.report.result(name).verdict, Proved) for item, name in claims)
        return PROVED if good else BROKEN
    return TESTED if clause.tests else OPEN


def _answers(found: Iterable[Evidence]) -> Answers:
    answers: dict[str, tuple[tuple[Evidence, str], ...]] = {}
    for item in found:
        judged = {result.property for result in item.report.results}
        for claim in item.machine.properties:
            for name in claim.answers if claim.name in judged else ():
                answers[name] = (*answers.get(name, ()), (item, claim.name))
    return answers


def _page(head: list[str], clauses: tuple[Clause, ...], answers: Answers) -> str:
    lines = [f"<!-- {WRITTEN_BY} -->", *head, *MANY, ""]
    lines += grid(
        ("id", "what it says", "status"), ((_link(item), prose(item.says), status(item, answers)) for item in clauses)
    )
    for item in clauses:
        lines += _section(item, answers)
    return "\n".join(lines).rstrip("\n") + "\n"


def _link(item: Clause) -> str:
    return f"[{item.id}](#{item.id.lower().replace('.', '')})"


def _section(item: Clause, answers: Answers) -> list[str]:
    lines = [
        f"## {item.id}",
        "",
        prose(item.says),
        "",
        f"From: {prose(item.source)}. Status: {status(item, answers)}.",
        "",
    ]
    lines += grid(
        ("property", "machine", "sentence", "proved by", "certificate"),
        (
            (code(name), code(on.machine.name), prose(result.says), proof(result), seal(on.certificates.get(name)))
            for on, name in answers.get(item.id, ())
            for result in (on.report.result(name),)
        ),
    )
    notes = [f"Not proved: {prose(item.open)}"] if item.open else []
    files = grid(
        ("tests", "code"), [(codes(item.tests) or "–", codes(item.code) or "–")] if item.tests or item.code else []
    )
    return [*lines, *files, *(line for note in notes for line in (note, ""))]
