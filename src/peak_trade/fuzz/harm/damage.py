"""What was acknowledged is recovered, or its loss is detected and said; nothing is applied twice, whatever a disk does.

Each case is a session over a disk that fails in one way, at a place drawn from the seed; what it left is started again,
and the end is judged:

- `recovered`: every acknowledged byte stands, and the session is the undisturbed one;
- `detected`: it is refused by name and place, nothing in the folder changed; or it went on and said what it lost;
- `healed`: what was lost left no trace on the disk, nothing could say so; the venue's truth made the book whole;
- `silent`: anything else. It is never right.

Limits: a disk that forgets the journal's end and the checkpoints after it leaves what an earlier moment left: no file
can tell. Then the order ids, which the venue takes once only, and its reports are what the book is made from again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from peak_trade.broker.swarm import drawn
from peak_trade.fuzz.disks import NEVER, Dying, Failing
from peak_trade.fuzz.harm.crashes import Ground, crash_world, scratch, surveyed
from peak_trade.fuzz.harm.lives import Life, Lived
from peak_trade.fuzz.world import Machines
from peak_trade.journal.lock import LOCK
from peak_trade.journal.verify import JOURNAL as FILE
from peak_trade.journal.verify import verify
from peak_trade.session.assembly import JOURNAL, Session
from peak_trade.session.recording import DIFFERENCE, RECOVERED, RESUMED, TRIP

WORLDS: Final = 4
STEPS: Final = 40
SYMBOLS: Final = 2
REFUSED: Final = "PREFLIGHT_FAILED"
STANDS, DETECTED, HEALED, SILENT, UNFIRED = "recovered", "detected", "healed", "silent", "not fired"
ENDS: Final = (STANDS, DETECTED, HEALED, SILENT)
LIVES_MAX: Final = 4


@dataclass(slots=True)
class Scene:
    """One case: the undisturbed session, the folder of the disturbed one, and what was said on the way.

    `kept_bytes` is how much of the journal was acknowledged.
    """

    kind: str
    seed: int
    place: Ground
    folder: Path
    said: list[str] = field(default_factory=list)
    kept_bytes: int = 0

    @property
    def journal(self) -> Path:
        """The folder of the journal."""
        return self.folder / JOURNAL

    def pick(self, what: str, count: int) -> int:
        """Draw a number below `count`."""
        return drawn(self.seed, "damage", self.kind, what) % count

    def operations(self, *names: str) -> list[int]:
        """Return the numbers of the undisturbed session's operations of these names."""
        return [number for number, name in enumerate(self.place.base.log, 1) if name in names]

    def operation(self, *names: str) -> int:
        """Draw one of them."""
        found = self.operations(*names)
        return found[self.pick("operation", len(found))]


def _untouched(scene: Scene) -> bool:
    """Leave the files as they are."""
    del scene
    return True


