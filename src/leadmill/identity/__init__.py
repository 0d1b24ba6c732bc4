"""Identity: one person, many submissions.

Decides whom a lead is from and whether the same interest came before. Takes the ``Lead`` with its ``Dossier``; gives an
``Identity`` through the step ``Recognise``. Exact keys only: keyed hashes of the normalised e-mail address and phone
number. Exact under concurrency: of several leads of one person in one window, one is first and all others are
duplicates.
"""

from leadmill.identity.model import FindPerson, Identity, Person, PersonFound

__all__ = ["FindPerson", "Identity", "Person", "PersonFound"]
