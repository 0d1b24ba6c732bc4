"""What became of every lead that was handed to somebody, and what follows from it.

Decides nothing. Takes legs and assignments with what was reported of them, gives the chances that auctions hear
(``learn_chances``, learned every few hours by the pricing job).
"""

from leadmill.flow.fates.service import Fate, fate_of, fates_between, learn_chances
from leadmill.flow.fates.store import LeadTraits

__all__ = ["Fate", "LeadTraits", "fate_of", "fates_between", "learn_chances"]
