"""A JUnit file as outcomes by test, without what belongs to one machine: no times, hosts, paths or messages.

A test's name is `module::name`, as pytest spells them. Several cases of one name count as their worst outcome.

Limits: `FILE_BYTES_MAX`; the file does not say of which code it is: the pack that takes it says when it was taken.
"""

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

FILE_BYTES_MAX: Final = 64_000_000
WORST_FIRST: Final = ("error", "failure", "skipped", "passed")


def outcomes(path: Path) -> dict[str, str]:
    """Return `passed`, `skipped`, `failure` or `error` for each test in the file.

    Raises:
        ValueError: it is no JUnit file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX)
    try:
        root = ET.fromstring(data)  # noqa: S314 - expat itself bounds what entities grow to
    except ET.ParseError as error:
        raise ValueError(
            f"{path}: expected a JUnit file, was no XML: {error}; pytest --junitxml=FILE makes one"
        ) from None
    found: dict[str, str] = {}
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        outcome = next((word for word in WORST_FIRST if case.find(word) is not None), "passed")
        found[name] = min(outcome, found.get(name, outcome), key=WORST_FIRST.index)
    if not found:
        raise ValueError(f"{path}: expected a JUnit file with tests, was one without; pytest --junitxml=FILE makes one")
    return dict(sorted(found.items()))
