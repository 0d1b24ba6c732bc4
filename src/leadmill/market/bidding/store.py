"""Reads and writes of quotes.

Called by the verbs of ``quotes``. A quote is locked before any hold or counter.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from leadmill.market.bidding.quotes import PingQuote, QuoteFound
from leadmill.market.tables import MARKET_QUOTE
from leadmill.runtime.db import Row, Tx, prepared

_Q = MARKET_QUOTE.c
_TEXTS = sa.ARRAY(sa.Text)
_IDS = sa.any_(sa.bindparam("ids", type_=_TEXTS))


def add_quote(tx: Tx, quote: PingQuote, frozen: Mapping[str, bytes]) -> None:
    """Write a new quote with the keyed hashes of what it was given for."""
    tx.add(
        MARKET_QUOTE,
        quote.id,
        quote.source_id,
        quote.vertical,
        quote.at,
        quote.expires_at,
        bool(quote.legs),
        None,
        msgspec.msgpack.encode(frozen),
        msgspec.msgpack.encode(quote),
    )


_LOCK = prepared(sa.select(_Q.id, _Q.quote, _Q.used_by).where(_Q.id == _IDS).order_by(_Q.id).with_for_update())


async def lock_quotes(tx: Tx, ids: Sequence[str]) -> dict[str, QuoteFound]:
    """These quotes by id, locked until the transaction ends."""
    return {row["id"]: _found(row) for row in await tx.all(_LOCK, ids=list(ids))}


_READ = prepared(
    sa.select(_Q.quote, _Q.used_by, _Q.frozen).where(_Q.id == sa.bindparam("id", type_=sa.Text))
)  # fmt: skip


async def read_quote(tx: Tx, quote_id: str) -> tuple[QuoteFound, dict[str, bytes]] | None:
    """A quote and the keyed hashes it was given for, unlocked; None where there is none."""
    row = await tx.one(_READ, id=quote_id)
    return (_found(row), _FROZEN.decode(row["frozen"])) if row is not None else None


_USE = prepared(
    sa.text(
        "UPDATE market_quote SET used_by = t.lead"
        " FROM unnest(CAST(:ids AS text[]), CAST(:leads AS text[])) AS t(id, lead) WHERE market_quote.id = t.id"
    ).bindparams(sa.bindparam("ids", type_=_TEXTS), sa.bindparam("leads", type_=_TEXTS))
)


async def use_quotes(tx: Tx, leads: Mapping[str, str]) -> None:
    """Mark locked quotes as used by these leads."""
    await tx.run(_USE, ids=list(leads), leads=list(leads.values()))


async def list_quotes(
    tx: Tx, source_id: str | None, before: str | None, most: int
) -> list[tuple[PingQuote, str | None]]:
    """Quotes with the leads that used them, newest first, those of one source or all; ``before`` is the last id of the
    page before."""
    stmt = sa.select(_Q.quote, _Q.used_by)
    if source_id is not None:
        stmt = stmt.where(_Q.source_id == source_id)
    if before is not None:
        stmt = stmt.where(_Q.id < before)
    rows = await tx.all(stmt.order_by(_Q.id.desc()).limit(most))
    return [(_QUOTE.decode(row["quote"]), row["used_by"]) for row in rows]


_FORGET = prepared(
    sa.text(
        "DELETE FROM market_quote WHERE id IN (SELECT id FROM market_quote WHERE expires_at < :before"
        " ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)"
    ).bindparams(
        sa.bindparam("before", type_=sa.DateTime(timezone=True)), sa.bindparam("most", type_=sa.BigInteger)
    )
)  # fmt: skip


async def forget_quotes(tx: Tx, before: datetime, most: int = 5000) -> int:
    """Drop quotes that ended before a moment; how many."""
    return await tx.run(_FORGET, before=before, most=most)


def _found(row: Row) -> QuoteFound:
    return QuoteFound(_QUOTE.decode(row["quote"]), row["used_by"])


_QUOTE = msgspec.msgpack.Decoder(PingQuote)
_FROZEN = msgspec.msgpack.Decoder(dict[str, bytes])
