"""`peak bench fuzz`: what it counts, and that its rows are the real engines; no test looks at a clock."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from peak_trade.cli import rates
from peak_trade.cli.specs import machine_named

RATES = {"lanes": 3_000.0, "walk": 600.0, "hypothesis": 2.0, "bare_hypothesis": 20.0, "sessions": 50.0}
RATES |= {"session_hypothesis": 10.0, "undying_session_hypothesis": 20.0, "judged_session_hypothesis": 5.0}


@pytest.mark.parametrize(("lanes", "sessions", "code"), [(2_000, 50, 0), (1_999, 50, 1), (2_000, 49, 1)])
def test_the_promises_are_ratios(monkeypatch: pytest.MonkeyPatch, lanes: int, sessions: int, code: int) -> None:
    """Exits 1 iff one of the two ratios is below what is promised; the figures are all there."""
    monkeypatch.setattr(rates, "spec_rows", lambda _: {})
    monkeypatch.setattr(rates, "session_rows", dict)
    monkeypatch.setattr(rates, "measured", lambda *_: {**RATES, "lanes": float(lanes), "sessions": float(sessions)})
    done = CliRunner().invoke(rates.command, ["--format", "json"])
    assert done.exit_code == code
    facts = json.loads(done.stdout)
    assert facts["kept"] is (code == 0)
    assert (facts["lanes_to_hypothesis"], facts["lanes_to_bare_hypothesis"]) == (lanes / 2, round(lanes / 20, 1))
    assert facts["sessions_to_hypothesis"] == sessions / 10
    assert done.stderr.startswith("next: peak bench fuzz") is (code == 1)


def test_each_row_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows take turns until each has had its share; a row's rate is its steps by its own time, without the warm-up."""
    now, seeds = [0], list[tuple[str, int]]()

    def row(name: str, steps: int, took_ns: int) -> Any:
        def work(seed: int) -> int:
            seeds.append((name, seed))
            now[0] += took_ns
            return steps

        return work

    monkeypatch.setattr(rates, "cpu_ns", lambda: now[0])
    found = rates.measured({"quick": row("quick", 10, 10**8), "slow": row("slow", 3, 10**9)}, 2 * 10**9)
    assert found == {"quick": 100.0, "slow": 3.0}
    assert seeds[:4] == [("quick", 0), ("slow", 0), ("quick", 1), ("slow", 1)]
    assert seeds.count(("slow", 2)) == 0


def test_the_rows_do_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row returns how many steps were really taken, and another seed is other work."""
    for name, value in (("EXAMPLES", 2), ("STEPS", 5), ("RULES", 6), ("SESSIONS", 1), ("WALK_STEPS", 200)):
        monkeypatch.setattr(rates, name, value)
    rows = {**rates.spec_rows(machine_named("breaker")), **rates.session_rows()}
    del rows["lanes"]  # as wide as it is, it takes long
    assert set(rows) | {"lanes"} == set(RATES)
    for work in rows.values():
        assert work(1) > 0
