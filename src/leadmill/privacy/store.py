"""Every read and write of requests, their story, what is retained, and how often forms were sent.

Called by the verbs of this package and, for lists, through the door. A request is locked by whoever changes it, so of
two who decide at once the second sees what the first did.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.privacy.model import Entry, PrivacyRequest, Retained
from leadmill.privacy.tables import PRIVACY_NOTE, PRIVACY_REQUEST, PRIVACY_RETAINED, PRIVACY_TRY
from leadmill.runtime.db import Row, Tx, prepared

_TIME = sa.DateTime(timezone=True)
_COLUMNS = [column for column in PRIVACY_REQUEST.columns if column.name != "id"]
_FIND = prepared(sa.select(PRIVACY_REQUEST).where(PRIVACY_REQUEST.c.id == sa.bindparam("request")))
_LOCK = prepared(sa.select(PRIVACY_REQUEST).where(PRIVACY_REQUEST.c.id == sa.bindparam("request")).with_for_update())
_SAVE = prepared(
    sa.update(PRIVACY_REQUEST)
    .where(PRIVACY_REQUEST.c.id == sa.bindparam("request"))
    .values({column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in _COLUMNS})
)
_NOTES = prepared(
    sa.select(PRIVACY_NOTE).where(PRIVACY_NOTE.c.request_id == sa.bindparam("request")).order_by(PRIVACY_NOTE.c.no)
)
_NOTE = prepared(
    sa.text(
        'INSERT INTO privacy_note (request_id, no, at, "by", what, note) SELECT CAST(:request AS text),'
        " COALESCE(MAX(no), 0) + 1, CAST(:at AS timestamptz), CAST(:who AS text), CAST(:what AS text),"
        " CAST(:note AS bytea) FROM privacy_note WHERE request_id = CAST(:request AS text)"
    )
)
_KEEP = prepared(
    insert(PRIVACY_RETAINED)
    .values({column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in PRIVACY_RETAINED.columns})
    .on_conflict_do_nothing()
)
_TRY = prepared(
    sa.text(
        "INSERT INTO privacy_try (subject, since, tries) VALUES (:subject, :now, :weight)"
        " ON CONFLICT (subject) DO UPDATE SET"
        " since = CASE WHEN privacy_try.since <= :edge THEN :now ELSE privacy_try.since END,"
        " tries = CASE WHEN privacy_try.since <= :edge THEN :weight ELSE privacy_try.tries + :weight END"
        " RETURNING since, tries"
    ).bindparams(
        sa.bindparam("subject", type_=sa.LargeBinary),
        sa.bindparam("now", type_=_TIME),
        sa.bindparam("edge", type_=_TIME),
        sa.bindparam("weight", type_=sa.Integer),
    )
)
_DROP_TRIES = prepared(sa.delete(PRIVACY_TRY).where(PRIVACY_TRY.c.since <= sa.bindparam("edge", type_=_TIME)))


def add_request(tx: Tx, one: PrivacyRequest) -> None:
    """Write a request with the other rows of the transaction."""
    tx.add(PRIVACY_REQUEST, *(getattr(one, column.name) for column in PRIVACY_REQUEST.columns))


async def find_request(tx: Tx, request_id: str) -> PrivacyRequest | None:
    """A request by its id."""
    row = await tx.one(_FIND, request=request_id)
    return _request(row) if row is not None else None


async def lock_request(tx: Tx, request_id: str) -> PrivacyRequest | None:
    """A request, locked until the transaction ends."""
    row = await tx.one(_LOCK, request=request_id)
    return _request(row) if row is not None else None


async def save_request(tx: Tx, one: PrivacyRequest) -> None:
    """Write a locked request as it is now."""
    await tx.run(_SAVE, request=one.id, **{f"new_{column.name}": getattr(one, column.name) for column in _COLUMNS})


async def list_requests(
    tx: Tx,
    *,
    kind: str | None = None,
    states: Sequence[str] | None = None,
    person_id: str | None = None,
    by_due: bool = False,
    before: str | None = None,
    limit: int = 50,
) -> list[PrivacyRequest]:
    """Requests: the newest first, from the one before the id ``before``, or (``by_due``) those that wait, the most
    urgent first."""
    columns = PRIVACY_REQUEST.c
    stmt = sa.select(PRIVACY_REQUEST).limit(limit)
    params: dict[str, Any] = {}
    if by_due:
        stmt = stmt.where(columns.due_at.is_not(None)).order_by(columns.due_at, columns.id)
    else:
        stmt = stmt.order_by(columns.id.desc())
    if kind is not None:
        stmt = stmt.where(columns.kind == kind)
    if person_id is not None:
        stmt = stmt.where(columns.person_id == person_id)
    if states is not None:
        stmt = stmt.where(columns.state == sa.any_(sa.bindparam("states", type_=sa.ARRAY(sa.Text))))
        params["states"] = list(states)
    if before is not None:
        stmt = stmt.where(columns.id < before)
    return [_request(row) for row in await tx.all(stmt, **params)]


async def count_waiting(tx: Tx, most: int = 100) -> int:
    """How many requests wait for somebody of ours, counted up to ``most``."""
    states = sa.or_(*(PRIVACY_REQUEST.c.state == sa.literal_column(f"'{one}'") for one in ("open", "appealed")))
    some = sa.select(PRIVACY_REQUEST.c.id).where(states).limit(most).subquery()
    row = await tx.one(sa.select(sa.func.count().label("n")).select_from(some))
    return int(row["n"]) if row is not None else 0


async def add_note(
    tx: Tx, request_id: str, at: datetime, by: str, what: str, note: bytes | None = None
) -> None:  # fmt: skip
    """Write down what happened to a locked or new request."""
    await tx.run(_NOTE, request=request_id, at=at, who=by, what=what, note=note)


async def notes_of(tx: Tx, request_id: str) -> list[Entry]:
    """What happened to a request, in order."""
    return [Entry(**dict(row.items())) for row in await tx.all(_NOTES, request=request_id)]


async def keep_retained(tx: Tx, kept: Iterable[Retained]) -> None:
    """Keep proof of somebody who is deleted; the same again changes nothing."""
    rows = [{f"new_{name}": value for name, value in msgspec.structs.asdict(one).items()} for one in kept]
    if rows:
        await tx.many(_KEEP, rows)


async def retained_of(tx: Tx, request_id: str) -> list[Retained]:
    """What was kept when a request was carried out."""
    columns = PRIVACY_RETAINED.c
    stmt = sa.select(PRIVACY_RETAINED).where(columns.request_id == request_id).order_by(columns.id)
    return [Retained(**dict(row.items())) for row in await tx.all(stmt)]


async def count_try(tx: Tx, subject: bytes, now: datetime, window: timedelta, weight: int = 1) -> tuple[int, datetime]:
    """Count one more form of a subject, or so much more of what is not counted by forms; how much there is in its
    window, and when that began."""
    row = await tx.one(_TRY, subject=subject, now=now, edge=now - window, weight=weight)
    return (row["tries"], row["since"]) if row is not None else (weight, now)


async def drop_tries(tx: Tx, before: datetime) -> int:
    """Forget windows that began before a moment; how many there were."""
    return await tx.run(_DROP_TRIES, edge=before)


def _request(row: Row) -> PrivacyRequest:
    return msgspec.convert(dict(row.items()), PrivacyRequest, strict=False)
