"""A file of bars is read whole or refused with every problem and its place."""

import gzip
import hashlib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.market.bars import Bar, PriceMode
from peak_trade.market.cells import adjusted_ticks
from peak_trade.market.problems import Flaw, MalformedBars
from peak_trade.market.reader import read_bars
from peak_trade.market.sheet import BarSettings

CENT = BarSettings(Decimal("0.01"))
HEADER = "symbol,date,open,high,low,close,volume"
GOOD = "A,2024-01-02,10,12,9,11,100"
NEXT = "A,2024-01-03,10,12,9,11,100"
REAL = Path(str(files("peak_trade") / "data" / "stocks.csv.gz"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines to a file of bars."""

    def write_lines(*lines: str, name: str = "x.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write_lines


def problems(path: Path, settings: BarSettings = CENT) -> list[tuple[str, int, str]]:
    """The problems of a malformed file: code, line, column."""
    with pytest.raises(MalformedBars) as caught:
        read_bars(path, settings)
    assert all(str(problem).startswith(f"{path}:{problem.line}:") for problem in caught.value.problems)
    return [(problem.code, problem.line, problem.column) for problem in caught.value.problems]


def row(**cells: str) -> str:
    """A good row of the day after `GOOD`, but for the cells."""
    content = dict(zip(HEADER.split(","), NEXT.split(","), strict=True)) | cells
    return ",".join(content.values())


def test_bars_are_grouped_into_steps_by_time(write: Callable[..., Path]) -> None:
    """Steps ascend in time, bars within one by symbol, whatever the order of symbols in the file."""
    path = write(HEADER, "B,2024-01-03,1,1,1,1,0", GOOD, "A,2024-01-03,10.5,12,9,11,7.0", "C,2024-01-02,2,2,2,2,1")
    bars = read_bars(path, CENT)
    assert [(step.ts, [bar.symbol for bar in step.bars]) for step in bars.steps] == [
        ("2024-01-02", ["A", "C"]),
        ("2024-01-03", ["A", "B"]),
    ]
    assert bars.steps[1].by_symbol()["A"] == Bar("A", "2024-01-03", 1050, 1200, 900, 1100, 7)
    assert (bars.symbols, bars.rows, bars.price_mode) == (("A", "B", "C"), 4, PriceMode.RAW)
    assert bars.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_columns_go_by_many_names_in_any_order(write: Callable[..., Path]) -> None:
    """Case and order do not matter, unknown columns are ignored, the stem names a symbol that no column gives."""
    path = write("Volume,CLOSE,Low,high,Open,note,TimeStamp", "5,11,9,12,10,hi,2024-01-02T10:00+01:00", name="IBM.csv")
    bars = read_bars(path, CENT)
    assert bars.steps[0].bars == (Bar("IBM", "2024-01-02T09:00:00.000000Z", 1000, 1200, 900, 1100, 5),)
    zipped = path.with_name("IBM.csv.gz")
    zipped.write_bytes(gzip.compress(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")))
    assert read_bars(zipped, CENT).steps == bars.steps


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"open": "ten"}, "not_a_number", "open"),
        ({"high": "NaN"}, "not_a_number", "high"),
        ({"high": "inf"}, "not_a_number", "high"),
        ({"low": "1e1"}, "not_a_number", "low"),
        ({"close": "1_0"}, "not_a_number", "close"),
        ({"close": "\u0661"}, "not_a_number", "close"),
        ({"open": ""}, "empty", "open"),
        ({"open": "-10"}, "negative", "open"),
        ({"low": "0"}, "zero", "low"),
        ({"high": "8.99"}, "high_below_low", "high"),
        ({"open": "12.01"}, "outside_range", "open"),
        ({"open": "8.99"}, "outside_range", "open"),
        ({"close": "12.01"}, "outside_range", "close"),
        ({"volume": "1.5"}, "fractional", "volume"),
        ({"volume": "-1"}, "negative", "volume"),
        ({"volume": "many"}, "not_a_number", "volume"),
        ({"close": "10.005"}, "off_tick", "close"),
        ({"symbol": ""}, "symbol", "symbol"),
        ({"symbol": "A B"}, "symbol", "symbol"),
        ({"date": "2024-13-01"}, "timestamp", "date"),
        ({"date": "2023-02-29"}, "timestamp", "date"),
        ({"date": "20240103"}, "timestamp", "date"),
        ({"date": "2024-01-03T10:00:00.1234567Z"}, "timestamp", "date"),
        ({"date": "2024-01-03T10:00Z"}, "mixed_timestamps", "date"),
        ({"date": "2024-01-02"}, "duplicate", "date"),
        ({"date": "2024-01-01"}, "unsorted", "date"),
    ],
)
def test_a_bad_cell_is_found_where_it_is(
    write: Callable[..., Path], cells: dict[str, str], code: str, column: str
) -> None:
    """One bad cell on line 3 gives one problem, with that line and column."""
    assert problems(write(HEADER, GOOD, row(**cells))) == [(code, 3, column)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([""], ("empty_file", 1, "line")),
        ([HEADER], ("empty_file", 1, "line")),
        ([HEADER, GOOD + ",1"], ("row_too_long", 2, "line")),
        ([HEADER, GOOD[:-4]], ("row_too_short", 2, "line")),
        ([HEADER.replace("close", "last"), GOOD], ("missing_column", 1, "close")),
        (["ticker," + HEADER, "A," + GOOD], ("ambiguous_column", 1, "symbol")),
        ([HEADER, '"A' + GOOD], ("quoting", 2, "line")),
        ([HEADER, GOOD, "A" * 1001], ("line_too_long", 3, "line")),
    ],
)
def test_a_bad_shape_is_found_where_it_is(
    write: Callable[..., Path], lines: list[str], expected: tuple[str, int, str]
) -> None:
    """What is wrong with a whole line, the header or the file has its line too."""
    assert problems(write(*lines)) == [expected]


def test_all_problems_come_at_once(write: Callable[..., Path]) -> None:
    """Several in a row and in several rows, each once; a blank line is no row but counts as a line."""
    found = problems(write(HEADER, row(open="x", volume="-1"), "", row(date="2024-01-04", high="1"), "A,B"))
    assert found == [
        ("negative", 2, "volume"),
        ("not_a_number", 2, "open"),
        ("high_below_low", 4, "high"),
        ("row_too_short", 5, "line"),
    ]


def test_the_limits_hold(write: Callable[..., Path]) -> None:
    """Rows, bytes and problems beyond their limits end the reading with their own message."""
    path = write(HEADER, GOOD, NEXT)
    tick = Decimal("0.01")
    assert problems(path, BarSettings(tick, rows_max=1)) == [("too_many_rows", 3, "line")]
    assert problems(path, BarSettings(tick, bytes_max=20)) == [("file_too_long", 1, "line")]
    assert read_bars(path, BarSettings(tick, rows_max=2)).rows == 2
    bad = write(HEADER, *(row(open="x", symbol=f"S{number}") for number in range(5)))
    with pytest.raises(MalformedBars) as caught:
        read_bars(bad, BarSettings(tick, problems_max=3))
    assert (len(caught.value.problems), caught.value.truncated) == (3, True)
    with pytest.raises(MalformedBars) as caught:
        read_bars(bad, BarSettings(tick, problems_max=5))
    assert (len(caught.value.problems), caught.value.truncated) == (5, False)


def test_bytes_that_are_no_text_are_found(tmp_path: Path) -> None:
    """Not UTF-8 names the line; a broken or cut gzip file says so; a small file that unpacks to much is stopped."""
    path = tmp_path / "x.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n".encode() + b"A\xff")
    assert problems(path) == [("not_utf8", 3, "line")]
    zipped = tmp_path / "x.csv.gz"
    for data in (b"plain", gzip.compress(b"x" * 1000)[:-9]):
        zipped.write_bytes(data)
        assert problems(zipped) == [("not_gzip", 1, "line")]
    zipped.write_bytes(gzip.compress(b"0" * 10**6))
    assert problems(zipped, BarSettings(Decimal(1), bytes_max=10**5)) == [("file_too_long", 1, "line")]


def test_adjusted_prices_need_the_column(write: Callable[..., Path]) -> None:
    """Asking for adjusted prices without the column is a problem; raw prices may be asked for with it."""
    adjusted = BarSettings(Decimal("0.01"), PriceMode.ADJUSTED)
    assert problems(write(HEADER, GOOD), adjusted) == [("missing_column", 1, "adj_close")]
    path = write(HEADER + ",Adj Close", GOOD + ",5.5")
    assert read_bars(path, adjusted).steps[0].bars == (Bar("A", "2024-01-02", 500, 600, 450, 550, 100),)
    assert read_bars(path, CENT).price_mode is PriceMode.ADJUSTED
    raw = read_bars(path, BarSettings(Decimal("0.01"), PriceMode.RAW))
    assert raw.steps[0].bars == (Bar("A", "2024-01-02", 1000, 1200, 900, 1100, 100),)
    tiny = write(HEADER + ",adj_close", GOOD + ",0.001")
    assert {code for code, _, _ in problems(tiny)} == {"below_tick"}


NUMBERS = st.decimals("0.01", "100000", places=4)


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["0.0001", "0.01", "0.25", "1"]))
def test_adjusting_is_exact_and_rounds_half_to_even(
    value: Decimal, adjusted: Decimal, close: Decimal, tick: str
) -> None:
    """The ticks are those of exact fractions, rounded as Python rounds fractions: half to even."""
    expected = round(Fraction(value) * Fraction(adjusted) / Fraction(close) / Fraction(tick))
    if expected:
        assert adjusted_ticks(value, (adjusted, close), Decimal(tick)) == expected
    else:
        with pytest.raises(Flaw):
            adjusted_ticks(value, (adjusted, close), Decimal(tick))


@pytest.mark.parametrize(("value", "ticks"), [("0.5", None), ("1.5", 2), ("2.5", 2), ("3.5", 4), ("2.5001", 3)])
def test_a_tie_goes_to_the_even_tick(value: str, ticks: int | None) -> None:
    """Exactly half a tick rounds to the even neighbour; below one tick that is none, and refused."""
    one = (Decimal(1), Decimal(1))
    if ticks is None:
        with pytest.raises(Flaw):
            adjusted_ticks(Decimal(value), one, Decimal(1))
    else:
        assert adjusted_ticks(Decimal(value), one, Decimal(1)) == ticks


@pytest.mark.parametrize("tick", ["0", "-1", "NaN", "Infinity"])
def test_a_tick_is_a_positive_number(tick: str) -> None:
    """Settings that mean nothing are refused."""
    with pytest.raises(ValueError, match=r"^tick: expected"):
        BarSettings(Decimal(tick))


@pytest.mark.parametrize("change", [{"low_ticks": 0}, {"open_ticks": 121}, {"close_ticks": 89}, {"volume_lots": -1}])
def test_a_bar_is_sane_from_its_construction(change: dict[str, int]) -> None:
    """A bar that breaks its law is never built."""
    good = {"open_ticks": 100, "high_ticks": 120, "low_ticks": 90, "close_ticks": 110, "volume_lots": 5}
    Bar("A", "2024-01-02", **good)
    with pytest.raises(ValueError, match="correct the bar"):
        Bar("A", "2024-01-02", **(good | change))


def test_the_real_file_is_read_as_its_readme_says() -> None:
    """Hash, rows a symbol, first and last day, default mode."""
    bars = read_bars(REAL, BarSettings(Decimal("0.0001")))
    counts: dict[str, int] = {}
    for step in bars.steps:
        for item in step.bars:
            counts[item.symbol] = counts.get(item.symbol, 0) + 1
    assert counts == {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}
    assert (bars.rows, len(bars.steps), bars.price_mode) == (12154, 3270, PriceMode.ADJUSTED)
    assert (bars.steps[0].ts, bars.steps[-1].ts) == ("2000-03-01", "2013-03-01")
    readme = REAL.with_name("README.md").read_text()
    assert bars.sha256 in readme
    assert all(f"| {symbol} | {count} |" in readme for symbol, count in counts.items())


def test_the_real_file_keeps_its_prices_and_hides_its_splits() -> None:
    """Raw prices are the file's own; a split moves them by a factor in a night and leaves adjusted ones alone."""
    settings = {mode: BarSettings(Decimal("0.0001"), mode) for mode in PriceMode}
    read = {mode: read_bars(REAL, settings[mode]) for mode in PriceMode}
    assert read[PriceMode.RAW].steps[0].by_symbol()["AAPL"].open_ticks == 1185600
    closes = {
        mode: {step.ts: step.by_symbol()["AAPL"].close_ticks for step in bars.steps} for mode, bars in read.items()
    }
    ratio = {mode: Fraction(days["2005-02-28"], days["2005-02-25"]) for mode, days in closes.items()}
    assert ratio[PriceMode.RAW] < Fraction(6, 10)
    assert abs(ratio[PriceMode.ADJUSTED] - 1) < Fraction(1, 10)
    with pytest.raises(MalformedBars) as caught:
        read_bars(REAL, BarSettings(Decimal("0.01"), PriceMode.RAW, problems_max=2000))
    assert (len(caught.value.problems), {p.code for p in caught.value.problems}) == (1422, {"off_tick"})
