"""A run over a tape writes the same journal whether it was interrupted or not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.journal.disk import Disk
from peak_trade.journal.errors import JournalHalted, WrongKind
from peak_trade.journal.record import Body
from peak_trade.journal.redact import Schema, Text, Whole
from peak_trade.journal.scan import read
from peak_trade.journal.store import Journal
from peak_trade.journal.tape import Diverged, Tape

Grow = Callable[[int], Path]
Step: TypeAlias = tuple[str, int]
NOTES = frozenset({"recovered"})
PROGRAMS = st.lists(st.tuples(st.sampled_from(["append", "ask", "commit"]), st.integers(0, 99)), max_size=15)


def run(tape: Tape, program: list[Step], answer: Callable[[int], Body]) -> list[Body]:
    """Perform the program; what it appends depends on the answers it was given, which it returns."""
    heard: list[Body] = []
    for place, (step, n) in enumerate(program):
        if step == "append":
            known = sum(int(body.get("lots") or 0) for body in heard)
            tape.append("order.sent", {"order_id": f"S-{n}", "price_ticks": known, "secret": "hunter 2"})
        elif step == "ask":
            heard.append(tape.outcome("venue.said", lambda place=place: answer(place)))  # type: ignore[misc]
        else:
            tape.commit()
    tape.commit()
    return heard


def said(place: int) -> Body:
    """Answer as a venue would that gives the same answer to the same question."""
    return {"order_id": f"V-{place}", "lots": place * place, "final": place % 2 == 0, "token": "hunter 2"}


def first_life(folder: Path, schema: Schema, disk: Disk, program: list[Step]) -> bytes:
    """Run once from nothing, and give the journal's bytes."""
    journal = Journal.open(folder, schema, disk=disk)
    run(Tape(journal, NOTES), program, said)
    journal.abandon()
    return journal.path.read_bytes()


@given(PROGRAMS, st.data())
def test_resumed_run_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, schema: Schema, quick: Disk, program: list[Step], data: st.DataObject
) -> None:
    """From any prefix of its journal, cut at a line's end or inside a line, a run ends with the same bytes."""
    folder = tmp_path_factory.mktemp("tape")
    wanted = first_life(folder, schema, quick, program)
    path = folder / "journal.jsonl"
    path.write_bytes(wanted[: data.draw(st.integers(0, len(wanted)))])
    with Journal.open(folder, schema, disk=quick) as journal:
        run(Tape(journal, NOTES), program, said)
    assert path.read_bytes() == wanted


