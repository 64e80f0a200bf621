"""A strategy is a function of what it has seen: the same views in the same order give the same intents.

It gets no clock, no randomness, no file and no venue; what it wants is an `Intent`, and whether that becomes an order
is for the session and its rails to say.
"""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from types import MappingProxyType
from typing import Final, Protocol, runtime_checkable

from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side, Tif

REFERENCE_CHARS_MAX: Final = 200
_REFERENCE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Intent:
    """What a strategy wants to trade; constructed iff the quantity is positive and a limit is given iff it is one.

    Quantity in lots, limit in ticks.

    Raises:
        ValueError: the law does not hold.
    """

    symbol: str
    side: Side
    qty_lots: int
    kind: Kind = Kind.MARKET
    limit_ticks: int | None = None
    tif: Tif = Tif.DAY

    def __post_init__(self) -> None:
        if self.qty_lots < 1:
            raise ValueError(f"qty_lots: expected at least 1, was {self.qty_lots}; send no intent to trade nothing")
        limit = self.limit_ticks
        if limit is not None if self.kind is Kind.MARKET else limit is None or limit < 1:
            raise ValueError(
                f"limit_ticks: expected a positive number for a limit order and none for a market order, "
                f"was {self.limit_ticks} for {self.kind}; correct the intent"
            )


@dataclass(frozen=True, slots=True)
class View:
    """What a strategy may know at the end of a step; its mappings are read-only copies.

    `step` counts from 1. `positions_lots` is signed; `working_lots` is the signed open quantity of orders that may
    still trade; both lack symbols without any. `winding_down` asks to become flat and stay so.
    """

    step: int
    ts: str
    bars: Mapping[str, Bar]
    positions_lots: Mapping[str, int]
    working_lots: Mapping[str, int]
    cash_ticks: int
    winding_down: bool = False

    def __post_init__(self) -> None:
        for name in ("bars", "positions_lots", "working_lots"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@runtime_checkable
class Strategy(Protocol):
    """Whoever decides; may keep state, as long as it is a function of the views so far."""

    def decide(self, view: View) -> Sequence[Intent]:
        """What to trade after this view, in order; nothing is an empty sequence."""
        ...


class StrategyError(Exception):
    """The strategy cannot be had: `reference` names it, `reason` says why, `remedy` what to do."""

    def __init__(self, reference: str, reason: str, remedy: str) -> None:
        super().__init__(reference, reason, remedy)
        self.reference = reference
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"strategy {self.reference!r}: {self.reason}; {self.remedy}"


def load(reference: str, params: Mapping[str, object]) -> Strategy:
    """The strategy that the factory `module:factory` makes of the parameters; runs that module's code.

    Raises:
        StrategyError: with the cause chained, whatever goes wrong in the module or the factory.
    """
    if len(reference) > REFERENCE_CHARS_MAX or not _REFERENCE.fullmatch(reference):
        raise StrategyError(
            reference[:REFERENCE_CHARS_MAX], "expected module:factory", "write e.g. my_desk.momentum:build"
        )
    module_name, factory_name = reference.split(":")
    try:
        factory = getattr(importlib.import_module(module_name), factory_name, None)
    except Exception as error:
        reason = f"module {module_name} cannot be imported: {type(error).__name__}: {error}"
        raise StrategyError(reference, reason, "install it or correct the name") from error
    if not callable(factory):
        found = "no such name" if factory is None else type(factory).__name__
        raise StrategyError(reference, f"expected a callable {factory_name} in {module_name}, was {found}", "add it")
    _fits(reference, factory, params)
    try:
        made = factory(**params)
    except Exception as error:
        reason = f"the factory refused: {type(error).__name__}: {error}"
        raise StrategyError(reference, reason, "correct the parameters") from error
    if not isinstance(made, Strategy):
        reason = f"expected something with decide(view), was {type(made).__name__}"
        raise StrategyError(reference, reason, "let the factory return a strategy")
    return made


def _fits(reference: str, factory: Callable[..., object], params: Mapping[str, object]) -> None:
    """Refuse parameters that the factory does not take, before any of its code runs."""
    try:
        takes = signature(factory)
    except ValueError:
        return  # a factory written in C may not tell; calling it will
    try:
        takes.bind(**params)
    except TypeError as error:
        raise StrategyError(reference, f"parameters do not fit: {error}", f"its parameters are {takes}") from error
