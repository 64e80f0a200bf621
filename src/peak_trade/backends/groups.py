"""The NumPy text of one machine's step: a function for each kind of cell, over all lanes that are in one of its cells.

Cells whose branches read alike share a function, whatever their states. A function gets the columns `c` of the context
and `p` of the payload, the states `s`, the codes `out` and the lanes `i`, and changes what is at these lanes. Checks
come in the order of `lang.step`: what stops a lane often, a lock, is tested alone; bounds and invariants, which seldom
do, together, and lane by lane only if one fails.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from peak_trade.backends.branch import Action, Bind, Branch, Stop, branches
from peak_trade.backends.vector import positive, text
from peak_trade.lang.cells import cells
from peak_trade.lang.expr import TRUE, Expr, Lit, Scope, Var, children, variables
from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import BoolSort
from peak_trade.lang.step import VALUE_BOUNDS, Broken, Outcome, Refused

HEAD = "def {name}(c, p, s, out, i):"
NONE = "none"
"""The function of the cells that `base` decides alone."""

Cell: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a machine's cells are run: `base` is a cell's outcome unless its function writes another one.

    None there means undecided. `functions` are the names of what runs, `blocks` the texts that define them.
    """

    blocks: tuple[str, ...]
    functions: dict[Cell, str]
    base: dict[Cell, Outcome | None]
    outcomes: tuple[Outcome, ...]


def plan(machine: Machine) -> Plan:
    """Return how the cells of a machine without maps are run."""
    writer = _Writer(machine)
    functions: dict[Cell, str] = {}
    base: dict[Cell, Outcome | None] = {}
    for (state, event), choices in cells(machine).items():
        decided = branches(machine, state, event, choices)
        last = decided[-1] if decided else None
        base[state, event] = last.outcome if last is not None and last.when == TRUE else None
        if last is not None and last.outcome is not None:
            writer.number(last.outcome)
        functions[state, event] = writer.cell((state, event), decided)
    return Plan(tuple(writer.blocks), functions, base, tuple(writer.codes))


@dataclass(slots=True)
class _Writer:
    """Writes the functions; those that read alike are written once."""

    machine: Machine
    blocks: list[str] = field(default_factory=list)
    known: dict[tuple[str, ...], str] = field(default_factory=dict)
    codes: dict[Outcome, int] = field(default_factory=dict)

    def number(self, outcome: Outcome) -> int:
        """Return the code of `outcome`; 0 is kept for the undecided."""
        return self.codes.setdefault(outcome, len(self.codes) + 1)

    def cell(self, cell: Cell, decided: tuple[Branch, ...]) -> str:
        """Return the name of the function that runs a cell with these branches."""
        if len(decided) == 1 and decided[0].when == TRUE:
            return self._body(cell, decided[0])
        if not decided:
            return NONE
        scribe = _Scribe(self.machine, cell[1])
        scribe.share([branch.when for branch in decided])
        for branch in decided:
            self._choice(scribe, branch, self._body(cell, branch))
        return self._function("_cell", scribe.lines)

    def _choice(self, scribe: "_Scribe", branch: Branch, body: str) -> None:
        """Write one choice: it takes the lanes for which no earlier one held."""
        first = not any(line.startswith("r ") for line in scribe.lines)
        if branch.when == TRUE:
            if body != NONE:
                scribe.lines += ["j = i[r]", "if j.size:", f"    {body}(c, p, s, out, j)"]
            return
        test = scribe.text(branch.when)
        scribe.lines += [f"t = {test}", "r = ~t"] if first else [f"t = r & {test}", "r &= ~t"]
        assert branch.outcome is not None, "expected a branch of a cell, was a judgement"
        write = f"out[j] = {self.number(branch.outcome)}"
        if body == NONE:
            scribe.lines += [f"out[i[t]] = {self.number(branch.outcome)}"]
        else:
            scribe.lines += ["j = i[t]", "if j.size:", f"    {write}", f"    {body}(c, p, s, out, j)"]

    def _body(self, cell: Cell, branch: Branch) -> str:
        """Return the name of the function that does what a branch does once it is chosen."""
        if not branch.actions and branch.after is None:
            return NONE
        scribe = _Scribe(self.machine, cell[1])
        seldom: list[tuple[str, int]] = []
        scribe.share(_read(branch))
        for action in branch.actions:
            self._act(scribe, action, seldom)
        lines = [*scribe.lines, *_stopped(seldom)]
        scribe.lines = []
        scribe.write(cell[0], branch.after)
        return self._function("_do", [*lines, *scribe.lines])

    def _act(self, scribe: "_Scribe", action: Action, seldom: list[tuple[str, int]]) -> None:
        if isinstance(action, Bind):
            scribe.bind(action)
            return
        assert isinstance(action, Stop), f"expected a machine without maps, was {action}"
        if _is_seldom(action.outcome):
            seldom.append((scribe.named(action.test), self.number(action.outcome)))
            return
        scribe.lines += [f"t = {scribe.text(action.test)}", "if t.any():"]
        scribe.lines += [f"    out[i[t]] = {self.number(action.outcome)}", "    i = i[~t]"]
        scribe.forget()

    def _function(self, prefix: str, lines: list[str]) -> str:
        key = tuple(lines)
        if key not in self.known:
            name = f"{prefix}{len(self.known)}"
            self.known[key] = name
            again = [line.replace("@", name) for line in lines]
            self.blocks.append("\n    ".join((HEAD.format(name=name), *again)))
        return self.known[key]


