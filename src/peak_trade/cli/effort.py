"""What a proof may cost, who is asked, and what is remembered: options that commands share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import rich_click as click

from peak_trade.proof.cache import Cache
from peak_trade.proof.planner import ENGINES
from peak_trade.proof.prove import LIMITS
from peak_trade.proof.solve import Limits

CACHE: Final = Path(".peak-cache")
JOBS_MAX: Final = 64
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Effort:
    """Limits, engines, processes, and where verdicts are kept."""

    limits: Limits = field(default_factory=lambda: LIMITS)
    engines: tuple[str, ...] = ENGINES
    jobs: int = 1
    cache: Cache | None = None


def spending(command: Command) -> Command:
    """Give `command` the options of an effort; `effort` reads them."""
    options = (
        click.option("--engine", type=click.Choice(ENGINES), default=None, help="Ask this engine only."),
        click.option("--rlimit", type=click.IntRange(1), default=None, help="What Z3 may spend on a question."),
        click.option("--steps", type=click.IntRange(0, 1_000), default=None, help="How deep runs are searched."),
        click.option("--jobs", type=click.IntRange(1, JOBS_MAX), default=1, show_default=True, help="Processes."),
        click.option(
            "--cache", type=click.Path(path_type=Path, file_okay=False), default=CACHE, show_default=True,
            help="Folder of verdicts that are known.",
        ),
        click.option("--no-cache", is_flag=True, help="Judge everything anew and keep nothing."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def effort(options: dict[str, Any]) -> Effort:
    """Return the effort that `options` ask for; the keys of `spending` are taken out of them."""
    engine, rlimit, steps = options.pop("engine"), options.pop("rlimit"), options.pop("steps")
    folder, forget = options.pop("cache"), options.pop("no_cache")
    return Effort(
        _limits(rlimit, steps),
        ENGINES if engine is None else (engine,),
        options.pop("jobs"),
        None if forget else Cache(folder, complain),
    )


def complain(text: str) -> None:
    """Write what is wrong with the cache; that changes no verdict."""
    click.echo(f"peak: {text}", err=True)


def _limits(rlimit: int | None, steps: int | None) -> Limits:
    spent = LIMITS.question_rlimit if rlimit is None else rlimit
    invented = LIMITS.inference_rlimit if rlimit is None else rlimit
    refuted = LIMITS.refutation_steps_max if steps is None else steps
    reached = LIMITS.witness_steps_max if steps is None else steps
    return Limits(
        question_rlimit=spent, inference_rlimit=invented, refutation_steps_max=refuted, witness_steps_max=reached
    )
