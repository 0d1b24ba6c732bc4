"""Policy: may we.

Decides, from law packs, which ways a person may be contacted and which recipients may have the lead, each refusal
with its rule and citation. Takes the consent ``Proof``, the facts and the roster; gives a ``Clearance`` through the
step ``Clear``, without which the market can sell nothing. Missing evidence never clears.
"""

from leadmill.policy.foresight import Foresee
from leadmill.policy.model import Clearance, Law, SuppressionAsk, SuppressionFound
from leadmill.policy.rules import clear_recipient, is_named, read_law
from leadmill.policy.step import Clear

__all__ = [
    "Clear",
    "Clearance",
    "Foresee",
    "Law",
    "SuppressionAsk",
    "SuppressionFound",
    "clear_recipient",
    "is_named",
    "read_law",
]
