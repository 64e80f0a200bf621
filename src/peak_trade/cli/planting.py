"""One secret planted at one place of a run, and everything that comes of that run: its files and what commands show."""

import contextlib
import csv
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli import evidence, incident, journal, report, run, status
from peak_trade.cli.app import summary
from peak_trade.cli.job import Done, Job, bars_of, collected, setup_of, snapshot
from peak_trade.evidence.artifacts import CONFIG, json_text
from peak_trade.evidence.collect import write
from peak_trade.fuzz.harm.secrets import (
    PLACES,
    VENUE,
    Careless,
    Leak,
    Mouth,
    Secret,
    Whispering,
    search,
    secret_of,
    windows,
)
from peak_trade.fuzz.matrix import MEMORY
from peak_trade.journal.scan import read
from peak_trade.journal.verify import JOURNAL as FILE
from peak_trade.market.bars import Bars
from peak_trade.market.synthetic import walk
from peak_trade.session.assembly import JOURNAL, KILL_SWITCH, Session, open_session
from peak_trade.session.config import Config
from peak_trade.watch.shelf import KINDS, Shelf

STEPS: Final = 24
NAMES: Final = ("PEAK_API_TOKEN", "USER", "LOGNAME", "HOSTNAME")
"""Variables of the environment in which the secret stands."""
REFUSAL: Final = "output of run"
"""Where a command shows what it refuses."""
CONTROLS: Final = {"unknown key": "api_key", "wrong value": "adapter", "wrong cell": "bars.csv"}
"""What the refusal names, if the secret was read."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A case: how often the secret came in, and where it came out.

    `allowed` are the places where it may stand: it is of a form that is taken there, or was refused and shown.
    """

    place: str
    seed: int
    shape: str
    delivered: int
    files: int
    leaks: tuple[Leak, ...]
    allowed: tuple[Leak, ...]


@dataclass(slots=True)
class Field:
    """The folders of a case: what is given to the run, and what is made of it; and all that was shown."""

    root: Path
    place: str
    secret: Secret
    seed: int
    shown: dict[str, str]

    @property
    def given(self) -> Path:
        """The files that were given."""
        return self.root / "given"

    @property
    def made(self) -> Path:
        """The folder of the run."""
        return self.root / "made" / "run"

    @property
    def config(self) -> dict[str, Any]:
        """The configuration, with the secret if it stands there."""
        params: dict[str, int | str] = {"seed": self.seed}
        plain: dict[str, Any] = {
            "seed": self.seed,
            "cash_ticks": 10**9,
            "wind_down_steps": 2,
            "reconcile_steps": 4,
            "venue": {"participation_permille_min": 500, "participation_permille_max": 1000},
            "strategy": {"factory": "peak_trade.fuzz.harm.secrets:careless", "params": params},
        }
        if self.place == "strategy's parameter":
            params["note"] = self.secret.text
        more = {"unknown key": {"api_key": self.secret.text}, "wrong value": {"adapter": self.secret.text}}
        return plain | more.get(self.place, {})

    def call(self, name: str, command: click.Command, *arguments: str | Path) -> str:
        """Call a command as a person would; keep and return all that it shows."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                # click remembers a command's help option from its first call: the same names as in the command line
                command.main([*map(str, arguments)], standalone_mode=False, help_option_names=["-h", "--help"])
            except click.ClickException as error:
                error.show(out)
            except Exit:
                pass
            except Exception as error:  # noqa: BLE001 - what a command raises is told to whoever called it
                out.write(summary(error))
        self.shown[name] = self.shown.get(name, "") + out.getvalue()
        return out.getvalue()


def planted(place: str, seed: int, *, site: bool) -> Planted:
    """Plant the secret of `seed` at the place, make everything that can be made of the run, and look for it there."""
    secret = secret_of(seed)
    with tempfile.TemporaryDirectory(prefix="peak-", dir=MEMORY if MEMORY.is_dir() else None) as root:
        field = Field(Path(root), place, secret, seed, {})
        field.given.mkdir()
        delivered = _sown(field)
        if (field.made / CONFIG).is_file():
            _told(field, site=site)
        found, files = _found(field)
    known = PLACES[place]
    allowed = tuple(leak for leak in found if known.takes(secret) or (known.echoes and leak.where == REFUSAL))
    leaks = tuple(leak for leak in found if leak not in allowed)
    return Planted(place, seed, secret.shape, delivered, files, leaks, allowed)


def _sown(field: Field) -> int:
    """Run the session with the secret in its place; return how often it came in."""
    if field.place in VENUE or field.place == "strategy's crash":
        return _performed(field)
    _write_bars(field)
    path = field.given / "config.yaml"
    path.write_text(json.dumps(field.config, ensure_ascii=False), encoding="utf-8")
    with _environment(field):
        said = field.call("run", run.command, "--out", field.made, "--bars", field.given / "bars.csv", "--config", path)
        inside = sum(os.environ.get(name) == field.secret.text for name in NAMES)
    return _came(field, said, inside)


def _came(field: Field, said: str, inside: int) -> int:
    """Return how often the program had the secret in its hands: the positive control of each place."""
    match field.place:
        case "environment":
            return inside
        case "strategy's parameter":
            text = (field.made / CONFIG).read_text(encoding="utf-8")
            return int(json.loads(text)["config"]["strategy"]["params"].get("note") == field.secret.text)
        case "other column":
            digest = hashlib.sha256((field.given / "bars.csv").read_bytes()).hexdigest()
            return sum(record.body.get("data") == digest for record in read(field.made / JOURNAL / FILE))
        case name if name.startswith("switch"):
            return _switched(field)
        case name:
            return int(CONTROLS[name] in said)


def _switched(field: Field) -> int:
    """Put the secret into the run's kill switch, by the command or by another hand; return 1 iff it is latched then."""
    path, text = field.made / KILL_SWITCH, field.secret.text
    if field.place == "switch, name":
        field.call("kill", run.kill, field.made, "--by", text)
    elif field.place == "switch, damaged":
        path.write_text(f'{{"latched": fal {text}', encoding="utf-8")
    else:
        path.write_text(json.dumps({"latched": True, "token": text, "by": "somebody"}), encoding="utf-8")
    said = field.call("status", status.command, field.made)
    return int("latched" in said or "cannot be read" in said)


