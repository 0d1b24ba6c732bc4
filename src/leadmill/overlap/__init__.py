"""Who has the person already, and whom the publisher keeps a lead from.

Takes the contact details that ``facts`` found in order and the buyers' lists of hashes; gives an ``Overlap`` through
the station ``Compare``. It refuses nobody itself: the market offers the lead to none of the buyers it names.
"""

from leadmill.overlap.model import KnownAsk, KnownTo, Overlap
from leadmill.overlap.step import Compare

__all__ = ["Compare", "KnownAsk", "KnownTo", "Overlap"]
