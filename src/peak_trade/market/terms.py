"""The words of an order, one meaning each, shared by strategies and the venue.

The values are the words in files and messages; integers carry prices (ticks) and quantities (lots).
"""

from enum import StrEnum


class Side(StrEnum):
    """Which way an order trades (FIX tag 54)."""

    BUY = "buy"
    SELL = "sell"


class Kind(StrEnum):
    """How an order is priced (FIX tag 40)."""

    MARKET = "market"
    LIMIT = "limit"


class Tif(StrEnum):
    """How long an order lives (FIX tag 59, time in force)."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
