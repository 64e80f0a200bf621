"""A journal that a session wrote conforms, whole or from any cut; an edit is named where it is or after it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.cli.specs import machine_named
from peak_trade.conform.walk import Conformance, OtherSpec, conform
from peak_trade.fuzz.play import play
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.world import Machines
from peak_trade.journal.record import Record

NAMES = ("session", "order", "breaker")
SEEDS = (2, 3, 8, 44, 48)
"""Worlds with faults of many kinds; see `test_the_worlds_are_not_plain`."""
Records = tuple[Record, ...]


@pytest.fixture(scope="module")
def kernels() -> dict[str, Kernel]:
    """The kernels of the shipped machines."""
    return {name: compile_kernel(machine_named(name)) for name in NAMES}


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Records]:
    """The journals of a few seeded worlds, by seed."""
    machines = Machines(*map(machine_named, NAMES))
    return {
        seed: play(seeded_world(seed), machines, tmp_path_factory.mktemp("world") / "run").records for seed in SEEDS
    }


def numbered(records: Sequence[Record]) -> Records:
    """The records with the numbers that a chain made anew would give them."""
    return tuple(Record(seq, one.kind, one.body) for seq, one in enumerate(records))


def changed(records: Records, seq: int, **fields: Any) -> Records:
    """The journal with some fields of one record changed."""
    one = records[seq]
    return (*records[:seq], Record(seq, one.kind, dict(one.body) | fields), *records[seq + 1 :])


def without(records: Records, seq: int, *names: str) -> Records:
    """The journal with some fields of one record redacted."""
    one = records[seq]
    body = {name: value for name, value in one.body.items() if name not in names}
    return (*records[:seq], Record(seq, one.kind, body | {"redacted": len(names)}), *records[seq + 1 :])


def first(records: Records, kind: str, **fields: Any) -> int:
    """The seq of the first record of this kind with these fields."""
    return next(
        one.seq for one in records if one.kind == kind and all(one.body.get(name) == fields[name] for name in fields)
    )


def named(found: Conformance) -> tuple[int, str]:
    """Which record a verdict names, and by which law."""
    assert found.deviation is not None, found
    return found.deviation.record.seq, found.deviation.row


def test_the_worlds_are_not_plain(journals: dict[int, Records]) -> None:
    """Among the journals are busts, replacements, differences, a breaker that moved, and a process that died."""
    kinds = {one.kind for records in journals.values() for one in records}
    events = {str(one.body.get("event")) for records in journals.values() for one in records if one.kind == "order"}
    assert {"breaker", "difference", "recovered", "trip"} <= kinds
    assert {"bust", "cancel", "correct", "deny", "replaced", "suspend"} <= events


def test_what_a_session_wrote_conforms(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """Every record of every journal is allowed, and all are counted."""
    for seed, records in journals.items():
        found = conform(records, kernels)
        assert (found.verdict, found.records, found.complete) == ("conforms", len(records), True), (seed, found)
        assert found.orders == len({one.body["order"] for one in records if one.kind == "order"})


def test_any_part_of_it_conforms(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """A trace may begin and end anywhere: what is hidden before it is never taken for a deviation."""
    random = Random(1)
    for records in journals.values():
        for _ in range(6):
            low = random.randrange(1, len(records))
            high = random.randrange(low, len(records)) + 1
            assert conform(records[low:high], kernels).verdict == "conforms", (low, high)


Edit = Callable[[Records, Random], tuple[int, Records] | None]


def edit_field(records: Records, random: Random) -> tuple[int, Records] | None:
    """Give a record another event, outcome, reason, state, quantity or payload."""
    one = records[random.randrange(1, len(records))]
    name = random.choice(sorted(one.body))
    values = sorted({str(other.body[name]) for other in records if other.kind == one.kind and name in other.body})
    value = one.body[name]
    if isinstance(value, bool):
        return one.seq, changed(records, one.seq, **{name: not value})
    if isinstance(value, int):
        return one.seq, changed(records, one.seq, **{name: value + random.choice((-1, 1, 7))})
    return one.seq, changed(records, one.seq, **{name: random.choice(values)})


def edit_order(records: Records, random: Random) -> tuple[int, Records] | None:
    """Leave a record out, write it twice, or swap it with the next."""
    seq = random.randrange(1, len(records) - 1)
    ways = (
        (*records[:seq], *records[seq + 1 :]),
        (*records[: seq + 1], *records[seq:]),
        (*records[:seq], records[seq + 1], records[seq], *records[seq + 2 :]),
    )
    return seq, numbered(random.choice(ways))


@pytest.mark.parametrize("edit", [edit_field, edit_order])
def test_an_edit_is_never_named_too_early(edit: Edit, journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """Whatever was edited: nothing before it is named, and nearly everything is named."""
    random, made, caught = Random(2), 0, 0
    for records in journals.values():
        for _ in range(25):
            done = edit(records, random)
            if done is None or done[1] == records:
                continue
            found, made = conform(done[1], kernels), made + 1
            if found.deviation is not None:
                caught += 1
                assert found.deviation.record.seq >= done[0]
    assert made > 60
    assert caught > made // 2


@pytest.mark.parametrize("name", ["event", "outcome", "by", "state", "cum", "leaves"])
def test_what_a_step_did_is_named_at_once(name: str, journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """Another outcome, reason, state or quantity of an order's step is named at that very record."""
    words = {"event": "finish_day", "outcome": "broken", "by": "O99", "state": "stopped"}
    random = Random(3)
    for records in journals.values():
        for seq in random.sample([one.seq for one in records if one.kind == "order"], 6):
            value = records[seq].body[name]
            other = value + 1 if isinstance(value, int) else words[name]
            if value != other:
                assert named(conform(changed(records, seq, **{name: other}), kernels))[0] == seq


