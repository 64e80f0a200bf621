"""Is what a run recorded inside the certified invariant? Runs, journals, packs and snapshots, sound and tampered."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rich_click as click
from click.testing import CliRunner

from peak_trade.backends.kernel import compile_kernel
from peak_trade.cli import inside
from peak_trade.cli.app import command
from peak_trade.cli.inside import SAFE, answer
from peak_trade.cli.specs import machine_named, spec_folder
from peak_trade.evidence.values import Known, valued
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.lang.expr import Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Always
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import INT
from peak_trade.market.crossover import crossover
from peak_trade.market.synthetic import walk
from peak_trade.session.assembly import Session, Setup, open_session
from peak_trade.session.config import Config, VenuePart

JOURNAL = "journal/journal.jsonl"


def opened(folder: Path) -> Session:
    """A small session with faults at the venue, begun."""
    config = Config(
        cash_ticks=10**10,
        wind_down_steps=8,
        fault_permille=250,
        venue=VenuePart(participation_permille_min=5, participation_permille_max=40),
    )
    session = open_session(
        Setup(
            folder=folder,
            session=machine_named("session"),
            order=machine_named("order"),
            breaker=machine_named("breaker"),
            config=config,
            bars=walk(3, 4, 40, volume_lots=50_000),
            strategy=crossover(2, 5, 200_000_000),
            steps_max=40,
            version="test",
        ),
        resume=False,
    )
    session.start()
    return session


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run; tests read it and change nothing in it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    session = opened(folder)
    session.run(1_000)
    session.close()
    return folder


@pytest.fixture(scope="module")
def snapshot(run: Path) -> dict[str, Any]:
    """What the command says of the whole run, as data; it is a snapshot itself."""
    document: dict[str, Any] = json.loads(answer(run, every=False, style="json")[0])
    return document


Save = Callable[[dict[str, Any]], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a snapshot to a file."""

    def write(document: dict[str, Any]) -> Path:
        path = tmp_path / "snapshot.json"
        path.write_text(json.dumps(document))
        return path

    return write


def rebuilt(records: list[Record]) -> dict[str, Known]:
    """The last known value of the session (empty name) and of each order."""
    kernels = (compile_kernel(machine_named("session")), compile_kernel(machine_named("order")))
    return {known.subject: known for known in valued(records, *kernels)}


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("place", ["", JOURNAL])
def test_a_sound_run_is_safe_in_every_continuation(run: Path, place: str, *, every: bool) -> None:
    """A run folder and its journal: exit 0, all values judged, and the sentence that says what it means."""
    text, code = answer(run / place, every=every, style="text")
    facts = json.loads(answer(run / place, every=every, style="json")[0])
    assert (code, text.splitlines()[-1]) == (0, SAFE)
    steps = sum(record.kind in ("session", "order") for record in read(run / JOURNAL))
    orders = len({record.body["order"] for record in read(run / JOURNAL) if record.kind == "order"})
    assert facts["judged"] == {"inside": steps if every else orders + 1, "outside": 0, "unknown": 0}
    assert len(facts["values"]) == orders + 1 > 10
    assert {"SES-1", "SES-14"} <= set(facts["invariant"]["session"])


def test_the_rebuilt_values_are_the_ones_that_ran(tmp_path: Path) -> None:
    """At several moments of a run with faults the journal alone gives the very values that are in memory."""
    session = opened(tmp_path / "run")
    for _ in range(6):
        session.run(7)
        session.tape.commit()
        found = rebuilt(list(read(tmp_path / "run" / JOURNAL)))
        orchestrator = session.orchestrator
        assert found.pop("").value == orchestrator.driver.value
        assert {name: known.value for name, known in found.items()} == {
            name: order.value for name, order in orchestrator.desk.book.orders.items()
        }
        assert not any(known.doubt for known in found.values())
    session.close()


Edit = Callable[[dict[str, Any]], None]


def edited(machine: str, **parts: Any) -> Edit:
    """Change the last value of a machine in a snapshot."""

    def edit(document: dict[str, Any]) -> None:
        item = next(item for item in document["values"] if item["machine"] == machine and item["state"] != "denied")
        item["state"] = parts.get("state", item["state"])
        item["context"] |= {name: value for name, value in parts.items() if name != "state"}

    return edit


