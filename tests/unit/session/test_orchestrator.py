"""One session from start to end: startup checks, bounded steps, and every way to stop."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peak_trade.broker.messages import OrderRequest, Report, ReportKind
from peak_trade.evidence.story import Story
from peak_trade.journal.scan import read
from peak_trade.journal.tape import Diverged
from peak_trade.market.strategy import Intent, View
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.assembly import KILL_SWITCH, Session
from peak_trade.session.config import Config
from peak_trade.session.inputs import FileDrift
from peak_trade.session.killswitch import KillSwitch

Open = Callable[..., Session]
Told = Callable[[], Story]


class Buyer:
    """Buys one lot of everything in every step, at the market; never sells."""

    def decide(self, view: View) -> list[Intent]:
        """One market buy for each symbol."""
        return [Intent(symbol, Side.BUY, 1, Kind.MARKET, None, Tif.GTC) for symbol in view.bars]


class Rester:
    """Puts one limit order far below the market for each symbol once, so that it rests."""

    def decide(self, view: View) -> list[Intent]:
        """A resting buy for each symbol that has none."""
        return [
            Intent(symbol, Side.BUY, 5, Kind.LIMIT, bar.close_ticks * 92 // 100, Tif.GTC)
            for symbol, bar in view.bars.items()
            if symbol not in view.working_lots
        ]


class Nobody:
    """Wants nothing."""

    def decide(self, view: View) -> list[Intent]:  # noqa: ARG002 - the strategy's signature
        """No intent."""
        return []


def test_a_whole_session_ends_in_order(opened: Open, told: Told) -> None:
    """Started and run to the end of its bars, a session stops, flat, with book and venue in agreement."""
    session = opened()
    assert session.start() == "DRYRUN_ACTIVE"
    session.run(1_000)
    assert session.orchestrator.state == "STOPPED"
    story = told()
    assert story.ended
    assert story.steps == 40
    assert len(story.lines) > 5
    assert not any(story.positions.values())
    assert story.reconciled["asked"]
    assert story.differences == []


def test_steps_are_bounded(opened: Open) -> None:
    """`run(n)` takes n steps and no more; a session that is over takes none."""
    session = opened()
    session.start()
    assert session.run(7) == 7
    assert session.orchestrator.moment.step == 7
    session.run(1_000)
    assert session.orchestrator.run_n_steps(5) == 0


PREFLIGHT: dict[str, dict[str, Any]] = {
    "flag_on": {"enable_live_broker": True},
    "allowlist_empty": {"broker_allowlist": []},
    "adapter_not_mock": {"adapter": "ib"},
}


@pytest.mark.parametrize("reason", list(PREFLIGHT))
def test_a_failed_startup_check_ends_with_its_own_reason(opened: Open, told: Told, reason: str) -> None:
    """Flag on, empty allowlist, foreign adapter: each ends in PREFLIGHT_FAILED, with its reason, in the journal."""
    session = opened(config=Config(**PREFLIGHT[reason]))
    assert session.start() == "PREFLIGHT_FAILED"
    assert session.orchestrator.why == reason
    assert session.run(10) == 0
    story = told()
    assert (story.state, story.ended, len(story.lines)) == ("PREFLIGHT_FAILED", True, 0)


def test_the_flag_may_be_on_only_under_an_explicit_test_override(opened: Open) -> None:
    """With the override that only Python code can give, the flag passes the check; the session is dry all the same."""
    session = opened(config=Config(enable_live_broker=True), test_override=True)
    assert session.start() == "DRYRUN_ACTIVE"


def test_a_journal_that_cannot_be_opened_fails_the_startup(tmp_path: Path, opened: Open) -> None:
    """With a file where the journal should be the session says why and never starts."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal").write_text("in the way")
    session = opened()
    assert session.start() == "PREFLIGHT_FAILED"
    assert session.orchestrator.why == "journal_unwritable"
    assert session.problem


def test_a_second_writer_is_kept_out(opened: Open) -> None:
    """While one session holds the journal another one of the same folder fails its startup check."""
    first = opened()
    first.start()
    second = opened(resume=True)
    assert second.start() == "PREFLIGHT_FAILED"
    assert second.orchestrator.why == "journal_unwritable"


