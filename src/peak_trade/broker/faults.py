"""A fault plan: which order meets which fault. Data, so that it can be printed, kept and replayed."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ORDERS_MAX = 10_000_000


class FaultKind(StrEnum):
    """What happens to the n-th order that the venue sees."""

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    REJECT = "reject"
    DUPLICATE_REPORT = "duplicate_report"
    LATE_REPORT = "late_report"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """`kind` happens to the order with this ordinal, from 1, among the distinct ids that the venue sees."""

    order: int
    kind: FaultKind

    def __post_init__(self) -> None:
        if not 1 <= self.order <= ORDERS_MAX:
            raise ValueError(f"expected an ordinal from 1 to {ORDERS_MAX}, was {self.order}; correct the fault plan")


def seeded(seed: int, orders: int, rate_permille: int) -> tuple[Fault, ...]:
    """Return a plan in which each of the first `orders` orders meets a fault at this rate; seeded."""
    kinds, plan = tuple(FaultKind), []
    if not rate_permille:
        return ()
    for number in range(1, orders + 1):
        drawn = int.from_bytes(hashlib.blake2b(f"{seed}|fault|{number}".encode(), digest_size=8).digest())
        if drawn % 1000 < rate_permille:
            plan.append(Fault(number, kinds[drawn // 1000 % len(kinds)]))
    return tuple(plan)


def by_order(plan: Iterable[Fault]) -> dict[int, FaultKind]:
    """Return the plan's fault for each order.

    Raises:
        ValueError: an order has two; one would silently win.
    """
    found: dict[int, FaultKind] = {}
    for fault in plan:
        if fault.order in found:
            kinds = f"{found[fault.order]} and {fault.kind}"
            raise ValueError(f"expected one fault for order {fault.order}, was {kinds}; remove one")
        found[fault.order] = fault.kind
    return found


def dump(plan: Iterable[Fault]) -> str:
    """Return the plan as JSON text."""
    return json.dumps([{"kind": fault.kind.value, "order": fault.order} for fault in sorted(plan)], sort_keys=True)


def load(text: str) -> tuple[Fault, ...]:
    """Return the plan that a JSON text gives.

    Raises:
        ValueError: it is no list of objects with exactly `kind` and `order`; the message says which one and why.
    """
    data = json.loads(text)
    if not isinstance(data, list):
        raise ValueError(f"expected a list of faults, was {type(data).__name__}; write [{{kind, order}}, …]")  # noqa: TRY004 - bad input, not a bad call
    return tuple(_fault(number, item) for number, item in enumerate(data, 1))


def _fault(number: int, item: object) -> Fault:
    if not isinstance(item, dict) or set(item) != {"kind", "order"} or type(item["order"]) is not int:
        raise ValueError(f"fault {number}: expected {{kind, order}} with a whole number, was {item!r:.80}")
    if item["kind"] not in set(FaultKind):
        raise ValueError(f"fault {number}: expected one of {', '.join(FaultKind)}, was {item['kind']!r:.40}")
    return Fault(item["order"], FaultKind(item["kind"]))
