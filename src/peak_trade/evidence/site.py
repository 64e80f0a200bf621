"""The review site: what governance reads before it signs, as pages that need no server and make no request.

It opens with what is open. Equal reviews give equal bytes, and no date is in them.

Limits: the pages of the run and of the simulators are made elsewhere; here they are links.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from peak_trade.backends.label import ident
from peak_trade.evidence.hypertext import html, inline
from peak_trade.evidence.page import gate_banner
from peak_trade.evidence.policy import bare, sealed, wide
from peak_trade.evidence.review import CONTRACT, RUN, THREATS, WORDS, Part, Review, compared, gate, points

INDEX: Final = "index.html"
MODELS: Final = "models.html"
FAILURES: Final = "failures.html"
OPERATOR: Final = "operator.html"
MARKS: Final = {"good": "✓", "bad": "✗", "unsure": "?"}
LEFT_OUT: Final = ("The same as a Mermaid diagram",)
"""Sections of a machine's Markdown page that say on a page what its picture says."""


def simulator(name: str) -> str:
    """Return the file of the page that steps the machine `name`."""
    return f"simulator-{ident(name)}.html"


def site(review: Review) -> dict[str, str]:
    """Return the text of each page by its file name."""
    templates = _templates()
    frame = {"parts": review.parts, "pages": list(_pages(review))}

    def made(template: str, here: str, context: Mapping[str, Any]) -> str:
        text = templates.get_template(f"site/{template}").render({**frame, "here": here, **context})
        return sealed(text) + "\n"

    texts = {INDEX: made("index.html", INDEX, _index(review))}
    for part in review.parts:
        texts[part.page] = made("machine.html", part.page, _machine(part))
    for page, context in _texts(review):
        texts[page] = made("text.html", page, context)
    return texts


def _templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    found = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    found.filters["md"] = inline
    return found


def _pages(review: Review) -> Iterable[tuple[str, str]]:
    """Yield file and name of each page that every page links to."""
    yield INDEX, "Overview"
    for part in review.parts:
        yield part.page, part.name.capitalize()
    yield from ((CONTRACT, "Contract"), (THREATS, "Threats"), (FAILURES, "Failures"), (MODELS, "Models"))
    if review.run is not None:
        yield from ((RUN, "Run"), (OPERATOR, "Operator's page"))


def _index(review: Review) -> dict[str, Any]:
    agreed, found = review.agreed, list(compared(review))
    stale = [name for name, theirs, ours in found if theirs != ours]
    return {
        "banner": gate_banner(gate(review)),
        "stale": " and ".join(stale),
        "points": list(points(review)),
        "words": [word.strip("*").lower() for word in WORDS],
        "clauses": [
            (page, name, [Counter(each.values())[word] for word in WORDS])
            for page, name, each in ((CONTRACT, "contract", agreed.clauses), (THREATS, "threats", agreed.hazards))
            if each
        ],
        "contract_missing": agreed.missing,
        "run": review.run,
        "compared": found,
    }


def _machine(part: Part) -> dict[str, Any]:
    lines = part.text.split("\n## ")
    body = "\n## ".join(("", *(text for text in lines[1:] if not text.startswith(LEFT_OUT))))
    return {
        "part": part,
        "mark": MARKS[part.tone],
        "picture": Markup(bare(part.drawn.svg)),  # noqa: S704 - our own SVG, escaped where it was made
        "size": "200" if wide(part.drawn.svg) else "100",
        "shown": [(item, Markup(bare(item.picture))) for item in part.shown],  # noqa: S704 - as above
        "body": html(body),
    }


def _texts(review: Review) -> Iterable[tuple[str, dict[str, Any]]]:
    agreed = review.agreed
    common: dict[str, Any] = {"missing": agreed.missing, "sources": ()}
    contract = html(agreed.contract, title=False) if agreed.contract else ""
    threats = html(agreed.threats, title=False) if agreed.threats else ""
    yield CONTRACT, {**common, "title": "Governance contract", "body": contract}
    yield THREATS, {**common, "title": "Threat model", "body": threats}
    failures = html(review.failures, title=False) if review.failures else ""
    absent = "The failure matrix is part of the checkout, not of an installed package; `peak matrix` executes it."
    yield FAILURES, {**common, "title": "Failure matrix", "body": failures, "missing": absent}
    known = {f"{name}.yaml": f"#source-{name}" for name in review.sources}
    body = html(review.models, lambda address: known.get(address, ""), title=False) if review.models else ""
    missing = "The models are part of the checkout, not of an installed package."
    yield MODELS, {"title": "Classic models", "body": body, "missing": missing, "sources": review.sources.items()}
