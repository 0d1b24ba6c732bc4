"""Identity: one person, many submissions.

Decides whom a lead is from and whether the same interest came before. Takes the ``Lead`` with its ``Dossier``; gives an
``Identity`` through the step ``Recognise``. A person is known by keyed hashes of the normalised e-mail address (purpose
``email``, form ``email_key``) and of the phone number in E.164 (purpose ``phone``), which a household may share; where
none decides, by the likeness of what they have shown, found under eight partial keys and weighed by ``linkage``. Exact
under concurrency: of several leads of one person in one window, one is first and all others are duplicates.
"""

from leadmill.identity.model import (
    FindPerson,
    HeldAs,
    HouseholdLink,
    Identity,
    Person,
    PersonFound,
    Possible,
    Ruling,
    Suggestion,
    Tie,
    tell_parts,
)
from leadmill.identity.moving import Move, move_person
from leadmill.identity.returning import LeftOut, Returning, read_token, seal_token
from leadmill.identity.rules import email_key
from leadmill.identity.ruling import Prospect, read_prospect, rule, unrule
from leadmill.identity.service import (
    Keys,
    add_person,
    find_person,
    find_persons,
    forget_person,
    hear_find_person,
    keep_identity,
    load_keys,
)
from leadmill.identity.showing import traits_of
from leadmill.identity.step import Recognise
from leadmill.identity.store.persons import list_suggestions, read_links
from leadmill.identity.store.rulings import latest_rulings
from leadmill.identity.traits import Profile, Traits

__all__ = [
    "FindPerson",
    "HeldAs",
    "HouseholdLink",
    "Identity",
    "Keys",
    "LeftOut",
    "Move",
    "Person",
    "PersonFound",
    "Possible",
    "Profile",
    "Prospect",
    "Recognise",
    "Returning",
    "Ruling",
    "Suggestion",
    "Tie",
    "Traits",
    "add_person",
    "email_key",
    "find_person",
    "find_persons",
    "forget_person",
    "hear_find_person",
    "keep_identity",
    "latest_rulings",
    "list_suggestions",
    "load_keys",
    "move_person",
    "read_links",
    "read_prospect",
    "read_token",
    "rule",
    "seal_token",
    "tell_parts",
    "traits_of",
    "unrule",
]
