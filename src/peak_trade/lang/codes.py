"""The catalogue of diagnostics: a stable code, a title, and what to know to mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of mistake in a specification."""

    title: str
    explanation: str


CODES: dict[str, Code] = {
    "PT001": Code(
        "not readable YAML",
        "The file is not one YAML 1.2 document. The place is where the reader gave up; the cause is often the line\n"
        "above: a missing space after a colon, an unclosed bracket or quote, a wrong indentation.",
    ),
    "PT002": Code(
        "too large or too deep",
        "A specification is reviewed by people, so its size has limits: 256 KiB, 16 levels, 50,000 nodes.",
    ),
    "PT003": Code(
        "anchor, alias or tag",
        "YAML anchors (&x), aliases (*x) and tags (!x) are refused: an alias can blow a small file up to any size,\n"
        "a tag can name code, and a reviewer must see each value where it counts.",
    ),
    "PT004": Code("repeated key", "A mapping has the same key twice; which one counts would depend on the reader."),
    "PT005": Code("tab in the indentation", "YAML is indented by spaces only."),
    "PT006": Code(
        "invisible character",
        "Control, zero-width and bidirectional characters can make a text look different from what it says.",
    ),
    "PT007": Code("too many mistakes", "Only the first 300 mistakes of a file are shown; mend them and check again."),
    "PT010": Code("unknown key", "The key means nothing here. A misspelt key would otherwise be a silent hole."),
    "PT011": Code("missing key", "A part that must be declared is not there."),
    "PT012": Code("wrong kind of value", "The value has another type, length or range than this key takes."),
    "PT013": Code(
        "not a name", "Names are letters, digits and `_`, start with a letter, and have at most 64 characters."
    ),
    "PT014": Code(
        "reserved name",
        "The language, Python or python-statemachine uses this word. An event named `send`, for example, would\n"
        "shadow the method that sends events, and a payload field named `source` would be dropped without a word.",
    ),
    "PT015": Code(
        "name declared twice",
        "Context variables, states, events and enumeration members share one name space, so that a name in a guard\n"
        "or property means one thing.",
    ),
    "PT020": Code("unknown state", "The state is not declared under `states`."),
    "PT021": Code("unknown event", "The event is not declared under `events`."),
    "PT022": Code("unknown variable", "`set` may change context variables only."),
    "PT023": Code("unknown reason", "Each refusal is explained to a person: declare the reason and its sentence."),
    "PT024": Code(
        "unknown type",
        "Types are bool, int (with optional min and max), and this machine's enumerations. A context variable can\n"
        "also be a map `of` one of these; a payload field cannot: what comes from outside is one value.",
    ),
    "PT025": Code("unknown tag", "No state carries this tag."),
    "PT030": Code("not an expression", "The text is not a Python expression."),
    "PT031": Code(
        "not part of the language",
        "Expressions are made of names, whole numbers, true, false, and or not, == != < <= > >=, in {a, b}, + - *,\n"
        "`a if test else b`, and `m[i]` of a map. There are no calls, attributes, floats, texts or divisions: each\n"
        "expression ends, cannot fail, and means the same to the machine that runs and to the solver that proves.",
    ),
    "PT032": Code(
        "unknown name",
        "Guards and updates see context variables, the event's payload and enumeration members. Properties see the\n"
        "context, `state`, states and `is_<tag>`; step properties also `event`, `next_state`, `next_is_<tag>` and\n"
        "`next_<variable>`.",
    ),
    "PT033": Code("wrong sort", "Numbers, truth values and the members of each enumeration do not mix."),
    "PT034": Code(
        "product of two variables",
        "One side of a product must be a constant. With products of variables no solver can promise an answer.",
    ),
    "PT035": Code("too deep or too long", "An expression has at most 32 levels, a number at most 100 digits."),
    "PT036": Code(
        "a map as a whole",
        "A map is read and written at one index: `cums[head]`. Maps are not compared, copied or replaced as a whole,\n"
        "and what is no map has no elements.",
    ),
    "PT040": Code("no single initial state", "Exactly one state is marked `initial: true`."),
    "PT041": Code("unreachable state", "No path of transitions leads from the initial state to this one."),
    "PT042": Code(
        "initial value of another sort", "A variable's `init` must be a value of its type, bounds included, or `any`."
    ),
    "PT043": Code("empty range", "`min` is greater than `max`: no value exists."),
    "PT044": Code(
        "terminal state left without a reason",
        "Venues do report fills after a cancel. Such a transition is allowed, but only by name: give its reason.",
    ),
    "PT045": Code(
        "never used", "A declared reason or event takes part in nothing; a reviewer would look for it in vain."
    ),
    "PT046": Code(
        "id given twice", "Ids of transitions and of properties are unique: proofs, journal and tests name them."
    ),
    "PT047": Code(
        "map written twice",
        "All updates happen at once. Two writes to one map could meet at one index, and which counts would depend on\n"
        "their order: write one element in a transition.",
    ),
    "PT050": Code(
        "undecided cell",
        "For some values nothing says what this event does in this state. Each cell must be decided for all values:\n"
        "taken, ignored or refused. The example shows values for which no row applies.",
    ),
    "PT051": Code(
        "overlapping rows",
        "For some values two rows decide the same cell. Order in the file never decides: make the guards exclude\n"
        "each other. The example shows values for which both apply.",
    ),
    "PT052": Code("dead row", "No values at all make this row apply; its guard contradicts itself or the sorts."),
    "PT053": Code(
        "not decided",
        "The solver gave up within its budget, so nobody knows whether the cell is decided. That is not a pass.",
    ),
    "PT060": Code("not one claim", "A property has exactly one of always, lemma, step, witness, leads_to, heard."),
    "PT061": Code("claimed twice", "Two properties say the same; one of them only looks like more assurance."),
    "PT070": Code(
        "part without a machine",
        "A part of a system is the machine in the file of that name beside the system's own. It must be there, have\n"
        "no mistakes, and be a machine: a part is never a system, so that no composition goes round in a circle.",
    ),
    "PT071": Code("unknown part", "The part is not declared under `parts`."),
    "PT072": Code(
        "rule that does not fit",
        "A move gives each payload field of its event one argument, and no other. A rule that happens to nobody reads\n"
        "and writes only what is shared; what each of the many has is for rules with `each: true`. On that rests that\n"
        "what is proved of one of the many is proved of any number.",
    ),
    "PT073": Code(
        "event of which nothing is said",
        "Every event of a part is offered by a rule, happens by itself (`free`), or never happens here (`never`).\n"
        "Leaving one out by mistake would make proofs say less than they seem to.",
    ),
    "PT074": Code(
        "heard in a system",
        "That an event is heard is claimed of a machine alone. A rule may wait for everyone, and one of the many does\n"
        "not see all the others: so that a rule is taken would be proved of some numbers of them and not of any.",
    ),
}
