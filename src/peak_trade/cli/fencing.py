"""What `peak doctor` says of the fence: read from a child process that put it up, beside one that did not."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import rich_click as click

from peak_trade.session.probe import Reading, Trial

CHILD_SECONDS_MAX: Final = 60
WITHOUT: Final = len("let through (EAFNOSUPPORT)")
ROOT: Final = Path(__file__).resolve().parents[2]
"""Where the package lies: a child that trusts no environment is told."""

CODE: Final = """
import dataclasses, json, sys
sys.path.insert(0, sys.argv[1])
from peak_trade.session import fence, probe
try:
    found = fence.up() if sys.argv[2] == "up" else fence.Fence("hook", "not asked for")
    print(json.dumps({"level": found.level, "why": found.why, **dataclasses.asdict(probe.reading())}))
except fence.FenceRefused as error:
    print(json.dumps({"refused": str(error)}))
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a child process told: how strong its fence is (`none` if it was refused), why no stronger, its reading."""

    level: str
    why: str
    reading: Reading

    @property
    def tight(self) -> bool:
        """True iff the process, asked again, shows what its fence claims."""
        status, trials = self.reading.status, self.reading.trials
        by_kernel = status.get("Seccomp") == 2 and status.get("NoNewPrivs") == 1 and bool(trials)
        held = self.level == "hook" or (by_kernel and all(trial.refused for trial in trials))
        return self.level != "none" and self.reading.hooked and held

    def line(self) -> str:
        """Return all that was told in one line."""
        if self.level == "none":
            return self.why
        if self.level == "hook":
            return f"hook only: {self.why}; what calls the kernel itself is not stopped"
        refused = sum(trial.refused for trial in self.reading.trials)
        status = " · ".join(f"{name} {value}" for name, value in self.reading.status.items())
        speaks = "the hook speaks" if self.reading.hooked else "the hook is silent"
        return f"{status} · {refused} of {len(self.reading.trials)} calls refused · {speaks}"


def told(*, fenced: bool) -> Told:
    """Return what a fresh child process tells of itself, with the fence up or without."""
    command = [sys.executable, "-I", "-c", CODE, str(ROOT), "up" if fenced else "down"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_SECONDS_MAX, check=False)  # noqa: S603 - this interpreter and our own words
    nothing = Reading({}, hooked=False, trials=())
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return Told("none", said[-1] if said else f"the child ended with {done.returncode}", nothing)
    found = json.loads(done.stdout)
    if "refused" in found:
        return Told("none", found["refused"], nothing)
    trials = tuple(Trial(**item) for item in found["trials"])
    return Told(found["level"], found["why"], Reading(found["status"], found["hooked"], trials))


def show() -> bool:
    """Print what both children told, call by call, and return whether the fence is tight where the control is open."""
    control, found = told(fenced=False), told(fenced=True)
    click.echo(f"fence  {found.line()}\n")
    width = max((len(trial.name) for trial in found.reading.trials), default=4)
    click.echo(f"{'call':<{width}}  {'without':<{WITHOUT}}  with")
    loose = False
    for before, after in zip(control.reading.trials, found.reading.trials, strict=False):
        loose = loose or before.refused
        met = f" ({before.error})" if before.error else ""
        shown = before.error if before.refused else f"let through{met}"
        click.echo(f"{before.name:<{width}}  {shown:<{WITHOUT}}  {after.error or 'let through'}")
    if loose:
        click.echo("\nnote: some calls are refused here without the fence, so they do not show what it does")
    if not found.tight:
        click.echo("next: a session does not start here; a kernel built with CONFIG_SECCOMP_FILTER takes the filter")
    return found.tight
