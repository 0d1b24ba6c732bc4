"""Every read and write of what people ruled about persons: that two are one, or that two are two.

Called by ``identity/ruling.py``. Rulings are made one at a time, under a lock of their own that is taken before the
persons': they are rare, and each may touch everybody who is held to be one with either.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa

from leadmill.identity.model import Ruling
from leadmill.identity.tables import PERSON_RULING, SUGGESTION
from leadmill.linkage import Part
from leadmill.runtime.db import Row, Tx, prepared

_LOCK = 0x6C6D_7275  # the advisory lock that lets one ruling be made at a time
_TEXTS = sa.ARRAY(sa.Text)
_TIME = sa.DateTime(timezone=True)
_IDS = sa.any_(sa.bindparam("ids", type_=_TEXTS))
_RULE = prepared(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
_MATES = prepared(
    sa.text(
        "SELECT id FROM person WHERE id = ANY(CAST(:ids AS text[])) OR prospect = ANY(ARRAY(SELECT prospect FROM person"
        " WHERE id = ANY(CAST(:ids AS text[])) AND prospect IS NOT NULL)) ORDER BY id"
    ).bindparams(sa.bindparam("ids", type_=_TEXTS))
)
_AMONG = prepared(
    sa.select(PERSON_RULING)
    .where(sa.or_(PERSON_RULING.c.low == _IDS, PERSON_RULING.c.high == _IDS))
    .order_by(PERSON_RULING.c.at, PERSON_RULING.c.id)
)
_LATEST = prepared(
    sa.select(PERSON_RULING)
    .order_by(PERSON_RULING.c.at.desc(), PERSON_RULING.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_ONE = prepared(sa.select(PERSON_RULING).where(PERSON_RULING.c.id == sa.bindparam("ruling", type_=sa.Text)))
_END = prepared(
    sa.update(PERSON_RULING)
    .where(PERSON_RULING.c.id == sa.bindparam("ruling", type_=sa.Text))
    .values(
        ended_at=sa.bindparam("now", type_=_TIME),
        ended_by=sa.bindparam("who", type_=sa.Text),
        ended_why=sa.bindparam("reason", type_=sa.Text),
    )
)
_PLACE = prepared(
    sa.text(
        "UPDATE person SET prospect = t.p FROM unnest(CAST(:ids AS text[]), CAST(:places AS text[])) AS t(i, p)"
        " WHERE id = t.i AND prospect IS DISTINCT FROM t.p"
    ).bindparams(sa.bindparam("ids", type_=_TEXTS), sa.bindparam("places", type_=_TEXTS))
)
_LOW, _HIGH = sa.bindparam("low", type_=sa.Text), sa.bindparam("high", type_=sa.Text)
_SUGGESTED = prepared(sa.select(SUGGESTION).where(SUGGESTION.c.low == _LOW, SUGGESTION.c.high == _HIGH))
_SETTLE = prepared(sa.delete(SUGGESTION).where(SUGGESTION.c.low == _LOW, SUGGESTION.c.high == _HIGH))


async def rule_alone(tx: Tx) -> None:
    """Wait until nobody else makes a ruling; nobody does until this transaction ends."""
    await tx.run(_RULE)


async def mates_of(tx: Tx, person_ids: Iterable[str]) -> list[str]:
    """These persons and all who are held to be one with any of them."""
    return [row["id"] for row in await tx.all(_MATES, ids=list(person_ids))]


async def rulings_of(tx: Tx, person_ids: Iterable[str]) -> list[Ruling]:
    """Every ruling that was ever made about these persons, the oldest first."""
    return [_ruling(row) for row in await tx.all(_AMONG, ids=list(person_ids))]


async def latest_rulings(tx: Tx, most: int = 50) -> list[Ruling]:
    """The rulings made last, the newest first."""
    return [_ruling(row) for row in await tx.all(_LATEST, most=most)]


async def read_ruling(tx: Tx, ruling_id: str) -> Ruling | None:
    """One ruling."""
    row = await tx.one(_ONE, ruling=ruling_id)
    return None if row is None else _ruling(row)


def add_ruling(tx: Tx, ruling: Ruling) -> None:
    """Write a ruling with the other rows of the transaction."""
    tx.add(
        PERSON_RULING,
        ruling.id,
        ruling.low,
        ruling.high,
        ruling.says,
        ruling.by,
        ruling.why,
        ruling.kind,
        ruling.bits,
        msgspec.json.encode(ruling.parts),
        ruling.at,
        None,
        None,
        None,
    )


async def end_ruling(tx: Tx, ruling_id: str, by: str, why: str, now: datetime) -> None:
    """Keep that a ruling no longer stands, who said so and why."""
    await tx.run(_END, ruling=ruling_id, who=by, reason=why, now=now)


async def place_persons(tx: Tx, places: Mapping[str, str | None]) -> None:
    """Set under whose id each person is one with others; None for who is alone."""
    await tx.run(_PLACE, ids=list(places), places=list(places.values()))


async def settle_suggestion(tx: Tx, low: str, high: str) -> Row | None:
    """Take what was suggested of two persons off the list; it, where there was anything."""
    row = await tx.one(_SUGGESTED, low=low, high=high)
    await tx.run(_SETTLE, low=low, high=high)
    return row


_PARTS = msgspec.json.Decoder(list[Part])


def _ruling(row: Row) -> Ruling:
    values = dict(row)
    parts = _PARTS.decode(values.pop("evidence"))
    return Ruling(**values, parts=parts)
