"""Facts: what is known of a lead, from whom, and how sure.

Decides whether the contact details can be used at all. Takes a ``Lead``; gives a ``Dossier`` through the step
``Verify``: e-mail syntax and kind, phone validity and place, whether ZIP, state, city and area code agree, whether a
program filled in the form. What cannot be found out stays unknown. ``read_email`` and ``read_phone`` give the one
normal form by which contact details are compared everywhere.
"""

from leadmill.facts.checks import Checks, checks_of, doubted_for, read_checks
from leadmill.facts.keys import GROUPS, KEYS, PROVIDERS, Key, heading
from leadmill.facts.model import Dossier, Fact, FactValue, LookedUp, LookUp, Outcome, Win
from leadmill.facts.places import STATES
from leadmill.facts.reference import Reference, load_reference
from leadmill.facts.rules import read_email, read_phone
from leadmill.facts.rules.network import mail_fact, still_seen, to_look_up
from leadmill.facts.step import Glance, Verify, stop_of

__all__ = [
    "GROUPS",
    "KEYS",
    "PROVIDERS",
    "STATES",
    "Checks",
    "Dossier",
    "Fact",
    "FactValue",
    "Glance",
    "Key",
    "LookUp",
    "LookedUp",
    "Outcome",
    "Reference",
    "Verify",
    "Win",
    "checks_of",
    "doubted_for",
    "heading",
    "load_reference",
    "mail_fact",
    "read_checks",
    "read_email",
    "read_phone",
    "still_seen",
    "stop_of",
    "to_look_up",
]
