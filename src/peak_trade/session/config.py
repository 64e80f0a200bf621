"""The configuration of a session: typed, bounded, with units in the names. NO-LIVE is the default."""

import hashlib
import json
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from peak_trade.broker.bounds import Bounds
from peak_trade.broker.faults import HEALING, Fault, FaultKind
from peak_trade.broker.script import built
from peak_trade.lang.read import Marks, read
from peak_trade.lang.source import Diagnostic, Findings, Source, Span, suggestion
from peak_trade.rails.limits import Limits

Count = Annotated[int, Field(ge=0, le=10**12)]
Lots = Annotated[int, Field(ge=0, le=10**7)]
Permille = Annotated[int, Field(ge=0, le=1_000)]
Duration = Annotated[int, Field(ge=1, le=86_400_000)]
SomeTicks = Annotated[int, Field(ge=1, le=10**12)]
SomeLots = Annotated[int, Field(ge=1, le=10**7)]
SomeOrders = Annotated[int, Field(ge=1, le=100_000)]
SomeSteps = Annotated[int, Field(ge=1, le=100_000)]
Steps = Annotated[int, Field(ge=0, le=100_000)]


CROSSOVER: Final = "peak_trade.market.crossover:crossover"
CROSSOVER_PARAMS: Final[dict[str, bool | int | str]] = {"fast_bars": 10, "slow_bars": 30, "budget_ticks": 1_800_000_000}


class Part(BaseModel):
    """Unknown keys are mistakes; values are of their exact type and never change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LimitsPart(Part):
    """The limits on what leaves and on what came of it; prices in ticks, quantities in lots, money in ticks × lots.

    A maximum may be reached, not passed; one of 0 is refused where it would let nothing leave at all, and means "none"
    where that makes sense. Off are only: a window of 0 steps, and what is allowed by name. Windows count the current
    step. What the session machine could not take (more than 100,000 orders in a step) is refused too.
    """

    order_lots_max: SomeLots = Field(default=200_000, description="one order's quantity")
    order_notional_ticks_max: SomeTicks = Field(default=5_000_000_000, description="one order's quantity at its limit")
    position_lots_max: Lots = Field(default=400_000, description="a symbol's position, long or short; 0: no new one")
    gross_notional_ticks_max: Count = Field(
        default=50_000_000_000, description="all positions and what is on its way, at the last prices; 0: no new one"
    )
    open_orders_max: SomeOrders = Field(default=1_000, description="orders at work at one time")
    step_orders_max: SomeOrders = Field(default=1_000, description="orders that leave in one step")
    rate_orders_max: SomeOrders = Field(default=5_000, description="orders that leave within the rates' window")
    rate_messages_max: SomeTicks = Field(
        default=20_000, description="orders, repeats of them and requests to cancel or replace within the rates' window"
    )
    rate_window_steps: SomeSteps = Field(default=10, description="the rates' window; never off")
    repeat_orders_max: SomeOrders = Field(
        default=100, description="orders of one symbol within the window, until an operator resumes trading"
    )
    repeat_window_steps: Steps = Field(default=20, description="the repeats' window; 0: off")
    duplicate_window_steps: Steps = Field(
        default=1, description="no second order of the same symbol, side, quantity and limit; 1: in a step; 0: off"
    )
    collar_permille_max: Permille = Field(
        default=100, description="a limit's distance from the last price; 0: only at the last price"
    )
    price_age_steps_max: Steps = Field(default=5, description="the last price's age; 0: only one of this step will do")
    day_loss_ticks_max: Count = Field(
        default=2_000_000_000, description="loss of the day, which stops; 0: any loss does"
    )
    day_loss_soft_permille: Permille = Field(
        default=500, description="its part at which only orders that reduce may leave; 0: at any loss; 1000: never"
    )
    reject_row_orders_max: SomeOrders = Field(default=10, description="orders that the venue refused in a row")
    unknown_row_orders_max: SomeOrders = Field(default=10, description="orders whose answer was lost in a row")
    short_allowed: bool = Field(default=False, description="whether a position may be negative")
    self_cross_allowed: bool = Field(default=False, description="whether an order may meet one of our own")

    def limits(self) -> Limits:
        """Return the limits as the rails take them."""
        return Limits(**self.model_dump())


class AdapterPart(Part):
    """How the adapter retries, waits and holds back, in session time; `attempts_max` stands beside it."""

    duration_ms_max: Duration = 10_000
    backoff_ms_min: Duration = 100
    backoff_ms_max: Duration = 2_000
    timeout_ms: Duration = 1_000
    step_ms: Duration = 60_000
    calls_per_second_max: Annotated[int, Field(ge=1, le=10_000)] = 100
    failures_max: Annotated[int, Field(ge=1, le=1_000)] = 5
    cooldown_steps: Annotated[int, Field(ge=1, le=1_000)] = 1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.backoff_ms_min > self.backoff_ms_max:
            raise ValueError("backoff_ms_min must not exceed backoff_ms_max")
        return self

    def bounds(self, attempts_max: int) -> Bounds:
        """Return the limits as the adapter takes them."""
        return Bounds(attempts_max=attempts_max, **self.model_dump())


class VenuePart(Part):
    """How the mock venue fills: its share of each bar's volume, and its fee on the notional."""

    participation_permille_min: Permille = 0
    participation_permille_max: Permille = 2
    fee_permille: Permille = 1
    slippage_ticks: Count = 0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.participation_permille_min > self.participation_permille_max:
            raise ValueError("participation_permille_min must not exceed participation_permille_max")
        return self


