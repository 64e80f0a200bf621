"""Counters are what a second, dumber count of the same journal says."""

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.journal.record import Record
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.seen import look
from peak_trade.watch.tally import Latency, Mark, Tally, latency

STATES = ("pending_new", "unknown", "new", "filled")
EVENTS = ("submit", "deny", "accept", "reject", "not_found", "time_out", "cancel", "fill", "bust", "correct")


@st.composite
def journals(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Any records of orders, trips, differences and reconciliations, in any order."""
    order = st.fixed_dictionaries(
        {
            "kind": st.just("order"),
            "order": st.sampled_from(("a", "b")),
            "event": st.sampled_from(EVENTS),
            "outcome": st.sampled_from(("taken", "refused", "ignored")),
            "by": st.sampled_from(("O01", "O03", "closed")),
            "state": st.sampled_from(STATES),
            "step": st.integers(0, 9),
            "cum": st.just(0),
        },
        optional={"cursor": st.integers(1, 9), "rail": st.sampled_from(("cash", "short"))},
    )
    trip = st.fixed_dictionaries({"kind": st.just("trip"), "step": st.just(1), "wire": st.sampled_from(("x", "y"))})
    differ = st.fixed_dictionaries({"kind": st.just("difference"), "code": st.sampled_from(("ghost", "cum"))})
    asked = st.fixed_dictionaries(
        {"kind": st.just("reconciled"), "step": st.just(2), "asked": st.booleans(), "differences": st.integers(0, 2)}
    )
    found: list[dict[str, Any]] = draw(st.lists(st.one_of(order, trip, differ, asked), max_size=40))
    return found


def tallied(rows: list[dict[str, Any]]) -> Tally:
    """Count the rows as records."""
    tally = Tally()
    for seq, row in enumerate(rows):
        tally.count(Record(seq, row["kind"], {key: value for key, value in row.items() if key != "kind"}))
    return tally


def recount(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Count again, each figure by a pass of its own."""
    taken = [row for row in rows if row["kind"] == "order" and row["outcome"] == "taken"]
    queries: Counter[str] = Counter()
    for name in {row["order"] for row in taken}:
        path = [row for row in taken if row["order"] == name]
        queries.update(
            after["event"]
            for before, after in itertools.pairwise(path)
            if before["state"] == "unknown"
            and after["event"] in ("accept", "reject", "not_found")
            and "cursor" not in after
        )
    compared = [row for row in rows if row["kind"] == "reconciled"]
    return {
        "places": len([row for row in taken if row["event"] == "submit"]),
        "cancels": len([row for row in taken if row["event"] == "cancel"]),
        "retries": len([row for row in taken if row["event"] == "not_found"]),
        "fills": len([row for row in taken if row["event"] == "fill"]),
        "undone": dict(Counter(row["event"] for row in taken if row["event"] in ("bust", "correct"))),
        "moves": len(taken),
        "refusals": len([row for row in rows if row["kind"] == "order"]) - len(taken),
        "queries": dict(queries),
        "denied": dict(Counter(row.get("rail", "") for row in taken if row["event"] == "deny")),
        "trips": dict(Counter(row["wire"] for row in rows if row["kind"] == "trip")),
        "mismatches": dict(Counter(row["code"] for row in rows if row["kind"] == "difference")),
        "agreed": len([row for row in compared if row["asked"] and not row["differences"]]),
        "compared": len(compared),
    }


def figures(tally: Tally) -> dict[str, Any]:
    """The tally's figures under the recount's names."""
    return {
        "places": tally.places,
        "cancels": tally.cancels,
        "retries": tally.retries,
        "fills": tally.fills,
        "undone": dict(tally.undone),
        "moves": sum(tally.hops["order"].values()),
        "refusals": sum(tally.refusals["order"].values()),
        "queries": dict(tally.queries),
        "denied": dict(tally.denied),
        "trips": dict(tally.trips),
        "mismatches": dict(tally.mismatches),
        "agreed": tally.reconciles["agreed"],
        "compared": sum(tally.reconciles.values()),
    }


@given(journals())
def test_counters_equal_a_recount_of_any_journal(rows: list[dict[str, Any]]) -> None:
    """Whatever records stand in a journal, each counter is what its own definition counts."""
    assert figures(tallied(rows)) == recount(rows)


@pytest.mark.parametrize("name", ["plain", "killed", "denied", "unstarted"])
def test_counters_equal_a_recount_of_real_runs(name: str, runs: dict[str, Path], words: Lexicon) -> None:
    """On runs of the session itself the counters are what plain JSON lines say."""
    lines = (runs[name] / "journal" / "journal.jsonl").read_text().splitlines()
    records = [json.loads(line)["record"] for line in lines]
    rows = [{"kind": record["kind"], **record["body"]} for record in records]
    tally = look(runs[name], (words.session, words.order)).tally
    assert figures(tally) == recount(rows)
    assert dict(tally.records) == dict(Counter(row["kind"] for row in rows))
    assert tally.step == max(row.get("step", 0) for row in rows)


def test_the_runs_make_the_counters_move(runs: dict[str, Path], words: Lexicon) -> None:
    """The recount is not of zeros: between them the runs place, cancel, ask, retry, fill and deny."""
    tallies = [look(folder, (words.session, words.order)).tally for folder in runs.values()]
    for name in ("places", "cancels", "retries", "fills"):
        assert any(getattr(tally, name) for tally in tallies), name
    assert any(tally.queries["accept"] for tally in tallies)
    assert any(tally.queries["not_found"] for tally in tallies)
    assert any(tally.denied["open_orders"] for tally in tallies)


def test_latency_counts_each_order_once_from_its_submit() -> None:
    """Steps run from submit to the first accept, fill and close; what never happened or was denied is not counted."""
    lives = {
        "a": [Mark(2, "submit", "pending_new", 0), Mark(2, "accept", "new", 0), Mark(4, "fill", "partially_filled", 1)],
        "b": [Mark(1, "submit", "pending_new", 0), Mark(3, "fill", "filled", 9)],
        "c": [Mark(5, "deny", "denied", 0)],
        "d": [Mark(5, "submit", "pending_new", 0), Mark(6, "expire", "expired", 0), Mark(9, "fill", "expired", 1)],
    }
    found = latency(Tally(lives=lives), frozenset({"filled", "denied", "expired"}))
    assert found == Latency(accept=(0,), fill=(2, 2, 4), close=(("filled", 2), ("expired", 1)))


def test_an_order_that_is_opened_again_closed_once() -> None:
    """Of an order that was filled, busted and filled again the first close and the first fill are told."""
    life = [
        Mark(1, "submit", "pending_new", 0),
        Mark(2, "fill", "filled", 9),
        Mark(3, "bust", "new", 0),
        Mark(7, "fill", "filled", 9),
    ]
    assert latency(Tally(lives={"a": life}), frozenset({"filled"})) == Latency((), (1,), (("filled", 1),))
