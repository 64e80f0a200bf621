"""The filter, instruction by instruction: run by a small machine of our own, for machines that are not at hand too."""

from collections.abc import Sequence
from errno import EACCES, ENOSYS

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.session.seccomp import (
    ABIS,
    ALLOW,
    AT_LEAST,
    DISOWN,
    EQUAL,
    LOAD,
    NEWER_MIN,
    REFUSE,
    RETURN,
    TYPING,
    Abi,
    Instruction,
    program,
)

WORDS = st.integers(0, 2**64 - 1)
ABI = st.sampled_from(list(ABIS.values()))
X32 = 0x40000000
INSTRUCTIONS_MAX = 4096
"""BPF_MAXINSNS."""


def answer(instructions: Sequence[Instruction], audit: int, number: int, words: Sequence[int]) -> int:
    """Return what the kernel's interpreter of classic BPF would answer to one call."""
    data = number.to_bytes(4, "little") + audit.to_bytes(4, "little") + bytes(8)
    data += b"".join(word.to_bytes(8, "little") for word in words)
    at = accumulator = 0
    while True:
        code, yes, no, constant = instructions[at]
        at += 1
        match code:
            case _ if code == LOAD:
                accumulator = int.from_bytes(data[constant : constant + 4], "little")
            case _ if code == EQUAL:
                at += yes if accumulator == constant else no
            case _ if code == AT_LEAST:
                at += yes if accumulator >= constant else no
            case _ if code == RETURN:
                return constant
            case _:
                raise AssertionError(code)


def expected(abi: Abi, audit: int, number: int, words: Sequence[int]) -> int:
    """Return what the filter's docstring says of one call."""
    if audit != abi.audit:
        return REFUSE
    if number >= NEWER_MIN:
        return DISOWN
    low = [word % 2**32 for word in words]
    refused = (
        number in abi.refused.values()
        or (number == abi.socketpair and low[0] != 1)
        or (number == abi.sendto and words[4] != 0)
        or (number == abi.ioctl and low[1] in TYPING)
    )
    return REFUSE if refused else ALLOW


@pytest.mark.parametrize("abi", ABIS.values(), ids=ABIS)
@pytest.mark.parametrize(
    "words", [(0,) * 6, (1,) * 6, (2**32 + 1,) * 6, (2**32,) * 6, *((1, word, 0, 0, 0, 0) for word in TYPING)]
)
def test_every_number_is_answered_as_the_law_says(abi: Abi, words: tuple[int, ...]) -> None:
    """For each number up to well beyond the newest call, with telling arguments, the program answers as declared."""
    instructions = program(abi)
    numbers = [*range(NEWER_MIN + 200), X32, X32 | 41, 2**32 - 1]
    for number in numbers:
        assert answer(instructions, abi.audit, number, words) == expected(abi, abi.audit, number, words), number


@given(ABI, st.data())
def test_any_call_is_answered_as_the_law_says(abi: Abi, data: st.DataObject) -> None:
    """For random machines, numbers and arguments, biased to the listed ones, the program answers as declared."""
    listed = [*abi.refused.values(), abi.socketpair, abi.sendto, abi.ioctl]
    number = data.draw(st.sampled_from(listed) | st.integers(0, 2**32 - 1))
    audit = data.draw(st.just(abi.audit) | st.integers(0, 2**32 - 1))
    words = data.draw(st.tuples(*[st.sampled_from([0, 1, 2**32, *TYPING]) | WORDS] * 6))
    assert answer(program(abi), audit, number, words) == expected(abi, audit, number, words)


def test_each_machine_refuses_the_same_calls() -> None:
    """The machines differ in numbers only, and no number stands for two calls."""
    names = {frozenset(abi.refused) for abi in ABIS.values()}
    assert len(names) == 1
    for abi in ABIS.values():
        numbers = [*abi.refused.values(), abi.socketpair, abi.sendto, abi.ioctl, abi.seccomp]
        assert len(numbers) == len(set(numbers))
        assert max(numbers) < NEWER_MIN


@pytest.mark.parametrize("abi", ABIS.values(), ids=ABIS)
def test_the_program_is_one_that_a_kernel_takes(abi: Abi) -> None:
    """Every jump lands inside, every path ends in an answer, and there are no more instructions than allowed."""
    instructions = program(abi)
    assert len(instructions) < INSTRUCTIONS_MAX
    assert instructions[-1][0] == RETURN
    for at, (code, yes, no, _) in enumerate(instructions):
        if code in (EQUAL, AT_LEAST):
            assert at + 1 + max(yes, no) < len(instructions)
            assert max(yes, no) < 256


def test_what_is_refused_is_an_error_and_no_signal() -> None:
    """REFUSE and DISOWN are SECCOMP_RET_ERRNO with EACCES and ENOSYS, so that a caller can say what happened."""
    assert (REFUSE >> 16, REFUSE & 0xFFFF) == (5, EACCES)
    assert (DISOWN >> 16, DISOWN & 0xFFFF) == (5, ENOSYS)
