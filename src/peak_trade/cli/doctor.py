"""`peak doctor`: what this machine has, what is missing, and the remedy for each."""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.backends.svg import renderer
from peak_trade.cli import fencing
from peak_trade.cli.specs import spec_folder, spec_names
from peak_trade.evidence.provenance import UNKNOWN, installed, provenance, python
from peak_trade.session.killswitch import KillSwitch

NEEDED: Final = ("python-statemachine", "z3-solver", "pydantic", "ruamel.yaml", "click", "graphviz", "jinja2")
FREE_MIB_MIN: Final = 200


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `mark` is ok, note or bad; only bad fails."""

    mark: str
    name: str
    found: str
    remedy: str = ""


def checks() -> list[Check]:
    """Return everything that was looked at, in the order of importance."""
    found = [_python(), *(_package(name) for name in NEEDED), _specs(), _adapters(), _fence(), _disk(), _durable()]
    origin = provenance()
    commit = origin.commit[:12] if origin.commit != UNKNOWN else "not a checkout"
    found.append(Check("ok", "code", f"{commit}{' with uncommitted changes' if origin.dirty else ''}"))
    found.append(Check("ok", "diagrams", renderer()))
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    remedy = "only to take pictures of pages; on Debian: apt-get install chromium"
    found.append(Check("ok", "browser", "chromium") if chromium else Check("note", "browser", "none", remedy))
    return found


def _python() -> Check:
    good = sys.version_info >= (3, 11)
    return Check("ok" if good else "bad", "python", python(), "" if good else "install Python 3.11 or newer")


def _package(name: str) -> Check:
    version = installed(name)
    missing = version == UNKNOWN
    return Check("bad" if missing else "ok", name, version, "./x builds the environment anew" if missing else "")


def _specs() -> Check:
    names = spec_names()
    return Check("ok" if names else "bad", "specifications", f"{', '.join(names)} in {spec_folder().name}/", "")


def _adapters() -> Check:
    return Check("ok", "broker adapters", "mock; there is no live transport in this package")


def _fence() -> Check:
    """Ask a child process that put up the fence; the hook alone is weaker than it should be, and works."""
    told = fencing.told(fenced=True)
    mark = ("note" if told.level == "hook" else "ok") if told.tight else "bad"
    remedy = "" if mark == "ok" else "a session that the kernel fences off needs Linux on x86_64 or aarch64"
    return Check(mark, "network fence", told.line(), remedy)


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free // 2**20
    remedy = f"free {FREE_MIB_MIN} MiB: a journal that cannot be written stops a session"
    return (
        Check("ok", "disk", f"{free:,} MiB free")
        if free >= FREE_MIB_MIN
        else Check("bad", "disk", f"{free} MiB", remedy)
    )


def _durable() -> Check:
    """Latch a kill switch in a scratch folder and read it back: files can be replaced and made durable here."""
    with tempfile.TemporaryDirectory(prefix="peak-doctor-") as folder:
        switch = KillSwitch(Path(folder) / "kill_switch.json")
        switch.create()
        clear = not switch.read().latched
        switch.latch("doctor")
        held = clear and switch.read().latched
    return Check("ok" if held else "bad", "kill switch", "latches and is read back" if held else "does not latch", "")


@click.command("doctor")
@click.option("--network", is_flag=True, help="Only the fence between a session and networks, call by call.")
def command(*, network: bool) -> None:
    """Show what this machine has and what is missing; exits 1 if something needed is missing.

    With --network, one child process tries each system call that leads to a network, another one does so behind the
    fence; exits 1 unless the fence refuses them all. What is tried could reach nothing.
    """
    if network:
        raise Exit(0 if fencing.show() else 1)
    found = checks()
    width = max(len(item.name) for item in found)
    for item in found:
        line = f"{item.mark:<4}  {item.name:<{width}}  {item.found}"
        click.echo(line + (f"\n      remedy: {item.remedy}" if item.remedy else ""))
    if any(item.mark == "bad" for item in found):
        raise Exit(1)
