"""`peak serve`: the pages and files of runs and of a review, read-only, on this computer's loopback interface."""

import signal
from pathlib import Path
from threading import Thread

import rich_click as click

from peak_trade.evidence.site import INDEX
from peak_trade.watch.serve import POLL_SECONDS, Server, server

PORT = 8737
PORT_MAX = 65_535


@click.command("serve")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--port", type=click.IntRange(0, PORT_MAX), default=PORT, show_default=True, help="0: any free one.")
@click.option(
    "--site",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    help="A review site, shown as /review/; else that in FOLDER/site, if there is one.",
)
def command(folder: Path, port: int, site: Path | None) -> None:
    """Show the run in FOLDER, or the runs in its folders, in a browser on this computer until interrupted.

    Serves the files that `peak status --write` and `peak run` left there, and the site of `peak report --site`, and
    changes nothing. SIGINT or SIGTERM ends it.
    """
    if site is not None and not (site / INDEX).is_file():
        raise click.UsageError(f"expected a review site, was a folder without {INDEX}; peak report --site makes one")
    try:
        found = server(folder, port, site)
    except OSError as error:
        raise click.UsageError(f"cannot listen on port {port}: {error.strerror}; try --port 0") from error
    with found:
        _until_signal(found)


def _until_signal(found: Server) -> None:
    """Answer requests until a signal comes; shutdown waits for this thread, so another one asks for it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: Thread(target=found.shutdown).start())
    click.echo(found.url)
    click.echo("watch only; Ctrl-C ends it", err=True)
    found.serve_forever(POLL_SECONDS)
