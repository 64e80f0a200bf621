"""`peak demo`: the main job on real data, from the specification to a page, in one command."""

import shutil
import tempfile
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.job import BUILTIN, Done, Job, differences, run, snapshot
from peak_trade.cli.prove import INCONCLUSIVE, VIOLATION
from peak_trade.cli.ran import driving, prove_whole, report
from peak_trade.cli.run import text
from peak_trade.cli.site import build
from peak_trade.cli.spec import check_all
from peak_trade.cli.status import seen, verdicts
from peak_trade.evidence.artifacts import CONFIG, FIVE
from peak_trade.evidence.collect import write
from peak_trade.proof.verdict import Proved, Refuted
from peak_trade.session.config import Config
from peak_trade.watch.snapshot import PAGE as OPERATOR
from peak_trade.watch.snapshot import WATCHED, snapshots

STEPS_MAX = 100_000
FAULT_PERMILLE = 100
SITE = "review"
MADE = {*FIVE, "journal", "venue.jsonl", "kill_switch.json", "report.html", SITE, *WATCHED}
"""What an earlier demo may have left; a folder with anything else in it is not deleted."""


@click.command("demo")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/demo"), show_default=True)
def command(out: Path) -> None:
    """Check and prove the specs, run a dry-run session on real bars with faults, reconcile, and write the review."""
    _clear(out)
    _say(1, "check: every cell of every machine is decided, once")
    if check_all():
        raise Exit(2)
    _say(2, "prove: no live state while a lock is closed, and the rest")
    results = prove_whole()
    proved = sum(isinstance(item.result.verdict, Proved) for item in results)
    click.echo(f"  {proved} of {len(results)} claims proved, for every number of steps and every payload")
    _say(3, "run: a dry-run session over 13 years of real daily bars, with faults, against the mock venue")
    job = Job(out, snapshot(BUILTIN, STEPS_MAX, Config(fault_permille=FAULT_PERMILLE)))
    done = run(job)
    click.echo("\n".join(f"  {line}" for line in text(job, done).splitlines()[:-1]))
    _say(4, "reconcile: book against venue, both ways")
    same = _reconciled(done)
    _say(5, "again: the same run into another folder gives the same bytes")
    repeated = _repeated(job)
    _say(6, "review: all of it as pages that open in any browser")
    write(out, snapshots(seen(out), verdicts(driving(results))))
    click.echo(f"  report of the run: {report(out, results)}\n  operator's page:   {out / OPERATOR}")
    click.echo(f"  review site:       {build(out / SITE, results, out)}")
    refuted = any(isinstance(item.result.verdict, Refuted) for item in results)
    if refuted or not (same and repeated and done.state == "STOPPED"):
        raise Exit(VIOLATION)
    if proved < len(results):
        raise Exit(INCONCLUSIVE)


def _clear(out: Path) -> None:
    """Make room for the demo's run; a folder that holds anything but an earlier run is left alone."""
    if not out.exists():
        return
    strange = {path.name for path in out.iterdir()} - MADE
    if strange or (any(out.iterdir()) and not (out / CONFIG).is_file()):
        raise click.UsageError(f"expected a new folder or an earlier run, was {out}, which holds something else")
    shutil.rmtree(out)


def _repeated(job: Job) -> bool:
    """Run `job` again beside the first run, and say whether all five artifacts are the same."""
    with tempfile.TemporaryDirectory(prefix="peak-demo-") as scratch:
        again = run(Job(Path(scratch) / "again", job.snapshot))
    found = differences(job.folder, dict(again.collected.texts)) if again.collected else ["the second run left nothing"]
    click.echo("  PASS, five artifacts byte for byte" if not found else "  FAIL\n  " + "\n  ".join(found))
    return not found


def _reconciled(done: Done) -> bool:
    collected = done.collected
    if collected is None or not collected.story.reconciled.get("asked"):
        click.echo("  no evidence: the venue gave no answer")
        return False
    story = collected.story
    for item in story.differences:
        click.echo(f"  {item['code']} {item['subject']}: book {item['book']}, venue {item['venue']}")
    click.echo(f"  {story.reconciled['orders']:,} orders compared, {len(story.differences)} differences")
    return not story.differences


def _say(number: int, what: str) -> None:
    click.echo(f"{number}. {what}")
