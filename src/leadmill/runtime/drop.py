"""Files put into a folder, whole or not at all.

Called by whoever performs a plug-in's :class:`FileAsk`. Every path stays below one folder of the settings; a file
appears under its name only when it is complete and on disk; the same bytes put twice are one file, other bytes never
overwrite.
"""

import asyncio
import os
import re
import secrets
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from leadmill.core.conversation import FileAsk, FileReply
from leadmill.core.faults import Permanent, Transient

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ @+=-]{0,127}")


class Drop:
    """The drop folder. ``folder`` is made when the first file comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def perform(self, ask: FileAsk) -> FileReply:
        """Put the file. Raises :class:`Permanent` ``drop.path.refused`` for a path that leaves the folder or has odd
        names, ``drop.file.exists`` where other bytes stand there; :class:`Transient` ``drop.disk.failed``."""
        began = time.monotonic()
        try:
            existed = await asyncio.to_thread(_put, self._folder, ask.path, ask.body)
        except OSError as fault:
            raise Transient("drop.disk.failed", os.strerror(fault.errno) if fault.errno else "input/output") from fault
        return FileReply(ask.path, len(ask.body), existed, int((time.monotonic() - began) * 1000))


def _put(folder: Path, path: str, body: bytes) -> bool:
    """Write, flush to disk, link under the final name (which fails where it is taken); whether it stood there
    already."""
    parts = path.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise Permanent("drop.path.refused", "use plain names separated by '/', none beginning with a dot")
    root = folder.resolve()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = root.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not target.parent.resolve().is_relative_to(root):
        raise Permanent("drop.path.refused", "a link leads out of the drop folder")
    waiting = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        with open(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(waiting, target)
        except FileExistsError:
            if target.is_symlink() or target.read_bytes() != body:
                raise Permanent(
                    "drop.file.exists", "another file of that name stands there; put an id into the path"
                ) from None
            return True
    finally:
        waiting.unlink(missing_ok=True)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return False


def old_files(folder: Path, before: datetime, dry: bool) -> int:
    """Delete the files below ``folder`` that were last written up to ``before``, and folders left empty by it; how many
    files. With ``dry`` they are only counted. What cannot be deleted stays and does not count."""
    gone = 0
    until = before.timestamp()
    for path in sorted(folder.rglob("*"), reverse=True) if folder.is_dir() else ():
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                if not dry and not any(path.iterdir()):
                    path.rmdir()
            elif path.lstat().st_mtime <= until:
                if not dry:
                    path.unlink()
                gone += 1
    return gone
