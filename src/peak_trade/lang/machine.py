"""A machine as declared: an extended finite state machine with its properties. Data, no behaviour."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from peak_trade.lang.expr import TRUE, Expr
from peak_trade.lang.sorts import Datum, EnumSort, ScalarSort, Sort
from peak_trade.lang.source import NOWHERE, Span


class Origin(Enum):
    """Who causes an event."""

    OPERATOR = "operator"
    STRATEGY = "strategy"
    VENUE = "venue"
    CLOCK = "clock"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Variable:
    """A context variable: its sort, its value in the initial state, its unit."""

    name: str
    sort: Sort
    init: Datum
    doc: str
    unit: str = ""
    span: Span = field(default=NOWHERE, compare=False)
    free: bool = False
    """True iff it starts with any value of its sort (`init: any`); `init` is then one of them."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event's payload; it is never a map."""

    name: str
    sort: ScalarSort
    doc: str
    unit: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class State:
    """A control state; `tags` are words such as `live`, `terminal`, `operator`."""

    name: str
    doc: str
    tags: tuple[str, ...] = ()
    initial: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Event:
    """An event with a typed payload."""

    name: str
    origin: Origin
    doc: str
    payload: tuple[Field, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """A named reason for a refusal, an ignored event or a transition, with its sentence."""

    name: str
    doc: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A lock: unless `holds`, the event is refused with `reason`."""

    reason: str
    holds: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Update:
    """`variable` takes the value of `value`, evaluated before the step; a map only at `index`, evaluated before too."""

    variable: str
    value: Expr
    span: Span = field(default=NOWHERE, compare=False)
    index: Expr | None = None
    """Which element is written; None iff `variable` is no map."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A step that may be taken: chosen by `when`, locked by `require`, all updates at once.

    `target` is None iff the state stays. The first requirement that fails, in declared order,
    names the refusal.
    """

    name: str
    sources: tuple[str, ...]
    event: str
    target: str | None
    when: Expr = TRUE
    require: tuple[Requirement, ...] = ()
    updates: tuple[Update, ...] = ()
    reason: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A row that takes no step: the event is refused, or ignored (`refused` false), for `reason`.

    `when` is None for `otherwise`: whenever no other row of the cell applies.
    """

    states: tuple[str, ...]
    events: tuple[str, ...]
    reason: str
    refused: bool
    when: Expr | None = TRUE
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Always:
    """`holds` in every reachable state. A lemma is one that serves other proofs."""

    name: str
    says: str
    holds: Expr
    answers: tuple[str, ...] = ()
    lemma: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """`holds` between each reachable state and the state after any taken step."""

    name: str
    says: str
    holds: Expr
    answers: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Witness:
    """Some reachable state satisfies `reach`: what must be possible; with `by`, by a run of these events alone."""

    name: str
    says: str
    reach: Expr
    answers: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeadsTo:
    """From each reachable state with `when`, one with `then` follows, if some `fair` event keeps coming.

    Fairness: while the machine stays in `when`, one of the `fair` events is eventually offered.
    `rank` is a whole number that is never negative, never grows, and shrinks with each fair event.
    """

    name: str
    says: str
    when: Expr
    then: Expr
    rank: Expr
    fair: tuple[str, ...]
    answers: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)
    weak: bool = False
    """True iff fairness is weak: if some `fair` event can be taken as long as the machine waits, one is taken."""


@dataclass(frozen=True, slots=True)
class Heard:
    """In each reachable value, `event` is taken with every payload of its sorts with which `when` holds.

    `when` is over the value and the payload. Ignored, refused or out of bounds is not taken.
    """

    name: str
    says: str
    event: str
    when: Expr = TRUE
    answers: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Mirror:
    """In `event` somebody else acts, whose own variables are payload fields: pairs of variable and field.

    Whoever is tracked is an arbitrary one of many alike, so each invariant holds of the other as well: engines may
    assume it of the fields whenever `event` is offered (`backends.relation.Encoding.hypothesis`).
    """

    event: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EnumPlaces:
    """Where an enumeration is declared, and each of its members."""

    name: Span
    members: tuple[Span, ...]


Property: TypeAlias = Always | Step | Witness | LeadsTo | Heard


@dataclass(frozen=True, slots=True)
class Machine:
    """One declared machine; everything else in the project is derived from values of this type."""

    name: str
    version: int
    summary: str
    enums: tuple[EnumSort, ...]
    variables: tuple[Variable, ...]
    states: tuple[State, ...]
    events: tuple[Event, ...]
    reasons: tuple[Reason, ...]
    transitions: tuple[Transition, ...]
    dismissals: tuple[Dismissal, ...]
    properties: tuple[Property, ...]
    enum_places: tuple[EnumPlaces, ...] = field(default=(), compare=False, repr=False)
    """The places of `enums`, in their order; empty if the machine was not read from a source."""
    mirrors: tuple[Mirror, ...] = ()
    """Events in which another one of many acts (`lang.compose`); none in a machine that was read from a file."""

    def __hash__(self) -> int:
        """Equal machines have equal hashes; what distinguishes most is enough, as a machine is a large key."""
        return hash((self.name, self.version, self.summary, len(self.transitions), len(self.properties)))

    @property
    def initial(self) -> State:
        """The one initial state."""
        return next(state for state in self.states if state.initial)

    def state(self, name: str) -> State:
        """Return the state called `name`; KeyError if there is none."""
        return {state.name: state for state in self.states}[name]

    def event(self, name: str) -> Event:
        """Return the event called `name`; KeyError if there is none."""
        return {event.name: event for event in self.events}[name]

    def transition(self, name: str) -> Transition:
        """Return the transition called `name`; KeyError if there is none."""
        return {transition.name: transition for transition in self.transitions}[name]

    def tagged(self, tag: str) -> tuple[str, ...]:
        """Return the names of the states that carry `tag`, in declared order."""
        return tuple(state.name for state in self.states if tag in state.tags)
