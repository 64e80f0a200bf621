"""The gates of references: each target and anchor exists, and an example is written as one."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Final, TypeAlias

from peak_trade.gates.ignore import Ignored
from peak_trade.gates.meaning import Meaning, meaning, places
from peak_trade.gates.page import Kind, Page, Reference
from peak_trade.gates.percent import decoded
from peak_trade.gates.shape import SLASH, shape
from peak_trade.gates.tree import Tree, is_page
from peak_trade.lang.source import Diagnostic, nearest

_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_LINES: Final = re.compile(r"L\d+(?:C\d+)?(?:-L?\d+(?:C\d+)?)?")
Fault: TypeAlias = tuple[str, str, str]
"""Code, message and remedy."""
Anchors: TypeAlias = Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True)
class Judge:
    """Says what is wrong with a reference, given the tree, the anchors of each page, and what a change took away."""

    tree: Tree
    anchors: Anchors
    ignored: Ignored = field(default_factory=Ignored)
    gone: Mapping[str, str] = field(default_factory=dict)
    hidden: Callable[[str], bool] = lambda _: False
    """True of a path that is on disk, but that git ignores."""
    seen: dict[tuple[str, str], Fault | None] = field(default_factory=dict)
    """What was said of a piece of code on a page of a folder; most are named many times."""

    def faults(self, page: Page) -> Iterator[Diagnostic]:
        """Yield what is wrong with the references of `page`; nothing iff each target exists.

        Limits: anchors are looked up in Markdown pages only; addresses with a scheme are never opened.
        """
        for reference in page.content.references:
            match reference.kind:
                case Kind.CODE:
                    key = (reference.target, dirname(page.name))
                    if key not in self.seen:
                        self.seen[key] = self._code(reference, page.name)
                    found = self.seen[key]
                case Kind.LABEL:
                    hint = f"add a line `[{reference.target}]: target`"
                    found = ("DG006", f"no definition of `[{reference.target}]`", hint)
                case _:
                    found = self._link(reference, page.name)
            if found:
                code, message, hint = found
                yield Diagnostic(code, page.name, reference.span, message, hint)

    def _link(self, reference: Reference, page: str) -> Fault | None:
        if _ELSEWHERE.match(reference.target):
            return None
        written, _, fragment = reference.target.partition("#")
        path = decoded(written.partition("?")[0])
        if not (path or fragment or reference.target.startswith("#")):
            return "DG001", "a link without a target", "write the target, or take the link away"
        target = _from_root(path, page)
        if target.split("/", 1)[0] == "..":
            return "DG005", f"`{path}` leads out of the checkout", "link to a page of the checkout or to an address"
        if self.ignored.target(target):
            return None
        if not self.tree.has(target):
            code = "DG003" if reference.kind is Kind.IMAGE else "DG001"
            return code, f"`{path}` does not exist", self._remedy(target)
        return self._anchor(target, decoded(fragment))

    def _code(self, reference: Reference, page: str) -> Fault | None:
        found = shape(reference.target)
        if found is None or any(map(self.ignored.target, places(found.path, page))):
            return None
        match meaning(found, page, self.tree, self.gone):
            case Meaning.PLAIN:
                return None
            case Meaning.PRESENT if found.pattern or not found.anchor:
                return None
            case Meaning.PRESENT:
                target = next(path for path in places(found.path, page) if self.tree.has(path))
                return self._anchor(target, found.anchor)
            case Meaning.MISSING:
                what = "matches nothing" if found.pattern else "does not exist"
                remedy = self._remedy(normpath(found.path)) or f"mend it, or write it with {SLASH} if it is an example"
                return "DG004", f"`{found.path}` {what}", remedy
            case Meaning.ILLUSTRATIVE:
                shown = reference.target.replace("/", SLASH)
                return "DG010", f"`{reference.target}` is no path of the checkout", f"write it as an example: {shown}"

    def _anchor(self, target: str, fragment: str) -> Fault | None:
        if not fragment or fragment == "top" or fragment.startswith(":~:") or _LINES.fullmatch(fragment):
            return None
        page = target if target in self.tree.files else normpath(join(target, "README.md"))
        if not is_page(page) or page not in self.tree.files:
            return None
        known = self.anchors(page)
        if fragment in known:
            return None
        near = nearest(fragment, known)
        return "DG002", f"`{page}` has no anchor `#{fragment}`", f"did you mean `#{near}`?" if near else ""

    def _remedy(self, target: str) -> str:
        if target in self.gone:
            new = self.gone[target]
            return f"this change renamed it to `{new}`" if new else "this change deleted it"
        if self.hidden(target):
            return "it is on this disk, but git ignores it; name it in the ignore file if a command writes it"
        near = self.tree.near(target)
        return f"did you mean `{near}`?" if near else ""


def _from_root(path: str, page: str) -> str:
    if not path:
        return page
    return normpath(path.lstrip("/") or ".") if path.startswith("/") else normpath(join(dirname(page), path))
