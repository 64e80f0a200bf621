"""A cell's text becomes a value exactly, or a `Flaw` that says what was expected; no float on the way.

Prices: `digits[.digits]`, parsed as Decimal and turned into ticks by whole-number division, rounded half-even.
Limits: `INTEGER_DIGITS_MAX` before and `FRACTION_DIGITS_MAX` after the point; times down to one microsecond.
"""

import re
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact

from peak_trade.market.problems import Flaw

INTEGER_DIGITS_MAX = 15
FRACTION_DIGITS_MAX = 20
SYMBOL_CHARS_MAX = 32
SHOWN_CHARS_MAX = 60

_NUMBER = re.compile(rf"[0-9]{{1,{INTEGER_DIGITS_MAX}}}(\.[0-9]{{1,{FRACTION_DIGITS_MAX}}})?")
_NEGATIVE = re.compile(r"-[0-9.]+")
_WHOLE = re.compile(r"([0-9]{1,15})(\.0+)?")
_SYMBOL = re.compile(rf"[!-~]{{1,{SYMBOL_CHARS_MAX}}}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?")
# Products of two cells and a tick have at most 105 digits: with Inexact trapped, arithmetic is exact or it raises.
_EXACT = Context(prec=150, traps=[Inexact])


def shown(text: str) -> str:
    """The text quoted for a person, control characters escaped, cut at `SHOWN_CHARS_MAX`."""
    return repr(text if len(text) <= SHOWN_CHARS_MAX else text[:SHOWN_CHARS_MAX] + "...")


def price(text: str) -> Decimal:
    """The decimal that the text denotes, iff it is a positive plain decimal number."""
    if not _NUMBER.fullmatch(text):
        raise _not_a_number(text, "a positive decimal number such as 118.56")
    value = Decimal(text)
    if not value:
        raise Flaw("zero", "a price above 0", "remove the row or correct the price")
    return value


def volume(text: str) -> int:
    """The lots that the text denotes, iff it is a whole number that is not negative."""
    match = _WHOLE.fullmatch(text)
    if match:
        return int(match[1])
    if _NUMBER.fullmatch(text):
        raise Flaw("fractional", "a whole number of lots", "choose a smaller lot, so that volumes are whole")
    raise _not_a_number(text, "a whole number of lots such as 9616100")


def symbol(text: str) -> str:
    """The symbol, iff it is printable ASCII without spaces, 1 to `SYMBOL_CHARS_MAX` characters."""
    if not _SYMBOL.fullmatch(text):
        raise Flaw("symbol", f"1 to {SYMBOL_CHARS_MAX} printable ASCII characters", "correct the symbol")
    return text


def timestamp(text: str) -> str:
    """The date as it is, or the time in UTC with six decimals; a time without a zone is UTC.

    Strings of one form sort as the times they name.
    """
    try:
        if _DATE.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
        if _TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        pass  # the shape is right but there is no such day or hour: the same answer as for a wrong shape
    raise Flaw("timestamp", "a date YYYY-MM-DD or a time YYYY-MM-DDTHH:MM[:SS[.ffffff]][Z|+HH:MM]", "correct it")


def exact_ticks(value: Decimal, tick: Decimal) -> int:
    """The value in ticks, iff it is a whole multiple of the tick."""
    ticks, rest = _EXACT.divmod(value, tick)
    if rest:
        raise Flaw(
            "off_tick", f"a multiple of the tick {tick}", "choose a tick that divides every price, or adjusted prices"
        )
    return int(ticks)


def adjusted_ticks(value: Decimal, factor: tuple[Decimal, Decimal], tick: Decimal) -> int:
    """Price x adj_close / close in ticks, rounded half-even; monotone in price, so low <= open <= high survives.

    `factor` is (adj_close, close). The quotient is never formed: numerator and denominator are exact.
    """
    adjusted, close = factor
    numerator, denominator = _EXACT.multiply(value, adjusted), _EXACT.multiply(close, tick)
    quotient, rest = _EXACT.divmod(numerator, denominator)
    ticks, twice = int(quotient), _EXACT.multiply(rest, Decimal(2))
    if twice > denominator or (twice == denominator and ticks % 2):
        ticks += 1
    if not ticks:
        raise Flaw("below_tick", f"an adjusted price of at least half a tick ({tick})", "choose a smaller tick")
    return ticks


def _not_a_number(text: str, expected: str) -> Flaw:
    if _NEGATIVE.fullmatch(text):
        return Flaw("negative", expected, "remove the row or correct the sign")
    if not text:
        return Flaw("empty", expected, "fill the cell or remove the row")
    return Flaw("not_a_number", expected, "write plain digits with a point, no exponent, separator or NaN")
