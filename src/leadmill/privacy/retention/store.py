"""Every read and write of holds and runs."""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.privacy.retention.model import Hold, Run, Tally
from leadmill.privacy.retention.tables import RETENTION_HOLD, RETENTION_RUN
from leadmill.runtime.db import Row, Tx, prepared

_HELD = prepared(
    sa.select(RETENTION_HOLD).where(
        RETENTION_HOLD.c.subject == sa.any_(sa.bindparam("subjects", type_=sa.ARRAY(sa.Text))),
        RETENTION_HOLD.c.lifted_at.is_(None),
    )
)
_STANDING = sa.select(RETENTION_HOLD).order_by(RETENTION_HOLD.c.lifted_at.is_not(None), RETENTION_HOLD.c.id.desc())
_RUNS = sa.select(RETENTION_RUN).order_by(RETENTION_RUN.c.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))
_RUN = sa.select(RETENTION_RUN).where(RETENTION_RUN.c.id == sa.bindparam("id", type_=sa.Text))
_MOVE = (
    sa.update(RETENTION_RUN)
    .where(RETENTION_RUN.c.id == sa.bindparam("run", type_=sa.Text))
    .values(
        state=sa.bindparam("state_", type_=sa.Text),
        place=sa.bindparam("place_", type_=sa.Text),
        after=sa.bindparam("after_", type_=sa.Text),
        tallies=sa.bindparam("tallies_", type_=sa.LargeBinary),
        ended_at=sa.bindparam("ended_at_", type_=sa.DateTime(timezone=True)),
    )
)


async def holds_on(tx: Tx, subjects: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the holds that stand on these leads and persons, by what they are on."""
    found: dict[str, list[str]] = {}
    for row in await tx.all(_HELD, subjects=list(subjects)):
        found.setdefault(row["subject"], []).append(row["id"])
    return found


async def place_hold(tx: Tx, hold: Hold) -> None:
    """Write a hold."""
    await tx.run(sa.insert(RETENTION_HOLD).values(**msgspec.structs.asdict(hold)))


async def find_hold(tx: Tx, hold_id: str) -> Hold | None:
    """A hold by its id."""
    row = await tx.one(sa.select(RETENTION_HOLD).where(RETENTION_HOLD.c.id == hold_id))
    return Hold(**dict(row.items())) if row is not None else None


async def lift_hold(tx: Tx, hold: Hold) -> bool:
    """Write that a hold fell away; False where it had before."""
    changed = (
        sa.update(RETENTION_HOLD)
        .where(RETENTION_HOLD.c.id == hold.id, RETENTION_HOLD.c.lifted_at.is_(None))
        .values(lifted_at=hold.lifted_at, lifted_by=hold.lifted_by, lifted_why=hold.lifted_why)
    )
    return bool(await tx.run(changed))


async def list_holds(tx: Tx, most: int = 200) -> list[Hold]:
    """Holds, those that stand first, the newest first."""
    return [Hold(**dict(row.items())) for row in await tx.all(_STANDING.limit(most))]


async def begin_run(tx: Tx, run: Run) -> bool:
    """Write a new run; False where its day has one already."""
    stated = insert(RETENTION_RUN).values(**_columns(run)).on_conflict_do_nothing(index_elements=["day"])
    return bool(await tx.run(stated))


async def lock_run(tx: Tx, run_id: str) -> Run | None:
    """A run, locked until the transaction ends, so that two workers never do one part of it twice."""
    row = await tx.one(_RUN.with_for_update(), id=run_id)
    return _run(row) if row is not None else None


async def find_run(tx: Tx, run_id: str) -> Run | None:
    """A run as it stands."""
    row = await tx.one(_RUN, id=run_id)
    return _run(row) if row is not None else None


async def move_run(tx: Tx, run: Run) -> None:
    """Write how far a run is."""
    values = _columns(run)
    moved = {f"{name}_": values[name] for name in ("state", "place", "after", "tallies", "ended_at")}
    await tx.run(_MOVE, run=run.id, **moved)


async def latest_runs(tx: Tx, most: int = 20) -> list[Run]:
    """The latest runs, the newest first."""
    return [_run(row) for row in await tx.all(_RUNS, most=most)]


def _columns(run: Run) -> dict[str, Any]:
    return {**msgspec.structs.asdict(run), "tallies": msgspec.json.encode(run.tallies, order="sorted")}


def _run(row: Row) -> Run:
    values: dict[str, Any] = dict(row.items())
    return Run(**{**values, "tallies": msgspec.json.decode(values["tallies"], type=dict[str, Tally])})