@contextlib.contextmanager
def _environment(field: Field) -> Iterator[None]:
    """Let the secret stand in the environment, if that is the place."""
    before = {name: os.environ.get(name) for name in NAMES}
    if field.place == "environment":
        os.environ.update(dict.fromkeys(NAMES, field.secret.text))
    try:
        yield
    finally:
        for name, old in before.items():
            os.environ.pop(name, None)
            if old is not None:
                os.environ[name] = old


def _write_bars(field: Field) -> None:
    """Write the bars as a file, with the secret if it stands there."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("symbol", "date", "open", "high", "low", "close", "volume", "note"))
    for number, step in enumerate(walk(field.seed, 1, STEPS, 100).steps):
        bar = step.bars[0]
        prices = [f"{ticks / 10_000:.4f}" for ticks in (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)]
        if number == STEPS // 2 and field.place == "wrong cell":
            prices[-1] = field.secret.text
        note = field.secret.text if field.place == "other column" else "-"
        writer.writerow((bar.symbol, bar.ts, *prices, bar.volume_lots, note))
    (field.given / "bars.csv").write_text(out.getvalue(), encoding="utf-8")


def _performed(field: Field) -> int:
    """Run the session as `peak run` does, but with a venue, or a strategy, that talks."""
    _write_bars(field)
    config = Config.model_validate(field.config)
    asked = snapshot(str(field.given / "bars.csv"), STEPS, config)
    job = Job(field.made, asked)
    bars, mouth = bars_of(asked), Mouth(field.secret.text)
    strategy = Careless(field.seed, mouth if field.place == "strategy's crash" else None)
    field.made.mkdir(parents=True)
    write(field.made, {CONFIG: json_text(asked)})
    session = open_session(replace(setup_of(job, bars), strategy=strategy), resume=False)
    adapter, moment = session.orchestrator.desk.sender.adapter, session.orchestrator
    if field.place in VENUE:
        adapter.broker = Whispering(adapter.broker, field.place, mouth, lambda: moment.moment.step)
    try:
        session.start()
        session.run(STEPS + 200)
        session.close()
        field.shown["run"] = run.text(job, _done(job, session, bars))
    except Exception as error:  # noqa: BLE001 - told as the command line tells it
        field.shown["run"] = summary(error)
    finally:
        session.close()
    return mouth.count


def _done(job: Job, session: Session, bars: Bars) -> Done:
    found = collected(job.folder, job.snapshot, bars.name)
    write(job.folder, found.texts)
    return Done(
        session.orchestrator.state, session.orchestrator.why, session.problem or session.orchestrator.problem, found
    )


def _told(field: Field, *, site: bool) -> None:
    """Make every page, pack and list that there is of a run."""
    made, packs = field.made, field.root / "made" / "packs"
    field.call("status", status.command, made, "--write")
    field.call("status", status.command, made, "--format", "json")
    field.call("report", report.command, made, "--no-proofs")
    field.call("journal", journal.command, "show", made, "--last", "100000")
    field.call("journal", journal.command, "verify", made)
    short = ("--no-proofs", "--no-replay", "--out", packs, "--run", made)
    new = ("new", "--phase", "C5", "--tag", "SECRETS", "--date", "20260101", *short)
    field.call("evidence", evidence.command, *new)
    alarm = ("new", "--severity", "S2", "--tag", "SECRETS", "--at", "20260101-0000", *short)
    field.call("incident", incident.command, *alarm)
    if site:
        field.call("report", report.command, made, "--no-proofs", "--site", field.root / "made" / "site")
    shelf = Shelf(made.parent)
    for path in ("/", *(f"/{made.name}/{name}" for name in KINDS)):
        found = shelf.find(path)
        field.shown[f"serve {path}"] = "" if found is None else found.data.decode("utf-8", "surrogateescape")


def _found(field: Field) -> tuple[tuple[Leak, ...], int]:
    """Return where the secret stands, and in how many files and outputs it was looked for."""
    needles = windows(field.secret.text)
    own = field.made / KILL_SWITCH if field.place.startswith("switch, ") else None
    files = sorted(path for path in (field.root / "made").rglob("*") if path.is_file() and path != own)
    texts = [(str(path.relative_to(field.root / "made")), path.read_bytes()) for path in files]
    texts += [(f"output of {name}", text.encode("utf-8", "surrogateescape")) for name, text in field.shown.items()]
    leaks = tuple(leak for where, data in texts if (leak := search(where, data, needles)) is not None)
    return leaks, len(texts)