@pytest.mark.parametrize(
    ("edit", "clause"),
    [
        (edited("order", cum=10**9), "ORD-1"),
        (edited("order", leaves=1), "ORD-2"),
        (edited("order", qty="many"), "ORDER-SORTS"),
        (edited("session", state="LIVE_ACTIVE"), "SES-1"),
        (edited("session", stop_budget=101), "SESSION-SORTS"),
        (edited("session", state="NOWHERE"), "SESSION-SORTS"),
    ],
)
def test_a_tampered_snapshot_is_outside(snapshot: dict[str, Any], save: Save, edit: Edit, clause: str) -> None:
    """The clause that the changed value breaks is named with its sentence, exit 1; unchanged it is inside."""
    document = json.loads(json.dumps(snapshot))
    assert answer(save(document), every=False, style="text")[1] == 0
    edit(document)
    text, code = answer(save(document), every=False, style="text")
    assert code == 1
    assert f"breaks {clause}: " in text
    assert SAFE not in text
    assert text.splitlines()[-1].startswith("next: ")


def test_a_snapshot_that_leaves_something_out_is_unknown(snapshot: dict[str, Any], save: Save) -> None:
    """Without one variable nobody knows, exit 3; what is known to be outside still counts more."""
    document = json.loads(json.dumps(snapshot))
    orders = [item for item in document["values"] if item["machine"] == "order"]
    del orders[0]["context"]["leaves"]
    text, code = answer(save(document), every=False, style="text")
    assert (code, "does not say leaves" in text) == (3, True)
    orders[1]["context"]["cum"] = -1
    assert answer(save(document), every=False, style="text")[1] == 1


def test_the_command_answers_for_a_run(run: Path, snapshot: dict[str, Any], save: Save) -> None:
    """`peak prove --from` prints the answer and exits with its code; machines cannot be named as well."""
    call = CliRunner().invoke
    sound = call(command, ["prove", "--from", str(run), "--every"])
    assert (sound.exit_code, sound.output.splitlines()[-1]) == (0, SAFE)
    document = json.loads(json.dumps(snapshot))
    edited("order", cum=10**9)(document)
    told = call(command, ["prove", "--from", str(save(document)), "--format", "json"])
    assert (told.exit_code, json.loads(told.output)["verdict"]) == (1, "outside")
    assert call(command, ["prove", "order", "--from", str(run)]).exit_code == 2


@pytest.mark.parametrize("text", ["", "[]", '{"spec": {}}', '{"spec": {"session": "x"}, "values": [{"machine": "x"}]}'])
def test_what_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    """A sentence and no traceback."""
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(click.UsageError, match="expected a snapshot"):
        answer(tmp_path / "s.json", every=False, style="text")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    """A sentence and no traceback."""
    with pytest.raises(click.UsageError, match="expected a run folder"):
        answer(tmp_path, every=False, style="text")


def test_values_of_another_specification_are_refused(snapshot: dict[str, Any], save: Save) -> None:
    """An invariant says nothing of another machine's values."""
    document = snapshot | {"spec": snapshot["spec"] | {"order": "0" * 64}}
    with pytest.raises(click.UsageError, match="expected values of the order specification"):
        answer(save(document), every=False, style="text")


