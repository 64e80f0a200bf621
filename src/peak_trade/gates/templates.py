"""The pages that the track has agreed on: they exist, are found from another page, and have their sections."""

from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Final

from peak_trade.gates.page import Kind, Page
from peak_trade.gates.percent import decoded
from peak_trade.gates.shape import shape
from peak_trade.lang.source import NOWHERE, Diagnostic

OPS: Final = "docs/ops"
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    f"{OPS}/templates/evidence.md": (
        "Scope",
        "Claims",
        "Commit",
        "Verification steps",
        "Safety notes",
        "Risk notes",
        "Sign-off",
    ),
    f"{OPS}/templates/incident.md": (
        "Summary",
        "Timeline",
        "Detection",
        "Hypotheses",
        "Mitigation",
        "Corrective actions",
        "Snapshots",
        "Sign-off",
    ),
    f"{OPS}/templates/merge-log.md": (
        "Summary",
        "Why",
        "Changes",
        "Verification",
        "Risk",
        "Operator how-to",
        "References",
    ),
    f"{OPS}/templates/pr-body.md": ("Summary", "Why", "Changes", "Verification", "Risk", "Stop rules"),
    f"{OPS}/release-checklist.md": ("Before the tag", "The tag", "After the tag", "Sign-off"),
}
"""Each required page and the headings that it must have, in the words of C5.2, C5.3 and the runbooks."""


def named(page: Page) -> Iterator[str]:
    """Yield the paths from the root that `page` links to or names."""
    for reference in page.content.references:
        if reference.kind is Kind.LINK and (path := decoded(reference.target.partition("#")[0])):
            yield normpath(path.lstrip("/")) if path.startswith("/") else normpath(join(dirname(page.name), path))
        elif reference.kind is Kind.CODE and (found := shape(reference.target)):
            yield normpath(found.path)


def faults(pages: Mapping[str, Page]) -> Iterator[Diagnostic]:
    """Yield what is wrong with the required pages; `pages` holds them and every page that may name them."""
    known = {path for page in pages.values() for path in named(page) if path != page.name}
    for name, sections in SECTIONS.items():
        if name not in pages:
            yield Diagnostic("DG030", name, NOWHERE, "does not exist", "restore it from git")
            continue
        if name not in known:
            yield Diagnostic("DG031", name, NOWHERE, "no other page names it", f"link to it from {OPS}/README.md")
        headings = {heading.strip().casefold() for heading in pages[name].content.headings}
        for section in sections:
            if section.casefold() not in headings:
                yield Diagnostic("DG032", name, NOWHERE, f"has no section `{section}`", "add the heading")
