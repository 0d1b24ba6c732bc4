"""Every read and write of deletion lists."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.privacy.drop.model import SOURCE, Figures, Item, Pull, Status
from leadmill.privacy.drop.tables import DROP_ITEM, DROP_PULL
from leadmill.runtime.db import Row, Tx, prepared

_TIME = sa.DateTime(timezone=True)
_TEXTS = sa.ARRAY(sa.Text)
_BYTES = sa.ARRAY(sa.LargeBinary)
_KEEP = prepared(
    sa.text(
        "INSERT INTO drop_item (id, list, key, at, pull_id, suppressed) SELECT i, l, k, :at, :pull, s FROM unnest("
        "CAST(:ids AS text[]), CAST(:lists AS text[]), CAST(:keys AS bytea[]), CAST(:hashes AS bytea[]))"
        " AS t(i, l, k, s) ORDER BY i ON CONFLICT (id) DO UPDATE SET removed_at = NULL WHERE drop_item.removed_at"
        " IS NOT NULL"
    ).bindparams(
        sa.bindparam("at", type_=_TIME),
        sa.bindparam("pull", type_=sa.Text),
        sa.bindparam("ids", type_=_TEXTS),
        sa.bindparam("lists", type_=_TEXTS),
        sa.bindparam("keys", type_=_BYTES),
        sa.bindparam("hashes", type_=_BYTES),
    )
)
_FIND = prepared(
    sa.select(DROP_ITEM.c.id, DROP_ITEM.c.key).where(
        DROP_ITEM.c.key == sa.any_(sa.bindparam("keys", type_=_BYTES)), DROP_ITEM.c.removed_at.is_(None)
    )
)
_ITEMS = prepared(
    sa.select(DROP_ITEM).where(DROP_ITEM.c.id == sa.any_(sa.bindparam("ids", type_=_TEXTS))).order_by(DROP_ITEM.c.id)
)
_SETTLE = prepared(
    sa.text(
        "UPDATE drop_item SET status = t.s, done_at = :at FROM unnest(CAST(:ids AS text[]), CAST(:statuses AS"
        " smallint[])) AS t(i, s) WHERE id = t.i"
    ).bindparams(
        sa.bindparam("at", type_=_TIME),
        sa.bindparam("ids", type_=_TEXTS),
        sa.bindparam("statuses", type_=sa.ARRAY(sa.SmallInteger)),
    )
)
_OPEN = prepared(
    sa.text(
        "SELECT * FROM drop_item WHERE pull_id = :pull AND status IS NULL AND removed_at IS NULL AND id > :after"
        " ORDER BY id LIMIT :most"
    ).bindparams(
        sa.bindparam("pull", type_=sa.Text),
        sa.bindparam("after", type_=sa.Text),
        sa.bindparam("most", type_=sa.Integer),
    )
)
_REMOVE = prepared(
    sa.text(
        "UPDATE drop_item SET removed_at = :at WHERE id = ANY(CAST(:ids AS text[])) AND removed_at IS NULL"
        " RETURNING key, suppressed"
    ).bindparams(sa.bindparam("at", type_=_TIME), sa.bindparam("ids", type_=_TEXTS))
)
_LIFT = prepared(
    sa.text("DELETE FROM suppression WHERE hash = ANY(CAST(:hashes AS bytea[])) AND source = :source").bindparams(
        sa.bindparam("hashes", type_=_BYTES), sa.bindparam("source", type_=sa.Text)
    )
)
_FIGURES = sa.text(
    "SELECT count(*) AS entries, count(*) FILTER (WHERE status = 2) AS exempted, count(*) FILTER (WHERE status = 3)"
    " AS deleted, count(*) FILTER (WHERE status = 4) AS opted_out, count(*) FILTER (WHERE status = 5) AS not_found,"
    " count(removed_at) AS removed FROM drop_item WHERE CAST(:pull AS text) = '' OR pull_id = :pull"
).bindparams(sa.bindparam("pull", type_=sa.Text))
_PULLS = sa.select(DROP_PULL).order_by(DROP_PULL.c.id.desc())


async def begin_pull(tx: Tx, pull: Pull) -> Pull:
    """Write that a file was taken in; the one that stands, where the same file was taken before."""
    await tx.run(insert(DROP_PULL).values(**msgspec.structs.asdict(pull)).on_conflict_do_nothing())
    row = await tx.one(sa.select(DROP_PULL).where(DROP_PULL.c.digest == pull.digest))
    return Pull(**dict(row.items())) if row is not None else pull


async def end_pull(tx: Tx, pull_id: str, now: datetime) -> None:
    """Write that all of a file was worked."""
    await tx.run(sa.update(DROP_PULL).where(DROP_PULL.c.id == pull_id).values(done_at=now))


async def latest_pulls(tx: Tx, most: int = 20) -> list[Pull]:
    """The latest files, the newest first."""
    return [Pull(**dict(row.items())) for row in await tx.all(_PULLS.limit(most))]


async def last_pull_at(tx: Tx) -> datetime | None:
    """When a list was last fetched and worked; None where none ever was."""
    row = await tx.one(sa.select(sa.func.max(DROP_PULL.c.at).label("at")).where(DROP_PULL.c.done_at.is_not(None)))
    found: datetime | None = row["at"] if row is not None else None
    return found


async def keep_items(tx: Tx, items: Sequence[Item], hashes: Mapping[str, bytes]) -> None:
    """Keep entries; those that are kept already stay as they are, unless they had been withdrawn. ``hashes`` are the
    suppressions that stand for them, by the entry's id."""
    if items:
        await tx.run(
            _KEEP,
            at=items[0].at,
            pull=items[0].pull_id,
            ids=[one.id for one in items],
            lists=[one.list for one in items],
            keys=[one.key for one in items],
            hashes=[hashes.get(one.id) for one in items],
        )


