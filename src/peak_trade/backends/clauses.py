"""A compiled probe says what each clause of a guard was, and which of them alone decided its row.

A clause of `when` is evaluated in each cell of its row, since exactly one row applies and their order means nothing;
one of a lock iff its row is chosen and the locks before it are open.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any, Final, TypeAlias

from peak_trade.backends.fold import NEGATED, fold
from peak_trade.backends.guards import Clause, Shape, Truth, places, shapes
from peak_trade.backends.kernel import Packed, Running
from peak_trade.backends.pythonic import SELECT, python
from peak_trade.lang.expr import Compare, Comparison, Expr, Lit, Not, Scope, Var, variables
from peak_trade.lang.machine import Machine
from peak_trade.lang.maps import select

PROBES_MAX: Final = 32
"""How many probes are kept; the others are compiled again."""
READINGS_MAX: Final = 65_536
"""How many readings one probe keeps; the others are made again."""

Look: TypeAlias = Callable[[Running, Packed], int]
"""The outcomes in one cell, each different one in a bit of its own."""


def clauses(machine: Machine) -> tuple[Clause, ...]:
    """Return the clauses of all guards of `machine`, in declared order; a guard that is constantly true has none."""
    return tuple(
        Clause(name, shape.row, *places(row), shape.holds[place], shape.decides(place))
        for row, shape in shapes(machine)
        for place, name in enumerate(shape.names)
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen in a cell: the row that applied, all outcomes (`O12.when.2=true`), and those that decided."""

    row: str
    outcomes: tuple[str, ...]
    deciding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Bit:
    """Where an outcome is: in bit `place`, turned around iff `turned`; it is `turned` itself if there is no place."""

    place: int | None
    turned: bool

    def of(self, bits: int) -> bool:
        return self.turned if self.place is None else bool(bits >> self.place & 1) is not self.turned


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One row of a cell: its clauses' names and bits, and the truth of its guard and of the guard's parts from them."""

    label: str
    names: tuple[str, ...]
    bits: tuple[_Bit, ...]
    whole: Truth
    when: Truth
    locks: tuple[tuple[int, Truth], ...]
    choosing: int

    def evaluated(self, values: list[bool]) -> int:
        """Return how many clauses are evaluated: those of `when`, and if it holds those of locks up to a closed one."""
        count = self.choosing
        for upto, opens in self.locks if self.when(*values) else ():
            count = upto
            if not opens(*values):
                break
        return count

    def deciding(self, values: list[bool]) -> Iterator[int]:
        """Yield the numbers of the clauses that alone decide the guard."""
        now = self.whole(*values)
        for place, value in enumerate(values):
            if self.whole(*values[:place], not value, *values[place + 1 :]) is not now:
                yield place


@dataclass(slots=True, eq=False)
class _Cell:
    """The rows of one cell that have a guard, and the one that applies if none of them does."""

    rows: list[_Row] = field(default_factory=list)
    rest: str = ""

    def read(self, bits: int) -> Reading:
        """Return what the bits of the cell mean."""
        outcomes, deciding, chosen = list[str](), list[str](), self.rest
        for row in self.rows:
            values = [bit.of(bits) for bit in row.bits]
            texts = [f"{name}={'true' if value else 'false'}" for name, value in zip(row.names, values, strict=True)]
            outcomes += texts[: row.evaluated(values)]
            deciding += [texts[place] for place in row.deciding(values)]
            chosen = row.label if row.when(*values) else chosen
        return Reading(chosen, tuple(outcomes), tuple(deciding))


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One machine's compiled looks; `table` leads from state and event to the function that gives a cell's bits.

    Equal bits of one cell are one guard outcome; `read` says what they mean, and keeps what it said.
    """

    machine: Machine
    clauses: tuple[Clause, ...]
    text: str
    table: Mapping[str, Mapping[str, Look]]
    cells: Mapping[tuple[str, str], _Cell]
    readings: dict[tuple[str, str, int], Reading] = field(default_factory=dict)

    def bits(self, value: Running, event: str, payload: Packed) -> int:
        """Return the guard outcome of `event` in `value`, all of it well sorted."""
        return self.table[value[0]][event](value, payload)

    def look(self, value: Running, event: str, payload: Packed) -> Reading:
        """Return what is to be seen of the clauses when `event` is offered in `value`, all of it well sorted."""
        return self.read(value[0], event, self.table[value[0]][event](value, payload))

    def read(self, state: str, event: str, bits: int) -> Reading:
        """Return what the bits of a cell mean."""
        key = (state, event, bits)
        found = self.readings.get(key)
        if found is None:
            found = self.cells[state, event].read(bits)
            if len(self.readings) < READINGS_MAX:
                self.readings[key] = found
        return found


