"""The pages that carry the proofs: properties, contract and threats, from the specifications and committed evidence."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from peak_trade.cli.specs import machine_named, spec_folder, spec_names, system_at, system_names
from peak_trade.evidence import claims, proofs
from peak_trade.evidence.claims import Evidence
from peak_trade.evidence.clauses import contract_page, threats_page
from peak_trade.evidence.contract import Contract, ContractRefusal, contract, problems
from peak_trade.lang.machine import Property
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.track import tracked

MUTATION: Final = Path("docs/evidence/mutation.json")
PROOFS: Final = Path("docs/evidence/proofs.json")
CONTRACT: Final = "contract.yaml"


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path in the checkout and the text of each page; ContractRefusal iff the contract is not sound."""
    found = known()
    declared = agreed(found)
    yield "docs/properties.md", claims.page(found)
    yield "docs/contract.md", contract_page(declared, found)
    yield "docs/threats.md", threats_page(declared, found)


def agreed(found: Iterable[Evidence]) -> Contract:
    """Return the shipped contract; ContractRefusal iff it is not sound for these specifications."""
    declared = contract(CONTRACT, (spec_folder() / CONTRACT).read_text(encoding="utf-8"))
    wrong = problems(declared, (claim for item in found for claim in item.properties), spec_folder().parent)
    if wrong:
        raise ContractRefusal(CONTRACT, wrong)
    return declared


def known() -> tuple[Evidence, ...]:
    """Return what is known of the claims of each shipped specification; nothing is proved here."""
    root = spec_folder().parent
    proved, mutation = _json(root / PROOFS), _json(root / MUTATION)
    parts = declared()
    tests = mentions(root / "tests", root, [claim.name for _, _, own in parts for claim in own])
    return tuple(
        Evidence(name, mark, own, proofs.fresh(proved, name, mark), claims.measured(mutation, name, mark), tests)
        for name, mark, own in parts
    )


@cache
def declared() -> tuple[tuple[str, str, tuple[Property, ...]], ...]:
    """Return name, fingerprint and properties of each shipped specification: machines, then systems.

    The fingerprint of a system is that of the machine with one tracked among any number.
    """
    machines = [machine_named(name) for name in spec_names()]
    systems = [(name, system_at(name)) for name in system_names()]
    return (
        *((item.name, fingerprint(item), item.properties) for item in machines),
        *((name, fingerprint(tracked(item)), item.properties) for name, item in systems),
    )


def mentions(folder: Path, root: Path, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each of `names` the test files in `folder` that name it, relative to `root`, in order."""
    wanted, found = frozenset(names), dict[str, tuple[str, ...]]()
    for path in sorted(folder.rglob("test_*.py")):
        words = set(re.findall(r"[A-Za-z0-9_-]+", path.read_text(encoding="utf-8")))
        for name in words & wanted:
            found[name] = (*found.get(name, ()), path.relative_to(root).as_posix())
    return found


def _json(path: Path) -> Any:  # noqa: ANN401 - JSON holds any data
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
