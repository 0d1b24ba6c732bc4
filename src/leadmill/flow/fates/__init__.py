"""What became of every lead that was handed to somebody, and what follows from it.

Decides nothing. Takes legs and assignments with what was reported of them, gives the chances that auctions hear
(``learn_chances``, learned every few hours by the pricing job) and how each quality tier of a vertical fares
(``tier_report``).
"""

from leadmill.flow.fates.service import Fate, fate_of, fates_between, learn_chances, tier_report
from leadmill.flow.fates.store import LeadTraits
from leadmill.flow.fates.tiers import Band, Paid, Part, TierReport, TierRow, price_rules_text

__all__ = [
    "Band",
    "Fate",
    "LeadTraits",
    "Paid",
    "Part",
    "TierReport",
    "TierRow",
    "fate_of",
    "fates_between",
    "learn_chances",
    "price_rules_text",
    "tier_report",
]
