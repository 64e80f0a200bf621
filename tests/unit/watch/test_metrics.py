"""Metrics have the runbook's names, closed label values, and the same bytes for the same run."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from peak_trade.cli.specs import machine_named
from peak_trade.evidence.story import UNDOING
from peak_trade.watch.lexicon import Lexicon, events, hops, members, reasons, states
from peak_trade.watch.lexicon import reopened as reopened_of
from peak_trade.watch.metrics import document, prometheus, sample
from peak_trade.watch.seen import Seen, look
from peak_trade.watch.tally import ANSWERS

ROOT = Path(__file__).resolve().parents[3]
COUNTERS = (
    "orders_place_total",
    "orders_cancel_total",
    "orders_query_total",
    "order_state_transitions_total",
    "reconcile_mismatches_total",
    "retry_attempts_total",
)
HEALTH = ("orchestrator_state", "last_audit_event_ts", "reconciler_last_ok_ts", "safety_rail_trips_total")


def seen(folder: Path, words: Lexicon) -> Seen:
    """What is read of the run in `folder`."""
    return look(folder, (words.session, words.order))


def values(text: str) -> dict[str, float]:
    """The sum of each sample name over its labels, as Prometheus' own parser reads the text."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for item in family.samples:
            found[item.name] = found.get(item.name, 0) + item.value
    return found


@pytest.mark.parametrize("name", ["plain", "killed", "denied", "unstarted"])
def test_every_name_of_the_runbook_is_there(name: str, runs: dict[str, Path], words: Lexicon) -> None:
    """Six counters and four health values, under exactly their names, with a help line each; no clock of the wall."""
    text = prometheus(seen(runs[name], words), words)
    for metric in (*COUNTERS, *HEALTH):
        assert f"# HELP {metric} " in text
        assert re.search(rf"^# TYPE {metric} (counter|gauge)$", text, re.MULTILINE)
    assert set(COUNTERS) <= values(text).keys()
    assert "_created" not in text


def test_the_text_holds_the_tally(runs: dict[str, Path], words: Lexicon) -> None:
    """What Prometheus parses is what was counted, and the JSON document says the same."""
    found = seen(runs["plain"], words)
    tally, read = found.tally, values(prometheus(found, words))
    assert read["orders_place_total"] == tally.places > 0
    assert read["orders_query_total"] == sum(tally.queries.values()) > 0
    assert read["retry_attempts_total"] == tally.retries > 0
    assert read["order_state_transitions_total"] == sum(tally.hops["order"].values()) > 0
    assert read["orchestrator_state"] == 1
    assert read["order_fill_steps_count"] == len({trade.order for trade in found.story.trades})
    samples = {}
    for metric in json.loads(document(found, words))["metrics"]:
        for item in metric["samples"]:
            samples[item["name"]] = samples.get(item["name"], 0) + item["value"]
    assert samples == read
    assert sample(found, words).items() <= {**read, **samples}.items()


def test_session_time_is_in_seconds(runs: dict[str, Path], words: Lexicon) -> None:
    """The two times are those of the last bar, and absent rather than wrong when no record has one."""
    read = values(prometheus(seen(runs["plain"], words), words))
    assert read["last_audit_event_ts"] == read["reconciler_last_ok_ts"] == 950_313_600  # 2000-02-12
    never = values(prometheus(seen(runs["unstarted"], words), words))
    assert "last_audit_event_ts" not in never
    assert "reconciler_last_ok_ts" not in never


@pytest.mark.parametrize("name", ["plain", "killed", "denied", "unstarted"])
def test_labels_hold_words_of_the_specification_only(name: str, runs: dict[str, Path], words: Lexicon) -> None:
    """No label value is an order, a symbol, an operator or anything else that is not declared."""
    found = seen(runs[name], words)
    declared = {
        *states(words.session),
        *states(words.order),
        *(part for machine in (words.session, words.order) for hop in hops(machine) for part in hop),
        *(word for machine in (words.session, words.order) for word in (*events(machine), *reasons(machine))),
        *words.rails,
        *words.wires,
        *words.actions,
        *ANSWERS,
        *("agreed", "differed", "unanswered", "taken", "ignored", "refused", "broken"),
        *members(words.session, "trading"),
        *words.breaker,
        *UNDOING,
    }
    for family in text_string_to_metric_families(prometheus(found, words)):
        for item in family.samples:
            assert {value for key, value in item.labels.items() if key != "le"} <= declared
    text = prometheus(found, words)
    for secret in (*found.story.lines, *found.story.positions, "Ann", "MOCK-VENUE"):
        assert f'"{secret}"' not in text


