"""Identity: one person, many submissions.

Decides whom a lead is from and whether the same interest came before. Takes the ``Lead`` with its ``Dossier``; gives an
``Identity`` through the step ``Recognise``. Exact keys only: keyed hashes of the normalised e-mail address (purpose
``email``, form ``email_key``) and of the phone number in E.164 (purpose ``phone``). Exact under concurrency: of several
leads of one person in one window, one is first and all others are duplicates.
"""

from leadmill.identity.model import FindPerson, Identity, Person, PersonFound
from leadmill.identity.rules import email_key
from leadmill.identity.service import (
    Keys,
    add_person,
    find_person,
    forget_person,
    hear_find_person,
    keep_identity,
    load_keys,
)
from leadmill.identity.step import Recognise

__all__ = [
    "FindPerson",
    "Identity",
    "Keys",
    "Person",
    "PersonFound",
    "Recognise",
    "add_person",
    "email_key",
    "find_person",
    "forget_person",
    "hear_find_person",
    "keep_identity",
    "load_keys",
]
