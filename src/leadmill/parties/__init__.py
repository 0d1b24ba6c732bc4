"""Parties: whom we deal with.

Decides who a key or a password belongs to and what that person or program may do. Takes the tables of a configuration file; gives
sources, buyers and teams as a :class:`Roster`, callers and operators.
"""

from leadmill.parties.model import (
    Alert,
    ApiKey,
    Buyer,
    Caller,
    Contract,
    Credit,
    KeyedHash,
    KeyRing,
    Licence,
    Operator,
    Payout,
    Rep,
    Right,
    Role,
    Roster,
    Session,
    SignedIn,
    Source,
    Team,
    Throttled,
    may,
)
from leadmill.parties.rules import (
    build_roster,
    check_password,
    identify,
    key_reference,
    read_buyer,
    read_source,
    read_team,
)

__all__ = [
    "Alert",
    "ApiKey",
    "Buyer",
    "Caller",
    "Contract",
    "Credit",
    "KeyRing",
    "KeyedHash",
    "Licence",
    "Operator",
    "Payout",
    "Rep",
    "Right",
    "Role",
    "Roster",
    "Session",
    "SignedIn",
    "Source",
    "Team",
    "Throttled",
    "build_roster",
    "check_password",
    "identify",
    "key_reference",
    "may",
    "read_buyer",
    "read_source",
    "read_team",
]
