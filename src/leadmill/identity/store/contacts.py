"""Whose contact details are, and which somebody has, by their keyed hashes: what an opt-out needs to know.

Called by ``flow``. Reads only, and locks nothing.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct

from leadmill.identity.tables import PERSON_KEY
from leadmill.runtime.db import Tx, prepared

_OWNERS = prepared(
    sa.select(PERSON_KEY.c.hash, PERSON_KEY.c.person_id, PERSON_KEY.c.others).where(
        PERSON_KEY.c.hash == sa.any_(sa.bindparam("hashes", type_=sa.ARRAY(sa.LargeBinary)))
    )
)
_HELD = prepared(
    sa.select(PERSON_KEY.c.hash, PERSON_KEY.c.kind)
    .where(
        sa.or_(
            PERSON_KEY.c.person_id == sa.bindparam("person", type_=sa.Text),
            PERSON_KEY.c.others.contains(sa.bindparam("persons", type_=sa.ARRAY(sa.Text))),
        )
    )
    .order_by(PERSON_KEY.c.hash)
)


class Held(Struct, frozen=True):
    """A contact detail of somebody: ``email`` or ``phone``, and its keyed hash."""

    kind: str
    hash: bytes


async def owners_of(tx: Tx, hashes: Sequence[bytes]) -> dict[bytes, list[str]]:
    """The persons who have shown these contact details, the first owner first; those nobody has are absent."""
    rows = await tx.all(_OWNERS, hashes=list(hashes)) if hashes else []
    return {row["hash"]: [row["person_id"], *(row["others"] or ())] for row in rows}


async def contacts_held(tx: Tx, person_id: str) -> list[Held]:
    """Every contact detail that a person has shown, shared ones included."""
    return [Held(row["kind"], row["hash"]) for row in await tx.all(_HELD, person=person_id, persons=[person_id])]
