"""What the book knows: postings, guarded accounts, holds.

Written by ``billing`` and by deposits, read by the console, ``leadmill verify`` and the caps of the market. It has
never heard of leads: ``ref`` and ``group`` are opaque ids.

The balance of an account is what was credited to it less what was debited, so a buyer's deposit makes its account
positive and a sale draws it down; the balances of all accounts always add up to nothing.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from leadmill.core.money import Money

REVENUE = "revenue:sales"
PAYOUTS = "expense:payouts"
CASH = "asset:cash"


def buyer_account(buyer_id: str) -> str:
    """The account of a buyer: positive while it has deposits left, negative while it owes."""
    return f"buyer:{buyer_id}"


def plan_account(buyer_id: str) -> str:
    """The account of what a buyer has paid for ahead by subscription and not yet had: fees less the leads they
    covered."""
    return f"plan:{buyer_id}"


def payable_account(source_id: str) -> str:
    """The account of what a source is owed: positive until paid out."""
    return f"payable:{source_id}"


class Posting(Struct, frozen=True):
    """One movement of ``amount`` (positive) out of the account ``debit`` into the account ``credit``: balanced by
    construction.

    ``kind`` says what it is for (``sale``, ``payout``, ``deposit``, ``reversal`` …), ``ref`` names its object (a
    sale, say) and ``group`` what belongs together (a lead, an invoice).
    """

    id: str
    at: datetime
    debit: str
    credit: str
    amount: Money
    kind: str
    ref: str = ""
    group: str = ""


class Guard(Struct, frozen=True):
    """An account with a limit: its balance less what is held never falls below ``floor`` (minor units of
    ``currency``)."""

    account: str
    currency: str
    balance: int
    floor: int
    held: int

    @property
    def available(self) -> int:
        """What may still be drawn, in minor units; negative where a limit was lowered below what had been used."""
        return self.balance - self.held - self.floor


class HoldState(StrEnum):
    """What became of a hold."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


class MoneyHold(Struct, frozen=True):
    """Money of a guarded account set aside until it is committed, released or ``expires_at`` passes."""

    id: str
    account: str
    amount: Money
    expires_at: datetime
    state: HoldState = HoldState.HELD
    ref: str = ""


class Entry(Struct, frozen=True):
    """One line of an account's statement: the posting seen from the account, and the balance after it."""

    posting: Posting
    change: Money
    balance: Money


class Finding(Struct, frozen=True):
    """Something in the store that contradicts itself: ``code``, whom it concerns, and what was found."""

    code: str
    subject: str
    detail: str
