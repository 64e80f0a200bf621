"""What a part's own machine claims holds of the part in any system, because only its own steps move it."""

from dataclasses import replace

from peak_trade.lang.joint import said
from peak_trade.lang.machine import Always
from peak_trade.lang.system import Part


def inherited(part: Part) -> tuple[Always, ...]:
    """Return the invariants of the part's machine in the system's names, as lemmas to be proved with the others."""
    claims = (item for item in part.machine.properties if isinstance(item, Always))
    return tuple(
        replace(item, name=f"{part.name}.{item.name}", holds=said(part, item.holds), lemma=True, span=part.span)
        for item in claims
    )
