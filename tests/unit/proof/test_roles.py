"""What each part of a machine is to each claim."""

from collections.abc import Callable

from peak_trade.lang.machine import Machine
from peak_trade.proof.doubt.anatomy import Anatomy, parts, switched, without
from peak_trade.proof.doubt.roles import LIMITS, Role, roles
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import Proved

Write = Callable[..., str]
Read = Callable[[str], Machine]
LOCKED = ("require: {soon: count > 0}", "require: {soon: count > 0, full: count <= limit}")
CLAIMS = """
- {id: A, always: count <= limit, says: x}
- {id: B, always: state != shut or count > 0, says: y}
- {id: C, step: event != close or count <= limit, says: z}
"""


def test_roles_of_a_small_machine(counter: Write, read: Read) -> None:
    """A guard that alone keeps a claim MUST be there, a lock behind an invariant MAY, others do not matter."""
    found = roles(read(counter(CLAIMS, LOCKED)))
    assert found.role("T1.when.1", "A") is Role.MUST
    assert found.role("T1.when.1", "B") is Role.IRRELEVANT
    assert found.role("T2.require.soon", "B") is Role.MUST
    assert {found.role("T2.require.full", "C"), found.role("T1.when.1", "C")} == {Role.MAY}
    assert [part.name for part in found.idle()] == ["T1.set.count"]


def test_what_nothing_rests_on_is_named(counter: Write, read: Read) -> None:
    """With one claim less its lock is irrelevant to all."""
    found = roles(read(counter("- {id: A, always: count <= limit, says: x}")))
    assert [part.name for part in found.idle()] == ["T1.set.count", "T2.require.soon"]


def test_a_must_part_is_one_whose_loss_ends_the_proof(counter: Write, read: Read) -> None:
    """Compared with `prove` on the machine without it, for every part and claim of the counter."""
    machine = read(counter(CLAIMS, LOCKED))
    found = roles(machine)
    for part in found.parts:
        left = prove(without(machine, (part.name,)), only=frozenset(("A", "B", "C")))
        for result in left.results:
            proved = isinstance(result.verdict, Proved)
            assert proved == (found.role(part.name, result.property) is not Role.MUST), (part.name, result.property)


def test_irrelevant_parts_leave_a_proof_together(shipped: Callable[[str], Machine]) -> None:
    """All parts that are irrelevant to a claim can go at once, and it is still proved."""
    machine = shipped("breaker")  # of the order it takes minutes
    found, anatomy = roles(machine), Anatomy.of(machine, LIMITS)
    assert Role.IRRELEVANT in {found.role(part.name, claim) for part in found.parts for claim in found.claims}
    for claim in found.claims:
        gone = frozenset(part.name for part in found.parts if found.role(part.name, claim) is Role.IRRELEVANT)
        assert anatomy.proof(claim, gone) is not None, claim


def test_the_second_line_of_the_live_gate_may_each_be_needed(shipped: Callable[[str], Machine]) -> None:
    """Of two lines that each keep the flag's claim neither is a MUST and both are a MAY."""
    found = roles(shipped("session"))
    assert {found.role(name, "SES-1") for name in ("S20.require.flag_off", "S22.require.flag_off")} == {Role.MAY}


def test_with_every_switch_on_the_machine_is_the_same(counter: Write, read: Read) -> None:
    """Switches are free variables of their own, one for each part; no other part of the machine is changed."""
    machine = read(counter(CLAIMS, LOCKED))
    more = switched(machine)
    assert len(more.variables) == len(machine.variables) + len(parts(machine))
    assert all(item.free and item.init is True for item in more.variables[len(machine.variables) :])
    assert (more.states, more.dismissals, more.properties) == (machine.states, machine.dismissals, machine.properties)
    assert without(machine, ()) == machine
