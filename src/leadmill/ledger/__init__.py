"""The double-entry book: what moved, from where to where, and which accounts may not go below a floor.

Takes postings and holds, gives balances, statements and refusals. Knows no leads: ``billing`` decides what a sale
costs whom, the market asks here what a buyer can still pay.
"""

from leadmill.ledger.model import (
    CASH,
    PAYOUTS,
    REVENUE,
    Entry,
    Finding,
    Guard,
    HoldState,
    MoneyHold,
    Posting,
    buyer_account,
    payable_account,
)
from leadmill.ledger.rules import changes_of
from leadmill.ledger.service import (
    balances,
    check,
    commit_hold,
    draw,
    expire_holds,
    guard,
    guards,
    hold,
    keep_posting,
    lock_guards,
    post,
    postings_by_group,
    postings_of,
    release_hold,
    statement,
    turnover,
    unguard,
)

__all__ = [
    "CASH",
    "PAYOUTS",
    "REVENUE",
    "Entry",
    "Finding",
    "Guard",
    "HoldState",
    "MoneyHold",
    "Posting",
    "balances",
    "buyer_account",
    "changes_of",
    "check",
    "commit_hold",
    "draw",
    "expire_holds",
    "guard",
    "guards",
    "hold",
    "keep_posting",
    "lock_guards",
    "payable_account",
    "post",
    "postings_by_group",
    "postings_of",
    "release_hold",
    "statement",
    "turnover",
    "unguard",
]
