"""The contract is sound, and its pages never show as passed what nothing carries."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from peak_trade.cli.pages import CONTRACT, PROOFS, agreed, known, mentions, pages
from peak_trade.evidence import claims
from peak_trade.evidence.claims import NO_EVIDENCE, NOT_PROVED, Evidence, measured
from peak_trade.evidence.clauses import IN_PART, OPEN, PROVED, TESTED, answers_of, contract_page, status, threats_page
from peak_trade.evidence.contract import Clause, Contract, ContractRefusal, contract, problems
from peak_trade.evidence.proofs import Proofs, Sealed, document, fresh, stale, told
from peak_trade.lang.expr import TRUE
from peak_trade.lang.machine import Always
from peak_trade.proof.verdict import Proved, Refuted, Result

ROOT = Path(__file__).resolve().parents[3]
CLAUSE = Clause(id="C9.1".replace("9", "1"), says="It holds.", source="Somewhere")
HAZARD = Clause(id="H-fire", says="It burns.", source="Somewhere", open="Nobody looked.")
CLAIM = Always("P-1", "Always so.", TRUE, ("C1.1", "H-fire"))
GOOD = Result("P-1", "always", "Always so.", Proved("induction"), ("P-2",), 0, (Always("P-I1", "", TRUE),))

Make = Callable[..., Evidence]


@pytest.fixture
def make() -> Make:
    """The evidence of a machine with one claim, proved and accepted unless said otherwise."""

    def of(result: Result = GOOD, sealed: Sealed | None = None, *, proved: bool = True) -> Evidence:
        seal = sealed or Sealed("ab" * 32, accepted=True)
        found = Proofs(specification="f" * 64, found_by="z3", checked_by="cvc5", results=[told(result, seal)])
        return Evidence("lamp", "f" * 64, (CLAIM,), found if proved else None, None, {})

    return of


def test_the_shipped_contract_is_sound() -> None:
    """Every id that a property answers is declared; every declared one is answered or says why not; its files exist."""
    found = known()
    declared = agreed(found)
    assert {item.kind for item in declared.contract} == {"clause", "hazard"}
    answered = {name for item in found for claim in item.properties for name in claim.answers}
    assert answered
    assert answered <= {item.id for item in declared.contract}


def test_the_committed_proofs_are_of_the_shipped_specifications() -> None:
    """Every shipped specification has fresh evidence; `peak prove --certify --evidence` makes it anew."""
    data = json.loads((ROOT / PROOFS).read_text())
    assert stale(data, ((item.name, item.fingerprint) for item in known())) == ()


def test_each_requirement_up_to_c3_is_a_clause() -> None:
    """The clauses that the track must deliver are all there, and every threat of the runbook is a hazard."""
    ids = {item.id for item in agreed(known()).contract}
    for phase, last in ((0, 4), (1, 6), (2, 6), (3, 4)):
        assert {f"C{phase}.{number}" for number in range(1, last + 1)} <= ids
    threats = {"H-unintended-live", "H-config-drift", "H-secret-leak", "H-duplicate-order", "H-retry-storm"}
    assert threats <= ids


def test_each_mistake_of_a_contract_is_named(tmp_path: Path) -> None:
    """Declared twice, never declared, never answered without a reason, files that are not there: all at once."""
    lost = CLAUSE.model_copy(update={"id": "C1.2", "tests": ["tests/nowhere.py"]})
    wrong = problems(Contract(contract=[HAZARD, HAZARD, lost]), (CLAIM,), tmp_path)
    assert [line.split(":")[0] for line in wrong] == ["H-fire", "C1.1", "C1.2", "C1.2"]
    assert problems(Contract(contract=[CLAUSE, HAZARD]), (CLAIM,), tmp_path) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "contract: []",
        "contract: [{id: X, says: a, source: b}]",
        "contract: [{id: C0.1, says: a}]",
        "contract: [{id: C0.1, says: a, source: b, more: c}]",
        "contract: [{id: C0.1, says: 1, source: b}]",
        "contract: &a [*a]",
        "[",
    ],
)
def test_a_text_that_declares_no_contract_is_refused(text: str) -> None:
    """Whatever is no list of clauses is refused with what is wrong, never read as an empty contract."""
    with pytest.raises(ContractRefusal) as caught:
        contract(CONTRACT, text)
    assert caught.value.found


def test_only_what_is_proved_and_accepted_is_called_proved(make: Make) -> None:
    """A clause is proved only by claims that are proved and whose certificates a second solver accepted."""
    refuted = Result("P-1", "always", "", Refuted(None, "no"))
    assert status(CLAUSE.model_copy(update={"open": "the rest"}), answers_of((make(),))) == IN_PART
    cases = (
        (make(), PROVED),
        (make(refuted), NOT_PROVED),
        (make(sealed=Sealed("ab" * 32, accepted=False, reason="gave up")), OPEN),
        (make(sealed=Sealed("", accepted=False, reason="none")), OPEN),
        (make(proved=False), NOT_PROVED),
    )
    for evidence, word in cases:
        assert status(CLAUSE, answers_of((evidence,))) == word
    assert status(CLAUSE, {}) == OPEN
    assert status(CLAUSE.model_copy(update={"tests": ["a"]}), {}) == TESTED


def test_a_claim_that_answers_beside_a_proved_one_must_be_proved_too(make: Make) -> None:
    """One claim of two that is not proved keeps the clause from being proved."""
    assert status(CLAUSE, answers_of((make(), make(proved=False)))) == NOT_PROVED


def test_what_is_missing_is_never_blank(make: Make) -> None:
    """Without evidence every cell says so; stale evidence is no evidence."""
    row = next(line for line in claims.page((make(proved=False),)).splitlines() if line.startswith("| `P-1`"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert all(cells)
    assert cells[3] == f"{NOT_PROVED}: {NO_EVIDENCE}"
    assert cells[4:] == [NO_EVIDENCE] * 5
    assert NO_EVIDENCE not in claims.page((make(),)).split("| `P-1`")[1].split("|")[4]


def test_proofs_and_mutants_of_another_specification_are_no_evidence(make: Make) -> None:
    """The fingerprint decides: after a change of the specification the committed evidence counts for nothing."""
    proofs = make().proofs
    assert proofs is not None
    data = document({"lamp": proofs})
    assert fresh(data, "lamp", "f" * 64) == proofs
    assert fresh(data, "lamp", "e" * 64) is None
    assert stale(data, (("lamp", "f" * 64), ("lamp", "e" * 64), ("door", "f" * 64))) == ("lamp", "door")
    for broken in (None, [], {}, {"machines": {"lamp": {}}}, {"machines": {"lamp": 1}}):
        assert fresh(broken, "lamp", "f" * 64) is None
        assert measured(broken, "lamp", "f" * 64) is None
    mutation = {"machines": {"lamp": {"fingerprint": "f" * 64, "properties": {"P-1": {"mutants": ["a", "b"]}}}}}
    assert measured(mutation, "lamp", "f" * 64) == {"P-1": {"mutants": ["a", "b"]}}
    assert measured(mutation, "lamp", "e" * 64) is None


def test_an_invented_lemma_is_shown_as_text(make: Make) -> None:
    """Declared lemmas are named, invented ones are written out, and the certificate's hash begins as it does."""
    page = claims.page((make(),))
    assert "induction with `P-2`<br>invented: `true`" in page
    assert "`abababababab` ✓" in page


def test_every_clause_and_hazard_is_on_its_page(make: Make) -> None:
    """The contract page has the clauses, the threats page the hazards; both show source, evidence and what is open."""
    declared = Contract(contract=[CLAUSE, HAZARD])
    one, other = contract_page(declared, (make(),)), threats_page(declared, (make(),))
    assert "## C1.1" in one
    assert "## H-fire" not in one
    assert "## H-fire" in other
    assert "Beyond the properties: Nobody looked." in other
    assert "From: Somewhere. Status: proved in part." in other


def test_tests_are_found_by_whole_ids(tmp_path: Path) -> None:
    """A test mentions a claim only by its whole id."""
    (tmp_path / "test_a.py").write_text('"""About SES-1 and SES-11."""')
    (tmp_path / "test_b.py").write_text('names = {"SES-12"}')
    found = mentions(tmp_path, tmp_path, ("SES-1", "SES-12", "SES-2"))
    assert found == {"SES-1": ("test_a.py",), "SES-12": ("test_b.py",)}


def test_pages_are_the_same_each_time() -> None:
    """The pages depend on nothing but committed files."""
    assert list(pages()) == list(pages())
