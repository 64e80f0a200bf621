"""The rows of the failure matrix: read strictly from `rows.yaml`, each a world and what has to be seen in it."""

import errno
from decimal import Decimal
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from peak_trade.fuzz.traders import Line, Scripted
from peak_trade.fuzz.world import Deed, World
from peak_trade.lang.read import read
from peak_trade.lang.source import Findings, Source
from peak_trade.market.bars import Bar, Bars, PriceMode, Step
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Side, Tif
from peak_trade.session.config import Config

STEPS: Final = 14
VOLUME_LOTS: Final = 100
USUAL: Final = (
    Line(2, Side.BUY, 40),
    Line(4, Side.BUY, 30, -60, Tif.GTC),
    Line(6, Side.SELL, 20, -20),
    Line(8, Side.BUY, 25),
)
"""The usual script: buy at once, bid so far below that it rests until it is canceled, sell a part, buy again."""
CONFIG: Final[dict[str, Any]] = {
    "cash_ticks": 10**9,
    "wind_down_steps": 2,
    "reconcile_steps": 2,
    "patience_steps": 2,
    "venue": {"participation_permille_min": 1000, "participation_permille_max": 1000},
}


class Part(BaseModel):
    """Unknown keys are mistakes; values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LinePart(Part):
    """One order of a script."""

    step: int
    side: Side = Side.BUY
    lots: int = 0
    off_permille: int | None = None
    tif: Tif = Tif.DAY
    symbol: str = ""
    raises: str = ""


class DeedPart(Part):
    """One thing that somebody does."""

    step: int
    what: str
    order: int = 0
    lots: int = 0
    facts: dict[str, bool | int | str] = Field(default_factory=dict)


class FailPart(Part):
    """The error of the disk, and at which operation of the journal."""

    error: Literal["ENOSPC", "EIO"]
    at: int


class Row(Part):
    """One failure mode; see the head of `rows.yaml`."""

    id: Annotated[str, Field(pattern=r"^FM-\d\d$")]
    mode: str
    incident: str
    answers: list[str]
    claims: list[str]
    config: dict[str, Any] = Field(default_factory=dict)
    closes: list[int] = Field(default_factory=list)
    steps: int = STEPS
    orders: list[LinePart] = Field(default_factory=list)
    faults: list[dict[str, int | str]] = Field(default_factory=list)
    deeds: list[DeedPart] = Field(default_factory=list)
    crashes: list[int] = Field(default_factory=list)
    fails: FailPart | None = None
    before: str = ""
    between: str = ""
    test_override: bool = False
    end: Literal["STOPPED", "PREFLIGHT_FAILED", "ERROR_REQUIRES_OPERATOR"] = "STOPPED"
    sees: list[str]
    takes: list[str] = Field(default_factory=list)
    after_death: list[str] = Field(default_factory=list)

    def world(self, seed: int) -> World:
        """Return the row's world of this seed, which draws the bars and all that the venue draws."""
        lines = tuple(Line(**dict(item)) for item in self.orders) or USUAL
        config = Config.model_validate({**CONFIG, **self.config, "seed": seed, "faults": self.faults})
        deeds = tuple(
            Deed(item.step, item.what, item.order, item.lots, tuple(sorted(item.facts.items()))) for item in self.deeds
        )
        return World(
            config=config,
            bars=falling(self.closes) if self.closes else walk(seed, 1, self.steps, VOLUME_LOTS),
            make=partial(Scripted, lines),
            deeds=deeds,
            crashes=tuple(self.crashes),
            test_override=self.test_override,
            before=self.before,
            between=self.between,
            fails=getattr(errno, self.fails.error) if self.fails else 0,
            fails_at=self.fails.at if self.fails else 0,
        )


def usual(seed: int) -> World:
    """Return the world in which nothing is out of the usual."""
    config = Config.model_validate({**CONFIG, "seed": seed})
    return World(config, walk(seed, 1, STEPS, VOLUME_LOTS), partial(Scripted, USUAL))


def falling(closes: list[int]) -> Bars:
    """Return bars of one symbol within one day, with these closes; each opens where the last one closed."""
    steps, last = [], closes[0]
    for number, close in enumerate(closes):
        ts = f"2024-01-02T{number // 60:02d}:{number % 60:02d}:00Z"
        low, high = min(last, close), max(last, close)
        steps.append(Step(ts, (Bar("SYN000", ts, last, high, low, close, VOLUME_LOTS),)))
        last = close
    digest = sha256(repr(closes).encode()).hexdigest()
    return Bars("closes", digest, Decimal("0.0001"), PriceMode.RAW, ("SYN000",), tuple(steps), len(steps))


@cache
def rows() -> tuple[Row, ...]:
    """Return the rows as they are declared, in their order.

    Raises:
        ValueError: the file is not one of rows; it says where.
    """
    text = files("peak_trade.fuzz").joinpath("rows.yaml").read_text(encoding="utf-8")
    findings = Findings(Source("rows.yaml", text))
    found = read(findings)
    if found is None:
        raise ValueError("\n".join(map(str, findings.sorted())))
    return tuple(Row.model_validate(item) for item in found[0]["rows"])
