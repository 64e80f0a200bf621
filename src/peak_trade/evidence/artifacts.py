"""The five artifacts of a run, each with a versioned schema; the same run gives the same bytes."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from peak_trade.evidence.story import Account, Story, Trade

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "run_manifest.json"
CONFIG: Final = "config_snapshot.json"
METRICS: Final = "metrics.json"
EQUITY: Final = "equity.csv"
TRADES: Final = "trades.csv"
FIVE: Final = (MANIFEST, CONFIG, METRICS, EQUITY, TRADES)

Hash = Field(pattern=r"^[0-9a-f]{64}$")


class Part(BaseModel):
    """A part of an artifact: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Versions(Part):
    """What ran: the package, the interpreter, and the libraries whose behaviour shows in the bytes."""

    peak_trade: str
    python: str
    python_statemachine: str
    pydantic: str


class Manifest(Part):
    """run_manifest.json: what was run on what, and the hashes of what came out."""

    schema_version: Literal[1] = 1
    run: str = Field(description="id of the run, from seed and hashes; no clock is in it")
    seed: int
    commit: str = Field(description="git commit of the code, or unknown outside a checkout")
    dirty: bool | None = Field(description="whether the checkout had uncommitted changes; null outside a checkout")
    spec_sha256: dict[str, str] = Field(description="fingerprint of each machine")
    config_sha256: str = Hash
    data_sha256: str = Hash
    data: str = Field(description="name of the file of bars")
    steps: int
    steps_max: int
    first_ts: str
    last_ts: str
    final_state: str
    behaviour_sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="of every journal record but notes of recovery and lost answers"
    )
    outputs_sha256: dict[str, str] = Field(description="SHA-256 of the four other artifacts")
    versions: Versions


class Snapshot(Part):
    """config_snapshot.json: the whole configuration, defaults included, and where the bars came from."""

    schema_version: Literal[1] = 1
    bars: str = Field(description="builtin, or the path as it was given")
    steps_max: int
    config: dict[str, Any]
    config_file: str = Field(default="", description="the file that is watched for drift, as it was given")
    config_file_sha256: str = ""


class Orders(Part):
    """Counts of orders by what became of them."""

    placed: int
    denied: int
    filled: int
    partially_filled_at_end: int
    canceled: int
    expired: int
    rejected: int
    unknown_at_end: int
    other_at_end: int = Field(description="placed, and in none of the states above: new, pending, done for the day, …")
    denied_by: dict[str, int]


class Metrics(Part):
    """metrics.json. Money in ticks (of the configured tick size); ratios are decimals; null is undefined, never NaN."""

    schema_version: Literal[1] = 1
    steps: int
    orders: Orders
    fills: int = Field(description="executions that stand: what was busted is none, what was corrected is one")
    filled_lots: int
    busts: int = 0
    corrections: int = 0
    start_equity_ticks: int
    end_equity_ticks: int
    fees_ticks: int
    realized_ticks: int
    undone_realized_ticks: int = Field(
        default=0, description="part of realized_ticks that no row of trades.csv carries"
    )
    max_drawdown_ticks: int
    positions_at_end_lots: dict[str, int]
    performance: dict[str, float | None] = Field(description="textbook measures; each named with its unit")
    rail_trips: dict[str, int]
    session_refusals: dict[str, int]
    order_refusals: dict[str, int]


def json_text(part: Part) -> str:
    """Return the canonical text of an artifact: sorted keys, two spaces, one line end at the end."""
    return json.dumps(part.model_dump(mode="json"), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def trades_csv(story: Story) -> str:
    """Return trades.csv: one row for each execution that stands, in the order in which the book took it as it is."""
    return _csv([field.name for field in fields(Trade)], [asdict(trade) for trade in story.trades])


def equity_csv(story: Story) -> str:
    """Return equity.csv: one row for each step; position value is equity less cash."""
    names = [field.name for field in fields(Account)]
    names.insert(names.index("cash_ticks") + 1, "position_value_ticks")
    rows = [asdict(row) | {"position_value_ticks": row.equity_ticks - row.cash_ticks} for row in story.accounts]
    return _csv(names, rows)


def metrics(story: Story, start_ticks: int, performance: Mapping[str, float | None]) -> Metrics:
    """Return the metrics of a run that started with `start_ticks`."""
    states: dict[str, int] = {}
    denied_by: dict[str, int] = {}
    for line in story.lines.values():
        states[line.state] = states.get(line.state, 0) + 1
        if line.rail:
            denied_by[line.rail] = denied_by.get(line.rail, 0) + 1
    last = story.accounts[-1] if story.accounts else None
    named = ("denied", "filled", "partially_filled", "canceled", "expired", "rejected", "unknown")
    return Metrics(
        steps=story.steps,
        orders=Orders(
            placed=len(story.lines) - states.get("denied", 0),
            denied=states.get("denied", 0),
            filled=states.get("filled", 0),
            partially_filled_at_end=states.get("partially_filled", 0),
            canceled=states.get("canceled", 0),
            expired=states.get("expired", 0),
            rejected=states.get("rejected", 0),
            unknown_at_end=states.get("unknown", 0),
            other_at_end=len(story.lines) - sum(states.get(name, 0) for name in named),
            denied_by=denied_by,
        ),
        fills=len(story.trades),
        filled_lots=sum(trade.lots for trade in story.trades),
        busts=story.undone["bust"],
        corrections=story.undone["correct"],
        start_equity_ticks=start_ticks,
        end_equity_ticks=last.equity_ticks if last else start_ticks,
        fees_ticks=last.fees_ticks if last else 0,
        realized_ticks=last.realized_ticks if last else 0,
        undone_realized_ticks=story.undone_ticks,
        max_drawdown_ticks=max((row.drawdown_ticks for row in story.accounts), default=0),
        positions_at_end_lots={symbol: lots for symbol, lots in sorted(story.positions.items()) if lots},
        performance=dict(performance),
        rail_trips=dict(story.trips),
        session_refusals=dict(story.refused["session"]),
        order_refusals=dict(story.refused["order"]),
    )


def sha256(text: str) -> str:
    """Return the SHA-256 of `text` in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def first_difference(name: str, left: str, right: str) -> str | None:
    """Return where two texts of artifact `name` first differ, as `name:line: expected …, was …`, or None."""
    if left == right:
        return None
    ours, theirs = left.splitlines(), right.splitlines()
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else "the end of the file"
        other = theirs[number] if number < len(theirs) else "the end of the file"
        if one != other:
            return f"{name}:{number + 1}: expected {one.strip()!r}, was {other.strip()!r}"
    return f"{name}: the line ends differ"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each artifact; for a CSV file, of one row as an object of its columns."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    parts: dict[str, type[Part]] = {MANIFEST: Manifest, CONFIG: Snapshot, METRICS: Metrics}
    found = {name: draft | part.model_json_schema() for name, part in parts.items()}
    for name, header in ((EQUITY, equity_csv(Story())), (TRADES, trades_csv(Story()))):
        columns = header.strip().split(",")
        kinds = {field.name: field.type for row in (Account, Trade) for field in fields(row)}
        found[name] = draft | {
            "title": name,
            "description": f"One row of {name}, schema version {SCHEMA_VERSION}; columns in this order.",
            "type": "object",
            "additionalProperties": False,
            "required": columns,
            "properties": {column: {"type": "string" if kinds.get(column) is str else "integer"} for column in columns},
        }
    return found


def _csv(names: list[str], rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
