"""Whatever the plan does, the venue's log keeps the arithmetic of FIX, and the truth is the sum of the log."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peak_trade.broker.errors import VenueUnavailable
from peak_trade.broker.faults import KINDS, FaultKind, Phase
from peak_trade.broker.matching import Settings, fee_ticks
from peak_trade.broker.messages import OrderRequest, Report, ReportKind, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.broker.swarm import seeded, swarm
from peak_trade.market.terms import Side, Tif

MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CLOSES = {ReportKind.CANCELED, ReportKind.EXPIRED}
PENDING = {ReportKind.PENDING_CANCEL, ReportKind.PENDING_REPLACE}


@dataclass
class Told:
    """One order as a naive reader of the log knows it."""

    request: OrderRequest
    qty: int
    cum: int = 0
    closed: bool = False
    finished: bool = False
    executions: dict[str, Report] = field(default_factory=dict)

    def read(self, report: Report, known: dict[str, str]) -> None:
        """Take one report; what it says must follow from what was said before."""
        match report.kind:
            case ReportKind.TRADE:
                assert report.last_lots > 0
                assert report.last_ticks > 0
                self.cum += report.last_lots
                self.executions[report.exec_id] = report
                known[report.exec_id] = report.exec_id
            case ReportKind.TRADE_CANCEL | ReportKind.TRADE_CORRECT:
                wrong = self.executions.pop(report.ref_id)
                self.cum += report.last_lots - wrong.last_lots
                assert (report.last_lots > 0) == (report.kind is ReportKind.TRADE_CORRECT)
                if report.last_lots:
                    self.executions[report.exec_id] = report
            case ReportKind.RESTATED | ReportKind.REPLACED:
                self.qty, self.finished = report.order_lots, False
            case ReportKind.DONE_FOR_DAY:
                self.finished = self.request.tif is not Tif.GTC
        assert not self.closed or report.kind in {
            ReportKind.TRADE,
            ReportKind.TRADE_CANCEL,
            ReportKind.TRADE_CORRECT,
        }, "a closed order only hears of executions"
        self.closed |= report.kind in CLOSES
        over = self.closed or self.finished
        assert report.order_lots == self.qty
        assert report.cum_lots == self.cum == sum(item.last_lots for item in self.executions.values())
        assert report.leaves_lots == (0 if over else max(0, self.qty - self.cum))


def folded(operations: list[tuple[str, Any]], reports: list[Report]) -> dict[str, Told]:
    """Every order that was placed, after all reports."""
    told = {fact.client_order_id: Told(fact, fact.qty_lots) for name, fact in operations if name == "place"}
    known: dict[str, str] = {}
    for number, report in enumerate(reports, 1):
        assert (report.cursor, report.exec_id) == (number, f"e{number}")
        told[report.client_order_id].read(report, known)
    return told


@MANY
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([100, 500, 1000]), share=st.sampled_from([0, 50, 1000]))
def test_every_report_keeps_the_arithmetic_of_fix(
    tmp_path_factory: pytest.TempPathFactory, make_program: Callable[..., Any], seed: int, rate: int, share: int
) -> None:
    """Cursors have no gap; CumQty is trades less busts, LeavesQty is OrderQty less CumQty or 0, at each report."""
    plan = seeded(seed, 60, 40, rate, swarm(seed))
    made = make_program(seed, 120, Settings(0, share), plan)
    path = tmp_path_factory.mktemp("venue") / "venue.jsonl"
    _, reports = made.run(path)
    told = folded(made.operations, reports)
    overfilled = {fault.order for fault in plan if fault.kind is FaultKind.OVERFILL}
    venue = made.venue(path)
    truth = venue.truth()
    for identity, status in truth.orders.items():
        mine = told[identity]
        assert (status.qty_lots, status.cum_lots) == (mine.qty, mine.cum)
        assert status.cum_lots <= status.qty_lots or int(status.venue_order_id[1:]) in overfilled
        assert status.leaves_lots in (0, mine.qty - mine.cum)
        assert (status.status in {Status.CANCELED, Status.EXPIRED}) == mine.closed
    assert truth.head_cursor == len(reports)
    venue.close()


@MANY
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([200, 1000]))
def test_the_truth_is_the_sum_of_the_log(
    tmp_path_factory: pytest.TempPathFactory, make_program: Callable[..., Any], seed: int, rate: int
) -> None:
    """Positions and cash are those of the executions that stand, folded from the reports alone."""
    made = make_program(seed, 120, Settings(0, 1000, fee_permille=3), seeded(seed, 60, 40, rate))
    path = tmp_path_factory.mktemp("venue") / "venue.jsonl"
    _, reports = made.run(path)
    lots: defaultdict[str, int] = defaultdict(int)
    cash = 0
    for order in folded(made.operations, reports).values():
        sign = 1 if order.request.side is Side.BUY else -1
        for item in order.executions.values():
            assert item.fee_ticks == fee_ticks(item.last_lots, item.last_ticks, 3)
            lots[order.request.symbol] += sign * item.last_lots
            cash -= sign * item.last_lots * item.last_ticks + item.fee_ticks
    truth = made.venue(path).truth()
    assert truth.positions_lots == {symbol: held for symbol, held in lots.items() if held}
    assert truth.cash_ticks == cash


@MANY
@given(seed=st.integers(0, 10**6))
def test_opening_it_again_after_each_operation_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, make_program: Callable[..., Any], do: Callable[..., None], seed: int
) -> None:
    """Ledger, log, what is told, what is true and what fired are those of the venue that was never closed."""
    folder = tmp_path_factory.mktemp("venue")
    made = make_program(seed, 60, Settings(0, 500), seeded(seed, 40, 30, 600))
    never = made.venue(folder / "never")
    for operation in made.operations:
        do(never, operation)
        again = made.venue(folder / "again")
        do(again, operation)
        assert seen(again) == seen(never)
        again.close()
    assert (folder / "again").read_bytes() == (folder / "never").read_bytes()
    never.close()


def seen(venue: MockVenue) -> tuple[object, ...]:
    """All that can be learned from a venue."""
    try:
        heard = (list(venue.iter_reports(0)), list(venue.iter_fills(0)), venue.list_open_orders())
    except VenueUnavailable as error:
        heard = (str(error),)
    return (*heard, venue.truth(), venue.fired, venue.unfired(), venue._floor.log.reports, venue._floor.agenda)


@MANY
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([300, 1000]))
def test_who_keeps_asking_gets_every_report_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    make_program: Callable[..., Any],
    do: Callable[..., None],
    seed: int,
    rate: int,
) -> None:
    """A reader that takes only the next cursor, and asks again after a gap, ends with the whole log."""
    kinds = [kind for kind in FaultKind if KINDS[kind].phase in (Phase.REPORTING, Phase.EXECUTING)]
    made = make_program(seed, 100, Settings(0, 500), [*seeded(seed, 60, 0, rate, kinds)])
    venue = made.venue(tmp_path_factory.mktemp("venue") / "venue.jsonl")
    taken: list[Report] = []
    last = max((fact[0] for name, fact in made.operations if name == "advance"), default=0)
    for operation in [*made.operations, ("advance", (last + 1, ())), ("advance", (last + 2, ()))]:
        do(venue, operation)
        for report in venue.iter_reports(len(taken)):
            if report.cursor == len(taken) + 1:
                taken.append(report)
    made_last = Counter(report.step for report in venue._floor.log.reports)[last + 2]
    assert taken == venue._floor.log.reports[: len(taken)]
    assert len(venue._floor.log.reports) - len(taken) <= made_last
    venue.close()


@MANY
@given(seed=st.integers(0, 10**6))
def test_what_fired_was_planned_and_what_did_not_is_named(
    tmp_path_factory: pytest.TempPathFactory, make_program: Callable[..., Any], seed: int
) -> None:
    """Each planned fault fired once or is among those that never did; no other kind is counted."""
    plan = seeded(seed, 60, 40, 700)
    made = make_program(seed, 120, Settings(0, 500), plan)
    path = tmp_path_factory.mktemp("venue") / "venue.jsonl"
    made.run(path)
    venue = made.venue(path)
    planned = Counter(fault.kind for fault in plan)
    assert planned == Counter(venue.fired) + Counter(fault.kind for fault in venue.unfired())
    assert set(venue.fired) == set(planned)
    venue.close()


def test_in_a_campaign_every_kind_fires(tmp_path: Any, make_program: Callable[..., Any]) -> None:
    """Over some seeds no kind is left that never took effect."""
    fired: Counter[FaultKind] = Counter()
    for seed in range(150):
        made = make_program(seed, 150, Settings(0, 500), seeded(seed, 100, 60, 800))
        path = tmp_path / f"{seed}"
        made.run(path)
        venue = made.venue(path)
        fired += Counter(venue.fired)
        venue.close()
    assert set(fired) == set(FaultKind), set(FaultKind) - set(fired)
