"""The governance contract and the threat model as pages: each clause and hazard with the evidence that carries it.

Proved iff at least one property answers it, every one that does is proved, and a second solver accepted each
certificate; in part iff the contract says that something is left. Tested iff no property answers it and tests are
named. Everything else is OPEN, and OPEN is never a pass.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from peak_trade.backends.markdown import code, codes, grid, prose
from peak_trade.evidence.claims import NOT_PROVED, WRITTEN_BY, Evidence, proof, seal
from peak_trade.evidence.contract import Clause, Contract

PROVED, IN_PART, TESTED, OPEN = "proved", "proved in part", "tested", "**OPEN**"
WHAT: Final = (
    "*Proved* says that each property which answers it holds of the model, by certificates that a second solver",
    "accepted; whether they say all that the sentence says is for its reader to judge, and *in part* says that they do",
    "not. *Tested* names tests; whether they pass is said by the run at hand, not by this page.",
)

Answers = Mapping[str, tuple[tuple[Evidence, str, str], ...]]
"""For each id the claims that answer it, with their sentences."""


def contract_page(declared: Contract, found: Iterable[Evidence]) -> str:
    """Return docs/contract.md (C0.2)."""
    lines = [
        "# Governance contract",
        "",
        "What was agreed, clause by clause, from `spec/contract.yaml`, and what carries each: properties with their",
        "proof and certificate, tests, and the code that enforces it. A clause without evidence is **OPEN**, never",
        "passed.",
    ]
    return _page(lines, declared.of("clause"), answers_of(found))


def threats_page(declared: Contract, found: Iterable[Evidence]) -> str:
    """Return docs/threats.md (C0.3)."""
    lines = [
        "# Threat model",
        "",
        "What can go wrong, the incident or rule that it is known from, the control against it, and the evidence for",
        "that control. A hazard without evidence is **OPEN**, never passed.",
    ]
    return _page(lines, declared.of("hazard"), answers_of(found))


def answers_of(found: Iterable[Evidence]) -> Answers:
    """Return the claims that answer each id, in the order of the specifications."""
    answers: dict[str, tuple[tuple[Evidence, str, str], ...]] = {}
    for item in found:
        for claim in item.properties:
            for name in claim.answers:
                answers[name] = (*answers.get(name, ()), (item, claim.name, claim.says))
    return answers


def status(clause: Clause, answers: Answers) -> str:
    """Return the one word that says what is known of a clause or hazard."""
    told = [item.told(name) for item, name, _ in answers.get(clause.id, ())]
    if not told:
        return TESTED if clause.tests else OPEN
    if not all(one is not None and one.proved for one in told):
        return NOT_PROVED
    if not all(one is not None and one.accepted for one in told):
        return OPEN
    return IN_PART if clause.open else PROVED


def _page(head: list[str], clauses: tuple[Clause, ...], answers: Answers) -> str:
    lines = [f"<!-- {WRITTEN_BY} -->", *head, *WHAT, ""]
    rows = ((_link(item), prose(item.says), status(item, answers)) for item in clauses)
    lines += grid(("id", "what it says", "status"), rows)
    for item in clauses:
        lines += _section(item, answers)
    return "\n".join(lines).rstrip("\n") + "\n"


def _link(item: Clause) -> str:
    return f"[{item.id}](#{item.id.lower().replace('.', '')})"


def _section(item: Clause, answers: Answers) -> list[str]:
    from_where = f"From: {prose(item.source)}. Status: {status(item, answers)}."
    lines = [f"## {item.id}", "", prose(item.says), "", from_where, ""]
    claims = answers.get(item.id, ())
    lines += grid(
        ("property", "of", "sentence", "proved by", "certificate"),
        (
            (code(name), code(on.name), prose(says), proof(on.told(name)), seal(on.told(name)))
            for on, name, says in claims
        ),
    )
    files = [(codes(item.tests) or "–", codes(item.code) or "–")] if item.tests or item.code else []
    lines += grid(("tests", "code"), files)
    return [*lines, *((f"Beyond the properties: {prose(item.open)}", "") if item.open else ())]
