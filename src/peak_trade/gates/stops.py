"""The catalogue of what the merge gate finds: a stable code, a title, and what to know to mend it."""

from typing import Final

from peak_trade.lang.codes import Code

TRAILER: Final = "Loosens"
"""The first word of a line of a commit message that acknowledges: `Loosens: ID reason`."""

CODES: Final[dict[str, Code]] = {
    "GATE001": Code(
        "claim refuted",
        "A changed specification claims something that is false; `peak prove` shows the run that breaks it.",
    ),
    "GATE002": Code(
        "claim left open",
        "Neither proved nor refuted, within the limits. That is no pass: declare a lemma, or make the claim simpler.",
    ),
    "GATE003": Code(
        "lock that nothing needs",
        "Without this lock on the way into a live state every claim is proved as before: a claim is missing, or the\n"
        "lock is not what it seems to be.",
    ),
    "GATE004": Code(
        "clause loosened without a word",
        "The change admits a step, a start or a value that was not possible, or claims less than before; the message\n"
        "says which clauses that concerns. Make it stricter again. Or say in the message of a commit of this change,\n"
        "on a line of its own, `Loosens: ID reason`: whoever reviews it sees it, and it stays in the history.\n"
        "`peak diff` shows the same with examples and draws both versions as one.",
    ),
    "GATE005": Code(
        "comparison left open",
        "The solver gave up on whether this is stricter or looser than before. That is no pass: divide the guard, or\n"
        "make it simpler.",
    ),
    "GATE006": Code(
        "nothing to compare with",
        "The version of this specification at the base has mistakes by today's rules, so nobody knows what the\n"
        "change loosens. Compare with a base that has none.",
    ),
    "GATE007": Code(
        "specification removed",
        "With the specification all its claims are gone. If that is meant, say so: `Loosens: NAME reason`, where NAME\n"
        "is the machine's.",
    ),
    "GATE008": Code(
        "generated file has drifted",
        "A committed file that is generated is not what would be generated now. `./x generate` writes it; commit it\n"
        "with the change that it follows from.",
    ),
    "GATE009": Code(
        "acknowledgement that says nothing",
        "A line `Loosens: ID reason` needs an id that this change loosens, and a reason: it is there for reviewers.",
    ),
    "GATE010": Code(
        "clause loosened, acknowledged",
        "A commit message says that the clause is loosened, and why. A person decides whether that is right.",
    ),
    "GATE011": Code(
        "specification that this gate does not judge",
        "The file changed and declares no machine and no system, so none of the steps looked at it. That is no pass:\n"
        "a person judges it and says so in a commit message, `Loosens: NAME reason`, with the file's name.",
    ),
}

SEVERITY: Final = dict.fromkeys(CODES, "error") | {
    "GATE002": "warning",
    "GATE005": "warning",
    "GATE006": "warning",
    "GATE011": "warning",
    "GATE009": "note",
    "GATE010": "note",
}
"""`error` fails the gate, `warning` leaves it undecided, `note` does neither; codes of other gates are errors."""


def severity(code: str) -> str:
    """Return the severity of a finding with `code`; a question that a solver gave up is undecided."""
    return SEVERITY.get(code, "warning" if code == "PT053" else "error")
