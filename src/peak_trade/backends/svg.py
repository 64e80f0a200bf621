"""DOT text as SVG, drawn by a program outside this process: bounded in time, its warnings kept off our output.

The Graphviz inside pygraphviz's wheel comes first, since the lock pins it: the same DOT then gives the same bytes on
every computer. A `dot` program is next; its version, and so its layout, is whatever the computer has.
"""

import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from peak_trade.backends.polish import polish

RENDER_SECONDS_MAX: Final = 30
_WHEEL: Final = """
import sys
from pygraphviz import AGraph
sys.stdout.buffer.write(AGraph(string=sys.stdin.buffer.read().decode()).draw(format="svg", prog="dot"))
"""


class RenderError(Exception):
    """Graphviz could not draw: `renderer` is which one, `said` what it wrote."""

    def __init__(self, renderer: str, said: str) -> None:
        super().__init__(f"expected a drawing by {renderer}, was: {said}; `peak doctor` says what is installed")
        self.renderer, self.said = renderer, said


def svg(dot_text: str) -> str:
    """Return the finished SVG of `dot_text`.

    RenderError iff no renderer is installed, or it fails, or it needs more than `RENDER_SECONDS_MAX`.
    """
    return polish(_drawn(dot_text))


def renderer() -> str:
    """Return the name and version of the renderer that `svg` uses; empty iff there is none."""
    wheel = _wheel()
    if wheel:
        return f"pygraphviz {wheel}"
    path = shutil.which("dot")
    return _run([path, "-V"], "", "dot")[1].strip() if path else ""


def _wheel() -> str:
    try:
        return version("pygraphviz")
    except PackageNotFoundError:
        return ""


def _drawn(dot_text: str) -> str:
    path = shutil.which("dot")
    if _wheel():
        return _run([sys.executable, "-c", _WHEEL], dot_text, renderer())[0]
    if path:
        return _run([path, "-Tsvg"], dot_text, "dot")[0]
    raise RenderError("Graphviz", "neither pygraphviz's wheel nor a dot program")


def _run(command: list[str], text: str, name: str) -> tuple[str, str]:
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter or Graphviz, and the text goes to standard input
            command, input=text.encode(), capture_output=True, timeout=RENDER_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderError(name, f"no answer in {RENDER_SECONDS_MAX} s") from None
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        raise RenderError(name, said.strip() or f"exit code {done.returncode}")
    return done.stdout.decode(), said
