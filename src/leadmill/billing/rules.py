"""What a sale moves, and what taking it back moves: pure arithmetic.

Called by the step ``Post`` and the verbs. Rates round half to even, once, on each leg.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from leadmill.core.ids import make_id
from leadmill.core.money import Money
from leadmill.ledger import PAYOUTS, REVENUE, Posting, buyer_account, payable_account
from leadmill.market import Leg, Sale
from leadmill.parties import Payout, Source

SALE = "sale"
PAYOUT = "payout"
REVERSAL = "reversal"
DEPOSIT = "deposit"
"""The kinds of postings made here."""


def postings_of(sale: Sale, lead_id: str, source: Source | None, now: datetime) -> tuple[Posting, ...]:
    """The postings of a sale: each leg's price from the buyer to revenue, and what the source earns from it.

    A share is earned leg by leg and stands or falls with the leg. A fixed payout is for the lead, however many buyers
    share it: it refers to the whole deal. Nothing is posted for nothing.
    """
    found: list[Posting] = []
    payout = source.payout if source is not None else None
    for leg in sale.legs:
        found.append(_posting(buyer_account(leg.buyer_id), REVENUE, leg.price, SALE, leg.sale_id, lead_id, now))
        if source is not None and payout is not None and payout.model == "share":
            earned = _share(payout, leg)
            found.append(_posting(PAYOUTS, payable_account(source.id), earned, PAYOUT, leg.sale_id, lead_id, now))
    if source is not None and payout is not None and payout.amount is not None and payout.model == "fixed":
        found.append(_posting(PAYOUTS, payable_account(source.id), payout.amount, PAYOUT, sale.id, lead_id, now))
    return tuple(item for item in found if item.amount.amount > 0)


def _share(payout: Payout, leg: Leg) -> Money:
    return leg.price.times(payout.rate) if payout.rate is not None else Money(0, leg.price.currency)


def _posting(debit: str, credit: str, amount: Money, kind: str, ref: str, group: str, now: datetime) -> Posting:
    return Posting(posting_id(now, kind, ref), now, debit, credit, amount, kind, ref, group)


def posting_id(now: datetime, *of: str) -> str:
    """The id of the posting for something: steps have no randomness, and the same posting twice must be one."""
    digest = hashlib.blake2b("\0".join(of).encode(), digest_size=10).digest()
    return make_id("post", now, int.from_bytes(digest) >> 6)


def reversals_of(postings: Iterable[Posting], now: datetime) -> list[Posting]:
    """What takes back the postings that have not been taken back yet."""
    every = list(postings)
    taken = {(item.ref, item.credit, item.debit) for item in every if item.kind == REVERSAL}
    return [
        Posting(
            posting_id(now, REVERSAL, item.id),
            now,
            item.credit,
            item.debit,
            item.amount,
            REVERSAL,
            item.ref,
            item.group,
        )
        for item in every
        if item.kind in (SALE, PAYOUT) and (item.ref, item.debit, item.credit) not in taken
    ]
