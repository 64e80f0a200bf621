"""`peak replay`: run a packed run again and compare its journal; offer a trace, or a FIX log, again to our engines."""

import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.capture import captured
from peak_trade.cli.evidence import report
from peak_trade.cli.job import BUILTIN, bars_of, snapshot_in
from peak_trade.cli.reenact import MODES, Kept, Mode, expect_world, outside, reenact, script_of
from peak_trade.cli.retrace import retrace
from peak_trade.cli.specs import machine_at
from peak_trade.evidence import exhibit as place
from peak_trade.evidence.bag import DATA
from peak_trade.evidence.compare import verdict
from peak_trade.evidence.slice import LABEL, SLICE
from peak_trade.journal.errors import JournalRefusal
from peak_trade.market.bars import Bars, PriceMode
from peak_trade.market.problems import MalformedBars
from peak_trade.market.reader import read_bars
from peak_trade.market.sheet import BarSettings
from peak_trade.market.strategy import StrategyError
from peak_trade.session.config import Config

SHOWN_CHARS_MAX: Final = 400
DRIVING: Final = ("session", "order", "breaker")
"""The specifications that drive a run."""
HOW: Final = {
    "bytes": "byte for byte",
    "records": "record for record, notes of recovery and lost answers aside",
    "tape": "decision for decision, every answer taken from the tape",
}


@click.command("replay")
@click.argument("pack", type=click.Path(path_type=Path, exists=True), required=False)
@click.option(
    "--fix", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE",
    help="Instead of PACK: a captured FIX 4.4 log, each report of which is held against our book.",
)  # fmt: skip
@click.option(
    "--mode", type=click.Choice(MODES), default="fresh", show_default=True,
    help="fresh: with a venue of its own; tape: over the packed journal's answers.",
)  # fmt: skip
@click.option(
    "--bars", type=click.Path(path_type=Path, dir_okay=False), help="The bars, if the pack has only their hash."
)
@click.option("--spec", metavar="MACHINE", help="The machine of a trace or a FIX log, if not a shipped one.")
@click.option("--any-version", is_flag=True, help="Of a trace: replay it on a machine that has changed since.")
@click.option(
    "--save-test", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Of a trace: write a test that offers it again from now on.",
)  # fmt: skip
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(pack: Path | None, **options: Any) -> None:  # noqa: ANN401 - click's own options
    """Run PACK, a packed run, again and compare the journals; or offer PACK, a trace of `peak prove --out`, again.

    A packed run is run from its configuration, specifications and bars. Exits 0 if the replay writes the packed
    journal, 1 if the pack is not intact or a record differs, 2 if it cannot be run here: another version, other bars,
    no strategy.

    A trace is offered to `lang.step`, the kernel and python-statemachine. Exits 0 if each does what is recorded and the
    trace shows what it says, 1 if not, 2 if it cannot be replayed: no trace, another machine.

    A FIX log (--fix) is offered to the order's machine. Exits 0 if each report agrees with our book, 1 if one differs,
    2 if a message is malformed, 3 if there is no report.
    """
    if (pack is None) == (options["fix"] is None):
        raise click.UsageError("expected PACK or --fix FILE, one of the two; `peak replay --help` says what each is")
    if pack is None:
        raise Exit(captured(options["fix"], options["spec"], options["style"]))
    if pack.is_file():
        raise Exit(retrace(pack, options))
    _packed(pack, options["mode"], options["bars"], options["style"])


def _packed(pack: Path, mode: str, bars: Path | None, style: str) -> None:
    lines, code = report(pack)
    if code:
        click.echo("\n".join(lines))
        raise Exit(code)
    try:
        kept = kept_in(pack, bars)
        expect_world(kept)
        with tempfile.TemporaryDirectory(prefix="peak-replay-") as scratch:
            found = verdict(reenact(kept, Path(scratch) / "run", cast("Mode", mode)), mode)
    except (JournalRefusal, MalformedBars, StrategyError, OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    found |= {"outside": outside(script_of(kept)), "exit_code": 0 if found["verdict"] == "PASS" else 1}
    click.echo(json.dumps(found, sort_keys=True, indent=2) if style == "json" else _text(found, pack))
    raise Exit(found["exit_code"])


def kept_in(pack: Path, bars: Path | None) -> Kept:
    """Return what is kept of the run in `pack`.

    Raises:
        ValueError: the pack has only a slice of the journal, or neither bars nor a file of them was given.
        OSError: a file cannot be read.
    """
    data = pack / DATA
    if (data / place.JOURNAL / SLICE).is_file():
        raise ValueError(f"expected a journal from its first record, was the slice that {LABEL} tells; pack more steps")
    if not (data / place.JOURNAL_FILE).is_file():
        raise FileNotFoundError(f"expected {place.JOURNAL_FILE} in {data}, was none; the run had no journal")
    snapshot = snapshot_in(data / place.RUN)
    found = bars_of(snapshot) if snapshot.bars == BUILTIN else _packed_bars(data, bars, snapshot.config)
    session, order, breaker = (machine_at(str(data / place.SPEC / f"{name}.yaml")) for name in DRIVING)
    return Kept(data / place.JOURNAL_FILE, snapshot, session, order, breaker, found)


def _packed_bars(data: Path, given: Path | None, config: dict[str, Any]) -> Bars:
    folder = data / place.BARS
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    if given is None and not inside:
        raise ValueError("expected the run's bars, was only their hash in bars.json; give the file with --bars")
    market = Config.model_validate(config).market
    mode = None if market.prices == "auto" else PriceMode(market.prices)
    return read_bars(given or inside[0], BarSettings(Decimal(market.tick), mode))


def _text(found: dict[str, Any], pack: Path) -> str:
    if found["verdict"] == "PASS":
        how = HOW[found["compared"] if found["mode"] == "fresh" else "tape"]
        torn = f" · {found['torn_bytes']} torn bytes not compared" if found["torn_bytes"] else ""
        given = f" · from outside: {', '.join(found['outside'])}" if found["outside"] else ""
        return f"PASS · {found['records']} records {how} · {found['mode']}{given}{torn}"
    lines = [f"FAIL · record {found['seq']} differs · {found['mode']}"]
    lines += [f"  packed   {found['expected'][:SHOWN_CHARS_MAX]}", f"  replayed {found['was'][:SHOWN_CHARS_MAX]}"]
    if found["mode"] == "fresh":
        lines.append(
            f"next: peak replay {pack} --mode tape   tells whether our decisions or the venue's answers differ"
        )
    return "\n".join(lines)
