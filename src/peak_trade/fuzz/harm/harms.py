"""Every class of faults of a disk: what it does to a session's journal, and how that may end."""

import errno
import os
import signal
from collections.abc import Callable
from typing import Final

from peak_trade.fuzz.disks import APPEND, DRAFT, FSYNC, NEVER, REPLACE, Dying, Failing, Lie, Lying
from peak_trade.fuzz.harm.damage import DETECTED, HEALED, STANDS, Kind, Scene
from peak_trade.journal.anchor import CHECKPOINT, load, save
from peak_trade.journal.chain import START, Head
from peak_trade.journal.disk import POSIX
from peak_trade.journal.errors import JournalLocked
from peak_trade.journal.lock import LOCK, take
from peak_trade.journal.store import Journal
from peak_trade.journal.verify import JOURNAL as FILE
from peak_trade.session.assembly import Session
from peak_trade.session.recording import schema

RECOVERY: Final = 5
"""How many operations the recovery of a torn tail takes."""
LATER: Final = 2
"""So many appends at the least follow one that was damaged, before the process dies."""


def _torn(scene: Scene) -> Dying:
    """Die in a write of which some part is left, from nothing to all but a byte."""
    return Dying(scene.operation(APPEND), scene.pick("share", 1000))


def _dead(scene: Scene) -> Dying:
    """Die anywhere between two writes, once the journal is open."""
    opened = scene.operations(APPEND)[0]
    places = [at for at in scene.operations(FSYNC, "place", "advance") if at > opened]
    return Dying(places[scene.pick("dead", len(places))])


def _over(scene: Scene) -> Dying:
    """Come to the end, or die between two writes."""
    return Dying() if scene.pick("over", 2) else _dead(scene)


def _late(scene: Scene) -> Dying:
    """Come to the end, or die between two writes after a checkpoint that says something."""
    marked = scene.operations(REPLACE)[1]
    later = [at for at in scene.operations(FSYNC) if at > marked + 1]
    ends = (*later, NEVER)
    return Dying(ends[scene.pick("late", len(ends))])


def _begun(scene: Scene) -> Dying:
    """Die between two writes after the first records."""
    later = scene.operations(FSYNC)[LATER * RECOVERY :]
    return Dying(later[scene.pick("begun", len(later))])


def _lying(lie: Lie, *, followed: bool) -> Callable[[Scene], Dying]:
    """Return what makes a disk that lies about one append; `followed`: others come after it, else maybe none."""

    def disk(scene: Scene) -> Dying:
        appends = scene.operations(APPEND)
        told = 2 + scene.pick("append", len(appends) - LATER - 2)
        later = appends[told - 1 + LATER :] if followed else range(appends[told - 1] + 2, len(scene.place.base.log) + 1)
        ends = (*later, NEVER) if followed else (*later,)
        return Lying(ends[scene.pick("dies", len(ends))], lie, told, scene.pick("place", 1 << 30))

    return disk


def _failing(number: int, *names: str) -> Callable[[Scene], Dying]:
    return lambda scene: Failing(scene.operation(*names), number)


def _dropped(scene: Scene) -> bool:
    """Let what was not synced be gone, or a part of it: a failed fsync may have thrown the pages away."""
    path = scene.journal / FILE
    if path.is_file():
        data, kept = path.read_bytes(), scene.kept_bytes
        path.write_bytes(data[: kept + scene.pick("drop", len(data) - kept + 1)])
    return True


def _flip(scene: Scene) -> bool:
    return _flipped(scene, FILE)


def _flip_checkpoint(scene: Scene) -> bool:
    return _flipped(scene, CHECKPOINT)


def _flipped(scene: Scene, name: str) -> bool:
    """Turn one bit of the file over."""
    path = scene.journal / name
    data = bytearray(path.read_bytes())
    if not data:
        return False
    data[scene.pick("byte", len(data))] ^= 1 << scene.pick("bit", 8)
    path.write_bytes(data)
    return True


def _marked_bytes(scene: Scene) -> int:
    """Return how far the checkpoint says that the journal reached."""
    found = load(scene.journal)
    return found.size_bytes if isinstance(found, Head) else 0


def _cut_to(scene: Scene, *, below_mark: bool) -> bool:
    """Restore an older copy: the journal ends at a line's end, before its checkpoint or after it."""
    path, marked = scene.journal / FILE, _marked_bytes(scene)
    ends, at = [0], 0
    data = path.read_bytes()
    while (at := data.find(b"\n", at) + 1) > 0:
        ends.append(at)
    may = [end for end in ends if (end < marked if below_mark else marked <= end < len(data))]
    if not may:
        return False
    path.write_bytes(data[: may[scene.pick("line", len(may))]])
    return True


def _rolled_back(scene: Scene) -> bool:
    return _cut_to(scene, below_mark=True)


def _rolled_back_late(scene: Scene) -> bool:
    return _cut_to(scene, below_mark=False)


