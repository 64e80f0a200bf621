"""The commands that `peak readiness` lists are commands that can be called so."""

import re
import shlex
from pathlib import Path

import pytest
import rich_click as click

from peak_trade.cli.app import command
from peak_trade.cli.readiness import steps

LINES = [found[0] for line in steps(Path("out/evidence")) if (found := re.search(r"peak [^>#)]*", line))]


def test_there_are_such_commands() -> None:
    """What is looked at below is all that begins with the program's name."""
    assert len(LINES) >= 8


@pytest.mark.parametrize("line", LINES)
def test_each_listed_command_is_complete(line: str) -> None:
    """No listed command lacks a parameter that it must have, and none has an option that does not exist."""
    words = shlex.split(line)[1:]
    found: click.Command = command
    context = click.Context(command, info_name="peak")
    while isinstance(found, click.Group):
        name = words.pop(0)
        under = found.get_command(context, name)
        assert under is not None, f"expected a command, was {name}"
        found, context = under, click.Context(under, context, info_name=name, resilient_parsing=True)
    given, _, _ = found.make_parser(context).parse_args(list(words))  # as typed: the files need not be there yet
    lacking = [item.name for item in found.params if item.required and not given.get(item.name or "")]
    assert not lacking
