"""Every read and write of the people that buyers have.

Called by the listener and the verbs of ``service``.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from leadmill.overlap.model import Kind
from leadmill.overlap.tables import KNOWN_PERSON
from leadmill.runtime.db import Tx, prepared

_MARKS = sa.bindparam("marks", type_=sa.ARRAY(sa.LargeBinary))
_FIND = prepared(sa.select(KNOWN_PERSON.c.mark).where(KNOWN_PERSON.c.mark == sa.any_(_MARKS)))
_ADD = prepared(
    sa.text(
        "INSERT INTO known_person (mark, buyer_id, kind, added_at)"
        " SELECT mark, :buyer_id, :kind, :at FROM unnest(CAST(:marks AS bytea[])) AS mark ORDER BY mark"
        " ON CONFLICT DO NOTHING RETURNING mark"
    ).bindparams(
        sa.bindparam("buyer_id", type_=sa.Text),
        sa.bindparam("kind", type_=sa.Text),
        sa.bindparam("at", type_=sa.DateTime(timezone=True)),
        _MARKS,
    )
)
_REMOVE = prepared(sa.delete(KNOWN_PERSON).where(KNOWN_PERSON.c.mark == sa.any_(_MARKS)).returning(KNOWN_PERSON.c.mark))
_CLEAR = prepared(
    sa.delete(KNOWN_PERSON)
    .where(
        KNOWN_PERSON.c.buyer_id == sa.bindparam("buyer_id", type_=sa.Text),
        KNOWN_PERSON.c.kind == sa.bindparam("kind", type_=sa.Text),
    )
    .returning(KNOWN_PERSON.c.mark)
)


async def find_marks(tx: Tx, marks: Sequence[bytes]) -> set[bytes]:
    """Those of the marks that are on somebody's list."""
    return {row["mark"] for row in await tx.all(_FIND, marks=list(marks))}


async def add_marks(tx: Tx, buyer_id: str, kind: Kind, marks: Sequence[bytes], at: datetime) -> int:
    """Put marks on a buyer's list; how many were new."""
    return len(await tx.all(_ADD, buyer_id=buyer_id, kind=kind, marks=list(marks), at=at))


async def remove_marks(tx: Tx, marks: Sequence[bytes]) -> int:
    """Take marks off; how many were there."""
    return len(await tx.all(_REMOVE, marks=list(marks)))


async def clear_list(tx: Tx, buyer_id: str, kind: Kind) -> int:
    """Empty a buyer's list of a kind; how many were on it."""
    return len(await tx.all(_CLEAR, buyer_id=buyer_id, kind=kind))
