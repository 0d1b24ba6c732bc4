"""Every read and write of reviews that were made of cards.

Called by ``flow``, which makes them and has them taken up, and for lists through the door.
"""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from leadmill.runtime.db import Row, Tx, prepared
from leadmill.scoring.periodic.model import KeptReview, Standing
from leadmill.scoring.periodic.tables import SCORING_REVIEW
from leadmill.scoring.reviewing import CardReview

_c = SCORING_REVIEW.c
_VERTICAL = sa.bindparam("vertical", type_=sa.Text)
_ADD = prepared(
    sa.insert(SCORING_REVIEW).values(
        {column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in SCORING_REVIEW.columns}
    )
)
_REPLACE = prepared(
    sa.update(SCORING_REVIEW)
    .where(_c.vertical == _VERTICAL, _c.standing == sa.literal_column("'waiting'"))
    .values(standing=sa.literal_column("'replaced'"))
)
_LOCK = prepared(sa.select(SCORING_REVIEW).where(_c.id == sa.bindparam("review", type_=sa.Text)).with_for_update())
_OF = prepared(
    sa.select(SCORING_REVIEW)
    .where(sa.or_(sa.literal("") == _VERTICAL, _c.vertical == _VERTICAL))
    .order_by(_c.id.desc())
    .limit(sa.bindparam("most", type_=sa.BigInteger))
)
_WAITING = prepared(
    sa.select(SCORING_REVIEW).where(_c.standing == sa.literal_column("'waiting'")).order_by(_c.vertical)
)
_LAST = prepared(sa.select(_c.vertical, sa.func.max(_c.at).label("at")).group_by(_c.vertical))
_CLOSE = prepared(
    sa.update(SCORING_REVIEW)
    .where(_c.id == sa.bindparam("review", type_=sa.Text))
    .values(
        standing=sa.bindparam("new_standing", type_=sa.Text),
        by=sa.bindparam("new_by", type_=sa.Text),
        decided_at=sa.bindparam("new_decided_at", type_=_c.at.type),
        why=sa.bindparam("new_why", type_=sa.Text),
    )
)


async def keep_review(tx: Tx, one: KeptReview) -> None:
    """Keep a review that was made; one that still waited for the same card is replaced by it."""
    await tx.run(_REPLACE, vertical=one.vertical)
    values = {name: getattr(one, name) for name in one.__struct_fields__} | {"found": _encode(one.found)}
    await tx.run(_ADD, **{f"new_{name}": value for name, value in values.items()})


async def find_review(tx: Tx, ident: str) -> KeptReview | None:
    """A review, locked until the transaction ends."""
    row = await tx.one(_LOCK, review=ident)
    return _kept(row) if row is not None else None


async def reviews_of_card(tx: Tx, vertical: str = "", most: int = 20) -> list[KeptReview]:
    """The reviews of a vertical's card (of every card where none is named), the latest first."""
    return [_kept(row) for row in await tx.all(_OF, vertical=vertical, most=most)]


async def waiting_reviews(tx: Tx) -> list[KeptReview]:
    """The reviews that wait for a person, by vertical."""
    return [_kept(row) for row in await tx.all(_WAITING)]


async def last_reviews(tx: Tx) -> dict[str, datetime]:
    """When the latest review of each vertical's card was made."""
    return {row["vertical"]: row["at"] for row in await tx.all(_LAST)}


async def close_review(tx: Tx, ident: str, standing: Standing, by: str, at: datetime, why: str) -> None:
    """Write down what a person decided of a review."""
    await tx.run(_CLOSE, review=ident, new_standing=standing, new_by=by, new_decided_at=at, new_why=why)


def _kept(row: Row) -> KeptReview:
    return KeptReview(**{**dict(row.items()), "found": _decode(bytes(row["found"]))})


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CardReview).decode
