"""A file of bars is read whole or refused with every problem found; no row is repaired, dropped or guessed.

Columns, in any order and case: `date`, `timestamp` or `ts`; `open`, `high`, `low`, `close`, `volume`; optional `symbol`
or `ticker` (else the file's stem) and `adj_close` or `Adj Close`. Other columns are ignored. Result: prices in ticks,
volume in lots, steps in ascending time.

Adjusted prices (open, high, low and close times adj_close / close, half-even to the tick; volume as it is) are the
default where the column is there: a split moves raw prices by a factor in one night although nobody gained or lost,
which a strategy would take for a crash.

Errors: `MalformedBars`; `OSError` when the file cannot be read.
Limits: those of `BarSettings`.
"""

import hashlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

from peak_trade.market import cells
from peak_trade.market.bars import Bar, Bars, PriceMode, Step
from peak_trade.market.problems import Findings, Flaw
from peak_trade.market.sheet import LINE, BarSettings, Columns, Sheet

_PRICES: Final = ("open", "high", "low", "close")
_Value = TypeVar("_Value")


def read_bars(path: Path, settings: BarSettings) -> Bars:
    """The bars of the file, iff every row is sane.

    Raises:
        MalformedBars: with all problems up to `problems_max`, each with file, line and column.
    """
    raw = path.read_bytes()
    findings = Findings(str(path), settings.problems_max)
    sheet = Sheet(raw, path.suffix == ".gz", settings, findings)
    columns = sheet.columns()
    mode = settings.price_mode or (PriceMode.ADJUSTED if "adjusted" in columns.at else PriceMode.RAW)
    rows = _Rows(columns, mode, settings.tick, findings)
    stem = path.name.split(".")[0]
    for row in sheet.rows():
        rows.take(sheet.line, row, stem)
    if not rows.last_ts and not len(findings):
        flaw = Flaw("empty_file", "a header and at least one row", "give a file of bars")
        findings.add(sheet.line, LINE, flaw, "no row")
    findings.verdict()
    return Bars(
        name=path.name,
        sha256=hashlib.sha256(raw).hexdigest(),
        tick=settings.tick,
        price_mode=mode,
        symbols=tuple(sorted(rows.last_ts)),
        steps=tuple(Step(ts, tuple(bars[name] for name in sorted(bars))) for ts, bars in sorted(rows.by_ts.items())),
        rows=sum(len(bars) for bars in rows.by_ts.values()),
    )


class _Rows:
    """The bars so far by time and symbol, and each symbol's last time."""

    def __init__(self, columns: Columns, mode: PriceMode, tick: Decimal, findings: Findings) -> None:
        self.by_ts: dict[str, dict[str, Bar]] = {}
        self.last_ts: dict[str, str] = {}
        self._columns = columns
        self._mode = mode
        self._tick = tick
        self._findings = findings
        self._line = 0
        self._ts_chars = 0
        self._seen: dict[str, set[str]] = {}

    def take(self, line: int, row: list[str], stem: str) -> None:
        """Keep the row's bar, or note everything that is wrong with the row."""
        self._line = line
        if len(row) != self._columns.count:
            code = "row_too_long" if len(row) > self._columns.count else "row_too_short"
            flaw = Flaw(code, f"{self._columns.count} cells as in the header", "correct the row")
            self._findings.add(line, LINE, flaw, f"{len(row)}")
            return
        before = len(self._findings)
        text = {role: row[index] for role, index in self._columns.at.items()}
        text.setdefault("symbol", stem)
        symbol = self._cell("symbol", text, cells.symbol)
        ts = self._cell("ts", text, cells.timestamp)
        volume = self._cell("volume", text, cells.volume)
        if symbol is not None and ts is not None:
            self._order(symbol, ts, text["ts"])
        ticks = self._ticks(text)
        if len(self._findings) > before or symbol is None or ts is None or volume is None:
            return
        bar = Bar(symbol, ts, ticks["open"], ticks["high"], ticks["low"], ticks["close"], volume)
        self.by_ts.setdefault(ts, {})[symbol] = bar

    def _ticks(self, text: dict[str, str]) -> dict[str, int]:
        """The four prices in ticks; partial iff a problem was noted."""
        before = len(self._findings)
        read = {role: self._cell(role, text, cells.price) for role in _PRICES}
        prices = {role: value for role, value in read.items() if value is not None}
        adjusted = self._cell("adjusted", text, cells.price) if self._mode is PriceMode.ADJUSTED else None
        self._sane(prices, text)
        if len(self._findings) > before:
            return {}
        ticks: dict[str, int] = {}
        for role, value in prices.items():
            try:
                if adjusted is None:
                    ticks[role] = cells.exact_ticks(value, self._tick)
                else:
                    ticks[role] = cells.adjusted_ticks(value, (adjusted, prices["close"]), self._tick)
            except Flaw as flaw:
                self._note(role, flaw, text[role])
        return ticks

    def _sane(self, prices: dict[str, Decimal], text: dict[str, str]) -> None:
        """Note high below low, else open or close outside of them, for the prices that could be read."""
        low, high = prices.get("low"), prices.get("high")
        if low is None or high is None:
            return
        if high < low:
            self._note("high", Flaw("high_below_low", f"high >= low {low}", "correct the row"), text["high"])
            return
        for role in ("open", "close"):
            value = prices.get(role, low)
            if not low <= value <= high:
                flaw = Flaw("outside_range", f"low {low} <= {role} <= high {high}", "correct the row")
                self._note(role, flaw, text[role])

    def _order(self, symbol: str, ts: str, text: str) -> None:
        """Note a time that is of another form, there already, or before the symbol's last one."""
        self._ts_chars = self._ts_chars or len(ts)
        seen, last = self._seen.setdefault(symbol, set()), self.last_ts.get(symbol, "")
        if len(ts) != self._ts_chars:
            self._note("ts", Flaw("mixed_timestamps", "all dates or all times", "write them in one form"), text)
        elif ts in seen:
            flaw = Flaw("duplicate", f"one row for {symbol} at {ts}", "remove the row that is wrong")
            self._note("ts", flaw, text)
        elif ts < last:
            flaw = Flaw("unsorted", f"a time after {last}, the one before of {symbol}", "sort the rows by time")
            self._note("ts", flaw, text)
        else:
            self.last_ts[symbol] = ts
        seen.add(ts)

    def _cell(self, role: str, text: dict[str, str], parse: Callable[[str], _Value]) -> _Value | None:
        try:
            return parse(text[role])
        except Flaw as flaw:
            self._note(role, flaw, text[role])
            return None

    def _note(self, role: str, flaw: Flaw, found: str) -> None:
        self._findings.add(self._line, self._columns.names.get(role, role), flaw, cells.shown(found))
