"""A tree of Markdown pages without a mistake, and violations to plant in it, each with the line where it is found."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from peak_trade.gates.templates import SECTIONS

AREA_PAGES = 50
WORDS = """
    order venue fill session ledger cursor report limit denied halted reconcile operator journal witness step clause
    proof trace rail breaker
""".split()  # noqa: SIM905 - so many words read best as words
BIDI, WIDTHLESS, MARK, BELL = "\u202e", "\u200b", "\ufeff", "\x07"
HOME, TEMP = "/" + "home/someone/x.md", "/" + "tmp/run"


def name(number: int) -> str:
    """The path of page `number`."""
    return f"docs/area-{number // AREA_PAGES:03}/page-{number:05}.md"


def relative(source: int, target: int) -> str:
    """How page `source` links to page `target`."""
    here, there = name(source).split("/"), name(target).split("/")
    return there[-1] if here[1] == there[1] else f"../{there[1]}/{there[2]}"


def sentence(draw: Random) -> str:
    """Some words."""
    return " ".join(draw.choices(WORDS, k=12)).capitalize() + "."


def page(number: int, pages: int, draw: Random) -> str:
    """The text of a clean page of about 2.5 kB: what the gates look at, and what looks like it but is none."""
    one, two, three = (draw.randrange(pages) for _ in range(3))
    return f"""---
status: accepted
paths: nowhere/at/all.md
---
# Page {number:05}: the `order` & its *fill*

{sentence(draw)} See [the {WORDS[one % 20]}]({relative(number, one)}#second-part)
and **[another]({relative(number, two)})**;
{sentence(draw)} The code is `src/module_{number % 40:02}.py`, the table `src/module_{three % 40:02}.py:12`, all of them
`src/*.py`. An example is `src&#47;execution&#47;adapter.py`, a choice is `and/or`, a ratio `1/2`, a type `text/html`.

## Second part

- {sentence(draw)}
- {sentence(draw)} [Up](../../README.md) or [here](#tables-and-code) or [outside](https://example.org/docs/x.md).
  > {sentence(draw)} ![A picture](../pictures/flow-{number % 10}.svg "Flow")

## Tables and code

| what | where | why |
|---|---|---|
| `a \\| b` | [{WORDS[two % 20]}][label] | {sentence(draw)} |
| {WORDS[three % 20]} | `docs/pictures/flow-{three % 10}.svg` | `peak run --out out/x` |
| {sentence(draw)} | <a href="{relative(number, two)}">x</a> | `I/O`, `origin/main`, `PASS/FAIL` |

```python
path = "src/not/checked.py"  # [text](nowhere.md)
{sentence(draw)}
```

### Second part

{sentence(draw)} {sentence(draw)} Matrix `m[i][j]` and m[0][1] are no links. <a id="own-{number}"></a>

1. {sentence(draw)} [Repeated](#second-part-1), [own](#own-{number}).
2. {sentence(draw)}

<!-- [commented](nowhere.md) `src/gone.py` -->

[label]: {relative(number, three)} "A title"
[^1]: footnote
"""


def clean(root: Path, pages: int, seed: int = 0) -> None:
    """Write a tree of this many pages, with templates, code and pictures, in which nothing is wrong."""
    draw = Random(seed)
    for number in range(40):
        put(root / f"src/module_{number:02}.py", '"""Nothing."""\n')
    for number in range(10):
        put(root / f"docs/pictures/flow-{number}.svg", "<svg/>\n")
    for path, sections in SECTIONS.items():
        put(root / path, "# Template\n\n" + "".join(f"## {section}\n\ntext\n\n" for section in sections))
    put(root / "README.md", "# Tree\n\n" + "".join(f"- [{path}]({path})\n" for path in SECTIONS))
    for number in range(pages):
        put(root / name(number), page(number, pages, draw))


def put(path: Path, text: str) -> None:
    """Write one file and its folders, with the line ends that are given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="")


PLANTS: Sequence[tuple[str, str]] = (
    ("DG001", "See [x](missing.md)."),
    ("DG001", "See [x](../area-999/page.md#second-part)."),
    ("DG001", "See [x](/docs/nowhere.md)."),
    ("DG001", "See [an empty one]()."),
    ("DG001", 'Some <a href="missing.html">tag</a>.'),
    ("DG001", "- item\n  - nested [x](<missing page.md>)"),
    ("DG001", "| a | b |\n|---|---|\n| `x \\| y` | [x](missing.md) |"),
    ("DG001", "Words\nand more\n[planted]: words\n\n[planted]: missing.md"),
    ("DG002", "See [x](#no-such-part)."),
    ("DG002", "See [x](page-00000.md#no-such-part)."),
    ("DG002", "Code `README.md#nothing` is plain, `docs/area-000/page-00000.md#nothing` is not."),
    ("DG003", "> quoted ![x](../pictures/missing.svg)"),
    ("DG003", 'A picture <img alt="x" src="../pictures/missing.svg">.'),
    ("DG003", "[![x](../pictures/missing.png)](page-00000.md)"),
    ("DG004", "The code `src/module_99.py`."),
    ("DG004", "The folder `docs/area-999/`."),
    ("DG004", "Two lines\nand `src/nothing-*.txt` matches nothing."),
    ("DG004", "### The `src/module_98.py` heading"),
    ("DG004", "The wrong top `source/area-000/page-00000.md`."),
    ("DG005", "See [x](../../../outside.md)."),
    ("DG006", "See [x][undefined label]."),
    ("DG010", "As `execution/broker/adapter.py` does."),
    ("DG010", "As `src/NAME.py` does."),
    ("DG020", f"Kept in {HOME} here."),
    ("DG020", f"```text\n{TEMP}\n```"),
    ("DG020", "Kept in `C:\\Users\\someone`."),
    ("DG020", "Kept in file:///srv/x."),
    ("DG021", f"A bell {BELL}."),
    ("DG021", "An escape \x1b[31m."),
    ("DG022", f"Turned {BIDI} around."),
    ("DG023", f"Nothing{WIDTHLESS} to see."),
    ("DG023", f"A mark {MARK} inside."),
)
"""Each violation: its code and the text to plant. It is found on the last line of the text that is no fence."""


def plant(root: Path, pages: int, seed: int, write: Callable[[Path, str], None] = put) -> list[tuple[str, int, str]]:
    """Plant each of PLANTS in a page of its own in the first area; return page, line and code of each."""
    numbers = Random(seed).sample(range(1, min(pages, AREA_PAGES)), len(PLANTS))
    expected = []
    for number, (code, text) in zip(numbers, PLANTS, strict=True):
        path = root / name(number)
        lines = path.read_text().split("\n")
        at = lines.index("## Second part")
        planted = text.split("\n")
        lines[at:at] = [*planted, ""]
        write(path, "\n".join(lines))
        offset = len(planted) - (2 if planted[-1] == "```" else 1)
        expected.append((name(number), at + 1 + offset, code))
    return sorted(expected)