async def remove_items(tx: Tx, ids: Sequence[str], now: datetime) -> int:
    """Take out entries whose requests were withdrawn, and the suppressions that only they asked for; how many."""
    rows = await tx.all(_REMOVE, ids=list(ids), at=now)
    still = await find_items(tx, [row["key"] for row in rows])  # the same identifier may stand in another request
    hashes = [row["suppressed"] for row in rows if row["suppressed"] is not None and row["key"] not in still]
    if hashes:
        await tx.run(_LIFT, hashes=hashes, source=SOURCE)
    return len(rows)


async def find_items(tx: Tx, keys: Iterable[bytes]) -> dict[bytes, list[str]]:
    """The ids of the entries under these keys; one identifier may stand in several requests."""
    found: dict[bytes, list[str]] = {}
    wanted = list(keys)
    for row in await tx.all(_FIND, keys=wanted) if wanted else ():
        found.setdefault(row["key"], []).append(row["id"])
    return found


async def read_items(tx: Tx, ids: Sequence[str]) -> dict[str, Item]:
    """Entries by their ids."""
    return {row["id"]: _item(row) for row in await tx.all(_ITEMS, ids=list(ids))} if ids else {}


async def open_items(tx: Tx, pull_id: str, after: str, most: int) -> list[tuple[Item, bytes | None]]:
    """Entries of a file that have no status yet, each with the hash that stands for it among suppressions."""
    return [(_item(row), row["suppressed"]) for row in await tx.all(_OPEN, pull=pull_id, after=after, most=most)]


async def settle_items(tx: Tx, statuses: Mapping[str, Status], now: datetime) -> None:
    """Write what became of entries."""
    if statuses:
        ids = sorted(statuses)
        await tx.run(_SETTLE, at=now, ids=ids, statuses=[int(statuses[each]) for each in ids])


async def figures_of(tx: Tx, pull_id: str = "") -> Figures:
    """How the entries of a file, or of all files, stand."""
    row = await tx.one(_FIGURES, pull=pull_id)
    return Figures(**dict(row.items())) if row is not None else Figures()


def _item(row: Row) -> Item:
    values: dict[str, Any] = {name: row[name] for name in Item.__struct_fields__}
    status = values["status"]
    return Item(**{**values, "status": Status(status) if status is not None else None})
