"""Policy: may we.

Decides, from law packs, which ways a person may be contacted and which recipients may have the lead, each refusal
with its rule and citation. Takes the consent ``Proof``, the facts and the roster; gives a ``Clearance`` through the
step ``Clear``, without which the market can sell nothing. Missing evidence never clears.
"""

from leadmill.policy.asking import (
    Message,
    Permit,
    Way,
    masked_in_pings,
    may_charge,
    may_message,
    may_rank,
    may_score,
    may_tier,
)
from leadmill.policy.brought import signal_of
from leadmill.policy.deadlines import Deadlines, Due
from leadmill.policy.decide import Engine
from leadmill.policy.foresight import Foresee
from leadmill.policy.lawbooks import law_of, read_law
from leadmill.policy.listed import limit_key, listed_emails, listed_key, listed_phones, sale_key
from leadmill.policy.model import (
    MESSAGE_DEFERRED,
    MESSAGE_DENIED,
    Clearance,
    Law,
    Registry,
    Suppression,
    SuppressionAsk,
    SuppressionFound,
)
from leadmill.policy.registries import TakenIn, registries_here, take_reassigned, take_registry
from leadmill.policy.releasing import Released
from leadmill.policy.replies import classify_reply, words_of
from leadmill.policy.rules import clear_recipient, is_named
from leadmill.policy.step import Clear
from leadmill.policy.store import (
    find_suppressed,
    hear_suppressions,
    lift_suppressions,
    list_suppressed,
    say_again,
    suppress,
    suppressed_by,
)
from leadmill.policy.store.numbers import note_pull

__all__ = [
    "MESSAGE_DEFERRED",
    "MESSAGE_DENIED",
    "Clear",
    "Clearance",
    "Deadlines",
    "Due",
    "Engine",
    "Foresee",
    "Law",
    "Message",
    "Permit",
    "Registry",
    "Released",
    "Suppression",
    "SuppressionAsk",
    "SuppressionFound",
    "TakenIn",
    "Way",
    "classify_reply",
    "clear_recipient",
    "find_suppressed",
    "hear_suppressions",
    "is_named",
    "law_of",
    "lift_suppressions",
    "limit_key",
    "list_suppressed",
    "listed_emails",
    "listed_key",
    "listed_phones",
    "masked_in_pings",
    "may_charge",
    "may_message",
    "may_rank",
    "may_score",
    "may_tier",
    "note_pull",
    "read_law",
    "registries_here",
    "sale_key",
    "say_again",
    "signal_of",
    "suppress",
    "suppressed_by",
    "take_reassigned",
    "take_registry",
    "words_of",
]
