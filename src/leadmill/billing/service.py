"""Billing's verbs: open a buyer's account, take a deposit, take a sale back; and the keeper of a sale's postings.

Called by the configuration, the reactions and ``leadmill verify``. The money of a sale leaves the buyer's limited
account in the market's cap book, in the same transaction that keeps the postings here.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from leadmill.billing.model import Postings, SaleReversed
from leadmill.billing.rules import DEPOSIT, fee_of, kept_of, reversals_of
from leadmill.core.case import Case
from leadmill.core.events import Event
from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import Mint
from leadmill.core.money import Money
from leadmill.ledger import (
    CASH,
    PAYOUTS,
    REVENUE,
    Finding,
    Posting,
    balances,
    buyer_account,
    guard,
    keep_posting,
    post,
    postings_of,
    unguard,
)
from leadmill.ledger import turnover as turnover_of
from leadmill.market import LegState, Order, find_sale, month_of, sales_of, turnover
from leadmill.parties import Credit
from leadmill.runtime.db import Tx
from leadmill.runtime.records import wait_in_line


def keep_postings(tx: Tx, case: Case, evidence: Postings, now: datetime) -> None:
    """Write the postings of a sale; the cap book moves the balances."""
    for item in evidence.items:
        keep_posting(tx, item)


async def open_account(tx: Tx, buyer_id: str, credit: Credit, now: datetime, mint: Mint, currency: str = "USD") -> None:
    """Bring a buyer's account in line with its terms; to be called whenever they are applied, it changes nothing
    twice.

    A buyer that pays ahead may not fall below nothing and begins with its opening balance, deposited once however the
    declared balance changes later. One that is invoiced may owe up to its limit. ``currency`` counts where the terms
    name no amount.
    """
    account = buyer_account(buyer_id)
    if credit.mode == "invoice" and credit.limit is None:
        await unguard(tx, account)
        return
    terms = credit.balance if credit.mode == "prepay" else credit.limit
    floor = -credit.limit.amount if credit.mode == "invoice" and credit.limit is not None else 0
    await guard(tx, account, terms.currency if terms is not None else currency, floor)
    if credit.mode == "prepay" and credit.balance is not None:
        await deposit(tx, buyer_id, credit.balance, f"opening:{buyer_id}", now, mint)


async def deposit(tx: Tx, buyer_id: str, amount: Money, ref: str, now: datetime, mint: Mint) -> bool:
    """Credit money that a buyer paid in; ``ref`` names the payment, and one that was credited before is not again.

    False where it was, or where there is nothing to credit.
    """
    await tx.flush()
    if amount.amount <= 0 or await postings_of(tx, ref):
        return False
    await post(tx, [Posting(mint("post", now), now, CASH, buyer_account(buyer_id), amount, DEPOSIT, ref, ref)])
    return True


async def charge_subscriptions(tx: Tx, orders: Iterable[Order], now: datetime) -> int:
    """Charge the fees of subscriptions whose month has begun, and keep what was left of a buyer's fees once none of
    them is of a month that runs; how many were charged. To be called every now and then: nothing is charged twice.

    A fee that the buyer's account cannot cover is not charged, and covers nothing, until it can.
    """
    due = [(order, month_of(order.tz, now)) for order in orders if order.subscription and not order.retired]
    fees = [fee for order, starts in due if (fee := fee_of(order, starts, now)) is not None]
    missing = [fee for fee in fees if fee.amount.amount and not await postings_of(tx, fee.ref)]
    if not missing:
        return 0
    await wait_in_line(tx)  # another process may be at it
    missing = [fee for fee in missing if not await postings_of(tx, fee.ref)]
    standing = {fee.credit for fee in fees} - {fee.credit for fee in missing}
    sums = await balances(tx)
    charged = 0
    for fee in missing:
        # Another subscription of the buyer's whose month runs may still draw on the account.
        for left in sums.pop(fee.credit, []) if fee.credit not in standing else []:
            if left.amount > 0:
                buyer_id = fee.credit.partition(":")[2]
                await post(tx, [kept_of(buyer_id, left, f"{fee.ref}:kept", now)])
        await guard(tx, fee.credit, fee.amount.currency, 0)
        with suppress(BadInput):
            await post(tx, [fee])
            charged += 1
    return charged


async def reverse_sale(tx: Tx, sale_id: str, now: datetime) -> list[Event]:
    """Give the money of a cancelled leg back: the price to the buyer, the payout from what the source is owed.

    To be called in the transaction in which the market's ``cancel_sale`` ended the leg. A payout for the whole lead
    is taken back with the last of its legs. No event where nothing was posted or all was taken back before. Raises
    NotFound ``market.sale.unknown``.
    """
    leg = await find_sale(tx, sale_id)
    if leg is None:
        raise NotFound("market.sale.unknown", "no such sale")
    if leg.buyer_id is None:
        return []
    legs = [other for other in await sales_of(tx, leg.lead_id) if other.deal_id == leg.deal_id]
    refs = [sale_id] if any(other.state is LegState.SOLD for other in legs) else [sale_id, leg.deal_id]
    taken = reversals_of([item for item in await postings_of(tx, leg.lead_id) if item.ref in refs], now)
    if not taken:
        return []
    await post(tx, taken, force=True)
    currency = leg.price.currency
    amount = sum(item.amount.amount for item in taken if item.debit == REVENUE)
    payout = [item.amount for item in taken if item.credit == PAYOUTS]
    return [
        SaleReversed(
            at=now,
            sale_id=sale_id,
            buyer_id=leg.buyer_id,
            amount=Money(amount, currency),
            payout=Money(sum(each.amount for each in payout), payout[0].currency if payout else currency),
        )
    ]


async def check(tx: Tx) -> list[Finding]:
    """Whether what the buyers brought to revenue is what their standing sales add up to."""
    sold = {(buyer_account(buyer), currency): total for (buyer, currency), total in (await turnover(tx)).items()}
    booked: dict[tuple[str, str], int] = {}
    for (account, currency), total in (await turnover_of(tx, REVENUE)).items():
        kind, _, name = account.partition(":")
        payer = buyer_account(name) if kind == "plan" else account
        booked[payer, currency] = booked.get((payer, currency), 0) + total
    found = []
    for key in sorted(sold.keys() | booked.keys()):
        account, currency = key
        if sold.get(key, 0) != booked.get(key, 0):
            text = f"sales {Money(sold.get(key, 0), currency)}, revenue {Money(booked.get(key, 0), currency)}"
            found.append(Finding("billing.revenue.mismatch", account, text))
    return found
