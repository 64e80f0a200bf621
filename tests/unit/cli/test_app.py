"""The command line as a whole: what it loads, and what its exit codes mean."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import rich_click as click

from peak_trade.cli import app
from peak_trade.cli.app import COMMANDS, command, main

HEAVY = ("z3", "pydantic", "statemachine", "numpy", "graphviz", "jinja2", "hypothesis", "ruamel")


def leave(*arguments: str) -> int | str | None:
    """Return the exit code with which `main` leaves."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def broken(error: BaseException) -> click.Command:
    """Return a command that raises `error`."""

    def callback() -> None:
        raise error

    return click.Command("broken", callback=callback)


def test_help_lists_every_command_and_loads_none() -> None:
    """In a fresh interpreter `--help` names the commands and imports nothing heavy."""
    program = (
        "import sys\nfrom click.testing import CliRunner\nfrom peak_trade.cli.app import command\n"
        "result = CliRunner().invoke(command, ['--help'])\nprint(result.stdout)\n"
        f"print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *shown, loaded = result.stdout.splitlines()
    assert loaded == "loaded:"
    for name in command.list_commands(click.Context(command)):
        assert f"│ {name} " in "\n".join(shown)


HELPS = """
import json
from click.testing import CliRunner
from peak_trade.cli.app import COMMANDS, command
told = {name: CliRunner().invoke(command, [name, "-h"]) for name in COMMANDS}
print(json.dumps({name: [result.exit_code, result.stdout] for name, result in told.items()}))
"""


@pytest.fixture(scope="module")
def helps() -> dict[str, tuple[int, str]]:
    """Exit code and help of each command, from a process of its own: click keeps the help option of the first call."""
    done = subprocess.run([sys.executable, "-c", HELPS], capture_output=True, text=True, check=True)
    return {name: (code, text) for name, (code, text) in json.loads(done.stdout).items()}


@pytest.mark.parametrize("name", command.list_commands(click.Context(command)))
def test_every_command_is_where_the_table_says(name: str, helps: dict[str, tuple[int, str]]) -> None:
    """Each target exists, is a command of that name, and can print its help."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(f"peak_trade.cli.{module}"), attribute)
    assert isinstance(found, click.Command)
    assert found.name == name
    code, text = helps[name]
    assert code == 0
    assert f"peak {name}" in text


def test_the_installed_command_says_its_version() -> None:
    """The console script runs; the version is the distribution's."""
    peak = Path(sys.executable).with_name("peak")
    result = subprocess.run([peak, "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("peak ")


def test_an_unknown_command_is_exit_2_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt command is told with the nearest one."""
    assert leave("chek") == 2
    assert "did you mean `check`?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--nonsense",), ("check", "--nonsense"), ("check", "--format", "html")])
def test_a_usage_error_is_exit_2(arguments: tuple[str, ...]) -> None:
    """Unknown options and values are usage errors."""
    assert leave(*arguments) == 2


def test_a_pass_is_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that ends without a word about its code passed."""
    assert leave("explain", "PT001") == 0
    assert capsys.readouterr().out.startswith("PT001: ")


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_of_a_command_is_kept(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Violation, wrong input and inconclusive reach the shell as they are."""
    monkeypatch.setattr(app.Commands, "get_command", lambda *_: broken(click.exceptions.Exit(code)))
    assert leave("check") == code


def test_an_unexpected_error_is_one_line_and_exit_4(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug is told as a bug, without its words, and with the command that shows them and the traceback."""
    monkeypatch.delenv("PEAK_DEBUG", raising=False)
    monkeypatch.setattr(app.Commands, "get_command", lambda *_: broken(KeyError("here\nand there")))
    assert leave("check") == 4
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.splitlines()[0].startswith("peak: internal error: KeyError at test_app.py:")
    assert "here" not in told
    assert "PEAK_DEBUG=1 peak check" in told.splitlines()[-1]
    assert leave("--debug", "check") == 4
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("PEAK_DEBUG", "1")
    assert leave("check") == 4
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_is_neither_a_pass_nor_a_violation(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Control-C is exit 130, as shells have it."""
    monkeypatch.setattr(app.Commands, "get_command", lambda *_: broken(error))
    assert leave("check") == 130


def test_a_clicks_exception_is_never_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Click's own errors have exit code 1 by default, which here would mean that something was refuted."""
    monkeypatch.setattr(app.Commands, "get_command", lambda *_: broken(click.ClickException("no")))
    assert leave("check") == 2


def test_a_closed_pipe_is_no_internal_error() -> None:
    """`peak explain | head -1` ends quietly."""
    peak = Path(sys.executable).with_name("peak")
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = subprocess.run([peak, "explain"], stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert "internal error" not in result.stderr
    assert "Traceback" not in result.stderr


def test_colour_is_only_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal, NO_COLOR or a dumb one: no colour."""
    from peak_trade.cli.spec import coloured

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert coloured()
    monkeypatch.setenv("TERM", "dumb")
    assert not coloured()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert not coloured()
