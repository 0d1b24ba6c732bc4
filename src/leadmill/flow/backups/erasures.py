"""The log of erasures: who was forgotten when, in a file outside the database.

Kept up by every process that may have forgotten somebody, and read by a restore. A line holds a person's id, which
leads to nobody, the moment, and a keyed hash of both, so that nobody else can have a restore forget people. A line may
stand twice. Copy the file to where the backups are, or name a place there (``LEADMILL_ERASURE_LOG``).
"""

import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from leadmill.flow.backups.store import forgotten_since
from leadmill.runtime.db import Database

LOG = "erasures.log"
"""The file in the home folder, where the setting names no other."""

_PURPOSE = "erasure"
_OVERLAP = timedelta(hours=1)
"""How much later than its moment an erasure may be committed."""

_BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)

KeyedHash = Callable[[str, str], bytes]


class Erasures:
    """The log as one process keeps it up."""

    def __init__(self, path: Path, keyed_hash: KeyedHash) -> None:
        self.path = path
        self._keyed_hash = keyed_hash
        self._written: set[str] | None = None
        self._upto = _BEGINNING

    async def keep_up(self, db: Database) -> int:
        """Add whoever has been forgotten and is not in the log; how many. Raises OSError where the file cannot be
        written."""
        if self._written is None:
            self._written = set(read_log([self.path], self._keyed_hash))
        async with db.begin() as tx:
            found = await forgotten_since(tx, self._upto - _OVERLAP)
        fresh = [(person, at) for person, at in found if person not in self._written]
        if fresh:
            self._add(fresh)
        self._written.update(person for person, _ in fresh)
        self._upto = max((at for _, at in found), default=self._upto)
        return len(fresh)

    def _add(self, fresh: Iterable[tuple[str, datetime]]) -> None:
        lines = []
        for person, at in fresh:
            moment = at.astimezone(UTC).isoformat()
            line = {"person": person, "at": moment, "mark": mark_of(self._keyed_hash, person, moment)}
            lines.append(json.dumps(line) + "\n")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, "".join(lines).encode())
            os.fsync(handle)
        finally:
            os.close(handle)


def mark_of(keyed_hash: KeyedHash, person: str, moment: str) -> str:
    """What a line proves itself by."""
    return keyed_hash(_PURPOSE, f"{person} {moment}").hex()


def read_log(paths: Iterable[Path], keyed_hash: KeyedHash) -> dict[str, str]:
    """The persons of one or more logs with the moments at which they were forgotten; lines that this house did not
    write, or not to their end, are passed over."""
    found: dict[str, str] = {}
    for path in paths:
        try:
            lines = path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            continue
        for line in lines:
            try:
                raw = json.loads(line)
                person, moment = str(raw["person"]), str(raw["at"])
            except (ValueError, KeyError, TypeError):
                continue
            if mark_of(keyed_hash, person, moment) == raw.get("mark"):
                found.setdefault(person, moment)
    return found
