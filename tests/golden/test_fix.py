"""The FIX standard's order state change matrices, row by row: rendered to FIX 4.4 bytes, read, replayed, compared.

Each scenario runs through the kernel, and through kernel and python-statemachine together; on its main line, and for
each row that the standard prints as an alternative up to that row, and on if the order lives. What is compared are the
JSON's own figures with those of our book, and the replay's own comparison is held to the same rows.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.backends.statemachine import Driver
from peak_trade.cli.specs import machine_named
from peak_trade.fix.engine import Engine, Stepped
from peak_trade.fix.reader import encode, read
from peak_trade.fix.replay import replay
from peak_trade.fix.row import LABELS, Facts, Replayed, Row

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "fix" / "order_states.json"
PAGE = ROOT / "docs" / "fix.md"
BEGIN, END = "<!-- scenarios: held equal by tests/golden/test_fix.py -->\n", "<!-- end of scenarios -->"
FIGURES = {"status": "ord_status", "order_lots": "order_qty", "cum_lots": "cum_qty", "leaves_lots": "leaves_qty"}
CODES = {
    "TimeInForce": ("59", {"GTC": "1", "FOK": "4"}),
    "ExecRestatementReason": (
        "378",
        {
            "GT corporate action": "0",
            "GT renewal": "1",
            "verbal change": "2",
            "partial decline of OrderQty": "5",
            "canceled not best": "9",
        },
    ),
}
"""Extras of the data that are words there, with tag and code."""

TAGS = {
    "CashOrderQty": "152", "Currency": "15", "CxlRejReason": "102", "DayCumQty": "425", "DayOrderQty": "424",
    "ExecInst": "18", "ExecRefID": "19", "LastPx": "31", "OrdRejReason": "103", "OrdType": "40",
    "PossResend": "97", "Price": "44", "WorkingIndicator": "636",
}  # fmt: skip
"""Extras of the data that are codes there."""

HEADER = {"97"}
"""Extras that stand in a message's header."""

APART = {"ExecID", "OrderID", "event"}
"""Extras that the rendering places itself."""


@dataclass(frozen=True)
class Quirk:
    """One figure that the standard prints against its own rules."""

    scenario: str
    step: int
    figure: str
    printed: str
    ours: str
    why: str


QUIRKS = (
    Quirk(
        "B.1.d", 4, "OrdStatus", "new", "pending_cancel",
        "the late acknowledgement is printed as New though Pending Cancel, reported before, outranks it",
    ),
    Quirk(
        "D.2.b", 7, "OrderQty", "8000", "10000",
        "the first replacement's quantity is printed before that replacement is confirmed (step 8)",
    ),
    Quirk("D.2.b", 7, "LeavesQty", "7000", "9000", "as above: LeavesQty of the quantity not yet confirmed"),
    Quirk(
        "E.1.a", 2, "LeavesQty", "0", "10000",
        "an accepted order of 10,000 is printed with nothing left, and fills in the next row",
    ),
)  # fmt: skip
"""Exactly these figures differ; one that does not occur fails as one that is not listed."""


@dataclass
class Rendering:
    """Turns rows into messages; what a row leaves open (ids of the venue, times) is made here, in order."""

    chains: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def message(self, row: dict[str, Any]) -> bytes:
        """One row as FIX 4.4 bytes."""
        self.count += 1
        body = self._request(row) if row["from"] == "buy" else self._report(row)
        names = ("US", "VENUE") if row["from"] == "buy" else ("VENUE", "US")
        head = [("35", row["msg_type"]), ("49", names[0]), ("56", names[1]), ("34", str(self.count))]
        day, _, moment = row["time"].rpartition(".")
        extras = self._extras(row)
        head += [*(pair for pair in extras if pair[0] in HEADER), ("52", f"2026010{day or 1}-09:30:{int(moment):02}")]
        pairs = head + body + [pair for pair in extras if pair[0] not in HEADER]
        tags = [tag for tag, _ in pairs]
        assert len(set(tags)) == len(tags), tags
        return encode([(int(tag), value.encode()) for tag, value in pairs])

    def _request(self, row: dict[str, Any]) -> list[tuple[str, str]]:
        name, orig = row["cl_ord_id"], row.get("orig_cl_ord_id")
        self.asked[name] = "2" if row["msg_type"] == "G" else "1"
        if row["msg_type"] == "D":
            self.chains.setdefault(name, f"V{len(self.chains) + 1}")
        elif orig in self.chains:
            self.chains[name] = self.chains[orig]
        kind = [] if "OrdType" in row.get("extra", {}) or row["msg_type"] in "FH" else [("40", "2")]
        return [("11", name), *_optional("41", orig), *_optional("38", row.get("order_qty")), ("54", "1"), *kind]

    def _report(self, row: dict[str, Any]) -> list[tuple[str, str]]:
        name, orig = row.get("cl_ord_id"), row.get("orig_cl_ord_id")
        venue = row.get("extra", {}).get("OrderID") or self.chains.get(name or "", "V9" if name is None else "NONE")
        ids = [("37", venue), *_optional("11", name), *_optional("41", orig), ("39", row["ord_status_code"])]
        if row["msg_type"] == "9":
            return [*ids, ("434", self.asked[str(name)])]
        figures = [*_optional("38", row.get("order_qty")), ("14", str(row["cum_qty"])), ("151", str(row["leaves_qty"]))]
        exec_id = "0" if row["exec_type_code"] == "I" else row.get("extra", {}).get("ExecID", f"E{row['step']}")
        kind = [("17", exec_id), ("150", row["exec_type_code"]), ("54", "1")]
        return [*ids, *kind, *figures, *_optional("32", row.get("last_qty"))]

    def _extras(self, row: dict[str, Any]) -> list[tuple[str, str]]:
        extras = {name: value for name, value in row.get("extra", {}).items() if name not in APART}
        return [
            (CODES[name][0], CODES[name][1][value]) if name in CODES else (TAGS[name], value)
            for name, value in extras.items()
        ]


