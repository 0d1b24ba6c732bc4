"""What a sale costs whom: postings from sales, their reversal, and the buyers' accounts.

Takes a Sale and the roster's terms, gives Postings to the ledger. Never decides who gets a lead.
"""

from leadmill.billing.model import Postings, SaleReversed

__all__ = ["Postings", "SaleReversed"]
