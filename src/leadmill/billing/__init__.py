"""What a sale costs whom: postings from sales, their reversal, and the buyers' accounts.

Takes a Sale and the roster's terms, gives Postings to the ledger. Never decides who gets a lead.
"""

from leadmill.billing.model import Postings, SaleReversed
from leadmill.billing.rules import REVERSAL
from leadmill.billing.service import charge_subscriptions, check, deposit, keep_postings, open_account, reverse_sale
from leadmill.billing.step import Post

__all__ = [
    "REVERSAL",
    "Post",
    "Postings",
    "SaleReversed",
    "charge_subscriptions",
    "check",
    "deposit",
    "keep_postings",
    "open_account",
    "reverse_sale",
]