def _optional(tag: str, value: object) -> list[tuple[str, str]]:
    return [] if value is None else [(tag, str(value))]


@cache
def scenarios() -> dict[str, list[dict[str, Any]]]:
    """The rows of each scenario."""
    return {item["id"]: item["steps"] for item in json.loads(DATA.read_text())["scenarios"]}


def paths(name: str) -> Iterator[list[dict[str, Any]]]:
    """The main line of a scenario; for each alternative the line that ends with it, and if it can the one that goes on.

    After a request was refused (35=9) the order lives: the same is asked again under another id, and the main line goes
    on as if it had been asked then for the first time.
    """
    steps = scenarios()[name]
    main: list[dict[str, Any]] = []
    for place, row in enumerate(steps):
        if not row.get("alternative"):
            main.append(row)
            continue
        yield [*main, row]
        if row["msg_type"] == "9":
            (request,) = (item for item in main if item["from"] == "buy" and item["cl_ord_id"] == row["cl_ord_id"])
            rest = [item for item in (request, *steps[place + 1 :]) if not item.get("alternative")]
            yield [*main, row, *(_again(item, row["cl_ord_id"]) for item in rest)]
    yield main


def _again(row: dict[str, Any], cl_ord_id: str) -> dict[str, Any]:
    """A row with another id for the request called `cl_ord_id`."""
    renamed = {key: f"{cl_ord_id}-again" for key in ("cl_ord_id", "orig_cl_ord_id") if row.get(key) == cl_ord_id}
    return row | renamed


@cache
def kernel() -> Kernel:
    """The kernel of the order machine."""
    return compile_kernel(machine_named("order"))


ENGINES: dict[str, Callable[[], Engine]] = {
    "kernel": lambda: Stepped(kernel()),
    "python-statemachine": lambda: Driver(kernel()),
}


def run(path: list[dict[str, Any]], engine: str = "kernel") -> tuple[list[dict[str, Any]], Replayed]:
    """The rows of `path` that are messages, and what the replay of their bytes says."""
    sent = [row for row in path if row["from"] != "external"]
    rendering = Rendering()
    log = b"".join(rendering.message(row) for row in sent)
    done = replay(read(log), ENGINES[engine])
    assert not done.faults, list(map(str, done.faults))
    assert len(done.rows) == len(sent)
    return sent, done


def printed(row: dict[str, Any]) -> Facts:
    """The figures of the standard's row."""
    values = {name: row.get(key) for name, key in FIGURES.items()}
    return Facts(**{**values, "status": values["status"].lower().replace(" ", "_")})


def found(row: dict[str, Any], got: Row) -> Iterator[tuple[str, str, str]]:
    """Each figure of the standard's row that our book has otherwise."""
    if row["from"] == "buy":
        assert got.printed is None
        return
    assert got.answer in {"taken", "ignored"} or unknown(row, got), got
    assert got.printed == printed(row)
    for label, name in LABELS:
        there, here = getattr(printed(row), name), getattr(got.ours, name, None)
        if there is not None and there != here and not unknown(row, got):
            yield label, str(there), str(here)


def unknown(row: dict[str, Any], got: Row) -> bool:
    """Whether the venue says that it has no such order, and we have none either."""
    extra = row.get("extra", {})
    says = extra.get("CxlRejReason") == "1" or extra.get("OrdRejReason") == "5"
    return bool(
        says and got.ours is None and got.answer == "none" and not row.get("cum_qty") and not row.get("order_qty")
    )


def differing(name: str, engine: str) -> dict[tuple[str, int, str], tuple[str, str]]:
    """All figures of a scenario that differ, on all of its paths."""
    return {
        (name, row["step"], label): (there, here)
        for path in paths(name)
        for row, got in zip(*_lines(path, engine), strict=True)
        for label, there, here in found(row, got)
    }


