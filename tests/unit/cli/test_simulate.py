"""The simulator's page: clicked through in real Chromium, under its own policy, and readable without JavaScript."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from peak_trade.cli.app import command
from peak_trade.cli.simulate import told
from peak_trade.cli.specs import machine_named
from peak_trade.evidence.simulator import Shown, page
from peak_trade.lang.step import initial
from peak_trade.lang.trace import replay
from peak_trade.proof.prove import prove
from peak_trade.proof.recall.itf import told_of, write

BYTES_MAX = 1_000_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FOREIGN = ("http://", "https://", "url(", "@import", " style=", "onclick", "innerHTML")
RUN_SECONDS_MAX = 60
SCRIPT = re.compile(r'<script type="module">(.*)</script>', re.DOTALL)
PROBE = """
const probe = () => ({
  state: $("state").textContent,
  said: $("said").textContent,
  values: [...$("value").tBodies[0].rows].map((row) => row.cells[1].textContent),
  history: [...$("history").children].map((node) => node.textContent),
  here: [...$("history").children].findIndex((node) => node.className === "here"),
  now: [...document.querySelectorAll(".now")].map((node) => node.id),
  went: [...document.querySelectorAll(".went, .went-row")].map((node) => node.id),
  events: Object.fromEntries(items.map((item) => [item.event.name, item.node.className])),
  hidden: items.filter((item) => item.node.hidden).map((item) => item.event.name),
  why: [...document.querySelectorAll(".why li")].map((node) => `${node.className} ${node.textContent}`),
});
const click = (id) => $(id).click();
const press = (name) => items.find((item) => item.event.name === name).node.querySelector("button").click();
const type = (event, field, text) => {
  const node = $(`in-${event}-${field}`);
  node.value = text;
  node.dispatchEvent(new Event("input"));
};
const choose = (at) => {
  $("traces").value = at;
  $("traces").dispatchEvent(new Event("change"));
};
const seen = [];
const look = () => seen.push(probe());
"""


def sha(text: str) -> str:
    """What a policy calls this text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def driven(html: str, actions: str, folder: Path) -> list[dict[str, Any]]:
    """What is seen at each `look()` while `actions` are done on the page; fails on any breach of its policy."""
    program = next((path for name in BROWSERS if (path := shutil.which(name))), "")
    if not program:
        pytest.skip("no Chromium on this computer; install chromium")
    found = SCRIPT.search(html)
    assert found is not None
    ending = '\nconst out = h("pre", {id: "seen"}, JSON.stringify(seen));\ndocument.body.append(out);\n'
    script = found[1] + PROBE + actions + ending
    assert sha(found[1]) in html
    text = html.replace(found[1], script).replace(sha(found[1]), sha(script))
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000"]
    done = subprocess.run(
        [program, *flags, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    said = done.stderr.decode()
    assert "CONSOLE" not in said, said
    dom = done.stdout.decode()
    told: list[dict[str, Any]] = json.loads(unescape(dom.rpartition('<pre id="seen">')[2].partition("</pre>")[0]))
    return told


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the order machine as the command makes it, without traces."""
    path = tmp_path_factory.mktemp("page") / "deep" / "order.html"
    result = CliRunner().invoke(command, ["simulate", "order", "--no-traces", "--out", str(path)])
    assert (result.exit_code, result.output) == (0, f"{path}\n")
    return path.read_text(encoding="utf-8")


def test_events_are_offered_undone_and_done_again(order: str, tmp_path: Path) -> None:
    """Payloads are typed, values and picture follow, a refusal changes nothing, and undo and redo keep the history."""
    actions = """
    type("submit", "order_qty", "90000000000000000000007"); press("submit"); press("accept"); look();
    type("fill", "last_qty", "90000000000000000000008"); press("fill"); look();
    type("fill", "last_qty", "90000000000000000000007"); press("fill"); look();
    click("previous"); click("previous"); look();
    click("next"); press("cancel"); look();
    """
    new, refused, filled, back, asked = driven(order, actions, tmp_path)
    big = "90000000000000000000007"
    assert (new["state"], new["now"]) == ("new", ["state-new"])
    assert new["values"][:3] == [big, "0", big]
    assert (refused["state"], "overfill" in refused["said"]) == ("new", True)
    assert refused["went"] == []
    assert filled["state"] == "filled"
    assert filled["values"][1] == f"{big} (was 0)"
    assert set(filled["went"]) == {"edge-new--filled", "O11--new"}
    assert (back["state"], back["here"], len(back["history"])) == ("new", 2, 5)
    assert (asked["state"], asked["here"], len(asked["history"])) == ("new", 4, 5)
    assert "true (was false)" in asked["values"]


def test_the_page_says_which_part_decides(order: str, tmp_path: Path) -> None:
    """Conditions turn true and false with the payload; only what would be taken can be shown; bad text is invalid."""
    actions = """
    type("submit", "order_qty", "5"); press("submit"); press("accept");
    items.find((item) => item.event.name === "fill").why.open = true;
    type("fill", "last_qty", "2"); look();
    type("fill", "last_qty", "6"); click("only"); look();
    type("fill", "last_qty", "many"); look();
    """
    some, more, bad = driven(order, actions, tmp_path)
    assert some["events"]["fill"] == "taken"
    assert "yes cum + last_qty < qty" in some["why"]
    assert "no cum + last_qty == qty" in some["why"]
    assert more["events"]["fill"] == "refused"
    assert {"no cum + last_qty == qty", "no cum + last_qty < qty"} <= set(more["why"])
    assert "fill" in more["hidden"]
    assert "cancel" not in more["hidden"]
    assert bad["events"]["fill"] == "refused"


def test_proved_witnesses_and_itf_files_are_stepped_through(tmp_path: Path) -> None:
    """Every embedded trace ends where the definition ends, and a written ITF text gives the same run."""
    machine = machine_named("session")
    shown = list(told(machine, prove(machine)))
    assert len(shown) >= 4
    start = initial(machine)
    trace = replay(machine, start, (("kill_switch_read", {"read_latched": False}), ("rearm", {}), ("kill", {})))
    text = write(machine, told_of(machine, ("SES-X", "always", "a claim"), "refuted", "why"), trace)
    actions = "".join(f'choose("{at}"); go({len(item.trace.links)}); look();' for at, item in enumerate(shown))
    actions += f"const file = itf({json.dumps(text)}); begin(file.start, file.offers, file.says); go(3); look();"
    seen = driven(page(machine, "", shown, "none was drawn"), actions, tmp_path)
    ends = [*(item.trace for item in shown), trace]
    assert [item["state"] for item in seen] == [item.last.state for item in ends]
    for item, end in zip(seen, ends, strict=True):
        values = [value.partition(" (was ")[0] for value in item["values"]]
        assert values == [str(part).lower() if isinstance(part, bool) else str(part) for part in end.last.context]


class Reader(HTMLParser):
    """Reads what a browser without JavaScript shows: texts that are not in scripts and not hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.skipped = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the interface
        """Leave out what no reader sees."""
        self.skipped = tag if tag in ("script", "style") else ""

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        if not self.skipped:
            self.texts.append(data)


def test_without_javascript_picture_and_table_are_there(order: str) -> None:
    """The page says that it needs JavaScript, and shows the diagram and every cell of the table all the same."""
    reader = Reader()
    reader.feed(order)
    shown = " ".join(reader.texts)
    machine = machine_named("order")
    assert "needs JavaScript" in order.partition("<noscript>")[2].partition("</noscript>")[0]
    assert 'class="picture"' in order
    assert order.count("<td>") == len(machine.states) * len(machine.events)
    assert all(row.name in shown for row in machine.transitions)
    assert all(f" {reason.name}" in shown for reason in machine.reasons if reason.name != "late_fill")


@pytest.mark.parametrize("name", ["order", "session"])
def test_the_page_is_one_small_file_with_a_strict_policy(name: str) -> None:
    """Nothing may load, what runs or styles is named by its hash, and equal machines give equal bytes."""
    machine = machine_named(name)
    svg = (Path(__file__).resolve().parents[3] / "diagrams" / f"{name}.svg").read_text(encoding="utf-8")
    shown = [Shown("x", "</script><script>alert(1)", replay(machine, initial(machine), ()))]
    html = page(machine, svg, shown)
    assert html == page(machine, svg, shown)
    assert len(html.encode()) < BYTES_MAX
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)[0]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert all(sha(text) in policy for text in re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert html.count("</script>") == 1
    bare = html.replace("http://www.w3.org/", "")
    assert not any(mark in bare for mark in FOREIGN)
