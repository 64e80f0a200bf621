"""Which planned actions the specification of the order allows; what it does not allow is the operator's."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from peak_trade.backends.kernel import Kernel
from peak_trade.lang.step import Taken
from peak_trade.rails.differences import Action, Code, Difference

ANSWERS: Final[Mapping[tuple[Code, Action], tuple[str, ...]]] = {
    (Code.UNKNOWN_OUTCOME, Action.QUERY): ("accept", "reject", "not_found"),
    (Code.STUCK_PENDING, Action.CANCEL_AGAIN): ("cancel_accept", "cancel_reject"),
}
"""The order machine's events with which an action can end; an action that can end in none of them changes nothing."""


def permitted(kernel: Kernel, value: tuple[Any, ...], item: Difference) -> Difference:
    """Return `item` as it is iff the order, with its running `value`, could take an answer to its action.

    Else it is the operator's. Actions that only read need no leave. An answer with a payload is no candidate.
    """
    events = ANSWERS.get((item.code, item.action))
    if events is None or any(isinstance(kernel.step(value, event, ())[0], Taken) for event in events):
        return item
    return replace(item, action=Action.ASK_OPERATOR)
