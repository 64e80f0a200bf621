"""A file's bytes become rows of cells, each with its line; what cannot be split into rows is a problem with its line.

CSV as in RFC 4180 or the same compressed with gzip (`.gz`), UTF-8 with or without a byte-order mark, a header first.
Limits: `bytes_max` (decompressed), `line_chars_max`, `rows_max` of `BarSettings`. Memory is linear in the file.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from peak_trade.market import cells
from peak_trade.market.bars import PriceMode
from peak_trade.market.problems import Findings, Flaw

LINE: Final = "line"
_NAMES: Final = {
    "symbol": ("symbol", "ticker"),
    "ts": ("date", "timestamp", "ts"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume",),
    "adjusted": ("adj_close", "adj close"),
}
_OPTIONAL: Final = frozenset({"symbol", "adjusted"})


@dataclass(frozen=True, slots=True)
class BarSettings:
    """How a file of bars is read; `price_mode` None means adjusted where the file has the column, else raw.

    Raises:
        ValueError: the tick is not a positive decimal, or a limit is below 1.
    """

    tick: Decimal
    price_mode: PriceMode | None = None
    bytes_max: int = 1 << 30
    rows_max: int = 5_000_000
    line_chars_max: int = 1_000
    problems_max: int = 100

    def __post_init__(self) -> None:
        try:
            cells.price(format(self.tick, "f"))
        except Flaw as flaw:
            raise ValueError(f"tick: expected {flaw.expected}, was {self.tick}; give the smallest price step") from flaw
        for name in ("bytes_max", "rows_max", "line_chars_max", "problems_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, was {getattr(self, name)}; raise the limit")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which cell of a row holds what: `at` by role, `names` as the header writes them, `count` of all columns."""

    at: dict[str, int]
    names: dict[str, str]
    count: int


class Sheet:
    """The rows of one file in order; `line` is where the last row ended."""

    def __init__(self, raw: bytes, compressed: bool, settings: BarSettings, findings: Findings) -> None:
        self.line = 1
        self._settings = settings
        self._findings = findings
        self._rows = self._read(self._text(raw, compressed))

    def rows(self) -> Iterator[list[str]]:
        """The rows that have not been read yet; a blank line is no row."""
        return self._rows

    def columns(self) -> Columns:
        """The header's columns by role.

        Raises:
            MalformedBars: there is no header, or it lacks or repeats a column.
        """
        names = next(self._rows, [])
        if not names:
            flaw = Flaw("empty_file", "a header and at least one row", "give a file of bars")
            raise self._findings.stop(1, LINE, flaw, "nothing")
        lowered = [name.lower() for name in names]
        at: dict[str, int] = {}
        for role, aliases in _NAMES.items():
            found = [index for index, name in enumerate(lowered) if name in aliases]
            if found:
                at[role] = found[0]
            if len(found) > 1:
                flaw = Flaw("ambiguous_column", f"one column for {role}", "rename all but one of them")
                self._findings.add(self.line, names[found[1]], flaw, ", ".join(names[index] for index in found))
            if not found and (role not in _OPTIONAL or self._needs(role)):
                flaw = Flaw("missing_column", f"a column {' or '.join(aliases)}", "add it or rename the one that is it")
                self._findings.add(self.line, aliases[0], flaw, f"columns {cells.shown(', '.join(names))}")
        self._findings.verdict()
        return Columns(at, {role: names[index] for role, index in at.items()}, len(names))

    def _needs(self, role: str) -> bool:
        return role == "adjusted" and self._settings.price_mode is PriceMode.ADJUSTED

    def _text(self, raw: bytes, compressed: bool) -> str:
        data = self._unpacked(raw) if compressed else raw
        if len(data) > self._settings.bytes_max:
            flaw = Flaw("file_too_long", f"at most {self._settings.bytes_max} bytes (bytes_max)", "split the file")
            raise self._findings.stop(1, LINE, flaw, "more")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            flaw = Flaw("not_utf8", "UTF-8 text", "save the file as UTF-8")
            raise self._findings.stop(line, LINE, flaw, f"byte 0x{data[error.start]:02x}") from error

    def _unpacked(self, raw: bytes) -> bytes:
        try:
            with gzip.open(io.BytesIO(raw)) as stream:
                return stream.read(self._settings.bytes_max + 1)
        except (OSError, EOFError, zlib.error) as error:
            flaw = Flaw("not_gzip", "a whole gzip file", "compress the file again or drop the ending .gz")
            raise self._findings.stop(1, LINE, flaw, str(error)) from error

    def _read(self, text: str) -> Iterator[list[str]]:
        reader = csv.reader(self._lines(text), strict=True)
        rows = -1  # the header is no row
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                flaw = Flaw("quoting", "cells quoted as in RFC 4180", "close or double the quotation mark")
                raise self._findings.stop(max(reader.line_num, 1), LINE, flaw, str(error)) from error
            if row is None:
                return
            self.line = reader.line_num
            if not row:
                continue
            rows += 1
            if rows > self._settings.rows_max:
                flaw = Flaw("too_many_rows", f"at most {self._settings.rows_max} rows (rows_max)", "split the file")
                raise self._findings.stop(self.line, LINE, flaw, "more")
            yield [cell.strip() for cell in row]

    def _lines(self, text: str) -> Iterator[str]:
        for number, line in enumerate(io.StringIO(text, newline=""), 1):  # only \n, \r\n and \r end a line
            if len(line) > self._settings.line_chars_max:
                limit = self._settings.line_chars_max
                flaw = Flaw("line_too_long", f"at most {limit} characters (line_chars_max)", "is this a file of bars?")
                raise self._findings.stop(number, LINE, flaw, f"{len(line)}")
            yield line
