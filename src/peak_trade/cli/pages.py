"""The pages that carry the proofs: properties, contract and threats, made from the specifications and what proves them."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from peak_trade.cli.specs import machine_named, spec_folder, spec_names
from peak_trade.evidence import claims
from peak_trade.evidence.claims import Evidence, fresh
from peak_trade.evidence.clauses import contract_page, threats_page
from peak_trade.evidence.contract import Contract, ContractRefusal, contract, problems
from peak_trade.lang.machine import Machine
from peak_trade.proof.certificate import certify
from peak_trade.proof.prove import prove

MUTATION: Final = Path("docs/evidence/mutation.json")
CONTRACT: Final = "contract.yaml"


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path in the checkout and the text of each page; ContractRefusal iff the contract is not sound."""
    declared, found = agreed(), known()
    yield "docs/properties.md", claims.page(found)
    yield "docs/contract.md", contract_page(declared, found)
    yield "docs/threats.md", threats_page(declared, found)


def agreed() -> Contract:
    """Return the shipped contract; ContractRefusal iff it is not sound for the shipped machines."""
    declared = contract(CONTRACT, (spec_folder() / CONTRACT).read_text(encoding="utf-8"))
    wrong = problems(declared, map(machine_named, spec_names()), spec_folder().parent)
    if wrong:
        raise ContractRefusal(CONTRACT, wrong)
    return declared


@cache
def known() -> tuple[Evidence, ...]:
    """Return what is known of the claims of each shipped machine; proved once in a process."""
    root = spec_folder().parent
    measured = _json(root / MUTATION)
    machines = [machine_named(name) for name in spec_names()]
    names = [item.name for machine in machines for item in machine.properties]
    tests = mentions(root / "tests", root, names)
    return tuple(_evidence(machine, measured, tests) for machine in machines)


def _evidence(machine: Machine, measured: Any, tests: dict[str, tuple[str, ...]]) -> Evidence:  # noqa: ANN401 - JSON holds any data
    report = prove(machine)
    certificates = {item.claim: item for item in certify(machine, report)}
    mutation = fresh(measured, machine.name, report.fingerprint)
    return Evidence(machine, report, certificates, mutation, tests)


def mentions(folder: Path, root: Path, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each of `names` the test files in `folder` that name it, relative to `root`, in order."""
    wanted, found = frozenset(names), dict[str, tuple[str, ...]]()
    for path in sorted(folder.rglob("test_*.py")):
        words = set(re.findall(r"[A-Za-z0-9_.-]+", path.read_text(encoding="utf-8")))
        for name in words & wanted:
            found[name] = (*found.get(name, ()), path.relative_to(root).as_posix())
    return found


def _json(path: Path) -> Any:  # noqa: ANN401 - JSON holds any data
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
