"""Every read and write of the learned models.

Called by ``flow``, which registers them and takes them up with the rules in force.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.runtime.db import Tx, prepared
from leadmill.scoring.tables import SCORING_MODEL

_BODIES = prepared(
    sa.select(SCORING_MODEL.c.digest, SCORING_MODEL.c.body).where(
        SCORING_MODEL.c.digest == sa.any_(sa.bindparam("digests", type_=sa.ARRAY(sa.Text)))
    )
)


async def keep_model(tx: Tx, digest: str, body: bytes, at: datetime, by: str) -> bool:
    """Keep a model's bytes under its digest; False where they are there already."""
    values = {"digest": digest, "body": body, "added_at": at, "added_by": by}
    return await tx.run(insert(SCORING_MODEL).values(**values).on_conflict_do_nothing()) == 1


async def model_bodies(tx: Tx, digests: Sequence[str]) -> dict[str, bytes]:
    """The models' bytes by digest; one that is not kept is absent."""
    found = await tx.all(_BODIES, digests=list(digests)) if digests else []
    return {row["digest"]: bytes(row["body"]) for row in found}
