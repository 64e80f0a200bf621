"""The register of rails: for each limit and each tripwire the hazard against which it stands, its place and its source.

A limit acts before an order leaves and denies it; a tripwire acts after the reports of a step, by its severity. Hazards
are those of the threat model, places those of the specifications: a property's id, or a transition of the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from peak_trade.rails.limits import Rail
from peak_trade.rails.tripwires import SEVERITIES, Tripwire

Unit: TypeAlias = Literal["lots", "ticks", "orders", "messages", "steps", "permille", ""]


@dataclass(frozen=True, slots=True)
class Entry:
    """One rail: the names of its limits in the configuration, empty if it has none, hazard, place and source."""

    limits: tuple[str, ...]
    hazard: str
    place: str
    source: str


CAPITAL: Final = "SEC 15c3-5(c)(1)(i)"
ERRONEOUS: Final = "SEC 15c3-5(c)(1)(ii)"
LATE: Final = "RTS 6 Art. 17"
DOUBT: Final = "catalyst issues 315 and 317"
BLIND: Final = "Forven pull request 92; Helios-x issue 23"
_R: Final = ("rate_orders_max", "rate_window_steps")
_M: Final = ("rate_messages_max", "rate_window_steps")
_X: Final = ("repeat_orders_max", "repeat_window_steps")

BEFORE: Final[Mapping[Rail, Entry]] = MappingProxyType(
    {
        Rail.TRADING_HALTED: Entry((), "H-rail-bypassed", "SES-44", "RTS 6 Art. 15(3)"),
        Rail.ONLY_REDUCING: Entry((), "H-rail-bypassed", "S33", "RTS 6 Art. 15(5)"),
        Rail.ORDER_QUANTITY: Entry(("order_lots_max",), "H-limit-breached", "SYS-15", "RTS 6 Art. 15(1)(c)"),
        Rail.NO_PRICE: Entry((), "H-limit-breached", "S33", ERRONEOUS),
        Rail.STALE_PRICE: Entry(("price_age_steps_max",), "H-limit-breached", "S33", ERRONEOUS),
        Rail.PRICE_COLLAR: Entry(("collar_permille_max",), "H-limit-breached", "S33", "RTS 6 Art. 15(1)(a)"),
        Rail.ORDER_NOTIONAL: Entry(("order_notional_ticks_max",), "H-limit-breached", "S33", "RTS 6 Art. 15(1)(b)"),
        Rail.OPEN_ORDERS: Entry(("open_orders_max",), "H-limit-breached", "SYS-16", "RTS 6 Art. 15(2)"),
        Rail.STEP_ORDERS: Entry(("step_orders_max",), "H-limit-breached", "S33", "RTS 6 Art. 15(1)(d)"),
        Rail.ORDER_RATE: Entry(_R, "H-limit-breached", "S33", "RTS 6 Art. 15(1)(d)"),
        Rail.REPEATED_EXECUTION: Entry(_X, "H-retry-storm", "S38", "RTS 6 Art. 15(3)"),
        Rail.DUPLICATE_ORDER: Entry(("duplicate_window_steps",), "H-duplicate-order", "S33", ERRONEOUS),
        Rail.SHORT: Entry(("short_allowed",), "H-limit-breached", "S33", CAPITAL),
        Rail.POSITION: Entry(("position_lots_max",), "H-limit-breached", "S33", CAPITAL),
        Rail.GROSS_EXPOSURE: Entry(("gross_notional_ticks_max",), "H-limit-breached", "S33", CAPITAL),
        Rail.CASH: Entry((), "H-negative-balance", "SYS-13", CAPITAL),
        Rail.DAILY_LOSS: Entry(("day_loss_ticks_max",), "H-limit-breached", "S33", "RTS 6 Art. 15(5)"),
        Rail.SELF_CROSS: Entry(
            ("self_cross_allowed",), "H-limit-breached", "S33", "RTS 6 Art. 13, market manipulation"
        ),
    }
)
"""The limits before an order leaves."""

AFTER: Final[Mapping[Tripwire, Entry]] = MappingProxyType(
    {
        Tripwire.CASH_NEGATIVE: Entry((), "H-negative-balance", "SYS-13", CAPITAL),
        Tripwire.POSITION_BEYOND_LIMIT: Entry(("position_lots_max",), "H-limit-breached", "S41", CAPITAL),
        Tripwire.LOSS_BEYOND_LIMIT: Entry(("day_loss_ticks_max",), "H-limit-breached", "S41", "RTS 6 Art. 15(5)"),
        Tripwire.FILLS_DIFFER_FROM_POSITION: Entry((), "H-position-drift", "SYS-3", LATE),
        Tripwire.SHORT_POSITION: Entry(("short_allowed",), "H-limit-breached", "S42", CAPITAL),
        Tripwire.BOOK_DIFFERS_FROM_VENUE: Entry((), "H-position-drift", "SYS-4", LATE),
        Tripwire.REPORT_REFUSED: Entry((), "H-phantom-fill", "SYS-17", LATE),
        Tripwire.OVERFILLED: Entry((), "H-overfill", "SYS-17", LATE),
        Tripwire.COUNTS_DIFFER: Entry((), "H-order-abandoned", "SYS-11", "Nautilus issue 3879"),
        Tripwire.OUTCOME_UNRESOLVED: Entry((), "H-blind-resend", "SYS-19", DOUBT),
        Tripwire.VALUE_OUTSIDE_INVARIANT: Entry((), "H-tripwire-ignored", "SES-10", "decision 0007"),
        Tripwire.TRACE_NOT_ALLOWED: Entry((), "H-tripwire-ignored", "SES-10", "RTS 6 Art. 16"),
        Tripwire.PRICE_MISSING: Entry((), "H-tripwire-ignored", "S38", BLIND),
        Tripwire.REPEATED_EXECUTION: Entry(_X, "H-retry-storm", "S38", "RTS 6 Art. 15(3)"),
        Tripwire.MESSAGE_RATE: Entry(_M, "H-retry-storm", "S38", "RTS 6 Art. 15(1)(d)"),
        Tripwire.REJECTS_IN_ROW: Entry(("reject_row_orders_max",), "H-retry-storm", "S38", "RTS 6 Art. 15(3)"),
        Tripwire.UNKNOWNS_IN_ROW: Entry(("unknown_row_orders_max",), "H-blind-resend", "S38", DOUBT),
        Tripwire.LOSS_BEYOND_SOFT_LIMIT: Entry(
            ("day_loss_soft_permille", "day_loss_ticks_max"), "H-limit-breached", "S37", "RTS 6 Art. 15(5)"
        ),
        Tripwire.PRICE_STALE: Entry(("price_age_steps_max",), "H-tripwire-ignored", "S37", BLIND),
    }
)
"""The tripwires after the reports of a step."""

assert tuple(BEFORE) == tuple(Rail)
assert tuple(AFTER) == tuple(Tripwire)


def unit(limit: str) -> Unit:
    """Return the unit that the name of a limit says; empty iff it is a permission."""
    words = set(limit.split("_"))
    units: tuple[Unit, ...] = ("messages", "permille", "steps", "ticks", "lots", "orders")
    return next((name for name in units if name in words), "")


def kind(rail: Rail | Tripwire) -> str:
    """Return when a rail acts and what it does: `before, denied`, or `after` and its severity."""
    return f"after, {SEVERITIES[rail]}" if isinstance(rail, Tripwire) else "before, denied"