def test_every_prefix_of_a_fixed_program(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """Cut after each record in turn, only what is missing is performed again, and the bytes are the same."""
    program: list[Step] = [("append", 1), ("ask", 0), ("ask", 0), ("append", 2), ("commit", 0), ("ask", 0)]
    wanted = first_life(tmp_path / "whole", schema, quick, program)
    lines = wanted.splitlines(keepends=True)
    for kept in range(len(lines) + 1):
        shutil.copytree(tmp_path / "whole", folder := tmp_path / str(kept))
        (folder / "journal.jsonl").write_bytes(b"".join(lines[:kept]))
        performed: list[int] = []
        with Journal.open(folder, schema, disk=quick) as journal:
            tape = Tape(journal)
            assert tape.replaying == (kept > 0)
            run(tape, program, lambda place, performed=performed: performed.append(place) or said(place))  # type: ignore[misc]
            assert not tape.replaying
        assert (folder / "journal.jsonl").read_bytes() == wanted
        assert performed == [1, 2, 5][sum(b"venue.said" in line for line in lines[:kept]) :]


@given(PROGRAMS)
def test_replay_hears_what_the_first_life_heard(
    tmp_path_factory: pytest.TempPathFactory, schema: Schema, quick: Disk, program: list[Step]
) -> None:
    """A live run acts on the redacted answers, which are those that a replay gives without asking anyone."""
    folder = tmp_path_factory.mktemp("tape")
    with Journal.open(folder, schema, disk=quick) as journal:
        heard = run(Tape(journal), program, said)
    assert not any("token" in body for body in heard)
    with Journal.open(folder, schema, disk=quick) as journal:
        again = run(Tape(journal), program, lambda _: pytest.fail("asked in replay"))
    assert again == heard


def test_changed_record_diverges(grow: Grow, schema: Schema, quick: Disk) -> None:
    """At each place, another body or kind than the recorded raises with both records, and consumes nothing."""
    folder = grow(4)
    recorded = list(read(folder / "journal.jsonl"))
    before = (folder / "journal.jsonl").read_bytes()
    for place in range(4):
        with Journal.open(folder, schema, disk=quick) as journal:
            tape = Tape(journal)
            for record in recorded[:place]:
                tape.append(record.kind, record.body)
            for kind, body in (
                ("order.sent", {**recorded[place].body, "price_ticks": 7}),
                ("order.sent", {**recorded[place].body, "secret": "hunter 2"}),
                ("venue.said", {"order_id": f"S-{place}"}),
            ):
                with pytest.raises(Diverged) as caught:
                    tape.append(kind, body)
                assert (caught.value.seq, caught.value.expected, caught.value.was.kind) == (
                    place,
                    recorded[place],
                    kind,
                )
                assert caught.value.was != recorded[place]
                assert "hunter" not in str(caught.value)
            with pytest.raises(Diverged) as caught:
                tape.outcome("venue.said", lambda: pytest.fail("asked in replay"))
            assert caught.value.seq == place
            assert tape.peek() == recorded[place]
    assert (folder / "journal.jsonl").read_bytes() == before


def test_annotations_are_stepped_over(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """Notes of earlier lives, wherever they stand, are not part of the run; a note is appended only when live."""
    for life in range(4):
        with Journal.open(tmp_path, schema, disk=quick) as journal:
            tape = Tape(journal, NOTES)
            for n in range(life):
                assert tape.replaying
                tape.note("recovered", {"tail_bytes": 99})
                found = tape.peek()
                assert found is not None
                assert found.kind == "order.sent"
                tape.append("order.sent", {"price_ticks": n})
            assert not tape.replaying
            assert tape.peek() is None
            tape.note("recovered", {"tail_bytes": life})
            tape.append("order.sent", {"price_ticks": life})
            if life == 3:
                tape.note("recovered", {"tail_bytes": 4})
    bodies = [dict(record.body) for record in read(tmp_path / "journal.jsonl")]
    assert bodies == [
        *({name: life} for life in range(4) for name in ("tail_bytes", "price_ticks")),
        {"tail_bytes": 4},
    ]
    with Journal.open(tmp_path, schema, disk=quick) as journal:
        tape = Tape(journal, NOTES)
        for n in range(4):
            tape.append("order.sent", {"price_ticks": n})
        assert not tape.replaying


def test_body_cannot_pass_for_an_annotation(tmp_path: Path, quick: Disk) -> None:
    """Fields named kind and seq in a body do not confuse the kind that is read without decoding."""
    odd: Schema = {"recovered": {}, "run": {"kind": Text(r".*"), "seq": Whole(), "zeta": Text(r".*")}}
    body: Body = {"kind": "recovered", "seq": 1, "zeta": '","kind":"recovered","seq":0}'}
    with Journal.open(tmp_path, odd, disk=quick) as journal:
        journal.append("run", body)
    with Journal.open(tmp_path, odd, disk=quick) as journal:
        tape = Tape(journal, NOTES)
        assert tape.replaying
        tape.append("run", body)
        assert not tape.replaying


def test_kinds_are_kept_apart(grow: Grow, schema: Schema, quick: Disk) -> None:
    """An annotation is no part of the run and the other way round, live or not; nothing is performed for a mistake."""
    for records in (0, 2):
        with Journal.open(grow(records), schema, disk=quick) as journal:
            tape = Tape(journal, NOTES)
            for mistaken in (
                lambda tape=tape: tape.append("recovered", {}),
                lambda tape=tape: tape.note("order.sent", {}),
                lambda tape=tape: tape.outcome("recovered", lambda: pytest.fail("performed")),
                lambda tape=tape: tape.outcome("order.lost", lambda: pytest.fail("performed")),
                lambda tape=tape: tape.append("order.lost", {}),
                lambda journal=journal: Tape(journal, frozenset({"order.lost"})),
            ):
                with pytest.raises(WrongKind):
                    mistaken()


def test_commit_in_replay_touches_nothing(grow: Grow, schema: Schema, quick: Disk) -> None:
    """While replaying, commit gives the durable head and writes nothing."""
    folder = grow(2)
    with Journal.open(folder, schema, disk=quick) as journal:
        tape = Tape(journal)
        before = journal.path.read_bytes()
        assert tape.commit() == journal.recovery.head
        assert journal.path.read_bytes() == before


def test_journal_that_shrinks_under_the_tape_halts(grow: Grow, schema: Schema, quick: Disk) -> None:
    """Records that were recovered and are gone when they are read are no end of the recording."""
    folder = grow(3)
    with Journal.open(folder, schema, disk=quick) as journal:
        lines = journal.path.read_bytes().splitlines(keepends=True)
        journal.path.write_bytes(lines[0])
        tape = Tape(journal)
        with pytest.raises(JournalHalted, match="3 records were recovered, 1 could be read"):
            tape.append("order.sent", {"order_id": "S-0", "price_ticks": 100, "side": "buy"})
