"""`peak`: the command line. Each command is loaded when it is called; their help lines are held here.

Exit codes: 0 pass · 1 violation · 2 usage or spec error · 3 inconclusive · 4 internal · 130 interrupted.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NoReturn

import rich_click as click

from peak_trade.journal.foreign import told
from peak_trade.lang.source import suggestion

USAGE, INTERNAL, INTERRUPTED, BROKEN_PIPE = 2, 4, 130, 141

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "check": ("spec:check", "Read specifications and show all that is wrong with them."),
    "explain": ("spec:explain", "Say what a diagnostic's code means and how to mend it."),
    "table": ("draw:table", "Write a machine's decision table: what each event does in each state."),
    "diagram": ("draw:diagram", "Draw a machine."),
    "simulate": ("simulate:command", "Write a page on which a machine can be clicked through."),
    "prove": ("prove:command", "Prove or refute what the specifications claim."),
    "certify": ("certify:command", "Check a folder of certificates with a second solver, from its files alone."),
    "diff": ("diff:command", "Say how two versions of a machine differ, and what that loosens."),
    "gate": ("gate:command", "Judge what a change did: checks, proofs, loosened clauses, drift, docs."),
    "mutate": ("mutate:command", "Judge every small fault that the specifications could have."),
    "roles": ("roles:command", "Say which claims rest on each guard, lock and update."),
    "cuts": ("cuts:command", "Find how many things must fail together before a claim does."),
    "explore": ("explore:command", "Walk every value that a machine can reach, and judge its claims on them."),
    "agree": ("agree:command", "Run the engines in lock step and compare every outcome."),
    "run": ("run:command", "Run a dry-run session over a file of bars, against the mock venue."),
    "kill": ("run:kill", "Pull the kill switch of a run; it latches."),
    "demo": ("demo:command", "Do the main job on real data, from the specification to a page."),
    "journal": ("journal:command", "Verify or show the journal of a run."),
    "matrix": ("matrix:command", "Execute the failure matrix: each row is a session in which one thing goes wrong."),
    "fuzz": ("fuzz:command", "Play many seeded sessions in which anything goes wrong, and judge how each ended."),
    "reconcile": ("reconcile:command", "Compare the book of a run with a snapshot of the venue, both ways."),
    "status": ("status:command", "Show a run once: state, rails, orders, differences, health. Watch only."),
    "serve": ("serve:command", "Show runs in a browser on this computer, read-only."),
    "report": ("report:command", "Write the page that shows a run and its proofs."),
    "docs": ("docs:command", "Run the docs gates: references, token policy, hygiene, templates."),
    "evidence": ("evidence:command", "Make, verify and sign evidence packs."),
    "incident": ("incident:command", "Pack what is known of an incident."),
    "replay": ("replay:command", "Run a packed run, or a trace of a proof, again and compare."),
    "readiness": ("readiness:command", "Say which rows of the readiness checklist have evidence."),
    "bench": ("bench:command", "Measure how fast the engines are on this machine."),
    "doctor": ("doctor:command", "Say what is missing on this machine and how to get it."),
    "generate": ("generate:command", "Write again everything that is generated and committed."),
}
"""Each command's `module:attribute` within `peak_trade.cli`, and its help line."""


class Commands(click.RichGroup):
    """A group whose commands are imported when they are called, and not to list them."""

    listing = False

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """Return the names of the commands whose modules exist."""
        return [name for name, (target, _) in COMMANDS.items() if _exists(target)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called `cmd_name`, or None; while listing only a stand-in with its help line."""
        if cmd_name not in self.list_commands(ctx):
            return None
        target, summary = COMMANDS[cmd_name]
        if self.listing:
            return click.Command(cmd_name, help=summary)
        module, attribute = target.split(":")
        found: click.Command = getattr(import_module(f"peak_trade.cli.{module}"), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first of `args` names; a usage error that suggests one if there is none."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            hint = suggestion(args[0], set(known)) or "`peak --help` lists the commands"
            ctx.fail(f"no command `{args[0]}`; {hint}")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: Any) -> None:  # noqa: ANN401 - rich-click's own formatter
        """Write the help without importing a command."""
        self.listing = True
        try:
            super().format_help(ctx, formatter)  # type: ignore[arg-type]  # rich-click narrows click
        finally:
            self.listing = False

    def format_commands(self, ctx: click.Context, formatter: Any) -> None:  # noqa: ANN401 - as above
        """Write the list of commands without importing one."""
        listing, self.listing = self.listing, True
        try:
            super().format_commands(ctx, formatter)  # type: ignore[arg-type]  # rich-click narrows click
        finally:
            self.listing = listing


def _exists(target: str) -> bool:
    return find_spec(f"peak_trade.cli.{target.partition(':')[0]}") is not None


@click.group(
    name="peak",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "PEAK", "max_content_width": 100},
    epilog="Exit codes: 0 pass, 1 violation, 2 usage or spec error, 3 inconclusive, 4 internal, 130 interrupted.",
)
@click.version_option(None, "-V", "--version", package_name="peak-trade", message="peak %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error (or set PEAK_DEBUG=1).")
def command(*, debug: bool) -> None:
    """A near-live trading session under governance: one declaration runs, is drawn, is proved and is tested."""
    del debug  # read by `main`, which alone sees an error that no command expected


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code; an unexpected exception is one line and INTERNAL."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_code(given))


def _code(arguments: list[str]) -> int:
    try:
        return int(command.main(arguments, prog_name="peak", standalone_mode=False) or 0)
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code if error.exit_code > 1 else USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("peak: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug is reported as one
        return _internal(error, arguments)


def summary(error: Exception) -> str:
    """Return all that is shown of an error that nobody expected, unless its words are asked for."""
    return f"peak: internal error: {told(error)}"


def _internal(error: Exception, arguments: list[str]) -> int:
    debug = "--debug" in arguments or os.environ.get("PEAK_DEBUG", "0") not in ("", "0")
    if debug:
        click.echo("".join(traceback.format_exception(error)).rstrip(), err=True)
    click.echo(summary(error), err=True)
    if not debug:
        click.echo(f"next: PEAK_DEBUG=1 peak {' '.join(arguments)}   shows message and traceback", err=True)
    return INTERNAL
