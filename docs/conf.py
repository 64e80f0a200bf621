# ruff: noqa: INP001 - Sphinx executes this file; it is in no package
"""How Sphinx reads this folder: `peak docs build` builds it strictly, so that any warning fails it.

Nothing is loaded from a network: no other project's inventory, no font, no script. The pages of `reference/api` name a
package each; what stands on them is read from the docstrings of its modules.
"""

import re
from importlib import import_module
from importlib.metadata import version as installed
from importlib.util import find_spec
from pkgutil import walk_packages
from typing import Any

from pygments.lexers.special import TextLexer  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

project = "Peak Trade"
author = project
version = release = installed("peak-trade")
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!peak_trade\.).*"), (r"py:class", r".*")]
"""Names of other packages, whose inventories are not here; names in annotations, of which an alias has no place."""

myst_heading_anchors = 4
suppress_warnings: list[str] = []

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
autodoc_use_type_comments = False
toc_object_entries = False
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["peak.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_use_index = False
html_domain_indices = False
html_show_search_summary = False  # a summary is fetched from its page, which no browser allows without a server
html_last_updated_fmt = None
html_theme_options = {"navigation_with_keys": True}

API = "reference/api/"
CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
OBJECT = re.compile(r"<(?:function|class) '?([\w.]+)[^<>]*>")
RAISED = re.compile(r"^(Raises:\n)((?: {4}.*(?:\n|$))+)", re.MULTILINE)
ENTRY = re.compile(r"\w+: ")
MARKS = re.compile(r"([*|_\\])")


def api(_: Sphinx, page: str, source: list[str]) -> None:
    """Append to a page `reference/api/NAME` what the modules of package NAME say."""
    name = page.removeprefix(API)
    if not page.startswith(API) or name == "index":
        return
    if find_spec(f"peak_trade.{name}") is None:
        getLogger(__name__).warning("expected a package peak_trade.%s, was none", name, location=page)
    else:
        source[0] += "\n" + "\n".join(_documented(module) for module in modules(name))


def modules(package: str) -> list[str]:
    """Return the modules of one of our packages, those of its own packages too, in alphabetical order."""
    places = import_module(f"peak_trade.{package}").__path__
    return sorted(item.name for item in walk_packages(places, f"peak_trade.{package}.") if not item.ispkg)


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
    return found[1] + "".join(f"    - {line}\n" if ENTRY.match(line) else f"      {line}\n" for line in entries) + "\n"


def stable(*told: object) -> tuple[object, object]:
    """Return a signature in which a default that is a function is called by its name, not by its address."""
    signature, returned = told[-2:]
    return OBJECT.sub(r"\1", str(signature).replace("<lambda>", "lambda")) if signature else signature, returned


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is ours: Mermaid's source is shown as text, and API pages are filled in."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", api)
    app.connect("autodoc-process-docstring", plain)
    app.connect("autodoc-process-signature", stable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