def _lines(path: list[dict[str, Any]], engine: str) -> tuple[list[dict[str, Any]], tuple[Row, ...]]:
    sent, done = run(path, engine)
    return sent, done.rows


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", scenarios())
def test_a_scenario_of_the_standard(name: str, engine: str) -> None:
    """Every row of every path has the standard's figures, but for exactly the listed exceptions."""
    expected = {
        (item.scenario, item.step, item.figure): (item.printed, item.ours) for item in QUIRKS if item.scenario == name
    }
    assert differing(name, engine) == expected


@pytest.mark.parametrize("name", scenarios())
def test_the_replay_itself_says_the_same(name: str) -> None:
    """What the replay names as different is what differs from the data; a path without quirks agrees as a whole."""
    for path in paths(name):
        sent, done = run(path)
        for row, got in zip(sent, done.rows, strict=True):
            assert list(got.differs) == [label for label, _, _ in found(row, got)]
        quirks = {(item.scenario, item.step) for item in QUIRKS} & {(name, row["step"]) for row in path}
        judged = any(row["from"] == "sell" for row in sent)
        assert done.verdict == ("differs" if quirks else "agrees" if judged else "nothing")


def test_what_is_not_taken_is_known() -> None:
    """All messages are taken but for these; what is taken or not is the same in every path."""
    told = {
        (name, row["step"], got.answer, got.reason)
        for name in scenarios()
        for path in paths(name)
        for row, got in zip(*_lines(path, "kernel"), strict=True)
        if got.answer != "taken" and row["msg_type"] != "H"
    }
    assert told == {
        ("B.1.d", 4, "ignored", "duplicate_accept"),
        ("B.1.f", 1, "none", "unknown_order"),
        ("B.1.f", 2, "none", "unknown_order"),
        ("F.1.a", 4, "refused", "already_submitted"),
        ("G.1.a", 5, "none", "unknown_order"),
        ("V42.D31", 3, "ignored", "possible_resend"),
    }


def test_an_order_that_nobody_sent_is_marked() -> None:
    """Of all scenarios only the telephoned order is external, and each order is known by one name."""
    external = {name for name in scenarios() for path in paths(name) for order in run(path)[1].orders if order.external}
    assert external == {"E.1.a"}
    assert [order.order for order in run(list(paths("B.1.d"))[-1])[1].orders] == ["X", "A"]


def test_there_are_thirty_scenarios_with_their_alternatives() -> None:
    """The data is whole: so many scenarios, rows, alternatives and paths, none skipped."""
    rows = [row for steps in scenarios().values() for row in steps]
    alternatives = [row for row in rows if row.get("alternative")]
    refusals = [row for row in alternatives if row["msg_type"] == "9"]
    assert (len(scenarios()), len(rows), len(alternatives), len(refusals)) == (30, 223, 26, 9)
    assert sum(len(list(paths(name))) for name in scenarios()) == 30 + 26 + 9
    assert {item.scenario for item in QUIRKS} <= scenarios().keys()


def table() -> str:
    """The scenarios as the page shows them, from the runs."""
    titles = {item["id"]: item["title"] for item in json.loads(DATA.read_text())["scenarios"]}
    quirky = {item.scenario for item in QUIRKS}
    exact = (
        f"**{len(titles) - len(quirky)} of {len(titles)} scenarios are exact in every figure of every row and path;**"
    )
    lines = [
        f"{exact} in the other {len(quirky)} exactly the {len(QUIRKS)} figures below differ.",
        "",
        "| scenario | what happens | paths | rows compared | result |",
        "|---|---|---|---|---|",
    ]
    for name, title in titles.items():
        reports = [row for path in paths(name) for row, got in zip(*_lines(path, "kernel"), strict=True) if got.printed]
        differ = len(differing(name, "kernel"))
        figures = f"{differ} figure{'' if differ == 1 else 's'} of the standard's own" if differ else "exact"
        lines.append(f"| {name} | {title} | {len(list(paths(name)))} | {len(reports)} | {figures} |")
    lines += ["", "| scenario | row | figure | printed | ours | why |", "|---|---|---|---|---|---|"]
    lines += [f"| {x.scenario} | {x.step} | {x.figure} | {x.printed} | {x.ours} | {x.why} |" for x in QUIRKS]
    return "\n".join(["", *lines, "", ""])


def test_the_page_shows_what_the_runs_give() -> None:
    """The table in docs/fix.md is the one that the runs give; `python tests/golden/test_fix.py` writes it again."""
    shown = PAGE.read_text()
    assert shown[shown.index(BEGIN) + len(BEGIN) : shown.index(END)] == table()


if __name__ == "__main__":
    old = PAGE.read_text()
    PAGE.write_text(old[: old.index(BEGIN) + len(BEGIN)] + table() + old[old.index(END) :])
