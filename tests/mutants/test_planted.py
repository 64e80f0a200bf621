"""The planted bugs: each applies, each is somewhere else, and two are hunted down here; `hunt.py` hunts all."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from mutants.hunt import EVENTS_MAX, PLANTED, ROOT, Caught, Misfit, Planted, applies, caught, copied, planted, shrunk

ASKED = (
    "apply-twice",
    "forget-cursor",
    "resend-on-unknown",
    "fsync-after-send",
    "cancel-is-terminal",
    "guard-off-by-one",
    "rail-skipped-after-restart",
)
"""Bugs that must be among them."""
LEAST = 20
LINES_MAX = 6
SESSION = ("bust-sign", 2)
"""One that a session shows, and the seed with which it does."""
MACHINE = ("breaker-never-closes", "3/3")
"""One that a machine shows, and the shard of the exhaustive engine's jobs that is about it."""
EXECUTIONS = 30


@pytest.fixture(scope="module")
def bugs() -> dict[str, Planted]:
    """All planted bugs by name."""
    return {bug.name: bug for bug in planted()}


def test_there_are_enough_and_those_that_were_asked_for(bugs: dict[str, Planted]) -> None:
    """At least twenty, each with a number and a name of its own."""
    assert len(bugs) >= LEAST
    assert set(ASKED) <= bugs.keys()
    numbers = [path.name.partition("-")[0] for path in sorted(PLANTED.glob("*.patch"))]
    assert numbers == [f"{number:02}" for number in range(1, len(bugs) + 1)]


@pytest.mark.parametrize("path", sorted(PLANTED.glob("*.patch")), ids=lambda path: path.stem)
def test_a_patch_applies_and_says_what_it_is(path: Path) -> None:
    """It is of a few lines of package or specification, applies to them as they are, and has its three sentences."""
    bug = next(item for item in planted() if item.path == path)
    assert not applies(bug), "make the patch anew: what it was made for has changed"
    assert 0 < bug.changed <= LINES_MAX
    assert bug.says.endswith(".")
    assert bug.incident
    assert bug.how[0] in ("--engine", "crashes", "disks")
    files = {line.split()[1] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("+++ ")}
    assert all(name.startswith(("b/src/peak_trade/", "b/spec/")) for name in files)
    assert all((ROOT / name.removeprefix("b/")).is_file() for name in files)


def test_each_is_about_a_different_place(bugs: dict[str, Planted]) -> None:
    """No two change the same lines in the same way, and most are in modules of their own."""
    changes = Counter(_changes(bug) for bug in bugs.values())
    assert max(changes.values()) == 1
    assert len({place for bug in bugs.values() for place in bug.places}) >= LEAST


def _changes(bug: Planted) -> str:
    lines = bug.path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line[:1] in "+-")


def test_a_bug_of_a_machine_is_hunted_down(bugs: dict[str, Planted]) -> None:
    """The campaign's own command finds it in a copy of the package, and shows it in a few events."""
    name, shard = MACHINE
    found = caught(replace(bugs[name], how=("--engine", "exhaustive")), "--shard", shard)
    assert found.by, found.why
    assert 0 < found.events <= EVENTS_MAX


def test_a_bug_of_a_session_is_hunted_down(bugs: dict[str, Planted]) -> None:
    """The session of a seed shows it, and is shrunk to a few events by few executions."""
    name, seed = SESSION
    assert 0 < shrunk(bugs[name], seed, EXECUTIONS) <= EVENTS_MAX


def test_a_patch_that_does_not_apply_fails_loudly(bugs: dict[str, Planted], tmp_path: Path) -> None:
    """A bug that is not in the copy would be looked for in vain."""
    text = bugs["bust-sign"].path.read_text(encoding="utf-8")
    wrong = tmp_path / "01-wrong.patch"
    wrong.write_text(text.replace("-        signed = order.sign * lots", "-        signed = order.sign * lot"))
    stale = replace(bugs["bust-sign"], path=wrong)
    assert applies(stale)
    with pytest.raises(Misfit, match="make the patch anew"):
        copied(stale, tmp_path / "copy")


@pytest.mark.parametrize(
    ("found", "good"),
    [
        (Caught("sessions: a kind", 1, 9.0, 90.0, 70.0, 3, 1), True),
        (Caught("", 1, 9.0, 9.0, 9.0, 3, 1, "exit 0"), False),
        (Caught("sessions: a kind", 1, 9.0, 9.0, 9.0, EVENTS_MAX + 1, 1), False),
        (Caught("sessions: a kind", 1, 61.0, 90.0, 70.0, 3, 1), False),
    ],
)
def test_what_counts_as_caught(found: Caught, *, good: bool) -> None:
    """Found, soon, and small."""
    assert found.good is good
