"""Reads and writes of what the market has learned: prices, rates, past leads.

Called by ``shadows`` and by the verbs of ``repricing``. Bodies are msgpack; past leads are packed besides, for there
are many.
"""

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import insert

from leadmill.core.ids import make_id
from leadmill.market.allocation.seen import Seen
from leadmill.market.model import LegState, Mode
from leadmill.market.tables import MARKET_LEARNED, MARKET_SAMPLE, SALE
from leadmill.runtime.db import Tx, prepared

_L = MARKET_LEARNED.c
_P = MARKET_SAMPLE.c
_S = SALE.c

T = TypeVar("T")


_VERSION = prepared(sa.select(_L.version).where(_L.name == sa.bindparam("name", type_=sa.Text)))
_BODY = prepared(sa.select(_L.version, _L.at, _L.body).where(_L.name == sa.bindparam("name", type_=sa.Text)))


async def version_of(tx: Tx, name: str) -> int:
    """How often this was written; 0 where it never was."""
    row = await tx.one(_VERSION, name=name)
    return int(row["version"]) if row is not None else 0


async def read_learned(tx: Tx, name: str, kind: type[T]) -> tuple[int, datetime, T] | None:
    """What was written last, with its version and moment; None where nothing was, or by another release."""
    row = await tx.one(_BODY, name=name)
    if row is None:
        return None
    try:
        return int(row["version"]), row["at"], msgspec.msgpack.decode(row["body"], type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


async def write_learned(tx: Tx, name: str, body: object, at: datetime) -> None:
    """Write it anew."""
    stmt = insert(MARKET_LEARNED).values(name=name, version=1, at=at, body=msgspec.msgpack.encode(body))
    await tx.run(
        stmt.on_conflict_do_update(
            index_elements=["name"], set_={"version": _L.version + 1, "at": at, "body": stmt.excluded.body}
        )
    )


_LOCK = 0x6C6D_7072  # the advisory lock that lets one process price at a time


async def alone(tx: Tx) -> bool:
    """Whether nobody else is pricing; nobody is let until the transaction ends."""
    row = await tx.one(sa.text(f"SELECT pg_try_advisory_xact_lock({_LOCK}) AS got"))
    return row is not None and bool(row["got"])


async def last_seen(tx: Tx) -> str:
    """The last lead that is in the sample."""
    row = await tx.one(sa.select(sa.func.max(_P.last_id).label("last")))
    return (row["last"] if row is not None else None) or ""


async def add_seen(tx: Tx, last_id: str, seen: Sequence[Seen]) -> None:
    """Write past leads, up to ``last_id``."""
    body = zlib.compress(msgspec.msgpack.encode(list(seen)))
    starts, ends = min(one.at for one in seen), max(one.at for one in seen)
    await tx.run(sa.insert(MARKET_SAMPLE).values(last_id=last_id, starts=starts, ends=ends, leads=len(seen), body=body))


async def seen_since(tx: Tx, since: datetime, most: int) -> list[Seen]:
    """Past leads received since, the newest ``most`` or a few more, oldest first."""
    stmt = sa.select(_P.leads, _P.body).where(_P.ends >= since).order_by(_P.last_id.desc())
    found: list[list[Seen]] = []
    total = 0
    for row in await tx.all(stmt):
        found.append(_SEEN.decode(zlib.decompress(row["body"])))
        total += row["leads"]
        if total >= most:
            break
    return [one for each in reversed(found) for one in each if one.at >= since]


_SEEN = msgspec.msgpack.Decoder(list[Seen])


async def forget_seen(tx: Tx, before: datetime) -> None:
    """Let go of past leads that no forecast looks at any more; the last row stays, for it says how far they reach."""
    last = sa.select(sa.func.max(_P.last_id)).scalar_subquery()
    await tx.run(sa.delete(MARKET_SAMPLE).where(_P.ends < before, _P.last_id != last))


LATE = timedelta(hours=1)
"""A leg that is given back later than this was accepted first."""


async def acceptance(tx: Tx, since: datetime, settled: datetime) -> dict[str, tuple[int, int]]:
    """How many of each order's legs since then were taken, and how many there were; those after ``settled`` are still
    out."""
    kept = sa.or_(_S.state != LegState.CANCELLED.value, _S.ended_at - _S.at >= LATE)
    taken = sa.func.count().filter(kept).label("taken")
    stmt = (
        sa.select(_S.order_id, taken, sa.func.count().label("legs"))
        .where(_S.at >= since, _S.buyer_id.is_not(None))
        .where(sa.or_(_S.at < settled, _S.state != LegState.SOLD.value))
        .group_by(_S.order_id)
    )
    return {row["order_id"]: (row["taken"], row["legs"]) for row in await tx.all(stmt)}


class Placed(Struct, frozen=True):
    """One leg as counted: who got which lead when, and what it paid in minor units; a team has ``bought`` nothing.
    ``given_back`` says that the recipient no longer has it, ``late`` that it had accepted it first."""

    sale_id: str
    lead_id: str
    order_id: str
    recipient: str
    at: datetime
    price: int
    bought: bool
    shared: bool
    given_back: bool
    late: bool


_PLACED = prepared(
    sa.select(_S.id, _S.lead_id, _S.order_id, _S.buyer_id, _S.team_id, _S.at, _S.price, _S.mode, _S.state, _S.ended_at)
    .where(
        _S.id > sa.bindparam("after", type_=sa.Text),
        _S.at >= sa.bindparam("since", type_=sa.DateTime(timezone=True)),
        _S.at < sa.bindparam("until", type_=sa.DateTime(timezone=True)),
    )
    .order_by(_S.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def placed_between(tx: Tx, since: datetime, until: datetime, after: str, most: int) -> list[Placed]:
    """The next ``most`` legs and assignments of a span, behind the id ``after`` (empty: from its beginning)."""
    first = max(after, make_id("sale", since - _SLACK, 0))
    rows = await tx.all(_PLACED, after=first, since=since, until=until, most=most)
    return [
        Placed(
            row["id"],
            row["lead_id"],
            row["order_id"],
            row["buyer_id"] or row["team_id"],
            row["at"],
            row["price"],
            row["buyer_id"] is not None,
            row["mode"] == Mode.SHARED.value,
            row["state"] != LegState.SOLD.value and row["state"] != LegState.ASSIGNED.value,
            row["ended_at"] is not None and row["ended_at"] - row["at"] >= LATE,
        )
        for row in rows
    ]


_SLACK = timedelta(minutes=1)
"""How much earlier than its leg's moment an id may have been made."""
