"""The trend: what was broken before is counted, what is new fails, what is mended makes the baseline smaller."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from peak_trade.gates.disk import replace
from peak_trade.gates.errors import UnusableError
from peak_trade.lang.source import Diagnostic

BASELINE_FILE: Final = "docs/gates-baseline.json"
SCHEMA_VERSION: Final = 1
Debt: TypeAlias = tuple[str, str, str]
"""Code, page and message of a finding: no line, so that text above it may move it."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The findings that are new, those that are old debt, and the debt that is no more, with how often it was."""

    new: tuple[Diagnostic, ...]
    old: tuple[Diagnostic, ...]
    cured: Counter[Debt]


def debt(item: Diagnostic) -> Debt:
    """Return what a finding is called in the baseline."""
    return item.code, item.file, item.message


def trend(found: Iterable[Diagnostic], known: Counter[Debt], looked: Callable[[str], bool]) -> Trend:
    """Compare what was `found` with the `known` debt; of pages that were not `looked` at nothing is cured.

    The same finding more often than it is known: the last ones in the page are the new ones.
    """
    left = Counter(known)
    new, old = [], []
    for item in found:
        if left[debt(item)] > 0:
            left[debt(item)] -= 1
            old.append(item)
        else:
            new.append(item)
    return Trend(
        tuple(new), tuple(old), Counter({key: count for key, count in left.items() if count > 0 and looked(key[1])})
    )


def read_baseline(root: Path) -> Counter[Debt] | None:
    """Return the debt committed below `root`, or None iff there is no baseline; UnusableError iff it is none."""
    path = root / BASELINE_FILE
    if not path.is_file():
        return None
    try:
        return parsed(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        was = f"{type(error).__name__}: {error}"
        raise UnusableError(
            f"a baseline of version {SCHEMA_VERSION} in {BASELINE_FILE}", was, "restore it from git"
        ) from error


def parsed(data: dict[str, Any]) -> Counter[Debt]:
    """Return the debt in `data`; KeyError, TypeError or ValueError iff it is not a baseline of this version."""
    if data["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version is {data['schema_version']!r}")
    known: Counter[Debt] = Counter()
    for item in data["debt"]:
        count = item["count"]
        if type(count) is not int or count < 1:
            raise ValueError(f"count is {count!r}")
        known[str(item["code"]), str(item["file"]), str(item["message"])] += count
    return known


def written(known: Counter[Debt]) -> str:
    """Return the text of the baseline with this debt."""
    items = [
        {"code": code, "file": file, "message": message, "count": count}
        for (code, file, message), count in sorted(known.items())
        if count > 0
    ]
    return json.dumps({"schema_version": SCHEMA_VERSION, "debt": items}, indent=2) + "\n"


def shrunk(known: Counter[Debt] | None, found: Iterable[Diagnostic]) -> Counter[Debt]:
    """Return the next baseline: what is found, and of that only what was known, unless nothing was ever known."""
    now = Counter(debt(item) for item in found)
    return now if known is None else now & known


def write_baseline(root: Path, known: Counter[Debt]) -> None:
    """Commit this debt to the baseline below `root`, all or nothing."""
    path = root / BASELINE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, written(known).encode())