@lru_cache(maxsize=PROBES_MAX)
def compile_probe(machine: Machine) -> Probe:
    """Return the probe of `machine`; equal machines share one, whose readings are a function of the machine alone."""
    writer = _Writer(machine)
    cells: dict[tuple[str, str], _Cell] = {
        (state.name, event.name): _Cell() for state in machine.states for event in machine.events
    }
    atoms: dict[tuple[str, str], dict[Expr, int]] = {cell: {} for cell in cells}
    for row, shape in shapes(machine):
        make = _compiled(shape)
        for cell in product(*places(row)):
            if row.when is None:
                cells[cell].rest = shape.row
            else:
                cells[cell].rows.append(make(writer.bits(cell, shape.holds, atoms[cell])))
    for cell in cells:
        writer.look(cell, atoms[cell])
    made: dict[str, Any] = {SELECT: select}
    exec(compile(writer.text(), f"<probe of {machine.name}>", "exec"), made)  # noqa: S102 - our own text, made from a closed AST
    table: dict[str, dict[str, Look]] = {state.name: {} for state in machine.states}
    for (state, event), name in writer.looks.items():
        table[state][event] = made[name]
    return Probe(machine, clauses(machine), writer.text(), table, cells)


def _compiled(shape: Shape) -> Callable[[tuple[_Bit, ...]], _Row]:
    """Return what makes the row of one cell out of the places of its outcomes."""
    whole, when = shape.truth(shape.whole), shape.truth(shape.when)
    locks = tuple((upto, shape.truth(formula)) for upto, formula in shape.locks)
    return lambda bits: _Row(shape.row, tuple(shape.names), bits, whole, when, locks, shape.choosing)


@dataclass(slots=True)
class _Writer:
    """Writes one function for each cell; equal bodies are written once. Local names are places: `v3`, `p0`."""

    machine: Machine
    looks: dict[tuple[str, str], str] = field(default_factory=dict)
    functions: dict[tuple[str, ...], str] = field(default_factory=dict)

    def text(self) -> str:
        """Return all functions."""
        blocks = ((f"def {name}(v, p):", *(f"    {line}" for line in body)) for body, name in self.functions.items())
        return "\n".join(line for block in blocks for line in (*block, ""))

    def bits(self, cell: tuple[str, str], holds: list[Expr], atoms: dict[Expr, int]) -> tuple[_Bit, ...]:
        """Return where the clauses `holds` are in a cell; what has no place yet gets one in `atoms`."""
        known = self._known(cell)
        return tuple(_bit(fold(expr, known), atoms) for expr in holds)

    def look(self, cell: tuple[str, str], atoms: dict[Expr, int]) -> None:
        """Write the function of a cell."""
        names = sorted({var.name for atom in atoms for var in variables(atom)})
        bound = (f"{name} = {name[0]}[{name[1:]}]" for name in names)
        packed = " | ".join(f"({python(atom, {})}) << {place}" for atom, place in atoms.items())
        body = (*bound, f"return {packed or 0}")
        self.looks[cell] = self.functions.setdefault(body, f"_look{len(self.functions)}")

    def _known(self, cell: tuple[str, str]) -> Callable[[Var], Expr]:
        """Return what stands for a name in a cell: a constant, or a local name."""
        context = {item.name: f"v{place}" for place, item in enumerate(self.machine.variables, 1)}
        payload = {item.name: f"p{place}" for place, item in enumerate(self.machine.event(cell[1]).payload)}
        constants = {Scope.STATE: cell[0], Scope.EVENT: cell[1]}

        def known(var: Var) -> Expr:
            if var.scope in constants:
                return Lit(constants[var.scope], var.sort)
            return Var((payload if var.scope is Scope.PAYLOAD else context)[var.name], var.sort, var.scope)

        return known


def _bit(expr: Expr, atoms: dict[Expr, int]) -> _Bit:
    """Return where a folded clause is: opposite ones share a place."""
    if isinstance(expr, Lit):
        return _Bit(None, bool(expr.value))
    turned = isinstance(expr, Not)
    atom = expr.arg if isinstance(expr, Not) else expr
    if isinstance(atom, Compare) and atom.op in (Comparison.NE, Comparison.GE, Comparison.GT):
        atom, turned = Compare(NEGATED[atom.op], atom.left, atom.right), not turned
    return _Bit(atoms.setdefault(atom, len(atoms)), turned)
