"""What a sale moves, and what taking it back moves: pure arithmetic.

Called by the step ``Post`` and the verbs. Rates round half to even, once, on each leg.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from leadmill.core.ids import make_id
from leadmill.core.money import Money
from leadmill.ledger import PAYOUTS, REVENUE, Posting, buyer_account, payable_account, plan_account
from leadmill.market import Order, Sale
from leadmill.parties import Payout, Source, earned

SALE = "sale"
PAYOUT = "payout"
REVERSAL = "reversal"
DEPOSIT = "deposit"
PLAN_FEE = "subscription"
PLAN_KEPT = "subscription_kept"
"""The kinds of postings made here."""

PLANS_KEPT = "revenue:subscriptions"
"""What was left of subscriptions' fees when their month ended."""


def postings_of(
    sale: Sale, lead_id: str, source: Source | None, now: datetime, promised: Money | None = None
) -> tuple[Posting, ...]:
    """The postings of a sale: each leg's price from the buyer to revenue, and what the source earns from it.

    A share, or what a margin leaves, is earned leg by leg and stands or falls with the leg. A fixed payout is for the
    lead, however many buyers share it: it refers to the whole deal. What a ping was ``promised`` takes the place of
    what the terms would give now. Nothing is posted for nothing.
    """
    payouts = _payouts(sale, source.payout if source is not None else None, promised)
    found: list[Posting] = []
    for leg in sale.legs:
        payer = plan_account(leg.buyer_id) if leg.covered else buyer_account(leg.buyer_id)
        found.append(_posting(payer, REVENUE, leg.price, SALE, leg.sale_id, lead_id, now))
        if source is not None and leg.sale_id in payouts:
            amount = payouts[leg.sale_id]
            found.append(_posting(PAYOUTS, payable_account(source.id), amount, PAYOUT, leg.sale_id, lead_id, now))
    if source is not None and sale.id in payouts:
        found.append(_posting(PAYOUTS, payable_account(source.id), payouts[sale.id], PAYOUT, sale.id, lead_id, now))
    return tuple(item for item in found if item.amount.amount > 0)


def _payouts(sale: Sale, payout: Payout | None, promised: Money | None) -> dict[str, Money]:
    """What the source earns, by the leg or the deal it is for."""
    if payout is None:
        return {}
    if payout.model == "fixed":
        amount = promised or payout.amount
        return {} if amount is None else {sale.id: amount}
    shares = {leg.sale_id: earned(payout, leg.price) for leg in sale.legs}
    if promised is None or promised.amount == sum(share.amount for share in shares.values()):
        return shares
    # In proportion to the legs' prices, to the last minor unit.
    whole = max(sale.value.amount, 1)
    spread: dict[str, Money] = {}
    reached = gone = 0
    for leg in sale.legs:
        reached += leg.price.amount
        upto = promised.amount * reached // whole
        spread[leg.sale_id] = Money(upto - gone, promised.currency)
        gone = upto
    return spread


def _posting(debit: str, credit: str, amount: Money, kind: str, ref: str, group: str, now: datetime) -> Posting:
    return Posting(posting_id(now, kind, ref), now, debit, credit, amount, kind, ref, group)


def posting_id(now: datetime, *of: str) -> str:
    """The id of the posting for something: steps have no randomness, and the same posting twice must be one."""
    digest = hashlib.blake2b("\0".join(of).encode(), digest_size=10).digest()
    return make_id("post", now, int.from_bytes(digest) >> 6)


def fee_of(order: Order, starts: datetime, now: datetime) -> Posting | None:
    """The fee of an order's subscription for the month that begins at ``starts``; None where it has none."""
    if order.subscription is None or order.buyer is None:
        return None
    ref = f"plan:{order.id}:{starts:%Y-%m-%dT%H:%MZ}"
    payer, plan = buyer_account(order.buyer), plan_account(order.buyer)
    return _posting(payer, plan, order.subscription.fee, PLAN_FEE, ref, ref, now)


def kept_of(buyer_id: str, unused: Money, ref: str, now: datetime) -> Posting:
    """What is left of a buyer's fees when their month has ended."""
    return _posting(plan_account(buyer_id), PLANS_KEPT, unused, PLAN_KEPT, ref, ref, now)


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