def test_a_folder_with_a_run_is_not_run_over(opened: Open) -> None:
    """A new run into a used folder, and a resume of an empty one, are refused."""
    with pytest.raises(FileNotFoundError, match="expected a folder with a run"):
        opened(resume=True)
    first = opened()
    first.start()
    first.close()
    with pytest.raises(FileExistsError, match="expected a new folder"):
        opened()


@pytest.mark.parametrize(("event", "end"), [("stop", "STOPPED"), ("abort", "ERROR_REQUIRES_OPERATOR")])
def test_an_operator_stops_the_session(opened: Open, told: Told, event: str, end: str) -> None:
    """A stop drains and ends in order; an abort halts at once, leaving what is open to the operator."""
    session = opened(strategy=Rester())
    session.start()
    session.run(5)
    resting = len(session.orchestrator.desk.book.working)
    assert resting > 0
    session.orchestrator.inputs.ask(event)
    session.run(50)
    assert session.orchestrator.state == end
    left = len(session.orchestrator.desk.book.working)
    assert left == (0 if event == "stop" else resting)
    if event == "stop":
        assert {line.state for line in told().lines.values()} == {"canceled"}


def test_a_halted_session_is_closed_only_by_an_acknowledgement(opened: Open) -> None:
    """After an abort nothing moves the session but the operator's acknowledgement."""
    session = opened()
    session.start()
    session.orchestrator.inputs.ask("abort")
    session.run(3)
    for event in ("tick", "stop", "start_dryrun", "rearm"):
        session.orchestrator.fire(event, {})
        assert session.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    session.orchestrator.fire("acknowledge", {})
    assert session.orchestrator.state == "STOPPED"


def test_the_kill_switch_stops_and_stays_latched(tmp_path: Path, opened: Open, told: Told) -> None:
    """Pulled by another process, it cancels what is open and stops; a resume fails until a named operator re-arms."""
    session = opened(strategy=Rester())
    session.start()
    session.run(4)
    KillSwitch(tmp_path / "run" / KILL_SWITCH).latch("ada")
    session.run(50)
    assert session.orchestrator.state == "STOPPED"
    assert session.orchestrator.driver.variable("kill_switch") == "latched"
    assert {line.state for line in told().lines.values()} == {"canceled"}


def test_a_latched_switch_keeps_a_new_session_from_starting(tmp_path: Path, opened: Open, told: Told) -> None:
    """The switch outlives the session: the next start fails, and passes once a named operator has re-armed it."""
    shared = tmp_path / "switch.json"
    KillSwitch(shared).latch("ada")
    session = opened(kill_switch=shared)
    assert session.start() == "PREFLIGHT_FAILED"
    assert session.orchestrator.why == "kill_switch_latched"
    session.close()
    shutil.rmtree(tmp_path / "run")
    again = opened(kill_switch=shared, rearm="grace")
    assert again.start() == "DRYRUN_ACTIVE"
    assert [item.operator for item in told().happenings if item.event == "rearm"] == ["grace"]
    assert not KillSwitch(shared).read().latched


def test_a_past_rearm_does_not_clear_what_was_latched_since(tmp_path: Path, opened: Open) -> None:
    """A resumed run tells its recorded re-arming again without touching the switch, and obeys the later kill."""
    shared = tmp_path / "switch.json"
    KillSwitch(shared).latch("ada")
    session = opened(kill_switch=shared, rearm="grace")
    session.start()
    session.run(5)
    session.close()
    KillSwitch(shared).latch("eve")
    again = opened(resume=True, kill_switch=shared)
    again.start()
    assert KillSwitch(shared).read().latched
    again.run(100)
    assert (again.orchestrator.state, again.orchestrator.why) == ("STOPPED", "killed")
    assert KillSwitch(shared).read().latched


def test_a_rearm_that_cannot_be_recorded_clears_nothing(tmp_path: Path, opened: Open) -> None:
    """With the journal blocked the switch stays latched, whatever name is given."""
    shared = tmp_path / "switch.json"
    KillSwitch(shared).latch("ada")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal").write_text("in the way")
    session = opened(kill_switch=shared, rearm="bob")
    assert session.start() == "PREFLIGHT_FAILED"
    assert KillSwitch(shared).read().latched


