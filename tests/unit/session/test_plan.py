"""A fault plan in the configuration is read like a file, and what is wrong with it is said with its place."""

import pytest

from peak_trade.broker.faults import HARSH, SEVEN, Fault, FaultKind
from peak_trade.broker.script import load, plain
from peak_trade.lang.source import Source
from peak_trade.session.config import Config, parse_config

PLAN = """
seed: 3
fault_kinds: [bust, outage]
faults:
  - {kind: reject, order: 3}
  - {kind: outage, step: 4, steps: 2}
"""


def test_a_plan_stands_in_the_configuration() -> None:
    """Kinds and faults come out typed, and the snapshot holds them as they were written."""
    config, wrong = parse_config(Source("c.yaml", PLAN), {})
    assert not wrong
    assert config is not None
    assert config.plan() == (Fault(FaultKind.REJECT, order=3), Fault(FaultKind.OUTAGE, step=4, steps=2))
    assert config.snapshot()["fault_kinds"] == ["bust", "outage"]
    assert config.snapshot()["faults"] == [plain(fault) for fault in config.plan()]
    assert Config.model_validate(config.snapshot()) == config


def test_a_plan_from_a_file_goes_into_the_configuration() -> None:
    """What `load` gives can be put there, by name of its fields."""
    faults = load("- {kind: restart, step: 9}\n- {kind: clock_skew, step: 2, steps: 3, by: -1}")
    assert Config(faults=[plain(fault) for fault in faults]).plan() == faults


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("fault_kinds: [bang]", "fault_kinds"),
        ("faults: [{kind: bang, order: 1}]", "bang"),
        ("faults: [{kind: reject, order: 1}, {kind: timeout_after, order: 1}]", "placing"),
        ("faults: 3", "faults"),
    ],
)
def test_what_is_no_plan_is_a_finding(line: str, word: str) -> None:
    """It is told at its line, with what was expected."""
    config, wrong = parse_config(Source("c.yaml", f"seed: 1\n{line}\n"), {})
    assert config is None
    assert [item.span.line for item in wrong] == [2]
    assert word in wrong[0].message


def test_without_a_plan_nothing_is_planned() -> None:
    """By default no fault is planned, and those that are drawn are of kinds that heal by themselves."""
    assert Config().plan() == ()
    assert Config().fault_permille == 0
    assert set(SEVEN) <= set(Config().fault_kinds)
    assert not HARSH & set(Config().fault_kinds)