@dataclass(slots=True)
class _Scribe:
    """Writes lines over local names: a column is gathered when it is first read, a repeated part is evaluated once."""

    machine: Machine
    event: str
    lines: list[str] = field(default_factory=list)
    names: dict[tuple[Scope, str], str] = field(default_factory=dict)
    shared: dict[Expr, str] = field(default_factory=dict)
    again: frozenset[Expr] = frozenset()
    count: int = 0

    def share(self, read: Iterable[Expr]) -> None:
        """Remember which parts of `read` come up more than once."""
        counts = Counter(part for expr in read for part in _parts(positive(expr)))
        self.again = frozenset(part for part, times in counts.items() if times > 1)

    def forget(self) -> None:
        """Forget what was gathered: the lanes are others now."""
        self.names, self.shared = {}, {}

    def text(self, expr: Expr) -> str:
        """Return the text of `expr`, after the lines that it needs."""
        expr = positive(expr)
        self._gather(expr)
        for part in dict.fromkeys(_parts(expr)):
            if part in self.again and part not in self.shared:
                self.shared[part] = self._local(text(part, self.names, self.shared))
        return text(expr, self.names, self.shared)

    def named(self, expr: Expr) -> str:
        """Return a local name for the value of `expr`."""
        found = self.text(expr)
        return found if found.isidentifier() else self._local(found)

    def bind(self, action: Bind) -> None:
        """Give the variable after the step its value."""
        self.names[Scope.NEXT, action.var.name] = self.named(action.value)

    def write(self, state: str, after: tuple[Expr, ...] | None) -> None:
        """Write the value after the step into the columns: first everything is gathered, then everything written."""
        if after is None:
            self.lines.append("return")
            return
        target, *context = after
        assert isinstance(target, Lit), f"expected a state, was {target}"
        written = [
            (place, self.text(value))
            for place, value in enumerate(context)
            if not (isinstance(value, Var) and value.scope is Scope.CONTEXT and value.name == self._name(place))
        ]
        self.lines += [f"c[{place}][i] = {value}" for place, value in written]
        if target.value != state:
            places = [item.name for item in self.machine.states]
            self.lines.append(f"s[i] = {places.index(str(target.value))}")

    def _name(self, place: int) -> str:
        return self.machine.variables[place].name

    def _local(self, value: str) -> str:
        self.count += 1
        self.lines.append(f"v{self.count} = {value}")
        return f"v{self.count}"

    def _gather(self, expr: Expr) -> None:
        for var in sorted(variables(expr), key=lambda var: (var.scope.value, var.name)):
            if (var.scope, var.name) not in self.names:
                self.names[var.scope, var.name] = self._column(var)

    def _column(self, var: Var) -> str:
        if var.scope is Scope.CONTEXT:
            place = [item.name for item in self.machine.variables].index(var.name)
            self.lines.append(f"c{place} = c[{place}].take(i)")
            return f"c{place}"
        assert var.scope is Scope.PAYLOAD, f"expected a variable of the context or a field, was {var}"
        place = self._slot(var.name)
        test = " != 0" if isinstance(var.sort, BoolSort) else ""
        self.lines.append(f"p{place} = p[{place}].take(i){test}")
        return f"p{place}"

    def _slot(self, name: str) -> int:
        return [item.name for item in self.machine.event(self.event).payload].index(name)


def _is_seldom(outcome: Outcome) -> bool:
    return isinstance(outcome, Broken) or (isinstance(outcome, Refused) and outcome.reason == VALUE_BOUNDS)


def _stopped(seldom: list[tuple[str, int]]) -> Iterator[str]:
    """Yield the lines that stop lanes at bounds and invariants, the first that fails, and go on with the others."""
    if not seldom:
        return
    yield f"b = {' | '.join(test for test, _ in seldom)}"
    yield "if b.any():"
    yield from (f"    out[i[{test}]] = {number}" for test, number in reversed(seldom))
    yield "    @(c, p, s, out, i[~b])"
    yield "    return"


def _read(branch: Branch) -> Iterator[Expr]:
    for action in branch.actions:
        if isinstance(action, Bind):
            yield action.value
        elif isinstance(action, Stop):
            yield action.test
    yield from branch.after or ()


def _parts(expr: Expr) -> Iterator[Expr]:
    """Yield the compound parts of `expr` and itself, the inner ones first."""
    inner = children(expr)
    for part in inner:
        yield from _parts(part)
    if inner:
        yield expr
