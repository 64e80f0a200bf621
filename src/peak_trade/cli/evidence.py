"""`peak evidence`: make, verify and sign evidence packs."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.gather import Asked, Refused, gather
from peak_trade.evidence import bag, seal
from peak_trade.evidence.bag import DATA, NotABag
from peak_trade.evidence.checklist import PHASES
from peak_trade.evidence.exhibit import JOURNAL
from peak_trade.evidence.pack import evidence_name, make
from peak_trade.evidence.readiness import told
from peak_trade.evidence.slice import LABEL, SLICE, follow
from peak_trade.journal.errors import JournalRefusal
from peak_trade.session.clock import today

FLAWS_SHOWN_MAX: Final = 50
STEPS: Final = re.compile(r"(\d{1,9})-(\d{1,9})")
NAME: Final = re.compile(r"([a-z]{1,32})=(.+)")


@click.group("evidence")
def command() -> None:
    """Make, verify and sign evidence packs."""


@command.command("new")
@click.option("--phase", required=True, type=click.Choice(list(PHASES)), help="What it is evidence for; C5: all of it.")
@click.option("--tag", required=True, help="Last part of its id, for example ORCH-DRYRUN.")
@click.option("--run", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of a run.")
@click.option("--date", help="YYYYMMDD; by default today in UTC.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/evidence"), show_default=True,
    help="Folder of packs.",
)  # fmt: skip
@click.option("--steps", metavar="A-B", help="Pack only the journal's records of these steps.")
@click.option("--tests", type=click.Path(path_type=Path, dir_okay=False), help="JUnit file of the tests.")
@click.option("--attach", multiple=True, metavar="NAME=FILE", help="JSON of `peak NAME --format json`; again for more.")
@click.option("--proofs/--no-proofs", default=True, show_default=True, help="Prove the specifications for it.")
@click.option("--replay/--no-replay", default=True, show_default=True, help="Run the run again for it and compare.")
def new(**options: Any) -> None:  # noqa: ANN401 - click's own options
    """Make an evidence pack of a run: a BagIt folder with the page, the journal, the verdicts and all they rest on.

    The same run, code and date give the same bytes. Exits 2 if the run is not whole and undamaged.
    """
    date = options["date"] or today()
    try:
        asked = Asked(
            name=evidence_name(options["phase"], date, options["tag"]),
            phase=options["phase"],
            strict=True,
            proofs=options["proofs"],
            replay=options["replay"],
            tests=options["tests"],
            attached=_attached(options["attach"]),
            steps=_steps(options["steps"]),
        )
        expect_new(options["out"] / asked.name)
        folder, digest = make(gather(options["run"], asked), date, options["out"])
    except (Refused, JournalRefusal, OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{folder}\ndigest {digest}\nnext: peak evidence verify {folder}")


def expect_new(target: Path) -> None:
    """Raise FileExistsError if the pack is there, before anything is spent on making it."""
    if target.exists():
        raise FileExistsError(f"expected a new folder, was {target}, which is there; give another tag or --out")


def _steps(text: str | None) -> tuple[int, int] | None:
    found = STEPS.fullmatch(text or "")
    if text and found is None:
        raise Refused(f"expected --steps A-B, two step numbers, was {text!r}")
    return (int(found[1]), int(found[2])) if found else None


def _attached(given: Iterable[str]) -> dict[str, Path]:
    attached = {}
    for text in given:
        found = NAME.fullmatch(text)
        if found is None:
            raise Refused(f"expected --attach NAME=FILE with the name of a peak command, was {text!r}")
        attached[found[1]] = Path(found[2])
    return attached


@command.command("verify")
@click.argument("pack", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--digest", help="The digest that was noted when the pack was made.")
@click.option(
    "--signers", type=click.Path(path_type=Path, dir_okay=False), help="Allowed-signers file: check the signature too."
)
@click.option("--as", "identity", default="", help="Who must have signed; by default anyone of --signers.")
def verify(pack: Path, digest: str | None, signers: Path | None, identity: str) -> None:
    """Verify PACK by its SHA-256 sums; name each file that is changed, missing or extra.

    Exits 0 if it is intact, 1 if a file is not or a signature is bad, 2 if it is no pack, 3 if a signature was asked
    for and there is no ssh-keygen to check it.
    """
    lines, code = report(pack, digest)
    if signers is not None:
        found = seal.check(pack / bag.TAGS, signers, identity)
        lines.append(f"signature {found.verdict}{f' by {found.who}' if found.who else ''}: {found.why}")
        code = code or {"good": 0, "bad": 1, "skipped": 3}[found.verdict]
    click.echo("\n".join(lines))
    raise Exit(code)


def report(pack: Path, digest: str | None = None) -> tuple[list[str], int]:
    """Return the lines that tell whether `pack` is intact, and the exit code.

    Raises:
        click.UsageError: it is no pack.
    """
    try:
        flaws = bag.verify(pack)
    except NotABag as error:
        raise click.UsageError(str(error)) from error
    found = [told(flaw) for flaw in flaws] or list(_beyond(pack, digest))
    if not found:
        count = sum(path.is_file() for path in (pack / DATA).rglob("*"))
        return [f"intact · {count} files · digest {bag.digest(pack)}"], 0
    more = [f"… and {len(found) - FLAWS_SHOWN_MAX} more"] if len(found) > FLAWS_SHOWN_MAX else []
    last = [f"not intact · {len(found)} flaws", "next: keep it as it is and take a copy from elsewhere"]
    return [*found[:FLAWS_SHOWN_MAX], *more, *last], 1


def _beyond(pack: Path, digest: str | None) -> Iterable[str]:
    """Yield what is wrong with a pack whose sums are right: another digest, or a slice that its heads do not bind."""
    if digest is not None and bag.digest(pack) != digest.lower():
        yield f"{bag.TAGS}: changed: expected digest {digest}, was {bag.digest(pack)}"
    place = pack / DATA / JOURNAL
    if (place / SLICE).is_file():
        label = (place / LABEL).read_text("utf-8") if (place / LABEL).is_file() else ""
        why = follow((place / SLICE).read_bytes(), label)
        if why is not None:
            yield f"{DATA}/{JOURNAL}/{SLICE}: malformed: {why}"


@command.command("sign")
@click.argument("pack", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--key", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Your SSH private key.")
def sign(pack: Path, key: Path) -> None:
    """Sign PACK with your own SSH key, by ssh-keygen; the key is only named here, never read."""
    lines, code = report(pack)
    if code:
        click.echo("\n".join(lines))
        raise Exit(code)
    try:
        click.echo(str(seal.sign(pack / bag.TAGS, key)))
    except OSError as error:
        raise click.UsageError(str(error)) from error
