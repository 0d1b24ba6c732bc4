"""The verbs of quotes: keep one with the room it promises, find it for its post, let it go.

Called by ``flow`` for pings; ``hear_quotes`` and ``keep_quoted`` are wired by ``main`` as the listener and the keeper
of the station ``quote``. A quote, its room and the answer to its ping become durable together; so do a post, the end
of that room and the sale.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from leadmill.core.case import Case
from leadmill.market.bidding import store
from leadmill.market.bidding.quotes import PingQuote, QuoteAsk, Quoted, QuoteFound
from leadmill.market.limits.holds import hold_room
from leadmill.runtime.db import Tx

_USED = "quotes used"


def keep_quote(tx: Tx, quote: PingQuote, frozen: Mapping[str, bytes], limited: Collection[str]) -> None:
    """Write what a ping was offered, and set room aside for its winners where their orders are ``limited``. A test
    holds nothing.

    To be called in the transaction in which the orders' headroom was asked for. Raises Permanent
    ``market.limit.exceeded`` where the room is not there.
    """
    store.add_quote(tx, quote, frozen)
    for leg in quote.legs if not quote.test else ():
        if leg.order_id in limited:
            hold_room(tx, quote.hold_of(leg), leg.order_id, leg.price, quote.at, quote.expires_at)


async def hear_quotes(tx: Tx, asks: Sequence[QuoteAsk]) -> Callable[[QuoteAsk], QuoteFound]:
    """What these pings were offered, each quote locked until the transaction ends. Of two leads of one transaction
    the second finds the quote used by the first."""
    found = await store.lock_quotes(tx, sorted({ask.ping_id for ask in asks}))
    used: dict[str, str] = tx.scratch.setdefault(_USED, {})

    def answer(ask: QuoteAsk) -> QuoteFound:
        known = found.get(ask.ping_id)
        if known is None:
            return QuoteFound()
        return QuoteFound(known.quote, used.get(ask.ping_id, known.used_by))

    return answer


def keep_quoted(tx: Tx, case: Case, quoted: Quoted, now: datetime) -> None:
    """Mark a quote as used by the lead posted against it, whatever becomes of the lead."""
    used: dict[str, str] = tx.scratch.setdefault(_USED, {})
    if not used:
        tx.closing(_settle)
    used[quoted.quote.id] = case.lead_id


async def _settle(tx: Tx) -> None:
    await store.use_quotes(tx, tx.scratch[_USED])


async def find_quote(tx: Tx, ping_id: str) -> tuple[QuoteFound, dict[str, bytes]] | None:
    """What a ping was offered and the keyed hashes of what it said; None where no such ping is known."""
    return await store.read_quote(tx, ping_id)


async def quotes_of(
    tx: Tx, source_id: str | None = None, before: str | None = None, most: int = 50
) -> list[tuple[PingQuote, str | None]]:
    """A page of quotes with the leads that used them, newest first, those of one source or all; ``before`` is the
    last id of the page before."""
    return await store.list_quotes(tx, source_id, before, most)


async def forget_quotes(tx: Tx, before: datetime) -> int:
    """Drop quotes that ended before a moment; how many. What they held was let go when they ended."""
    return await store.forget_quotes(tx, before)