def test_a_foreign_word_becomes_other(troubled: Path, words: Lexicon) -> None:
    """A word that no specification declares is counted, and not shown."""
    found = seen(troubled, words)
    found.tally.trips["SECRET"] = 2
    found.tally.hops["order"]["SECRET", "new", "filled"] = 3
    found.tally.refusals["order"]["fill", "refused", "SECRET"] = 4
    text = prometheus(found, words)
    assert "SECRET" not in text
    assert 'safety_rail_trips_total{rail="other"} 2.0' in text
    assert 'order_state_transitions_total{source="other",target="other",transition="other"} 3.0' in text
    assert 'order_refusals_total{event="fill",outcome="refused",reason="other"} 4.0' in text


def test_every_known_word_has_a_series_from_the_start(words: Lexicon) -> None:
    """An empty run has a zero for each rail, tripwire, code, state and transition."""
    text = prometheus(Seen(), words)
    for wire in words.wires:
        assert f'safety_rail_trips_total{{rail="{wire}"}} 0.0' in text
    for name, source, target in hops(words.order):
        line = f'order_state_transitions_total{{source="{source}",target="{target}",transition="{name}"}} 0.0'
        assert line in text


def test_buckets_are_cumulative(runs: dict[str, Path], words: Lexicon) -> None:
    """A histogram's buckets never fall, and the last one is its count."""
    text = prometheus(seen(runs["plain"], words), words)
    for name in ("order_accept_steps", "order_fill_steps"):
        counts = [float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{name}_bucket")]
        assert counts == sorted(counts)
        assert counts[-1] == values(text)[f"{name}_count"] > 0


def test_the_dashboard_asks_for_what_is_there(words: Lexicon) -> None:
    """Every metric that the Grafana dashboard queries exists, and every metric of the runbook is queried."""
    board = json.loads((ROOT / "docs/ops/grafana-dashboard.json").read_text())
    panels = board["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    known = set()
    for family in text_string_to_metric_families(prometheus(Seen(), words)):
        known |= {item.name for item in family.samples} | {family.name}
    functions = {"sum", "by", "rate", "histogram_quantile", "le", "max"}
    labels = {label for text in queries for group in re.findall(r"by \(([^)]*)\)", text) for label in group.split(", ")}
    asked = {word for text in queries for word in re.findall(r"[a-z_]+", re.sub(r'"[^"]*"|\{[^}]*\}', "", text))}
    assert asked - functions - labels <= known
    assert {*COUNTERS, *HEALTH} <= asked
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert {panel["datasource"]["uid"] for panel in panels if "targets" in panel} == {"${source}"}


def test_what_is_undone_or_opened_again_is_counted_beside(reopened: Path, words: Lexicon) -> None:
    """A bust takes nothing from a counter; that an order was opened again is one of its own."""
    read = values(prometheus(seen(reopened, words), words))
    assert read["order_fills_total"] == read["order_fills_undone_total"] == read["orders_reopened_total"] == 1
    assert read["order_close_steps_count"] == 1
    assert read["order_state_transitions_total"] == 7


def test_trading_and_breaker_are_shown(reopened: Path, runs: dict[str, Path], words: Lexicon) -> None:
    """Exactly one state of each holds; a run that restricted nothing is active and closed."""
    text = prometheus(seen(reopened, words), words)
    assert re.findall(r"^(trading|breaker)_state{state=\"(\w+)\"} 1.0$", text, re.MULTILINE) == [
        ("trading", "reducing"),
        ("breaker", "open"),
    ]
    text = prometheus(seen(runs["plain"], words), words)
    assert 'trading_state{state="active"} 1.0' in text
    assert 'breaker_state{state="closed"} 1.0' in text


def test_the_words_of_the_breaker_are_the_specifications(words: Lexicon) -> None:
    """The lexicon's states of the breaker are those that are declared, the initial one first."""
    breaker = machine_named("breaker")
    assert set(words.breaker) == set(states(breaker))
    assert words.breaker[0] == breaker.initial.name


def test_exactly_what_leads_out_of_a_closed_state_opens_again(words: Lexicon) -> None:
    """Over every transition of an order: opened again is from a closed state to one that is not, and only that."""
    closed = {"denied", "filled", "canceled", "rejected", "expired"}
    assert set(words.order.tagged("closed")) == closed
    for hop in hops(words.order):
        assert reopened_of(words.order, {hop: 2}) == (2 if hop[1] in closed and hop[2] not in closed else 0)
    assert reopened_of(words.order, dict.fromkeys(hops(words.order), 1)) > 5
