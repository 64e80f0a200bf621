"""The documentation as a site: Sphinx, run strictly, in a process of its own, over the `docs` folder of a checkout.

Limits: the pages of the Python packages are those of the installed package, which in a checkout is the checkout;
Sphinx is given TIMEOUT_S seconds.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import rich_click as click
from click.exceptions import Exit

NEEDED: Final = ("sphinx", "myst_parser", "furo")
STRICT: Final = ("-W", "-n", "--keep-going", "-q")
"""Every warning is a failure, a name that leads nowhere is a warning, and all of them are told at once."""
TIMEOUT_S: Final = 600
FIRST: Final = "index.html"
OURS: Final = ".buildinfo"
"""The file by which a folder is known as a site that Sphinx wrote."""


def build(root: Path, out: Path) -> Path:
    """Build the pages below `root` into `out`, replacing an earlier site, and return the first page.

    Exits 1 after saying all warnings iff there is one; click's usage error iff Sphinx is not installed, `root` has no
    documentation, or `out` holds anything but an earlier site.
    """
    _expect_installed()
    if not (root / "docs" / "conf.py").is_file():
        raise click.UsageError(f"expected docs/conf.py in the checkout, was none in {root}; name another with --root")
    _expect_ours(out)
    with tempfile.TemporaryDirectory(prefix="peak-docs-") as scratch:
        place = Path(scratch) / "site"
        warnings = _sphinx(root / "docs", place, Path(scratch) / "doctrees")
        if warnings is not None:
            click.echo(warnings, err=True)
            click.echo("next: mend what is named above, then `peak docs build` again", err=True)
            raise Exit(1)
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(place, out)
    return out / FIRST


def _expect_installed() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        said = ", ".join(missing)
        raise click.UsageError(f"expected Sphinx with MyST and furo, was without {said}; pip install 'peak-trade[dev]'")


def _expect_ours(out: Path) -> None:
    """Raise a usage error iff `out` holds anything but an earlier site."""
    if out.is_dir() and any(out.iterdir()) and not (out / OURS).is_file():
        raise click.UsageError(f"expected a new folder or an earlier site, was {out}, which holds something else")


def _sphinx(source: Path, out: Path, doctrees: Path) -> str | None:
    """Run Sphinx, and return None iff it had nothing to say against the pages, else what it said."""
    command = [sys.executable, "-m", "sphinx", *STRICT, "-b", "html", "-d", str(doctrees), str(source), str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 - this interpreter and our own words
    except subprocess.TimeoutExpired:
        return f"expected Sphinx to end within {TIMEOUT_S} s, was still at work"
    return None if done.returncode == 0 else (done.stderr.strip() or f"Sphinx ended with {done.returncode}")