def test_either_switch_stops_the_session(tmp_path: Path, opened: Open) -> None:
    """A session with a shared switch obeys its own as well."""
    shared = tmp_path / "switch.json"
    KillSwitch(shared).create()
    session = opened(kill_switch=shared)
    session.start()
    session.run(3)
    KillSwitch(tmp_path / "run" / KILL_SWITCH).latch("ada")
    session.run(50)
    assert (session.orchestrator.state, session.orchestrator.why) == ("STOPPED", "killed")


class Netting:
    """Puts a buy that will not fill beside a sell that will: together they look flat."""

    def decide(self, view: View) -> list[Intent]:
        """Both orders in the first step."""
        if view.step > 1:
            return []
        return [
            intent
            for symbol, bar in view.bars.items()
            for intent in (
                Intent(symbol, Side.BUY, 10, Kind.LIMIT, bar.close_ticks * 91 // 100, Tif.GTC),
                Intent(symbol, Side.SELL, 10),
            )
        ]


def test_an_unfilled_buy_does_not_cover_a_sell(opened: Open, told: Told) -> None:
    """The short rail looks at the worst that can come of open orders, so a resting buy earns no right to sell."""
    session = opened(strategy=Netting())
    session.start()
    session.run(1_000)
    story = told()
    assert {line.rail for line in story.lines.values() if line.side == "sell"} == {"short"}
    assert min(story.positions.values(), default=0) >= 0


class Failing:
    """Rests an order, and fails in its fifth step."""

    def decide(self, view: View) -> list[Intent]:
        """A resting order, then a mistake."""
        if view.step == 5:
            raise KeyError("no such symbol")
        return Rester().decide(view)


def test_a_strategy_that_fails_ends_in_an_orderly_stop(opened: Open, told: Told) -> None:
    """An exception in a user's strategy cancels what is open and stops; it is no crash and leaves nothing behind."""
    session = opened(strategy=Failing())
    session.start()
    session.run(1_000)
    assert (session.orchestrator.state, session.orchestrator.why) == ("STOPPED", "health")
    assert "KeyError" in session.orchestrator.problem
    assert {line.state for line in told().lines.values()} == {"canceled"}


def test_a_difference_with_the_venue_asks_for_the_operator(opened: Open, told: Told) -> None:
    """An order at the venue that is not ours is found before the session may stop by itself."""
    session = opened()
    session.start()
    session.run(3)
    assert session.venue is not None
    session.venue.place_order(OrderRequest("foreign", "SYN000", Side.BUY, 1, Kind.LIMIT, 1, Tif.GTC))
    session.run(1_000)
    assert session.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    assert [item["code"] for item in told().differences] == ["ghost"]


class Haunted:
    """A venue whose first report is about a stranger's order."""

    def __init__(self, venue: object) -> None:
        self.venue = venue

    def __getattr__(self, name: str) -> object:
        """Everything else is the venue's."""
        return getattr(self.venue, name)

    def iter_reports(self, since_cursor: int) -> list[Report]:
        """The stranger's report first, then nothing."""
        return [report(1, "not-ours", 99)] if since_cursor == 0 else []


def test_a_run_that_halted_over_a_ghost_can_be_told_again(opened: Open) -> None:
    """A report about a stranger's order is on the tape, so the halted run replays to the same end."""
    session = opened(strategy=Rester())
    session.orchestrator.desk.broker = Haunted(session.venue)
    session.start()
    session.run(200)
    ended = session.orchestrator.state
    session.close()
    again = opened(resume=True, strategy=Rester())
    again.start()
    again.run(200)
    assert (again.orchestrator.state, ended) == ("ERROR_REQUIRES_OPERATOR", "ERROR_REQUIRES_OPERATOR")


def test_a_config_that_drifts_stops_the_session(tmp_path: Path, opened: Open) -> None:
    """When the checked file changes under a running session, it stops, and the flag it then reads is noted."""
    path = tmp_path / "config.yaml"
    path.write_text("enable_live_broker: false\n")
    digest = "0" * 64
    path_drift = FileDrift(path, digest)
    session = opened(drift=path_drift)
    session.start()
    path.write_text("enable_live_broker: true\n")
    session.run(50)
    assert session.orchestrator.state == "STOPPED"
    assert session.orchestrator.driver.variable("live_flag") is True


def test_a_resume_with_another_configuration_is_refused(opened: Open) -> None:
    """The first record says what ran; another configuration differs there, and nothing is written."""
    session = opened()
    session.start()
    session.run(3)
    session.close()
    with pytest.raises(Diverged) as caught:
        opened(resume=True, config=Config(seed=99))
    assert caught.value.seq == 0


def test_orders_beyond_a_rail_never_leave(opened: Open, told: Told) -> None:
    """With a limit of three open orders the fourth is denied by name and the venue never hears of it."""
    config = Config(limits=Config().limits.model_copy(update={"open_orders_max": 3}))
    session = opened(config=config, strategy=Rester())
    session.start()
    session.run(1)
    story = told()
    denied = [line for line in story.lines.values() if line.state == "denied"]
    assert [line.rail for line in denied] == ["open_orders"]
    assert session.venue is not None
    assert len(session.venue.list_open_orders()) == 3


def test_cash_is_never_negative_however_hard_the_strategy_buys(opened: Open, told: Told) -> None:
    """A strategy that only buys is held back by the cash rail, and no account line is ever below zero."""
    session = opened(config=Config(cash_ticks=3_000_000), strategy=Buyer())
    session.start()
    session.run(1_000)
    story = told()
    assert any(line.rail == "cash" for line in story.lines.values())
    assert min(row.cash_ticks for row in story.accounts) >= 0
    assert session.orchestrator.state == "STOPPED"


def report(cursor: int, order: str, lots: int) -> Report:
    """An execution report as a venue might send it."""
    return Report(cursor, order, "v1", f"e{cursor}", ReportKind.TRADE, lots, 100_000, 100, lots, max(0, 5 - lots), 1, 5)


def test_a_fill_counts_once_however_often_it_comes(opened: Open) -> None:
    """The same report three times moves the book once: the cursor decides."""
    session = opened(strategy=Rester())
    session.start()
    session.run(1)
    desk = session.orchestrator.desk
    name = next(iter(desk.book.orders))
    for _ in range(3):
        desk.take(report(desk.cursor + 1 if desk.book.held_lots == 0 else desk.cursor, name, 2))
    assert desk.book.held_lots == 2
    assert desk.book.filled_lots == 2


@pytest.mark.parametrize("case", ["overfill", "ghost"])
def test_a_report_that_cannot_be_ends_with_the_operator(opened: Open, told: Told, case: str) -> None:
    """An overfill, or a report about an order that is not ours, stops the session and asks for a person."""
    session = opened(strategy=Rester())
    session.start()
    session.run(1)
    desk = session.orchestrator.desk
    name = next(iter(desk.book.orders)) if case == "overfill" else "not-ours"
    desk.take(report(desk.cursor + 1, name, 99))
    session.run(200)
    assert session.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    assert told().trips["report_refused"] == 1
    assert desk.book.held_lots == 0


def test_a_stop_with_nothing_open_still_looks_at_the_venue(opened: Open, told: Told) -> None:
    """A foreign order at the venue is found before a session that was stopped with nothing open may end in order."""
    session = opened(strategy=Nobody())
    session.start()
    session.run(2)
    assert session.venue is not None
    session.venue.place_order(OrderRequest("foreign", "AAA", Side.BUY, 1, Kind.LIMIT, 1, Tif.GTC))
    session.orchestrator.inputs.ask("stop", "ada")
    session.run(3)
    story = told()
    assert session.orchestrator.state == "ERROR_REQUIRES_OPERATOR"
    assert [item["code"] for item in story.differences] == ["ghost"]


def test_who_asked_stands_in_the_journal(opened: Open) -> None:
    """The operator's name is in the record of what the operator asked for."""
    session = opened(strategy=Nobody())
    session.start()
    session.orchestrator.inputs.ask("stop", "ada")
    session.run(2)
    session.tape.commit()
    records = read(session.setup.folder / "journal" / "journal.jsonl")
    (found,) = (item for item in records if item.body.get("event") == "stop")
    assert found.body["operator"] == "ada"