class MarketPart(Part):
    """How the file of bars is read."""

    tick: str = Field(default="0.0001", pattern=r"^[0-9]{1,6}(\.[0-9]{1,8})?$")
    prices: Literal["auto", "raw", "adjusted"] = "auto"


class StrategyPart(Part):
    """The strategy: `module:factory` of one's own or the shipped one, and the factory's parameters."""

    factory: str = Field(default=CROSSOVER, max_length=200)
    params: dict[str, bool | int | str] = Field(default_factory=lambda: dict(CROSSOVER_PARAMS), max_length=64)


class Config(Part):
    """All that decides what a session does, besides the bars and the specification."""

    enable_live_broker: bool = False
    broker_allowlist: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]] = Field(
        default=["MOCK-VENUE"], max_length=64
    )
    adapter: str = Field(default="mock", pattern=r"^[a-z0-9_-]{1,32}$")
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 7
    cash_ticks: Count = 10_000_000_000
    wind_down_steps: Annotated[int, Field(ge=0, le=1_000)] = 20
    attempts_max: Annotated[int, Field(ge=1, le=10)] = 4
    reconcile_steps: Annotated[int, Field(ge=1, le=100_000, description="steps from one comparison to the next")] = 250
    patience_steps: Annotated[
        int, Field(ge=0, le=10_000, description="how long what a late report may explain is not the operator's")
    ] = 5
    monitor: Annotated[bool, Field(description="hold what is written to the specifications while it is written")] = True
    adapter_limits: AdapterPart = AdapterPart()
    limits: LimitsPart = LimitsPart()
    venue: VenuePart = VenuePart()
    market: MarketPart = MarketPart()
    strategy: StrategyPart = StrategyPart()
    fault_permille: Permille = 0
    fault_orders: Annotated[int, Field(ge=0, le=1_000_000)] = 10_000
    fault_kinds: list[Annotated[FaultKind, Field(strict=False)]] = Field(default=list(HEALING), max_length=64)
    faults: list[dict[str, int | str]] = Field(default=[], max_length=100_000)

    @field_validator("faults")
    @classmethod
    def _planned(cls, faults: list[dict[str, int | str]]) -> list[dict[str, int | str]]:
        built(faults)
        return faults

    def plan(self) -> tuple[Fault, ...]:
        """Return the explicit fault plan; what is drawn from the seed comes on top of it."""
        return built(self.faults)

    def snapshot(self) -> dict[str, Any]:
        """Return the whole configuration, defaults included, as plain data."""
        return self.model_dump(mode="json")

    def sha256(self) -> str:
        """Return the SHA-256 of the canonical snapshot, in hex."""
        text = json.dumps(self.snapshot(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def parse_config(source: Source, overrides: dict[str, Any]) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    """Return the configuration that a YAML or JSON text gives, with top-level `overrides`, or what is wrong with it."""
    findings = Findings(source)
    found = read(findings) if source.text.strip() else ({}, None)
    if found is None:
        return None, findings.sorted()
    data, marks = found
    try:
        return Config.model_validate({**data, **overrides} if isinstance(data, dict) else data), ()
    except ValidationError as error:
        for item in error.errors():
            _misfit(findings, marks, item)
        return None, findings.sorted()


def _misfit(findings: Findings, marks: Marks | None, item: Any) -> None:  # noqa: ANN401 - pydantic's own data
    path = tuple(step for step in item["loc"] if step != "[key]")
    unknown = item["type"] == "extra_forbidden"
    place = Span(1, 1) if marks is None else marks.key(path) if unknown else marks.at(path)
    hint = suggestion(str(path[-1]), set(Config.model_fields) if len(path) == 1 else set()) if unknown else ""
    name = ".".join(map(str, path)) or "the configuration"
    message = f"{name}: {item['msg'].lower()}, was {item['input']!r:.80}"
    findings.add("PT010" if unknown else "PT012", place, message, hint)
