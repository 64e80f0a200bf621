"""A run's metrics as Prometheus text and as JSON, from its tally: the same journal gives the same bytes.

Labels hold words of the lexicon only: never an order, a symbol or an operator. Every known word has a series from the
start, at 0. Times are session time: seconds from 1970 to the timestamp of a bar, and latencies in steps.

Limits: a counter counts one journal, so a new run begins at 0, and a scrape sees a snapshot and no rate.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from peak_trade.evidence.story import UNDOING
from peak_trade.journal.verify import Intact
from peak_trade.watch.instant import seconds
from peak_trade.watch.lexicon import OTHER, OUTCOMES, Lexicon, events, hops, members, reasons, reopened, states
from peak_trade.watch.seen import Seen
from peak_trade.watch.tally import ANSWERS, Hop, Refusal, Tally, latency

BUCKETS_STEPS: Final = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)
VISIBLE: Final = "Seen in the journal only:"
_MOVED: Final = ("transition", "source", "target")


class Snapshot:
    """The metrics of one run, as a collector of prometheus-client; they never change."""

    def __init__(self, seen: Seen, lexicon: Lexicon) -> None:
        self._families = (*_required(seen, lexicon), *_health(seen, lexicon), *_further(seen, lexicon))

    def collect(self) -> Iterable[Metric]:
        """Return the families, in a fixed order."""
        return self._families


def families(seen: Seen, lexicon: Lexicon) -> tuple[Metric, ...]:
    """Return every metric family of the run, in a fixed order."""
    return tuple(Snapshot(seen, lexicon).collect())


def prometheus(seen: Seen, lexicon: Lexicon) -> str:
    """Return the metrics in Prometheus' text format, as the node exporter's textfile collector reads it."""
    registry = CollectorRegistry()
    registry.register(Snapshot(seen, lexicon))
    return generate_latest(registry).decode()


def document(seen: Seen, lexicon: Lexicon) -> str:
    """Return the same metrics as one JSON document; every value is a whole number."""
    metrics = [
        {
            "name": _exposed(family),
            "type": family.type,
            "help": family.documentation,
            "samples": [
                {"name": sample.name, "labels": dict(sample.labels), "value": int(sample.value)}
                for sample in family.samples
            ],
        }
        for family in families(seen, lexicon)
    ]
    found = {"schema_version": 1, "run": seen.run, "metrics": metrics}
    return json.dumps(found, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _exposed(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def _required(seen: Seen, lexicon: Lexicon) -> Iterator[Metric]:
    """Yield the six counters of C4.2."""
    tally = seen.tally
    sent = "Orders handed to the broker's port: `submit` taken, once for each order; a repeated send is a retry."
    yield CounterMetricFamily("orders_place", sent, tally.places)
    asked = "Cancels asked of the venue: `cancel` taken; asking again while one is pending leaves no record."
    yield CounterMetricFamily("orders_cancel", asked, tally.cancels)
    answered = f"{VISIBLE} answers of the venue to a question about an order whose outcome was unknown, by event."
    yield _counted("orders_query", answered, ("event",), _closed(tally.queries, sorted(ANSWERS)))
    moved = "Steps taken by order machines, by transition, state before and state after."
    yield _counted("order_state_transitions", moved, _MOVED, _hops(tally.hops["order"], hops(lexicon.order)))
    differ = "Differences between book and venue that reconciliations wrote down, by code."
    yield _counted("reconcile_mismatches", differ, ("code",), _closed(tally.mismatches, lexicon.actions))
    again = f"{VISIBLE} orders sent again under the same id, after the venue said that it never received them."
    yield CounterMetricFamily("retry_attempts", again, tally.retries)


def _health(seen: Seen, lexicon: Lexicon) -> Iterator[Metric]:
    """Yield the four health values of C4.1; a time that is not known has no sample."""
    state = GaugeMetricFamily("orchestrator_state", "1 for the session's state, 0 for every other.", labels=("state",))
    for name in states(lexicon.session):
        state.add_metric((name,), int(name == seen.tally.state))
    yield state
    last = "Session time of the last record that carries one, in seconds from 1970."
    yield _time("last_audit_event_ts", last, seen.tally.last_ts)
    agreed = "Session time of the last reconciliation in which the venue answered and nothing differed, as above."
    yield _time("reconciler_last_ok_ts", agreed, seen.tally.last_ok_ts)
    trips = "Tripwires that tripped and stopped the session, by name; an order that a rail denied is no trip."
    yield _counted("safety_rail_trips", trips, ("rail",), _closed(seen.tally.trips, lexicon.wires))


def _further(seen: Seen, lexicon: Lexicon) -> Iterator[Metric]:
    """Yield what else an operator asks for: denials, fills, refusals, latencies, and the journal itself."""
    tally = seen.tally
    denials = "Orders that a rail denied before they left, by rail."
    yield _counted("orders_denied", denials, ("rail",), _closed(tally.denied, lexicon.rails))
    taken = "Executions that the book took, whether they stand or not: what is undone is counted beside them."
    yield CounterMetricFamily("order_fills", taken, tally.fills)
    undone = "Executions that the venue took back (bust) or corrected (correct); a counter of fills never falls."
    yield _counted("order_fills_undone", undone, ("event",), _closed(tally.undone, sorted(UNDOING)))
    again = "Closed orders that the venue opened again, by a bust, correction, restatement or replacement."
    yield CounterMetricFamily("orders_reopened", again, reopened(lexicon.order, tally.hops["order"]))
    open_now = seen.story.accounts[-1].open_orders if seen.story.accounts else 0
    yield GaugeMetricFamily("orders_open", "Orders with a rest when the account was last valued.", open_now)
    yield from _restrictions(seen, lexicon)
    for name in ("session", "order"):
        text = f"Events that the {name} machine did not take, by event, how, and reason; a series comes with its first."
        yield _counted(f"{name}_refusals", text, ("event", "outcome", "reason"), _refusals(tally, lexicon, name))
    moved = "Steps taken by the session machine, by transition, state before and state after."
    yield _counted("session_state_transitions", moved, _MOVED, _hops(tally.hops["session"], hops(lexicon.session)))
    runs = "Comparisons of book and venue, by result."
    yield _counted("reconcile_runs", runs, ("result",), _closed(tally.reconciles, ("agreed", "differed", "unanswered")))
    yield GaugeMetricFamily("session_step", "The last step that the journal knows.", tally.step)
    yield CounterMetricFamily("audit_records", "Records of the journal that verify.", sum(tally.records.values()))
    intact = int(isinstance(seen.verdict, Intact))
    yield GaugeMetricFamily("audit_journal_intact", "1 iff every line verifies and the checkpoint is reached.", intact)
    yield from _latencies(tally, lexicon)


def _restrictions(seen: Seen, lexicon: Lexicon) -> Iterator[Metric]:
    """Yield what keeps orders from leaving an active session: the trading state, and the circuit breaker."""
    text = "1 for the trading state, 0 for every other; orders leave an active session only."
    yield _one_of("trading_state", text, members(lexicon.session, "trading"), seen.story.trading)
    text = "1 for the state of the circuit breaker before the venue, as last written down, 0 for every other."
    yield _one_of("breaker_state", text, lexicon.breaker, seen.story.breaker.get("state", lexicon.breaker[0]))


def _one_of(name: str, text: str, known: Iterable[str], now: object) -> Metric:
    family = GaugeMetricFamily(name, text, labels=("state",))
    for word in known:
        family.add_metric((word,), int(word == now))
    return family


def _latencies(tally: Tally, lexicon: Lexicon) -> Iterator[Metric]:
    closed = lexicon.order.tagged("closed")
    found = latency(tally, frozenset(closed))
    yield _histogram(
        "order_accept_steps", "Steps from submit to the venue's accept; 0 is within one step.", found.accept
    )
    yield _histogram("order_fill_steps", "Steps from submit to the first fill.", found.fill)
    close = HistogramMetricFamily(
        "order_close_steps", "Steps from submit to the first closed state, by that state.", labels=("state",)
    )
    for state in closed:
        values = [steps for name, steps in found.close if name == state]
        close.add_metric((state,), _buckets(values), sum(values))
    yield close


def _histogram(name: str, text: str, values: Sequence[int]) -> Metric:
    return HistogramMetricFamily(name, text, buckets=_buckets(values), sum_value=sum(values))


def _buckets(values: Sequence[int]) -> list[tuple[str, float]]:
    bounded = [(str(bound), float(sum(value <= bound for value in values))) for bound in BUCKETS_STEPS]
    return [*bounded, ("+Inf", float(len(values)))]


def _time(name: str, text: str, ts: str) -> Metric:
    family = GaugeMetricFamily(name, text)
    found = seconds(ts)
    if found is not None:
        family.add_metric((), found)
    return family


def _counted(name: str, text: str, labels: tuple[str, ...], counts: Mapping[tuple[str, ...], int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family


def _closed(counts: Mapping[str, int], known: Iterable[str]) -> dict[tuple[str, ...], int]:
    """Return the counts over the known words, zeros too; what is foreign counts as OTHER, if there is any."""
    found: Counter[str] = Counter(dict.fromkeys(known, 0))
    for word, count in counts.items():
        found[word if word in found else OTHER] += count
    return {(word,): count for word, count in found.items()}


def _hops(counts: Mapping[Hop, int], known: Iterable[Hop]) -> dict[tuple[str, ...], int]:
    found: Counter[Hop] = Counter(dict.fromkeys(known, 0))
    for hop, count in counts.items():
        found[hop if hop in found else (OTHER, OTHER, OTHER)] += count
    return {(*hop,): count for hop, count in found.items()}


def _refusals(tally: Tally, lexicon: Lexicon, name: str) -> dict[tuple[str, ...], int]:
    machine = lexicon.machine(name)
    words = (frozenset(events(machine)), frozenset(OUTCOMES), frozenset(reasons(machine)))
    found: Counter[Refusal] = Counter()
    for (event, outcome, reason), count in tally.refusals[name].items():
        given = zip((event, outcome, reason), words, strict=True)
        event_, outcome_, reason_ = (word if word in known else OTHER for word, known in given)
        found[event_, outcome_, reason_] += count
    return dict(sorted(found.items()))


def sample(seen: Seen, lexicon: Lexicon) -> dict[str, Any]:
    """Return the total of each counter of C4.2 and of the trips, by its exposed name: what a summary shows."""
    found = (*_required(seen, lexicon), *_health(seen, lexicon))
    return {_exposed(item): int(sum(s.value for s in item.samples)) for item in found if item.type == "counter"}
