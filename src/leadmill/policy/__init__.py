"""Policy: may we.

Decides, from law packs, which ways a person may be contacted and which recipients may have the lead, each refusal
with its rule and citation. Takes the consent ``Proof``, the facts and the roster; gives a ``Clearance`` through the
step ``Clear``, without which the market can sell nothing. Missing evidence never clears.
"""

from leadmill.policy.deadlines import Deadlines, Due
from leadmill.policy.foresight import Foresee
from leadmill.policy.lawbooks import law_of, read_law
from leadmill.policy.listed import listed_emails, listed_key, listed_phones
from leadmill.policy.model import Clearance, Law, Suppression, SuppressionAsk, SuppressionFound
from leadmill.policy.replies import classify_reply
from leadmill.policy.rules import clear_recipient, is_named
from leadmill.policy.step import Clear
from leadmill.policy.store import find_suppressed, lift_suppressions, list_suppressed, suppress, suppressed_by

__all__ = [
    "Clear",
    "Clearance",
    "Deadlines",
    "Due",
    "Foresee",
    "Law",
    "Suppression",
    "SuppressionAsk",
    "SuppressionFound",
    "classify_reply",
    "clear_recipient",
    "find_suppressed",
    "is_named",
    "law_of",
    "lift_suppressions",
    "list_suppressed",
    "listed_emails",
    "listed_key",
    "listed_phones",
    "read_law",
    "suppress",
    "suppressed_by",
]
