"""A progress bar on a terminal, and nothing elsewhere; always on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def bar(total: int, what: str) -> Iterator[Callable[..., None]]:
    """Give a function of how much is done, and optionally of what is being done now."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as shown:
        task = shown.add_task(what, total=total)

        def show(done: int, now: str = what) -> None:
            shown.update(task, completed=done, description=now)

        yield show
