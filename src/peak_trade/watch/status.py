"""All that an operator view shows, as plain data: what the terminal, the page and status.json have in common."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

from peak_trade.evidence.story import Line
from peak_trade.watch.health import Check, Grade, Switch, checks, overall, path_reasons
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.metrics import sample
from peak_trade.watch.room import Gauge, gauges
from peak_trade.watch.seen import Note, Seen, verdict_text

NOTES_MAX: Final = 200
BREAKER: Final = ("failures", "opened", "waited")
"""What status.json says of the circuit breaker beside its state."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One lock of the way to live: what the configuration says, and what the startup check wrote down of it."""

    name: str
    configured: str
    checked: str
    shut: bool | None


@dataclass(frozen=True, slots=True)
class View:
    """One run as an operator sees it; `open_lines` are the orders of which something is left, or nobody knows.

    An order is open iff its LeavesQty is not 0: one that is done for the day, or pending with nothing left, is not, and
    one that was filled and is opened again is. One that was sent and has no answer counts as open.
    """

    seen: Seen
    lexicon: Lexicon
    switch: Switch
    grade: Grade
    checks: tuple[Check, ...]
    gauges: tuple[Gauge, ...]
    guards: tuple[Guard, ...]
    reasons: tuple[str, ...]
    positions: Mapping[str, int]
    open_lines: tuple[Line, ...]
    notes: tuple[Note, ...]

    @property
    def state(self) -> str:
        """The state in which the session stands."""
        return self.seen.tally.state

    @property
    def breaker(self) -> str:
        """The state of the circuit breaker; one that never moved left no record, and is in its first state."""
        return str(self.seen.story.breaker.get("state", self.lexicon.breaker[0]))

    @property
    def why(self) -> str:
        """The reasons of the session's moves, in order, as one text."""
        return " → ".join(self.reasons)


def view(seen: Seen, lexicon: Lexicon, switch: Switch) -> View:
    """Return the view of a run that was read into `seen`; the newest NOTES_MAX lines of its timeline, oldest first."""
    found = checks(seen, lexicon, switch)
    sent = lexicon.order.tagged("sent")
    return View(
        seen=seen,
        lexicon=lexicon,
        switch=switch,
        grade=overall(found),
        checks=found,
        gauges=gauges(seen, lexicon.rails),
        guards=guards(seen, switch),
        reasons=path_reasons(seen, lexicon),
        positions={symbol: lots for symbol, lots in sorted(seen.story.positions.items()) if lots},
        open_lines=tuple(line for line in seen.story.lines.values() if line.leaves or line.state in sent),
        notes=tuple(islice(seen.notes, max(0, len(seen.notes) - NOTES_MAX), None)),
    )


def guards(seen: Seen, switch: Switch) -> tuple[Guard, ...]:
    """Return the locks between this run and a live broker; None as `shut` is not known, and is no lock."""
    config = seen.snapshot.config if seen.snapshot else None
    checked = seen.tally.preflight
    flag, adapter = (config or {}).get("enable_live_broker"), (config or {}).get("adapter")
    names: Sequence[str] = (config or {}).get("broker_allowlist") or ()
    granted = seen.tally.hops["session"]
    live = [source for (_, source, target) in granted if "LIVE_ACTIVE" in (source, target)]
    redacting = checked.get("journal_redacting")
    unknown = "not known"
    return (
        Guard(
            "enable_live_broker",
            unknown if flag is None else "on" if flag else "off",
            _word(checked.get("flag"), "on", "off"),
            None if flag is None else flag is False,
        ),
        Guard(
            "broker_allowlist",
            unknown if config is None else ", ".join(names) or "empty",
            f"{checked['allowlist']} in it" if "allowlist" in checked else unknown,
            None if config is None else len(names) > 0,
        ),
        Guard(
            "adapter",
            unknown if adapter is None else str(adapter),
            str(checked.get("adapter_found") or unknown),
            None if adapter is None else adapter == "mock",
        ),
        Guard("journal", "–", _word(redacting, "redacting", "not open"), redacting),
        Guard("kill_switch", switch.why, "–", shut=not switch.latched),
        Guard("live state", "–", "entered" if live else "never entered", shut=not live),
    )


def _word(value: object, yes: str, no: str) -> str:
    return "not known" if value is None else yes if value else no


def document(found: View) -> str:
    """Return the view as one JSON document; the same run gives the same bytes."""
    seen = found.seen
    word, facts = verdict_text(seen.verdict)
    last = seen.story.accounts[-1] if seen.story.accounts else None
    plain = {
        "schema_version": 1,
        "run": seen.run,
        "status": found.grade,
        "state": found.state,
        "why": list(found.reasons),
        "trading": seen.story.trading,
        "breaker": {"state": found.breaker} | {key: seen.story.breaker.get(key, 0) for key in BREAKER},
        "step": seen.tally.step,
        "last_ts": seen.tally.last_ts or None,
        "specs": {name: seen.story.run.get(f"{name}_spec") for name in ("session", "order")},
        "journal": {"verdict": word, "facts": facts},
        "account": None if last is None else asdict(last),
        "positions_lots": dict(found.positions),
        "open_orders": [_line(line) for line in found.open_lines],
        "reconciled": dict(seen.story.reconciled) or None,
        "differences": [_difference(item, found.lexicon) for item in seen.story.differences],
        "rails": [asdict(item) | {"used_permille": item.used_permille} for item in found.gauges],
        "trips": dict(sorted(seen.tally.trips.items())),
        "guards": [asdict(item) for item in found.guards],
        "counters": sample(seen, found.lexicon),
        "events": [asdict(note) for note in found.notes],
        "problems": list(seen.problems),
    }
    return json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _line(line: Line) -> dict[str, Any]:
    names = ("order", "symbol", "side", "state", "qty", "cum", "leaves", "limit_ticks", "step")
    return {name: getattr(line, name) for name in names}


def _difference(item: Mapping[str, Any], lexicon: Lexicon) -> dict[str, Any]:
    """Return a difference with what was planned for it, and what is first to be done about its code, in words."""
    return {**item, "action": lexicon.actions.get(str(item["code"]), "stop for the operator")}