def _torn_checkpoint(scene: Scene) -> bool:
    """Leave a beginning of the checkpoint."""
    path = scene.journal / CHECKPOINT
    text = path.read_bytes()
    path.write_bytes(text[: scene.pick("bytes", len(text))])
    return True


def _lost_checkpoint(scene: Scene) -> bool:
    (scene.journal / CHECKPOINT).unlink()
    return True


def _older_checkpoint(scene: Scene) -> bool:
    """Restore the first checkpoint that there was."""
    save(scene.journal, START, POSIX)
    return True


def _failing_recovery(scene: Scene) -> Dying:
    """Refuse one operation of the recovery."""
    return Failing(1 + scene.pick("recovery", RECOVERY), errno.EIO)


def _rival(scene: Scene, session: Session) -> None:
    """Open the journal once more, before one of the steps, as a second process would."""
    if session.orchestrator.moment.step == scene.pick("step", len(session.setup.bars.steps)):
        _refuses(scene, session)


def _refuses(scene: Scene, session: Session) -> None:
    setup = session.setup
    try:
        Journal.open(scene.journal, schema(setup.session, setup.order)).close()
    except JournalLocked as error:
        scene.said.append(f"JournalLocked by {'us' if error.pid == os.getpid() else 'another'}")


def _orphaned(scene: Scene) -> bool:
    """Let another process take the lock, be refused, and kill that one: its lock dies with it, its file stays."""
    holder = _holder(scene)
    try:
        os.close(take(scene.journal))
    except JournalLocked as error:
        scene.said.append(f"JournalLocked by {'another' if error.pid == holder else 'nobody known'}")
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    return (scene.journal / LOCK).read_text(encoding="ascii").strip() == str(holder)


def _holder(scene: Scene) -> int:
    """Return the id of a process that holds the lock and waits."""
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        take(scene.journal)
        os.write(told, b"!")
        while True:
            signal.pause()
    os.close(told)
    os.read(heard, 1)
    os.close(heard)
    return child


_STANDS: Final = frozenset({STANDS})
_DETECTED: Final = frozenset({DETECTED})
_TAIL: Final = frozenset({DETECTED, HEALED})
_LOCKED: Final = frozenset({"JournalLocked by us"})
_ORPHAN: Final = frozenset({"JournalLocked by another"})
_HALTED: Final = frozenset({"JournalHalted"})

KINDS: Final[dict[str, Kind]] = {
    "torn write": Kind("the process dies in a write, and a part of it is left", _STANDS, _torn),
    "lost write": Kind("one is acknowledged and is not there", _DETECTED, _lying(Lie.LOST, followed=True)),
    "short write": Kind("one is acknowledged and is not all there", _DETECTED, _lying(Lie.SHORT, followed=True)),
    "misdirected write": Kind("one lies over others", _DETECTED, _lying(Lie.MISDIRECTED, followed=True)),
    "doubled write": Kind("one is there twice", _DETECTED, _lying(Lie.DOUBLED, followed=True)),
    "fsync lies": Kind("the journal's end is forgotten", _TAIL, _lying(Lie.FORGOTTEN, followed=False)),
    "every fsync lies": Kind("its checkpoints too", _TAIL, _lying(Lie.ALL_FORGOTTEN, followed=False)),
    "bit flip": Kind("a bit of the journal turns over", _DETECTED | _STANDS, _over, _flip),
    "bit flip in checkpoint": Kind("a bit of the checkpoint turns over", _DETECTED, _over, _flip_checkpoint),
    "ENOSPC on write": Kind("there is no room", _STANDS, _failing(errno.ENOSPC, APPEND), says=_HALTED, rest=_dropped),
    "EIO on write": Kind("a write fails", _STANDS, _failing(errno.EIO, APPEND), says=_HALTED, rest=_dropped),
    "EIO on fsync": Kind("an fsync fails", _STANDS, _failing(errno.EIO, FSYNC), rest=_dropped),
    "EIO on checkpoint": Kind("a checkpoint cannot be written", _STANDS, _failing(errno.EIO, DRAFT, REPLACE)),
    "EIO in recovery": Kind("a torn tail cannot be kept", _STANDS, _torn, then=_failing_recovery),
    "stale lock": Kind("the lock's owner is killed", _STANDS, _dead, _orphaned, says=_ORPHAN),
    "second writer": Kind("another opens the same journal", _STANDS, meanwhile=_rival, says=_LOCKED),
    "rollback": Kind("an older copy is restored, without its checkpoint", _DETECTED, _late, _rolled_back),
    "rollback past checkpoint": Kind(
        "only what came after the checkpoint is gone", _TAIL | _STANDS, _begun, _rolled_back_late
    ),
    "torn checkpoint": Kind("a part of the checkpoint is left", _DETECTED, _over, _torn_checkpoint),
    "lost checkpoint": Kind("the checkpoint is gone", _STANDS, _over, _lost_checkpoint),
    "older checkpoint": Kind("the first checkpoint is restored", _STANDS, _over, _older_checkpoint),
}
