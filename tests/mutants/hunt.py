"""Hunt the planted bugs: each patch is applied to a copy of the package, and the campaign's own command must find it.

    python tests/mutants/hunt.py [NAME ...]

A bug is found iff the command exits 1 and told of a problem; small iff what it shrank has at most `EVENTS_MAX` events
(orders, deeds and deaths; steps of a machine where it was found in one). Exits 1 if one is not found, or not small.

Limits: one bug at a time; a command that is not over after `WALL_S_MAX` counts as one that found nothing.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from peak_trade.fuzz.found.findings import PROGRAM
from peak_trade.fuzz.found.program import parsed

ROOT: Final = Path(__file__).resolve().parents[2]
PLANTED: Final = Path(__file__).resolve().parent / "planted"
EVENTS_MAX: Final = 12
FOUND_S_MAX: Final = 60
WALL_S_MAX: Final = 600
SEED: Final = 1
SESSIONS: Final = 160
"""One round of a campaign: how many sessions its smallest number of jobs plays."""
COMMAND: Final = "import sys; from peak_trade.cli.app import main; sys.exit(main())"
FOUND: Final = 1
HOW: Final = ("found by", "seed", "found s", "wall s", "cpu s", "events", "faults")


class Misfit(RuntimeError):  # noqa: N818 - said of a patch
    """A patch does not apply, or the copy that it was applied to is not what is run."""

    def __init__(self, name: str, was: str) -> None:
        self.name, self.was = name, was
        super().__init__(f"expected {name} to apply to a copy that runs, was {was}; make the patch anew")


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted bug: its patch, and what its header says: `how` are the options of `peak fuzz` that find it."""

    path: Path
    says: str
    incident: str
    how: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name, without the number."""
        return self.path.stem.partition("-")[2]

    @property
    def places(self) -> tuple[str, ...]:
        """Where it is, as the hunks of the patch say: file, and old lines."""
        found, file = [], ""
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if line.startswith("--- a/"):
                file = line.removeprefix("--- a/")
            elif line.startswith("-"):
                found.append(f"{file}: {line[1:].strip()}")
            elif line.startswith("@@"):
                found.append(f"{file} {line.split()[1]}")
        return tuple(found)

    @property
    def changed(self) -> int:
        """How many lines the larger side of its changes has."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        minus = sum(line[:1] == "-" and not line.startswith("--- ") for line in lines)
        plus = sum(line[:1] == "+" and not line.startswith("+++ ") for line in lines)
        return max(minus, plus)


@dataclass(frozen=True, slots=True)
class Caught:
    """What a command came to: `by` is the engine and the kind of problem, empty iff nothing was found.

    `found_s` is the CPU time until the first finding was shrunk and written: that share of the whole command's which
    its share of the wall time is. So it says the same on a machine that is busy with other work.
    """

    by: str
    seed: int
    found_s: float
    wall_s: float
    cpu_s: float
    events: int
    faults: int
    why: str = ""

    @property
    def good(self) -> bool:
        """True iff the bug was found, within its time, and is small."""
        return bool(self.by) and self.found_s <= FOUND_S_MAX and self.events <= EVENTS_MAX


def planted() -> tuple[Planted, ...]:
    """Return all planted bugs, in the order of their numbers."""
    return tuple(map(_planted, sorted(PLANTED.glob("*.patch"))))


def _planted(path: Path) -> Planted:
    head = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    facts = dict(line.split(": ", 1) for line in head)
    return Planted(path, facts[path.stem.partition("-")[2]], facts["incident"], tuple(facts["how"].split()))


