"""From a finished run's journal to its artifacts, and the artifacts to disk: all or nothing."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from peak_trade.evidence import artifacts
from peak_trade.evidence.artifacts import Manifest, Snapshot, Versions
from peak_trade.evidence.provenance import installed, provenance, python
from peak_trade.evidence.story import Story, tell
from peak_trade.journal.record import Record
from peak_trade.market.performance import Performance, measure

RECOVERED = "recovered"
DOUBTS = frozenset({"time_out", "not_found"})
"""How an answer was got, not what it was: a killed process may have heard a time-out that its successor did not."""
ASIDE = frozenset({RECOVERED, "resumed", "breaker"})
"""Kinds of records that say how a process fared with disk and venue, and not what it did."""


@dataclass(frozen=True, slots=True)
class Collected:
    """A run's story and the texts of its five artifacts by name."""

    story: Story
    texts: Mapping[str, str]


def collect(records: Iterable[Record], snapshot: Snapshot, data_name: str) -> Collected:
    """Return the artifacts of the run that `records` tell; the same records give the same texts."""
    behaviour = hashlib.sha256()
    story = tell(_hashed(records, behaviour))
    config = snapshot.config
    series = [int(config["cash_ticks"]), *(row.equity_ticks for row in story.accounts)]
    profits = [trade.realized_ticks - trade.fee_ticks for trade in story.trades if trade.realized_ticks]
    measured = measure(series, profits, [row.gross_lots for row in story.accounts])
    texts = {
        artifacts.CONFIG: artifacts.json_text(snapshot),
        artifacts.METRICS: artifacts.json_text(artifacts.metrics(story, series[0], _plain(measured))),
        artifacts.EQUITY: artifacts.equity_csv(story),
        artifacts.TRADES: artifacts.trades_csv(story),
    }
    texts[artifacts.MANIFEST] = artifacts.json_text(_manifest(story, data_name, behaviour.hexdigest(), texts))
    return Collected(story, texts)


def _plain(measured: Performance) -> dict[str, float | None]:
    """Return the measures as JSON numbers: at most nine decimals, so the shortest text of each is exact."""
    values = {item.name: getattr(measured, item.name) for item in fields(Performance)}
    return {name: None if value is None else float(value) for name, value in values.items()}


def _hashed(records: Iterable[Record], behaviour: "hashlib._Hash") -> Iterator[Record]:
    for record in records:
        if record.kind not in ASIDE and record.body.get("event") not in DOUBTS:
            body = [record.kind, dict(record.body)]
            behaviour.update(json.dumps(body, sort_keys=True, separators=(",", ":")).encode())
        yield record


def _manifest(story: Story, data_name: str, behaviour: str, texts: Mapping[str, str]) -> Manifest:
    run, origin = story.run, provenance()
    stamped = [row.ts for row in story.accounts if row.ts] or [""]
    return Manifest(
        run=run["run"],
        seed=run["seed"],
        commit=origin.commit,
        dirty=origin.dirty,
        spec_sha256={"session": run["session_spec"], "order": run["order_spec"]},
        config_sha256=run["config"],
        data_sha256=run["data"],
        data=data_name,
        steps=story.steps,
        steps_max=run["steps_max"],
        first_ts=stamped[0],
        last_ts=stamped[-1],
        final_state=story.state,
        behaviour_sha256=behaviour,
        outputs_sha256={name: artifacts.sha256(text) for name, text in sorted(texts.items())},
        versions=Versions(
            peak_trade=installed("peak-trade"),
            python=python(),
            python_statemachine=installed("python-statemachine"),
            pydantic=installed("pydantic"),
        ),
    )


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write each text to its file in `folder`; each is replaced in one step, so no half-written file is ever seen."""
    for name, text in texts.items():
        draft = folder / f".{name}.draft"
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / name)