def _fresh(scene: Scene) -> Dying:
    """Let the next process have a disk that does what it should."""
    del scene
    return Dying()


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of faults, in a sentence; `may` are the ends that are right.

    `disk` is the first process's, `rest` damages what it left and returns whether it could, `then` is the disk of the
    second process. `says` is what must be said of it, if anything.
    """

    about: str
    may: frozenset[str]
    disk: Callable[[Scene], Dying] = _fresh
    rest: Callable[[Scene], bool] = _untouched
    then: Callable[[Scene], Dying] = _fresh
    meanwhile: Callable[[Scene, Session], None] | None = None
    says: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hurt:
    """How a case ended, who said so, and what is wrong; nothing iff it ended as its kind may."""

    kind: str
    seed: int
    end: str
    by: tuple[str, ...]
    problems: tuple[str, ...]


def damaged_ground(seed: int, machines: Machines) -> Ground:
    """Return the undisturbed session that cases of this seed are compared with; there are `WORLDS` of them."""
    return surveyed(crash_world(seed % WORLDS, STEPS, SYMBOLS, 0), machines)


def hurt(name: str, kind: Kind, seed: int, place: Ground) -> Hurt:
    """Play one case and judge its end."""
    with scratch() as made:
        scene = Scene(name, seed, place, Path(made) / "run")
        life, disk = Life(place.world, place.machines, scene.folder), kind.disk(scene)
        first = life.process(disk, None if kind.meanwhile is None else _bound(kind.meanwhile, scene))
        scene.said += ["OSError"] if first is not None and first.problem else life.refused
        scene.kept_bytes = disk.acknowledged.size_bytes
        if not (_fired(disk) and kind.rest(scene)):
            return Hurt(name, seed, UNFIRED, (), ())
        before, found = _files(scene.journal), type(verify(scene.journal)).__name__
        ended = life.lived(_resumed(scene, life, kind.then(scene)), disk)
        problems = list(_retried(disk))
        if ended.state == REFUSED:
            problems += _refused(scene, ended, before)
            end, by = DETECTED, {found}
        else:
            end, by = _went_on(scene, ended)
            problems += (*ended.verdict.unexplained, *ended.twice)
        by |= set(scene.said)
        problems += [f"expected it to be said by {', '.join(sorted(kind.says))}"] if kind.says - by else []
        problems += [] if end in kind.may else [f"expected the end {' or '.join(sorted(kind.may))}, was {end}"]
        return Hurt(name, seed, SILENT if problems else end, tuple(sorted(by)), tuple(problems))


def _resumed(scene: Scene, life: Life, disk: Dying) -> Session:
    """Start the session again, at first over `disk`, until a process comes to its end over a disk that works."""
    for _ in range(LIVES_MAX):
        session = life.process(disk)
        if session is not None and not (disk.at and session.problem):
            return session
        scene.said += life.refused if session is None else ["OSError"]
        disk = Dying()
    raise RuntimeError(f"expected an end after {LIVES_MAX} processes, was {life.refused}")


def _bound(act: Callable[[Scene, Session], None], scene: Scene) -> Callable[[Session], None]:
    return lambda session: act(scene, session)


def _fired(disk: Dying) -> bool:
    """Return true iff what the disk was to do was done; one that was to do nothing has done it."""
    return bool(getattr(disk, "lied", True)) and (disk.at == NEVER or disk.count >= disk.at or hasattr(disk, "lied"))


def _retried(disk: Dying) -> Iterator[str]:
    """After an error of the disk nothing more is asked of it: a second fsync would lie."""
    if isinstance(disk, Failing) and disk.retried:
        yield f"expected no operation after the one that failed, was {disk.retried}"


def _files(journal: Path) -> dict[str, bytes]:
    """Return the bytes of each file of the journal but the lock's, which says who looked last."""
    return {path.name: path.read_bytes() for path in sorted(journal.iterdir()) if path.name != LOCK}


def _refused(scene: Scene, ended: Lived, before: dict[str, bytes]) -> Iterator[str]:
    """A refusal names the place, and changes nothing."""
    if str(scene.journal) not in ended.problem:
        yield f"expected the refusal to name {JOURNAL}, was {ended.problem.replace(str(scene.folder), '')!r}"
    if _files(scene.journal) != before:
        yield "expected a refused journal as it was, was changed"


def _went_on(scene: Scene, ended: Lived) -> tuple[str, set[str]]:
    """Return how a session that was not refused ended, and by what it said that something was lost."""
    base, alarms = scene.place.base, _alarms(ended) - _alarms(scene.place.base)
    whole = ended.acknowledged.stands(scene.journal / FILE)
    same = ended.told == base.told and (ended.state, ended.why) == (base.state, base.why)
    if whole and same and ended.verdict.agrees:
        return STANDS, alarms
    if whole and not same:
        return SILENT, alarms
    return (DETECTED if alarms else HEALED), alarms


def _alarms(ended: Lived) -> set[str]:
    """Return what an operator is told: tripwires, differences, a tail that was cut, another end."""
    found = {f"{ended.state} {ended.why}"}
    for record in ended.records:
        body = record.body
        if record.kind == TRIP:
            found.add(f"wire:{body['wire']}")
        elif record.kind in (DIFFERENCE, RESUMED) and body.get("code"):
            found.add(f"code:{body['code']}")
        elif record.kind == RECOVERED and body["cut_bytes"]:
            found.add("Torn")
    return found
