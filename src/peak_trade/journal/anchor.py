"""A checkpoint says how far the journal certainly reached; it is never ahead of the journal's durable bytes.

File: `journal.checkpoint.json`, canonical JSON `{"bytes":n,"hash":"<64 hex>","records":n}` and a line feed. It is
replaced in one step, so it is never torn: any other spelling was made by another hand.

Limits: kept in the same folder it shows an accident or a careless hand; who replaces both files is not seen.
"""

import os
import re
from pathlib import Path
from typing import Final

from peak_trade.journal.chain import Break, Head
from peak_trade.journal.disk import Disk, open_file, sync_folder
from peak_trade.journal.scan import Fault

CHECKPOINT: Final = "journal.checkpoint.json"
CHECKPOINT_BYTES_MAX: Final = 256
_NUMBER: Final = rb"(0|[1-9][0-9]{0,17})"
_FORM: Final = re.compile(rb'\{"bytes":%b,"hash":"([0-9a-f]{64})","records":%b\}\n' % (_NUMBER, _NUMBER))


def load(folder: Path) -> Head | Fault | None:
    """Give the checkpoint's head; None iff there is no checkpoint; a fault iff its text is not a checkpoint's."""
    try:
        with (folder / CHECKPOINT).open("rb") as file:
            text = file.read(CHECKPOINT_BYTES_MAX)
    except FileNotFoundError:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        return Fault("corrupt", 1, 0, len(text), Break("form", "a checkpoint", f"{len(text)} bytes of another form"))
    size, root, records = found.groups()
    return Head(int(records), int(size), root.decode())


def save(folder: Path, head: Head, disk: Disk) -> None:
    """Make the head the durable checkpoint.

    Raises:
        OSError: it may or may not be the checkpoint now; the one before, or this one, stands whole.
    """
    fresh = folder / f"{CHECKPOINT}.new"
    handle = open_file(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        text = f'{{"bytes":{head.size_bytes},"hash":"{head.root}","records":{head.records}}}\n'
        disk.write(handle, text.encode())
        disk.fsync(handle)
    finally:
        os.close(handle)
    disk.replace(fresh, folder / CHECKPOINT)
    sync_folder(disk, folder)