def test_the_row_that_decides_is_named(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """The verdict says what the specification gives there, by which row and line, and what else could happen."""
    records = journals[3]
    seq = first(records, "order", event="accept")
    found = conform(changed(records, seq, state="filled"), kernels).deviation
    assert found is not None
    leaves = records[seq].body["leaves"]
    assert found.expected == (f"taken by O03 to new cum 0 leaves {leaves}",)
    text = (Path(__file__).resolve().parents[3] / "spec" / "order.yaml").read_text().splitlines()
    assert "id: O03" in text[found.line - 1]
    assert {"fill", "reject", "time_out"} <= set(found.enabled)
    assert "submit" not in found.enabled
    assert [one.seq for one in found.context] == [seq - 2, seq - 1]


def test_laws_between_machines_are_named(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """Counts, cursors and money that do not follow are named by their law."""
    records = journals[3]
    closed = first(records, "session", event="orders_closed")
    count = int(str(records[closed].body["closed"]))
    grown = changed(records, closed, closed=count - 1) if count > 1 else (*records[:closed], *records[closed + 1 :])
    assert named(conform(numbered(grown), kernels))[1] == "SYS-11"
    report = next(one.seq for one in records if one.body.get("cursor") == 4)
    assert named(conform(changed(records, report, cursor=3), kernels)) == (report, "SYS-28")
    fill = first(records, "order", event="fill", outcome="taken")
    account = next(one.seq for one in records[fill:] if one.kind == "account")
    price = int(str(records[fill].body["price_ticks"]))
    assert named(conform(changed(records, fill, price_ticks=price + 1), kernels)) == (account, "SYS-32")
    lots = int(str(records[fill].body["position_lots"]))
    assert named(conform(changed(records, fill, position_lots=lots + 1), kernels)) == (fill, "SYS-3")


def test_an_order_needs_a_batch(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """An order that leaves although the session was never asked is named where it leaves."""
    records = journals[8]
    batch = first(records, "session", event="order_batch")
    found = conform(numbered((*records[:batch], *records[batch + 1 :])), kernels)
    placed = next(one.seq for one in records[batch:] if one.body.get("event") == "submit")
    assert named(found) == (placed - 1, "SYS-11")


def test_what_is_redacted_is_every_value(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """A payload that redaction dropped is inferred from what follows; a step that no value of it explains is named."""
    records = journals[3]
    submit = first(records, "order", event="submit")
    hidden = without(records, submit, "order_qty")
    assert conform(hidden, kernels).verdict == "conforms"
    assert named(conform(changed(hidden, submit, leaves=0), kernels))[0] == submit
    later = next(one.seq for one in records[submit + 1 :] if one.body.get("order") == records[submit].body["order"])
    blind = without(hidden, submit, "order_qty", "leaves", "cum")
    assert conform(blind, kernels).verdict == "conforms"
    cum = int(str(records[later].body["cum"])) + 1
    assert named(conform(changed(blind, later, cum=cum), kernels))[0] == later


def test_a_field_that_is_missing_and_not_redacted_is_named(
    journals: dict[int, Records], kernels: dict[str, Kernel]
) -> None:
    """Only what the record says was redacted may be hidden."""
    records = journals[3]
    submit = first(records, "order", event="submit")
    body = {name: value for name, value in records[submit].body.items() if name != "order_qty"}
    edited = (*records[:submit], Record(submit, "order", body), *records[submit + 1 :])
    found = conform(edited, kernels).deviation
    assert found is not None
    assert found.expected == ("the field order_qty",)


def test_what_cannot_be_judged_is_inconclusive(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """A kind that nobody knows, or an order without its name, is said and leaves the verdict open."""
    records = journals[3]
    strange = numbered((*records[:9], Record(9, "weather", {"sun": True}), *records[9:]))
    found = conform(strange, kernels)
    assert (found.verdict, found.kinds["weather"]) == ("inconclusive", 1)
    assert "weather" in found.doubts[0]
    nameless = conform(without(records, first(records, "order"), "order"), kernels)
    assert nameless.verdict == "inconclusive"
    assert nameless.records == len(records)


def test_another_specification_is_refused(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """The run's record names the fingerprints; a journal of other machines is not walked."""
    with pytest.raises(OtherSpec, match="order"):
        conform(changed(journals[3], 0, order_spec="0" * 64), kernels)


def test_the_breaker_moves_as_it_can(journals: dict[int, Records], kernels: dict[str, Kernel]) -> None:
    """Between two records of the breaker any events may lie, but only its own: openings are never forgotten."""
    records = next(found for found in journals.values() if sum(one.kind == "breaker" for one in found) > 1)
    places = [one.seq for one in records if one.kind == "breaker"]
    last = records[places[-1]].body
    for change in ({"state": "open", "failures": 0}, {"failures": -1}, {"state": "closed", "waited": 1}):
        assert named(conform(changed(records, places[-1], **change), kernels))[0] == places[-1]
    if last["opened"]:
        assert named(conform(changed(records, places[-1], opened=0), kernels))[0] == places[-1]
