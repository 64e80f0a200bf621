"""The mock venue in lock step with the specification: its log is a run of `venue`, and moves `order` to its status."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.venues import Program, order, perform, program

from peak_trade.broker.errors import BrokerError
from peak_trade.broker.faults import KINDS, Fault, FaultKind, Phase
from peak_trade.broker.held import Held, Mark
from peak_trade.broker.matching import Settings
from peak_trade.broker.messages import ReplaceRequest, Report, ReportKind, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.broker.swarm import seeded, swarm
from peak_trade.lang.maps import select
from peak_trade.lang.parse import parse_file
from peak_trade.lang.step import Ignored, Outcome, Refused, Stepper, Taken, Value, initial
from peak_trade.market.terms import Kind, Tif

SPEC = Path(__file__).resolve().parents[2] / "spec"
VENUE, ORDER = (Stepper.of(parse_file(SPEC / f"{name}.yaml").machine) for name in ("venue", "order"))

SAID = {
    ReportKind.TRADE: ("execute", "traded", "fill"),
    ReportKind.TRADE_CANCEL: ("undo", "busted", "bust"),
    ReportKind.TRADE_CORRECT: ("amend_trade", "corrected", "correct"),
    ReportKind.CANCELED: ("withdraw", "cancel_granted", "cancel_accept"),
    ReportKind.EXPIRED: ("lapse", "ran_out", "expire"),
    ReportKind.REJECTED: ("throw_out", "refused", "reject"),
    ReportKind.PENDING_CANCEL: ("look_at_cancel", "cancel_pended", "pend_cancel"),
    ReportKind.CANCEL_REJECTED: ("keep", "cancel_refused", "cancel_reject"),
    ReportKind.PENDING_REPLACE: ("look_at_replace", "replace_pended", "pend_replace"),
    ReportKind.REPLACED: ("amend", "replace_granted", "replaced"),
    ReportKind.REPLACE_REJECTED: ("keep_terms", "replace_refused", "replace_reject"),
    ReportKind.RESTATED: ("renew", "restated", "restate"),
    ReportKind.DONE_FOR_DAY: ("end_day", "day_ended", "finish_day"),
    ReportKind.STOPPED: ("promise", "guaranteed", "guarantee"),
    ReportKind.SUSPENDED: ("hold_back", "halted", "suspend"),
    ReportKind.RESUMED: ("let_go", "resumed", "resume"),
}
"""For each kind of report the venue machine's event, what its log then says, and the order machine's event."""

STANDINGS = {
    Mark.PLAIN: "working",
    Mark.STOP_GIVEN: "promised",
    Mark.HALTED: "held_back",
    Mark.RESTING: "resting",
    Mark.FINISHED: "finished",
}
ENDS = {Status.CANCELED: "withdrawn", Status.EXPIRED: "lapsed", Status.REJECTED: "turned_away"}
PENDING = {"pending_cancel", "pending_replace"}
WORKED = {"working", "promised", "held_back", "resting"}


def payload(stepper: Stepper, event: str, report: Report, held: Held) -> dict[str, Any]:
    """What the event takes of the report."""
    facts = {
        "order_qty": report.order_lots,
        "cum_qty": report.cum_lots,
        "last_qty": report.last_lots,
        "rests": held.request.tif is Tif.GTC,
    }
    return {item.name: facts[item.name] for item in stepper.machine.event(event).payload}


class Twin:
    """One order at the mock, and both machines beside it."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.venue, self.order = initial(VENUE.machine), initial(ORDER.machine)
        refused = held.closed is Status.REJECTED
        qty = {"order_qty": held.request.qty_lots}
        self.venue = self.take(VENUE, self.venue, "turn_away" if refused else "receive", {} if refused else qty)
        self.order = self.take(ORDER, self.order, "submit", qty)
        self.order = self.take(ORDER, self.order, "reject" if refused else "accept", {})

    def take(self, stepper: Stepper, value: Value, event: str, facts: dict[str, Any]) -> Value:
        """Offer an event that must be taken."""
        outcome, after = stepper.step(value, event, facts)
        assert isinstance(outcome, Taken), (event, facts, outcome, value)
        return after

    def hear(self, report: Report) -> None:
        """Take a report in both machines: taken by the venue's, taken or ignored by ours; its figures are theirs."""
        event, said, ours = SAID[report.kind]
        self.venue = self.take(VENUE, self.venue, event, payload(VENUE, event, report, self.held))
        assert self.logged("kinds") == said
        assert (self.logged("sizes"), self.logged("cums")) == (report.order_lots, report.cum_lots)
        standing = self.logged("standings")
        left = report.order_lots - report.cum_lots if standing in WORKED else 0
        assert report.leaves_lots == left, (report, standing)
        outcome, self.order = ORDER.step(self.order, ours, payload(ORDER, ours, report, self.held))
        assert isinstance(outcome, Taken | Ignored), (report, outcome, self.order)
        qty, cum, leaves = self.order.context[:3]
        assert (qty, cum, leaves) == (report.order_lots, report.cum_lots, report.leaves_lots)

    def known(self) -> dict[str, Any]:
        """The venue machine's variables."""
        return {item.name: data for item, data in zip(VENUE.machine.variables, self.venue.context, strict=True)}

    def logged(self, name: str) -> Any:
        """The last entry of one of its log's maps."""
        known = self.known()
        return select(known[name], known["head"], VENUE.defaults[name])

    def agree(self, *, restarts: bool) -> None:
        """Standing, OrderQty and CumQty are the machine's; the status is the state of ours.

        A venue that restarts tells nobody what it forgets: ours is pending until it is asked for again.
        """
        known, held = self.known(), self.held
        standing = ENDS[held.closed] if held.closed is not None else STANDINGS[held.mark]
        assert self.logged("standings") == standing
        if held.closed is not Status.REJECTED:
            assert (known["ordered"], known["cum"]) == (held.terms.qty_lots, held.cum_lots)
        forgotten = restarts and not (held.canceling or held.wanted) and self.order.state in PENDING
        assert forgotten or self.order.state == held.told().status


