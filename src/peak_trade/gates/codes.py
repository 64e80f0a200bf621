"""The catalogue of what the docs gates find: a stable code, a title, and what to know to mend it."""

from typing import Final

from peak_trade.lang.codes import Code

MARKER: Final = "<!-- docs-gates: ignore CODE: reason -->"
IGNORE_FILE: Final = "docs/.gateignore"

CODES: Final[dict[str, Code]] = {
    "DG001": Code(
        "link to nothing",
        "A relative link, a link definition or an HTML `href` leads to no file or folder of the checkout. What counts\n"
        "is what git knows or would add: a file that git ignores exists on one machine only. A path that begins with\n"
        "`/` is read from the root of the checkout, as GitHub does.",
    ),
    "DG002": Code(
        "no such anchor",
        "The page exists, but no heading and no HTML `id` gives this anchor. Anchors are made as GitHub makes them:\n"
        "lower case, punctuation dropped, spaces as `-`, and `-1`, `-2` … for a heading that is repeated.",
    ),
    "DG003": Code("image of nothing", "The file of an image, or of an HTML `src` or `srcset`, is not in the checkout."),
    "DG004": Code(
        "path that does not exist",
        "Inline code that has a `/` and begins with a folder of the checkout, or is almost a path of it, is taken for\n"
        "a reference and must exist, counted from the root or from the page. A pattern must match something. Mend it;\n"
        "if it was meant as an example only, write it with `&#47;` in place of `/`.",
    ),
    "DG005": Code("target outside the checkout", "The link climbs above the root, so it works on one machine only."),
    "DG006": Code("label without a definition", "`[text][label]` is a link only if a line `[label]: target` exists."),
    "DG010": Code(
        "illustrative path written as a reference",
        "Inline code that looks like a path, but is none of the checkout's (another top folder, or a placeholder such\n"
        "as NAME or `...` in it), is written with `&#47;` in place of `/`, so that nobody takes it for a reference.\n"
        "`peak docs tokens --fix` rewrites exactly these tokens.",
    ),
    "DG020": Code(
        "local absolute path",
        "Home folders, temporary folders, mounts, drive letters and `file:` addresses with a path say where one\n"
        "machine keeps its files, and often who uses it. Write a path from the root of the checkout.",
    ),
    "DG021": Code("control character", "A control character can make a terminal show other text than the file holds."),
    "DG022": Code("bidirectional control", "A bidirectional control can show text in another order than it is read."),
    "DG023": Code("zero-width character", "A character without width makes two texts look equal that are not."),
    "DG024": Code("byte order mark", "UTF-8 needs no byte order mark; it breaks front matter and comparisons."),
    "DG025": Code("not UTF-8", "The page is not UTF-8 text, so each reader would see something else."),
    "DG026": Code(
        "page not read", "The page cannot be read or is larger than 4 MiB; a page that is not read is no pass."
    ),
    "DG030": Code("required template missing", "The track's templates and its release checklist must exist."),
    "DG031": Code(
        "template that nobody can find", "A required page must be linked or named by at least one other page."
    ),
    "DG032": Code(
        "template without a required section", "The section's heading is part of what the track has agreed on."
    ),
}
