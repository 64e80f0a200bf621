"""Broken copies of the shipped specifications: each must fail, by the claim that is there to catch it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Step
from peak_trade.lang.parse import parse
from peak_trade.lang.source import Source
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Refused, Taken, Value, initial
from peak_trade.lang.trace import Link
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import NotInductive, Proved, Refuted

DRAINING = "    when: open_orders > 0 and stop_budget > 0\n"
FLAG = "      flag_off: live_flag\n"
FLAG_LOCK = (
    "    require:\n      flag_off: live_flag\n      allowlist_empty: allowlist_count > 0\n      override_missing"
)
GRANT_FLAG_LOCK = "      flag_off: live_flag\n      allowlist_empty: allowlist_count > 0\n      digest_changed: for"
DIGEST_LOCK = "      digest_changed: override_digest == running_digest\n"
LATE = "set: {cum: cum + last_qty}\n    reason: late_fill"
LATE_BUST = "on: bust, when: cum_qty < cum, set: {cum: cum_qty}}"
LATE_CORRECTION = "on: correct, when: cum_qty <= qty, set: {cum: cum_qty}}"
PARTLY = "\n    to: partially_filled"
FILLED = "\n    to: filled"
SETTLED = "set: {leaves: 0, cancel_asked: false, replaces_asked: 0, replaces_pending: 0, mark: plain}"
UNSETTLED = SETTLED.replace("leaves: 0, ", "")
ASKED = "set: {cancel_asked: true}"
CANCEL = (
    "from: [pending_new, new, partially_filled, stopped, suspended, done_for_day, pending_replace]\n"
    "    on: cancel\n    when: not cancel_asked and leaves > 0\n    set"
)
ANSWERED = "replaces_asked: replaces_asked - 1 if replaces_asked > 0 else 0"
REFUSED = "set: {cancel_asked: false}\n    to: "
NO_OVERRIDE = "step_no + 1, override_granted: false, override_digest: 0, override_until: 0}\n"
SPEC = Path(__file__).resolve().parents[2] / "spec"


@dataclass(frozen=True)
class Mutant:
    """A fault: texts of a specification, each of which stands once, and what stands there instead."""

    machine: str
    name: str
    claim: str
    edits: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.machine}-{self.name}"


def order(name: str, claim: str, *edits: tuple[str, str]) -> Mutant:
    """A mutant of the order."""
    return Mutant("order", name, claim, edits)


def session(name: str, claim: str, *edits: tuple[str, str]) -> Mutant:
    """A mutant of the session."""
    return Mutant("session", name, claim, edits)


def passes(reason: str) -> tuple[str, str]:
    """The edit after which a startup check that fails ends the session in order."""
    end = f"\n    reason: {reason}\n"
    return f"    to: PREFLIGHT_FAILED{end}", f"    to: STOPPED{end}"


REFUTED = (
    # The quantities and the answer.
    order("fill-leaves-leaves", "ORD-2", ("leaves: leaves - last_qty, mark: plain}", "mark: plain}")),
    order(
        "last-fill-leaves-leaves", "ORD-2", ("cum + last_qty, leaves: 0, mark: plain}", "cum + last_qty, mark: plain}")
    ),
    order(
        "last-fill-is-partial",
        "ORD-13",
        (f"leaves: 0, mark: plain}}{FILLED}\n  - id: O12", f"leaves: 0, mark: plain}}{PARTLY}\n  - id: O12"),
    ),
    order("part-fill-is-the-last", "ORD-3", (f"last_qty, mark: plain}}{PARTLY}", f"last_qty, mark: plain}}{FILLED}")),
    order("late-fill-counts-one-more", "ORD-1", (LATE, LATE.replace("last_qty", "last_qty + 1"))),
    order(
        "late-fill-reopens",
        "ORD-6",
        (LATE, LATE.replace("last_qty}", f"last_qty, leaves: qty - cum - last_qty}}{PARTLY}")),
    ),
    order("late-fill-unheard", "ORD-H1", (LATE, f"require: {{overfill: cum > 0}}\n    {LATE}")),
    order("reject-keeps-leaves", "ORD-2", (f"{SETTLED}\n    to: rejected", f"{UNSETTLED}\n    to: rejected")),
    order("submit-denies", "ORD-4", ("leaves: order_qty}, to: pending_new", "leaves: order_qty}, to: denied")),
    order(
        "submit-orders-one-less",
        "ORD-2",
        ("on: submit, set: {qty: order_qty,", "on: submit, set: {qty: order_qty - 1,"),
    ),
    order("clock-answers-the-unknown", "ORD-7", ("from: unknown, on: not_found", "from: unknown, on: time_out")),
    order("expiry-takes-fills-back", "ORD-5", ("on: expire\n    set: {", "on: expire\n    set: {cum: 0, ")),
    order(
        "accept-fills",
        "ORD-8",
        ("{not_converted: qty > 0}, to: new", "{not_converted: qty > 0}, set: {cum: qty, leaves: 0}, to: filled"),
    ),
    order(
        "bound-of-fill-off-by-one",
        "ORD-1",
        ("    when: cum + last_qty == qty\n", "    when: cum + last_qty == qty + 1\n"),
    ),
    order(
        "fill-in-cancel-off-by-one",
        "ORDER-SORTS",
        (
            "done_for_day]\n    on: fill\n    when: cum + last_qty <= qty",
            "done_for_day]\n    on: fill\n    when: cum + last_qty <= qty + 1",
        ),
    ),
    # What was executed is taken back, corrected, restated.
    order("bust-of-nothing", "ORD-31", ("cum_qty < cum and cum_qty > 0", "cum_qty <= cum and cum_qty > 0")),
    order(
        "bust-stays-filled", "ORD-3", (f"qty - cum_qty}}{PARTLY}\n  - id: O16", f"qty - cum_qty}}{FILLED}\n  - id: O16")
    ),
    order(
        "bust-forgets-the-finished-day",
        "ORD-2",
        ("leaves: 0 if mark == finished else qty - cum_qty}\n", "leaves: qty - cum_qty}\n"),
    ),
    order(
        "late-bust-reopens",
        "ORD-6",
        (LATE_BUST, LATE_BUST.replace("cum_qty}}", "cum_qty, leaves: qty - cum_qty}, to: partially_filled}")),
    ),
    order(
        "late-bust-opens-leaves",
        "ORD-2",
        (LATE_BUST, LATE_BUST.replace("cum_qty}}", "cum_qty, leaves: qty - cum_qty}}")),
    ),
    order(
        "late-bust-unheard",
        "ORD-H2",
        (LATE_BUST, LATE_BUST.replace("set:", "require: {nothing_to_bust: cum_qty > 0}, set:")),
    ),
    order("late-correction-overfills", "ORD-1", (LATE_CORRECTION, LATE_CORRECTION.replace("<= qty", "<= qty + 1"))),
    order(
        "correction-keeps-the-guarantee",
        "ORD-13",
        (
            "on: correct\n    when: cum_qty == qty\n    set: {cum: cum_qty, leaves: 0, mark: plain}",
            "on: correct\n    when: cum_qty == qty\n    set: {cum: cum_qty, leaves: 0}",
        ),
    ),
    order(
        "restatement-keeps-the-size",
        "ORD-2",
        (
            "{qty: order_qty, cum: cum_qty, leaves: order_qty - cum_qty, mark",
            "{cum: cum_qty, leaves: order_qty - cum_qty, mark",
        ),
    ),
    order(
        "restatement-keeps-the-day", "ORD-48", ("plain if mark == resting or mark == finished or cum", "plain if cum")
    ),
    order(
        "restatement-reopens",
        "ORD-49",
        (
            "filled, done_for_day]\n    on: restate\n    when: cum_qty == 0\n",
            "filled, done_for_day, canceled]\n    on: restate\n    when: cum_qty == 0\n",
        ),
    ),
    # Cancel and replace; what a status that outranks another one hides comes back when it is gone.
    order("asking-is-pending", "ORD-19", (ASKED, f"{ASKED}\n    to: pending_cancel")),
    order("cancel-in-doubt", "ORD-37", (CANCEL, CANCEL.replace("[pending_new,", '["@sent",'))),
    order("cancel-twice", "ORD-18", (CANCEL, CANCEL.replace("not cancel_asked and ", ""))),
    order(
        "replaced-below-filled",
        "ORD-1",
        (
            "from: done_for_day\n    on: replaced\n    when: order_qty >= cum",
            "from: done_for_day\n    on: replaced\n    when: order_qty >= 1",
        ),
    ),
    order(
        "replaced-is-still-asked",
        "ORD-41",
        (f"leaves: order_qty, {ANSWERED}}}\n    to: new", "leaves: order_qty}\n    to: new"),
    ),
    order(
        "replaced-takes-fills-back",
        "ORD-27",
        (
            f"{{qty: order_qty, leaves: order_qty - cum, {ANSWERED}}}{PARTLY}",
            f"{{qty: order_qty, cum: 1, leaves: order_qty - 1, {ANSWERED}}}{PARTLY}",
        ),
    ),
    order(
        "replaced-forgets-the-cancel",
        "ORD-39",
        (
            "from: pending_cancel\n    on: replaced\n    when: order_qty >= cum\n    set:\n",
            "from: pending_cancel\n    on: replaced\n    when: order_qty >= cum\n    set:\n      cancel_asked: false\n",
        ),
    ),
    order(
        "replaced-is-still-pending",
        "ORD-22",
        ("order_qty >= cum and replaces_pending > 1", "order_qty >= cum and replaces_pending > 0"),
    ),
    order("refused-cancel-forgets-the-replacement", "ORD-22", (f"{REFUSED}pending_replace", f"{REFUSED}new")),
    order("refused-cancel-forgets-the-day", "ORD-21", (f"{REFUSED}done_for_day", f"{REFUSED}new")),
    order("refused-cancel-turns-a-guarantee-into-a-halt", "ORD-21", (f"{REFUSED}stopped", f"{REFUSED}suspended")),
    order(
        "refused-cancel-works-what-is-filled",
        "ORD-13",
        (
            "set: {cancel_asked: false, mark: plain}\n    to: filled",
            "set: {cancel_asked: false, mark: plain}\n    to: partially_filled",
        ),
    ),
    order(
        "replaced-turns-a-halt-into-a-guarantee",
        "ORD-21",
        ("replaces_pending: 0\n    to: suspended", "replaces_pending: 0\n    to: stopped"),
    ),
    order(
        "refused-replacement-turns-a-halt-into-a-guarantee",
        "ORD-21",
        ("replaces_pending: 0}\n    to: suspended", "replaces_pending: 0}\n    to: stopped"),
    ),
    session(
        "no-lock-flag",
        "SES-1",
        (FLAG_LOCK, FLAG_LOCK.replace(FLAG, "")),
        (GRANT_FLAG_LOCK, GRANT_FLAG_LOCK.replace(FLAG, "")),
    ),
    session("grant-without-flag", "SES-16", (GRANT_FLAG_LOCK, GRANT_FLAG_LOCK.replace(FLAG, ""))),
    session("no-lock-digest", "SES-5", (DIGEST_LOCK, ""), ("      digest_changed: for_digest == running_digest\n", "")),
    session("grant-for-another-digest", "SES-16", ("      digest_changed: for_digest == running_digest\n", "")),
    session(
        "no-lock-expiry",
        "SES-4",
        ("      override_expired: step_no < override_until\n", ""),
        ("    when: not override_granted or step_no + 1 < override_until\n", "    when: step_no >= 0\n"),
        ("    when: override_granted and step_no + 1 >= override_until\n", "    when: step_no < 0\n"),
    ),
    session("expired-but-in-force", "SES-17", (NO_OVERRIDE, "step_no + 1}\n")),
    session(
        "revoked-but-in-force",
        "SES-28",
        (
            "{override_missing: override_granted}\n    set: {override_granted: false, ",
            "{override_missing: override_granted}\n    set: {",
        ),
    ),
    session(
        "live-a-step-too-long",
        "SES-4",
        ("when: step_no + 1 < override_until", "when: step_no + 1 <= override_until"),
        ("when: step_no + 1 >= override_until", "when: step_no + 1 > override_until"),
    ),
    session(
        "revoked-but-live",
        "SES-3",
        ("    to: STOPPING\n    reason: override_missing\n", "    reason: override_missing\n"),
    ),
    session(
        "drift-goes-on",
        "SES-8",
        ("    to: STOPPING\n    reason: drift\n", "    reason: drift\n"),
    ),
    session("kill-goes-on", "SES-6", ("latched}, to: STOPPING, reason: killed", "latched}, reason: killed")),
    session("kill-does-not-latch", "SES-10", ("on: kill, set: {kill_switch: latched}, to: STOPPING", "on: kill")),
    session(
        "reading-rearms",
        "SES-7",
        ("when: not read_latched and kill_switch == unread, set", "when: not read_latched, set"),
    ),
    session(
        "unread-passes",
        "SES-42",
        ("journal_redacting and kill_switch == clear\n", "journal_redacting and kill_switch != latched\n"),
        ("journal_redacting and kill_switch != clear\n", "journal_redacting and kill_switch == latched\n"),
    ),
    session(
        "adapter-not-recorded",
        "SES-14",
        ("      adapter: adapter_found\n", ""),
    ),
    session("stops-unattended", "SES-11", ("open_orders == 0 and not operator_needed, to", "open_orders == 0, to")),
    session(
        "abort-closes",
        "SES-11",
        (
            "set: {operator_needed: true}\n    to: ERROR_REQUIRES_OPERATOR\n    reason: operator_abort",
            "set: {operator_needed: true}\n    to: STOPPED\n    reason: operator_abort",
        ),
    ),
    session(
        "clock-acknowledges",
        "SES-13",
        ("from: ERROR_REQUIRES_OPERATOR, on: acknowledge", "from: ERROR_REQUIRES_OPERATOR, on: tick"),
    ),
    session(
        "orders-while-stopping",
        "SES-9",
        ('from: "@active"\n    on: order_batch', "from: STOPPING\n    on: order_batch"),
    ),
    session("orders-while-halted", "SES-44", ("      trading_halted: trading != halted\n", "")),
    session(
        "reducing-orders-held-back",
        "SES-H3",
        ("only_reducing: trading != reducing or adding == 0", "only_reducing: trading != reducing"),
    ),
    session(
        "reducing-lifts-a-halt",
        "SES-45",
        ("on: reduce_trading, when: trading == active, set", "on: reduce_trading, when: trading != reducing, set"),
    ),
    session("halt-reduces", "SES-45", ("set: {trading: halted}", "set: {trading: reducing}")),
    session("resumes-what-is-not-restricted", "SES-46", ("    require: {not_restricted: trading != active}\n", "")),
    session("reopened-is-not-open", "SES-43", ("    set: {open_orders: open_orders + reopened}\n", "")),
    session(
        "reopened-unheard",
        "SES-H2",
        (
            "    set: {open_orders: open_orders + reopened}\n",
            "    require: {not_active: open_orders > 0}\n    set: {open_orders: open_orders + reopened}\n",
        ),
    ),
    session("health-restarts", "SES-10", ("on: health_failed, to: STOPPING", "on: health_failed, to: DRYRUN_ACTIVE")),
    session(
        "failed-check-is-canceled",
        "SES-12",
        ("[INIT, PREFLIGHT_OK], on: cancel", "[INIT, PREFLIGHT_FAILED], on: cancel"),
    ),
    session(
        "broken-resumes",
        "SES-15",
        (
            "set: {operator_needed: true}, reason: invariant",
            "set: {operator_needed: true}, to: DRYRUN_ACTIVE, reason: invariant",
        ),
    ),
    session("override-backdated", "SESSION-SORTS", ("step_no + for_steps}", "step_no - for_steps}")),
    session(
        "closes-what-is-not-open",
        "SESSION-SORTS",
        ("    require: {more_closed_than_open: closed <= open_orders}\n", ""),
    ),
    session("tick-refused", "SES-L1", (DRAINING, f"{DRAINING}    require: {{stop_overdue: open_orders > 1}}\n")),
)
UNREACHABLE = (
    order(
        "the-race-is-never-lost",
        "ORD-W1",
        (f"when: cum + last_qty <= qty\n    {LATE}", f"when: cum + last_qty < qty\n    {LATE}"),
        (LATE_CORRECTION, LATE_CORRECTION.replace("<=", "<")),
        (f"on: cancel_accept\n    {SETTLED}", f"on: cancel_accept\n    when: leaves > 0\n    {SETTLED}"),
    ),
    order("reject-cancels", "ORD-W4", ("    to: rejected\n", "    to: canceled\n")),
    order(
        "nothing-rests-overnight",
        "ORD-W9",
        ("mark: resting if rests else finished, leaves: leaves if rests else 0}", "mark: finished, leaves: 0}"),
        ("mark: resting if rests else finished, leaves: qty - cum if rests else 0}", "mark: finished, leaves: 0}"),
    ),
    order("no-doubt-after-a-cancel", "ORD-W10", (CANCEL, CANCEL.replace("pending_new, ", ""))),
    order(
        "correction-after-the-close-is-lost",
        "ORD-W11",
        (LATE_CORRECTION, f"on: correct, when: cum_qty < 2, {LATE_CORRECTION.partition('qty, ')[2]}"),
    ),
    session(
        "live-never",
        "SES-W1",
        (
            "      override_expired: step_no < override_until\n      digest_changed",
            "      override_expired: step_no > 0 and override_until < 0\n      digest_changed",
        ),
    ),
    session(
        "preflight-never-fails",
        "SES-W4",
        *(passes(reason) for reason in ("flag_on", "allowlist_empty", "adapter_not_mock", "journal_unwritable")),
        passes("kill_switch_latched"),
        ("on: health_failed, to: PREFLIGHT_FAILED", "on: health_failed, to: STOPPED"),
        ("on: config_drift, to: PREFLIGHT_FAILED", "on: config_drift, to: STOPPED"),
    ),
)
UNPROVED = (
    session("budget-not-spent", "SES-L1", ("step_no + 1, stop_budget: stop_budget - 1}", "step_no + 1}")),
    session(
        "budget-below-zero",
        "SESSION-SORTS",
        (DRAINING, "    when: open_orders > 0\n"),
        ("    when: open_orders > 0 and stop_budget == 0\n", "    when: open_orders < 0\n"),
    ),
)


@cache
def text(machine: str) -> str:
    """The shipped specification."""
    return (SPEC / f"{machine}.yaml").read_text()


def broken(mutant: Mutant) -> Machine:
    """The machine with the fault in it."""
    source = text(mutant.machine)
    for old, new in mutant.edits:
        assert source.count(old) == 1, f"expected one {old!r} in {mutant.machine}.yaml, was {source.count(old)}"
        source = source.replace(old, new)
    parsed = parse(Source(str(mutant), source))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


@pytest.mark.parametrize("mutant", REFUTED, ids=str)
def test_a_broken_specification_is_refuted(mutant: Mutant) -> None:
    """The named claim falls, by a run from the initial value that `lang` takes step by step into the violation."""
    machine = broken(mutant)
    verdict = prove(machine, only=frozenset((mutant.claim,))).results[0].verdict
    assert isinstance(verdict, Refuted)
    assert verdict.trace is not None
    assert verdict.trace.start == initial(machine)
    *before, last = verdict.trace.links
    assert all(isinstance(link.outcome, Taken) for link in before)
    assert violates(machine, mutant.claim, before[-1].value if before else initial(machine), last)


def violates(machine: Machine, name: str, before: Value, last: Link) -> bool:
    """Whether the last step breaks the claim, judged here by `lang` alone."""
    claim = {item.name: item for item in machine.properties}.get(name)
    match claim:
        case Always():
            return last.outcome == Broken(name)
        case Step():
            assert isinstance(last.outcome, Taken)
            old, new = (
                {item.name: scalar for item, scalar in zip(machine.variables, value.context, strict=True)}
                for value in (before, last.value)
            )
            return not evaluate(claim.holds, Env(old, {}, before.state, last.event, new, last.value.state))
        case LeadsTo():
            return last.event in claim.fair and isinstance(last.outcome, Refused)
        case Heard():
            old = {item.name: scalar for item, scalar in zip(machine.variables, before.context, strict=True)}
            meant = evaluate(claim.when, Env(old, dict(last.payload), before.state, last.event))
            return last.event == claim.event and meant is True and isinstance(last.outcome, Refused)
        case _:
            assert claim is None
            return isinstance(last.outcome, Refused) and last.outcome.reason == VALUE_BOUNDS


@pytest.mark.parametrize("mutant", UNREACHABLE, ids=str)
def test_a_lost_possibility_is_refuted(mutant: Mutant) -> None:
    """A witness that no run reaches is refuted by proof, not merely not found."""
    verdict = prove(broken(mutant), only=frozenset((mutant.claim,))).results[0].verdict
    assert isinstance(verdict, Refuted)
    assert verdict.trace is None


@pytest.mark.parametrize("mutant", UNPROVED, ids=str)
def test_a_fault_beyond_the_search_is_not_called_proved(mutant: Mutant) -> None:
    """Where a violation is too far to be searched, the verdict is a step that no invariant excludes, not a pass."""
    verdict = prove(broken(mutant), only=frozenset((mutant.claim,))).results[0].verdict
    assert isinstance(verdict, NotInductive)


def test_the_faults_are_not_in_the_shipped_texts() -> None:
    """Every claim that a mutant breaks is proved of the shipped machine, so the fault is what breaks it."""
    for name in ("order", "session"):
        machine = parse(Source(name, text(name))).machine
        assert machine is not None
        hit = frozenset(mutant.claim for mutant in (*REFUTED, *UNREACHABLE, *UNPROVED) if mutant.machine == name)
        report = prove(machine, only=hit)
        assert {item.property: item.verdict for item in report.results if not isinstance(item.verdict, Proved)} == {}
