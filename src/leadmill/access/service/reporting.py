"""Reports about access: who read what, and who may come in."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from leadmill.access import store
from leadmill.access.model import AccessReview, Act, BreachReport, Signed, Standing
from leadmill.core.ids import Mint
from leadmill.parties import (
    LeadRead,
    ReaderSum,
    list_keys,
    list_operators,
    reads_between,
    sum_reads,
)
from leadmill.runtime.db import Tx

MOST_READS = 5_000
MOST_ACTS = 1_000


async def read_standing(tx: Tx) -> Standing:
    """Everybody who may come in, with what is known of when they last did."""
    totp, passkeys, outside = await store.enrolled(tx)
    return Standing(
        tuple(await list_operators(tx)),
        tuple(await list_keys(tx)),
        await store.last_signed_in(tx),
        totp,
        passkeys,
        outside,
    )


async def sign_review(tx: Tx, mint: Mint, review: AccessReview, by: str, note: str, now: datetime) -> Signed:
    """Keep a review as somebody signed it, whole, with its digest."""
    document = msgspec.json.encode(review)
    signed = Signed(
        id=mint("arv", now),
        at=now,
        by=by,
        note="".join(filter(str.isprintable, note)).strip()[:2_000],
        digest=hashlib.sha256(document).hexdigest(),
        operators=len(review.operators),
        keys=len(review.keys),
        remarks=review.remarks,
    )
    await store.add_review(tx, signed, document)
    store.note_act(tx, Act(now, by, "review_signed", signed.id))
    return signed


async def breach_report(
    tx: Tx,
    since: datetime,
    until: datetime,
    *,
    reader: str | None = None,
    lead_ids: Sequence[str] | None = None,
    most: int = MOST_READS,
) -> BreachReport:
    """Who was shown what in a span: of everybody's leads or of these, by everybody or by one reader."""
    sums: Sequence[ReaderSum] = await sum_reads(tx, since, until, reader=reader, lead_ids=lead_ids)
    reads: Sequence[LeadRead] = await reads_between(tx, since, until, reader=reader, lead_ids=lead_ids, most=most + 1)
    acts = await store.acts_between(tx, since, until, MOST_ACTS)
    names = {each.id: each.name or each.email for each in await list_operators(tx)}
    names |= {each.id: f"{each.owner} (key)" for each in await list_keys(tx)}
    return BreachReport(
        since=since,
        until=until,
        names=names,
        readers=tuple(sums),
        reads=tuple(reads[:most]),
        acts=tuple(each for each in acts if reader is None or each.who == reader),
        leads=len({each.lead_id for each in reads[:most]}),
        whole=len(reads) <= most,
    )