def test_an_invariant_that_is_not_proved_now_makes_nothing_safe(
    snapshot: dict[str, Any], save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one claim that is false the rest is certified, but nothing is called safe, and the claim is named."""
    order = machine_named("order")
    false = Always("ORD-X", "no", Compare(Comparison.LT, Var("cum", INT, Scope.CONTEXT), Lit(1, INT)))
    wrong = replace(order, properties=(*order.properties, false))
    monkeypatch.setattr(inside, "machine_named", lambda name: wrong if name == "order" else machine_named(name))
    document = snapshot | {"spec": snapshot["spec"] | {"order": fingerprint(wrong)}}
    text, code = answer(save(document), every=False, style="text")
    assert (code, "not proved now: order ORD-X" in text) == (3, True)


def test_an_order_outside_is_found_in_the_journal(tmp_path: Path) -> None:
    """A value that was changed in memory while no guard looked: its next record holds it, and breaks ORD-1."""
    session = opened(tmp_path / "run")
    session.run(12)
    session.orchestrator.guard.order = lambda _: None
    order = next(iter(session.orchestrator.desk.book.working.values()))
    order.value = (*order.value[:2], order.value[1] + 5, *order.value[3:])
    session.run(200)
    session.close()
    text, code = answer(tmp_path / "run", every=False, style="text")
    assert code == 1
    name = order.request.client_order_id
    assert any(line.startswith(f"✗ outside order {name} in ") and "breaks ORD-1" in line for line in text.splitlines())


def test_what_the_guard_found_is_told(tmp_path: Path) -> None:
    """With the guard the last values are inside again; among every recorded one stands what it found."""
    session = opened(tmp_path / "run")
    session.run(12)
    order = next(iter(session.orchestrator.desk.book.working.values()))
    order.value = (*order.value[:2], order.value[1] + 5, *order.value[3:])
    session.run(200)
    session.close()
    assert answer(tmp_path / "run", every=False, style="text")[1] == 0
    text, code = answer(tmp_path / "run", every=True, style="text")
    assert (code, text.count("found by the session itself"), text.count("breaks ORD-1")) == (1, 1, 1)


def test_a_damaged_journal_is_unknown(run: Path, tmp_path: Path) -> None:
    """What stands before the damage is judged; what comes after nobody knows, exit 3."""
    shutil.copytree(run, tmp_path / "run")
    data = (run / JOURNAL).read_bytes()
    place = data.index(b'"step":20')
    (tmp_path / "run" / JOURNAL).write_bytes(data[:place] + b'"step":21' + data[place + 9 :])
    text, code = answer(tmp_path / "run", every=False, style="text")
    assert (code, "the journal is damaged" in text) == (3, True)


def test_a_pack_is_judged_by_its_own_specifications(run: Path, tmp_path: Path) -> None:
    """A pack has journal and specifications in `data`; another specification in it is refused."""
    data = tmp_path / "INC" / "data"
    shutil.copytree(run / "journal", data / "journal")
    (data / "spec").mkdir()
    for name in ("session", "order"):
        shutil.copy(spec_folder() / f"{name}.yaml", data / "spec")
    assert answer(tmp_path / "INC", every=False, style="text")[1] == 0
    path = data / "spec" / "order.yaml"
    path.write_text(path.read_text().replace("version: 2", "version: 3", 1))
    with pytest.raises(click.UsageError, match="order specification"):
        answer(tmp_path / "INC", every=False, style="text")


def test_a_record_that_the_machine_does_not_write_makes_its_order_doubtful(run: Path) -> None:
    """From the first record on that does not follow, the value is a guess, and says at which record."""
    records = list(read(run / JOURNAL))
    place = next(i for i, item in enumerate(records) if item.kind == "order" and item.body["event"] == "fill")
    body = dict(records[place].body)
    for changed in ({"by": "O99"}, {"cum": int(body["cum"] or 0) - 1}, {"last_qty": None}):
        told = [*records[:place], replace(records[place], body=body | changed), *records[place + 1 :]]
        found = rebuilt(told)[str(body["order"])]
        assert found.doubt.startswith(f"record {place}: expected"), changed
        others = [known for name, known in rebuilt(told).items() if name != body["order"]]
        assert not any(known.doubt for known in others)


def test_a_slice_knows_only_what_begins_in_it(run: Path) -> None:
    """From the middle on, the session and the orders begun before are unknown, and those begun later are known."""
    records = list(read(run / JOURNAL))
    half = records[len(records) // 2 :]
    later = {item.body["order"] for item in half if item.body.get("event") in ("submit", "deny")}
    found, whole = rebuilt(half), rebuilt(records)
    assert found.pop("").value is None
    assert {name for name, known in found.items() if known.value is not None} == later
    assert later
    assert set(found) - later
    assert all(found[str(name)].value == whole[str(name)].value for name in later)
