"""How Sphinx reads this folder: `peak docs build` builds it strictly, so that any warning fails it.

Nothing is loaded from a network: no other project's inventory, no font, no script. The pages of `reference/api` name a
package each; what stands on them is read from the docstrings of its modules.
"""

import re
from importlib.metadata import version as installed
from pkgutil import iter_modules, walk_packages
from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

import peak_trade

project = "Peak Trade"
author = project
version = release = installed("peak-trade")
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!peak_trade\.).*"), (r"py:.*", r".*\._\w+")]
"""Names of the standard library and of other packages, whose inventories would have to be fetched; and private names."""

myst_heading_anchors = 4
suppress_warnings: list[str] = []

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
toc_object_entries = False
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["peak.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = {"navigation_with_keys": True}

API = "reference/api/"
CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
RAISED = re.compile(r"^(Raises:\n)((?: {4}.*(?:\n|$))+)", re.MULTILINE)
ENTRY = re.compile(r"\w+: ")
MARKS = re.compile(r"([*|_\\])")


def api(_: Sphinx, page: str, source: list[str]) -> None:
    """Append to a page `reference/api/NAME` what the modules of package NAME say."""
    name = page.removeprefix(API)
    if page.startswith(API) and name != "index":
        source[0] += "\n" + "\n".join(_documented(module) for module in modules(name))


def modules(package: str) -> list[str]:
    """Return the modules of one of our packages, those of its own packages too, in alphabetical order."""
    found = next(item for item in iter_modules(peak_trade.__path__, "peak_trade.") if item.name.endswith(f".{package}"))
    spec = found.module_finder.find_spec(found.name)  # type: ignore[call-arg]  # a FileFinder, which needs no path
    places = spec.submodule_search_locations or []
    return sorted(item.name for item in walk_packages(places, f"{found.name}.") if not item.ispkg)


def _documented(module: str) -> str:
    return f"## {module.removeprefix('peak_trade.')}\n\n```{{eval-rst}}\n.. automodule:: {module}\n```\n"


def plain(_app: Sphinx, _what: str, _name: str, _found: object, _options: object, lines: list[str]) -> None:
    """Rewrite a docstring from our habit, plain text with code in backticks, into what Sphinx reads."""
    pieces = CODE.split("\n".join(lines))  # text, backticks, code, text, ...
    texts = (MARKS.sub(r"\\\1", text) for text in pieces[::3])
    codes = [f"``{code}``" for code in pieces[2::3]] + [""]
    whole = "".join(text + code for text, code in zip(texts, codes, strict=True))
    lines[:] = RAISED.sub(_listed, whole).split("\n")


def _listed(found: re.Match[str]) -> str:
    """Return the exceptions of a docstring as a list, one for each."""
    entries = (line.strip() for line in found[2].splitlines())
    return found[1] + "\n".join(f"    - {line}" if ENTRY.match(line) else f"      {line}" for line in entries)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is ours: Mermaid's source is shown as text, and API pages are filled in."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", api)
    app.connect("autodoc-process-docstring", plain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