def asked(twins: dict[str, Twin], venue: MockVenue, operation: tuple[str, Any]) -> None:
    """Let our order machine know what we ask for; what the venue refuses at once is taken back."""
    name, fact = operation
    if name not in ("cancel", "replace"):
        perform(venue, operation)
        return
    twin = twins.get(fact if name == "cancel" else fact.client_order_id)
    refused = False
    if twin is not None:
        facts = {} if name == "cancel" else {"order_qty": fact.qty_lots}
        outcome, twin.order = ORDER.step(twin.order, name, facts)
        taken = isinstance(outcome, Taken)
    try:
        venue.cancel_order(fact) if name == "cancel" else venue.replace_order(fact)
    except BrokerError:
        refused = True
    if twin is not None and taken and refused and twin.held.closed is None:
        _, twin.order = ORDER.step(twin.order, f"{name}_reject", {})


def run(path: Path, made: Program, *, restarts: bool) -> set[ReportKind]:
    """Run a program and compare after each operation; return the kinds of reports that were seen."""
    venue = made.venue(path)
    twins: dict[str, Twin] = {}
    read, seen = 0, set[ReportKind]()
    for operation in made.operations:
        asked(twins, venue, operation)
        floor = venue._floor
        for held in floor.held[len(twins) :]:
            twins[held.request.client_order_id] = Twin(held)
        for report in floor.log.reports[read:]:
            twins[report.client_order_id].hear(report)
            seen.add(report.kind)
        read = len(floor.log.reports)
        for twin in twins.values():
            twin.agree(restarts=restarts)
    venue.close()
    return seen


CONFORMING = tuple(kind for kind in FaultKind if kind is not FaultKind.OVERFILL)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([20, 300, 1000]))
def test_every_report_is_a_step_of_the_venue_machine(
    tmp_path_factory: pytest.TempPathFactory, seed: int, share: int
) -> None:
    """Any plan without an overfill: each report is a transition of `venue`, and its figures are the log's entry."""
    kinds = swarm(seed, CONFORMING)
    made = program(seed, 120, Settings(0, share), seeded(seed, 60, 40, 800, kinds))
    run(tmp_path_factory.mktemp("venue") / "venue.jsonl", made, restarts=FaultKind.RESTART in kinds)


def test_every_kind_of_report_is_met(tmp_path: Path) -> None:
    """Over some seeds all kinds occur, but the rejection of an accepted order, which the mock does not make."""
    plan = (Fault(FaultKind.REPLACE_RACE, order=1),)
    far = order("a", kind=Kind.LIMIT, limit_ticks=50, tif=Tif.GTC)
    asks = [("place", far), ("replace", ReplaceRequest("r", "a", 20, 50)), ("cancel", "a")]
    seen = run(tmp_path / "closed", Program(1, Settings(), plan, asks), restarts=False)
    assert seen == {ReportKind.PENDING_REPLACE, ReportKind.REPLACE_REJECTED, ReportKind.CANCELED}
    for seed in range(12):
        made = program(seed, 150, Settings(0, 300), seeded(seed, 100, 60, 900, CONFORMING))
        seen |= run(tmp_path / str(seed), made, restarts=True)
    assert seen == set(ReportKind) - {ReportKind.REJECTED}


def test_an_overfill_is_no_step(tmp_path: Path) -> None:
    """The exception by name: a venue that executes more than was ordered leaves the machine, and it says so."""
    kinds = (FaultKind.OVERFILL,)
    assert KINDS[FaultKind.OVERFILL].phase is Phase.EXECUTING
    refused: list[Outcome] = []
    for seed in range(5):
        venue = program(seed, 60, Settings(0, 1000), seeded(seed, 40, 0, 1000, kinds))
        _, reports = venue.run(tmp_path / str(seed))
        for report in (item for item in reports if item.cum_lots > item.order_lots):
            value = initial(VENUE.machine)
            _, value = VENUE.step(value, "receive", {"order_qty": report.order_lots})
            if report.cum_lots > report.last_lots:
                _, value = VENUE.step(value, "execute", {"last_qty": report.cum_lots - report.last_lots})
            refused.append(VENUE.step(value, "execute", {"last_qty": report.last_lots})[0])
    assert refused
    assert set(refused) == {Refused("overfill")}