def applies(bug: Planted) -> str:
    """Return why the patch does not apply to the checkout; nothing iff it does."""
    command = ["git", "apply", "--check", str(bug.path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def copied(bug: Planted, folder: Path) -> None:
    """Put package and specifications with the bug into `folder`.

    Raises:
        Misfit: the patch does not apply, or another package than the copy would be run.
    """
    for name in ("src", "spec"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = ["git", "apply", "--unsafe-paths", f"--directory={folder}", str(bug.path)]
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misfit(bug.name, done.stderr.strip())
    _expect_copy(bug, folder)


def caught(bug: Planted, *more: str) -> Caught:
    """Run the campaign over a copy with the bug, with `more` options; return what it came to.

    Raises:
        Misfit: as `copied`.
    """
    with tempfile.TemporaryDirectory(prefix="planted-") as made:
        folder = Path(made)
        copied(bug, folder)
        out = folder / "out"
        options = ["--jobs", "1", "--format", "json", *more]
        if bug.how[0].startswith("--"):
            options += ["--seed", str(SEED), "--out", str(out), "--require", "", "--no-canary"]
        begun_s, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = _run(["-c", COMMAND, "fuzz", *bug.how, *options], folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        wall_s = time.time() - begun_s
        first_s = min((path.stat().st_mtime - begun_s for path in out.glob("findings/*")), default=wall_s)
        spent = (round(first_s / wall_s * cpu_s, 1), round(wall_s, 1), round(cpu_s, 1))
        if done.returncode != FOUND:
            return Caught("", 0, *spent, 0, 0, f"exit {done.returncode}: {done.stderr.strip()[-300:]}")
        return _told(json.loads(done.stdout), out, spent)


def shrunk(bug: Planted, seed: int, executions: int) -> int:
    """Return how many events are left of the session of a seed, shrunk over a copy; 0 iff it shows nothing.

    Raises:
        Misfit: as `copied`.
    """
    with tempfile.TemporaryDirectory(prefix="planted-") as made:
        folder = Path(made)
        copied(bug, folder)
        options = ["--seed", str(seed), "--executions", str(executions), "--out", str(folder / "out")]
        if _run(["-c", COMMAND, "fuzz", "shrink", *options], folder).returncode != FOUND:
            return 0
        program = next((folder / "out").glob(f"*/{PROGRAM}"))
        return parsed(program.read_text(encoding="utf-8"), program.name).events


def _run(arguments: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run Python over the copy in `folder`; one that takes too long counts as killed."""
    command = [sys.executable, *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=WALL_S_MAX
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -9, "", f"not over after {WALL_S_MAX} s")


def _expect_copy(bug: Planted, folder: Path) -> None:
    script = (
        "import peak_trade; from peak_trade.cli.specs import spec_folder; print(peak_trade.__file__, spec_folder())"
    )
    done = _run(["-c", script], folder)
    where = done.stdout.split()
    if done.returncode or not all(Path(one).resolve().is_relative_to(folder.resolve()) for one in where):
        raise Misfit(bug.name, done.stderr.strip()[-300:] or f"{where} run instead")


def _told(result: dict[str, Any], out: Path, spent: tuple[float, float, float]) -> Caught:
    """Return what the smallest finding says."""
    told = result.get("told", [])
    if not told:
        return Caught("", 0, *spent, 0, 0, f"nothing was told: {json.dumps(result)[:300]}")
    size, small = min(((_size(item, out), item) for item in told), key=lambda pair: (pair[0], pair[1]["kind"]))
    program = _program(small, out)
    faults = len(parsed(program.read_text(encoding="utf-8"), program.name).faults) if program.is_file() else 0
    where = f"{small['engine']} {small['machine']}".strip()
    return Caught(f"{where}: {small['kind']}", small["seed"], *spent, size, faults)


def _program(item: dict[str, Any], out: Path) -> Path:
    return out / "findings" / str(item["folder"]) / PROGRAM


def _size(item: dict[str, Any], out: Path) -> int:
    """Return how many events a finding has: none is small in a session, and not shrunk if there is no program."""
    return int(item["events"]) if item["events"] or _program(item, out).is_file() else sys.maxsize


def main(names: list[str]) -> int:
    """Hunt the named bugs, or all; print a row for each; return the exit code."""
    bugs = [bug for bug in planted() if not names or bug.name in names]
    if unknown := sorted(set(names) - {bug.name for bug in bugs}):
        sys.stderr.write(f"expected names of planted bugs, was {', '.join(unknown)}\n")
        return 2
    sys.stdout.write("\t".join(("bug", *HOW)) + "\n")
    bad = 0
    for bug in bugs:
        try:
            found = caught(bug)
        except Misfit as error:
            found = Caught("", 0, 0.0, 0.0, 0.0, 0, 0, str(error))
        bad += not found.good
        by = found.by or f"NOT FOUND ({found.why})"
        facts = (by, found.seed, found.found_s, found.wall_s, found.cpu_s, found.events, found.faults)
        sys.stdout.write("\t".join(map(str, (bug.name, *facts))) + ("\n" if found.good else "\t✗\n"))
        sys.stdout.flush()
    sys.stdout.write(f"{len(bugs) - bad} of {len(bugs)} planted bugs were found and are small\n")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
