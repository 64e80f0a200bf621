"""The in-toto statement of a pack: these files, tested under these specifications, with this result.

Form: Statement v1 with predicate test-result v0.1, plain JSON. The predicate has no word for an inconclusive test, so
whatever did not pass is listed as failed: unknown is never a pass.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from peak_trade.evidence.bag import Content, sha256
from peak_trade.evidence.exhibit import Exhibit
from peak_trade.evidence.provenance import UNKNOWN

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"


def statement(exhibit: Exhibit, payload: Mapping[str, Content], configuration: Iterable[str]) -> str:
    """Return the statement's text; its subjects are all of `payload` and, if known, the commit."""
    passed, failed = results(exhibit)
    subjects: list[dict[str, Any]] = [_descriptor(name, content) for name, content in sorted(payload.items())]
    if exhibit.origin.commit != UNKNOWN:
        subjects.append({"name": "peak-trade", "digest": {"gitCommit": exhibit.origin.commit}})
    predicate = {
        "result": "PASSED" if passed and not failed else "FAILED",
        "configuration": [_descriptor(name, payload[name]) for name in sorted(configuration)],
        "passedTests": passed,
        "warnedTests": [],
        "failedTests": failed,
    }
    whole = {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    return json.dumps(whole, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def results(exhibit: Exhibit) -> tuple[list[str], list[str]]:
    """Return the names of what passed and of what did not: proofs, locks, replay, journal and tests."""
    named: list[tuple[str, bool]] = []
    if exhibit.proofs is not None:
        named += [(f"proof {item['property']}", item["verdict"] == "proved") for item in exhibit.proofs["results"]]
        locks = exhibit.proofs["locks"]
        named += [(f"lock {item['transition']} {item['lock']}", item["needed"] in ("yes", "backed")) for item in locks]
    if exhibit.replay is not None:
        named.append((f"replay {exhibit.replay['mode']}", exhibit.replay["verdict"] == "PASS"))
    named.append(("journal", exhibit.journal["verdict"] == "Intact"))
    named += [(f"test {name}", outcome == "passed") for name, outcome in exhibit.tests.items() if outcome != "skipped"]
    named += [(f"command {name}", item.get("exit_code") == 0) for name, item in exhibit.attached.items()]
    return sorted(name for name, good in named if good), sorted(name for name, good in named if not good)


def _descriptor(name: str, content: Content) -> dict[str, Any]:
    found = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else sha256(Path(content))
    return {"name": f"data/{name}", "digest": {"sha256": found}}
