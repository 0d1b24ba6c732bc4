"""The double-entry book: what moved, from where to where, and which accounts may not go below a floor.

Takes postings and holds, gives balances, statements and refusals. Knows no leads: ``billing`` decides what a sale costs whom,
the market asks here what a buyer can still pay.
"""

from leadmill.ledger.model import Entry, Finding, Guard, HoldState, MoneyHold, Posting

__all__ = ["Entry", "Finding", "Guard", "HoldState", "MoneyHold", "Posting"]
