"""The fleet that an executor's name means: `local` is processes of this machine, `dask://HOST:PORT` a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import rich_click as click

from peak_trade.cli.job import fenced
from peak_trade.fuzz.fleet.fleet import Fleet, Unavailable
from peak_trade.fuzz.fleet.processes import Processes
from peak_trade.fuzz.fleet.shifts import Misused, Shard

LOCAL: Final = "local"
DASK: Final = "dask://"
INSTALL: Final = "a cluster needs dask's distributed, which is not installed\nnext: pip install 'peak-trade[cluster]'"
CONNECT_MS_MAX: Final = 10_000


class NotThere(click.ClickException):
    """A cluster that cannot be reached, or has no worker; exit code 4."""

    exit_code = 4


@contextmanager
def fleet_of(executor: str, jobs: int, connect_ms_max: int = CONNECT_MS_MAX) -> Iterator[Fleet]:
    """Give the fleet of an executor: `jobs` fenced processes, or whatever the cluster has.

    This process is fenced for its own processes, and is not for a cluster, which it must reach; sessions are played
    behind a fence in both.

    Raises:
        UsageError: no executor has that name, or its library is not installed.
        NotThere: there is no such cluster.
    """
    if executor == LOCAL:
        fenced()
        with Processes(jobs) as fleet:
            yield fleet
        return
    if not executor.startswith(DASK):
        error = Misused(f"an executor {LOCAL} or {DASK}HOST:PORT", repr(executor), "leave it out for this machine")
        raise click.UsageError(f"{error}\nnext: peak fuzz --executor {LOCAL}")
    try:
        from peak_trade.fuzz.fleet.cluster import Cluster  # noqa: PLC0415 - an extra: only who asks for a cluster needs it
    except ImportError as error:
        raise click.UsageError(INSTALL) from error
    try:
        cluster = Cluster(executor, connect_ms_max)
    except Misused as error:
        raise click.UsageError(f"{error}\nnext: peak fuzz --executor {LOCAL}") from error
    except Unavailable as error:
        raise NotThere(f"{error}\nnext: peak fuzz --executor {LOCAL}") from error
    with cluster:
        yield cluster


def shard_of(_: click.Context, __: click.Parameter, text: str) -> Shard:
    """Return the shard that an option's text says; the callback of `--shard`."""
    try:
        return Shard.of(text)
    except Misused as error:
        raise click.BadParameter(str(error)) from error
