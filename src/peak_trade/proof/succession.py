"""Two steps, one right after the other, as a formula over the value and the offer before the first of them."""

from typing import Final

import z3

from peak_trade.backends.relation import Encoding, Move, Offer
from peak_trade.backends.smt import Term

NEXT: Final = 1_000_000
"""The moment whose constants are the second offer; no run is unrolled so far."""


def afterwards(encoding: Encoding, first: Move, term: Term) -> Term:
    """Return `term`, over `before` and `offer`, said of the value after `first` and of another offer than the first."""
    old = (*encoding.before.terms(), *encoding.offer.terms())
    new = (*first.after.terms(), *_other(encoding).terms())
    return z3.substitute(term, *zip(old, new, strict=True))


def somehow(encoding: Encoding, move: Move, term: Term) -> Term:
    """Return that some payload of the event of `move` as the second offer makes true what `afterwards` gave.

    Over `before` and the first offer alone.
    """
    other = _other(encoding)
    event = (other.event, encoding.world.literal(move.event, encoding.events))
    fixed = z3.simplify(z3.substitute(term, event))
    fields = list(other.payloads[move.event].values())
    return unquantified(encoding, z3.Exists(fields, fixed)) if fields else fixed


def unquantified(encoding: Encoding, term: Term) -> Term:
    """Return `term` without its quantifiers, over whole numbers and truth values.

    Limits: no limit of its own; what is quantified here is the few fields of one payload.
    """
    return z3.Tactic("qe", encoding.world.context)(term).as_expr()


def _other(encoding: Encoding) -> Offer:
    return encoding.constants(NEXT)[1]
