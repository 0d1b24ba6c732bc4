"""Fills an empty home from a backup, and forgets anew whoever was forgotten after it.

Called by ``leadmill restore``, in this order: :func:`find_master`, :func:`load_backup`, then with the house open
:func:`forget_again`. Between the last two the home is marked as unfinished, and nothing serves from it.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

from msgspec import Struct

from leadmill.core.faults import Conflict, NotFound, Permanent, Transient
from leadmill.flow.backups.erasures import LOG, read_log
from leadmill.flow.backups.making import unlock
from leadmill.flow.backups.store import still_remembered
from leadmill.flow.forgetting import forget
from leadmill.flow.kit import Kit
from leadmill.identity import read_prospect
from leadmill.identity.service import forget_person
from leadmill.market import release_holds
from leadmill.runtime import checkpoints
from leadmill.runtime.archive import Manifest, Tell, check_seal, load
from leadmill.runtime.vault import ENVIRONMENT, FILE, fingerprint, read_key, replace_master, set_aside

PENDING = "restore.pending"
"""The file that marks a home whose restore has not ended."""

_BY = "the log of erasures, at a restore"
_SWEPT = 500
_TRIES = 5


class Restored(Struct, frozen=True, kw_only=True):
    """What came of a restore: what the file holds, where the master key was found, the logs of erasures that were
    read, and how many persons were forgotten anew."""

    schema: str
    rows: int
    key: str
    logs: list[str]
    forgotten: int


def unfinished(home: Path) -> bool:
    """Whether a restore into this home has begun and not ended."""
    return (home / PENDING).exists()


def find_master(
    manifest: Manifest, home: Path, environ: Mapping[str, str], passphrase: str | None = None
) -> tuple[bytes, str]:
    """The master key that opens a backup, and where it was found: in the environment, in the new home, in the backup
    itself under a passphrase, or in the home that the backup was made from, where that is on this machine.

    Raises :class:`Permanent` ``backup.key.missing`` where there is none that fits, and as ``unlock`` does.
    """
    tried: list[tuple[str, bytes]] = []
    if given := environ.get(ENVIRONMENT, "").strip():
        tried.append((ENVIRONMENT, read_key(given, ENVIRONMENT)))
    if manifest.keys is not None and passphrase is not None:
        tried.append(("the backup", unlock(manifest.keys, passphrase)))
    for folder in (home, Path(manifest.home)):
        for path in (folder / FILE, folder / f"{FILE}.{manifest.master}"):
            if path.exists():
                tried.append((str(path), read_key(path.read_text(errors="replace").strip(), str(path))))
    for place, key in tried:
        if fingerprint(key) == manifest.master:
            return key, place
    says = f"put the {FILE} of the home it was made from into {home}, or its content into {ENVIRONMENT}"
    if manifest.keys is not None and passphrase is None:
        says += "; or give the passphrase (--with-keys)"
    raise Permanent("backup.key.missing", f"the backup opens with the master key {manifest.master}: {says}")


async def load_backup(
    url: str, file: Path, manifest: Manifest, home: Path, master: bytes, environ: Mapping[str, str], tell: Tell
) -> None:
    """Load everything and put the key into the home. A load that went through before, whose restore did not end, is
    not done again. Raises Permanent ``backup.file.altered`` where the file is not what was saved, and as
    ``runtime.archive.load``."""
    check_seal(file, master)
    begun = unfinished(home)
    _mark(home, f"{file}\n")
    try:
        await load(url, file, manifest, tell)
    except Permanent as fault:
        if not begun or fault.code != "backup.store.occupied":
            _mark(home, None)  # nothing of it stands
            raise
        tell("loaded before")
    if not environ.get(ENVIRONMENT, "").strip():
        _put_key(home, master)


def _put_key(home: Path, master: bytes) -> None:
    """The key into the home's file; another one that lies there is put aside, never lost."""
    path = home / FILE
    if path.exists() and read_key(path.read_text(errors="replace").strip(), str(path)) == master:
        return
    set_aside(home)
    replace_master(home, master)


def _mark(home: Path, text: str | None) -> None:
    if text is None:
        (home / PENDING).unlink(missing_ok=True)
    else:
        (home / PENDING).write_text(text)


def logs_of(manifest: Manifest, home: Path, named: Sequence[Path], setting: Path | None) -> list[Path]:
    """Where logs of erasures may lie: as named, where the setting says, in the new home, beside the old one."""
    places = [*named, *([setting] if setting else []), home / LOG, Path(manifest.home) / LOG]
    return [path for path in dict.fromkeys(places) if path.exists()]


async def forget_again(kit: Kit, logs: Iterable[Path], home: Path, tell: Tell) -> int:
    """Forget whoever the logs say was forgotten and the backup remembers; how many persons. Afterwards the home may be
    served from."""
    told = read_log(logs, kit.pen.vault.keyed_hash)
    async with kit.db.begin() as tx:
        waiting = await still_remembered(tx, told)
    done = 0
    for person_id in waiting:
        done += await _forget(kit, person_id, told.keys())
        tell(f"forgot {done} persons again")
    while True:  # what was set aside for leads that have long come or not
        async with kit.db.begin() as tx:
            if await release_holds(tx, kit.clock(), _SWEPT) < _SWEPT:
                break
    async with kit.db.begin() as tx:
        stored = await checkpoints.every(tx)
    checkpoints.begin_witness(home, stored)
    _mark(home, None)
    return done


async def _forget(kit: Kit, person_id: str, told: Set[str]) -> int:
    """Forget one person, with all that are held to be one with them if the logs name them all; how many. Where they do
    not, or where a legal hold stood that must have been lifted later, the person's key is destroyed all the same."""
    for _ in range(_TRIES):
        try:
            async with kit.db.begin() as tx:
                if told >= {*(await read_prospect(tx, person_id)).persons}:
                    return len((await forget(tx, kit, person_id, _BY, kit.clock())).persons)
        except Transient:
            continue
        except NotFound:
            return 0
        except Conflict:
            pass
        async with kit.db.begin() as tx:
            return int(await forget_person(tx, kit.pen.keys, person_id, kit.clock()))
    raise Permanent("backup.erasure.failed", f"the person {person_id} could not be forgotten: restore again")


def refuse_unfinished(home: Path) -> None:
    """Raise :class:`Permanent` ``backup.restore.unfinished`` for a home whose restore has not ended."""
    if unfinished(home):
        raise Permanent(
            "backup.restore.unfinished",
            "a restore into this home has not ended: run leadmill restore with the same file again",
        )
