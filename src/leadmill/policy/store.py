"""Every read and write of opt-outs.

Called by the runner for leads on their walk and by whoever records an opt-out.
"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from leadmill.policy.model import Suppression, SuppressionAsk, SuppressionFound
from leadmill.policy.tables import SUPPRESSION
from leadmill.runtime.db import Tx, prepared

_FIND = prepared(
    sa.select(SUPPRESSION.c.hash, SUPPRESSION.c.at).where(
        SUPPRESSION.c.hash == sa.any_(sa.bindparam("hashes", type_=sa.ARRAY(sa.LargeBinary)))
    )
)
_ADD = prepared(
    sa.text(
        "INSERT INTO suppression (hash, kind, at, source) VALUES (:hash, :kind, :at, :source) ON CONFLICT DO NOTHING"
    ).bindparams(
        sa.bindparam("hash", type_=sa.LargeBinary),
        sa.bindparam("kind", type_=sa.Text),
        sa.bindparam("at", type_=sa.DateTime(timezone=True)),
        sa.bindparam("source", type_=sa.Text),
    )
)


async def hear_suppressions(tx: Tx, asks: Sequence[SuppressionAsk]) -> Callable[[SuppressionAsk], SuppressionFound]:
    """Which of these people opted out: one query for all."""
    hashes = sorted({key for ask in asks for key in (ask.phone, ask.email) if key})
    since = {row["hash"]: row["at"] for row in await tx.all(_FIND, hashes=hashes)} if hashes else {}

    def answer(ask: SuppressionAsk) -> SuppressionFound:
        return SuppressionFound(
            since.get(ask.phone) if ask.phone else None, since.get(ask.email) if ask.email else None
        )

    return answer


async def suppress(tx: Tx, entries: Sequence[Suppression]) -> None:
    """Record opt-outs. The first stands: asking again changes nothing."""
    ordered = sorted(entries, key=lambda entry: entry.hash)
    await tx.many(_ADD, [{"hash": e.hash, "kind": e.kind, "at": e.at, "source": e.source} for e in ordered])
