"""Every read and write of what came of training by schedule.

Called by ``flow``, which plans and makes it, and for lists through the door.
"""

import msgspec
import sqlalchemy as sa

from leadmill.runtime.db import Row, Tx, prepared
from leadmill.scoring.retraining.model import Run
from leadmill.scoring.retraining.tables import SCORING_TRAINING

_c = SCORING_TRAINING.c
_ADD = prepared(
    sa.insert(SCORING_TRAINING).values(
        {column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in SCORING_TRAINING.columns}
    )
)
_LAST = prepared(
    sa.select(SCORING_TRAINING).where(_c.retrain == sa.bindparam("of", type_=sa.Text)).order_by(_c.id.desc()).limit(1)
)
_RUNS_BY = prepared(
    sa.select(SCORING_TRAINING)
    .where(_c.retrain == sa.bindparam("of", type_=sa.Text))
    .order_by(_c.id.desc())
    .limit(sa.bindparam("most", type_=sa.BigInteger))
)
_RUNS = prepared(sa.select(SCORING_TRAINING).order_by(_c.id.desc()).limit(sa.bindparam("most", type_=sa.BigInteger)))


async def keep_run(tx: Tx, one: Run) -> None:
    """Keep what came of training."""
    await tx.run(_ADD, **{f"new_{name}": getattr(one, name) for name in one.__struct_fields__})


async def last_run(tx: Tx, retrain: str) -> Run | None:
    """What came of the latest training by a record; None before the first."""
    row = await tx.one(_LAST, of=retrain)
    return _run(row) if row is not None else None


async def runs_by(tx: Tx, retrain: str, most: int = 1_000) -> list[Run]:
    """What came of training by one record, the latest first."""
    return [_run(row) for row in await tx.all(_RUNS_BY, of=retrain, most=most)]


async def runs_of(tx: Tx, most: int = 50) -> list[Run]:
    """What came of training by schedule, the latest first."""
    return [_run(row) for row in await tx.all(_RUNS, most=most)]


def _run(row: Row) -> Run:
    return msgspec.convert({name: row[name] for name in Run.__struct_fields__}, Run)
