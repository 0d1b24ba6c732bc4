"""What became of every lead that was handed to somebody, and what follows from it.

Decides nothing. Takes legs and assignments with what was reported of them, gives the chances that auctions hear
(``learn_chances``, learned every few hours by the pricing job) and how each quality tier of a vertical fares
(``tier_report``). The same job keeps that report for pages (``refresh_tiers``, ``kept_tiers``).
"""

from leadmill.flow.fates.service import (
    KEPT_DAYS,
    Fate,
    fate_of,
    fates_between,
    kept_tiers,
    learn_chances,
    refresh_tiers,
    tier_report,
)
from leadmill.flow.fates.store import LeadTraits
from leadmill.flow.fates.tiers import Band, Paid, Part, TierReport, TierRow, price_rules_text

__all__ = [
    "KEPT_DAYS",
    "Band",
    "Fate",
    "LeadTraits",
    "Paid",
    "Part",
    "TierReport",
    "TierRow",
    "fate_of",
    "fates_between",
    "kept_tiers",
    "learn_chances",
    "price_rules_text",
    "refresh_tiers",
    "tier_report",
]
