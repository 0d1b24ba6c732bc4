"""Access: how somebody proves who they are, and what is written down of who came in and did what.

Decides whether more than a password must be shown, whether a code, a passkey or another house's word is right, and what
an access review should look at. Takes operators and sessions from ``parties``; gives sessions that are open, reports,
and the acts that an audit asks after."""

from leadmill.access.model import (
    ACTS,
    COMMAND_LINE,
    AccessReview,
    Act,
    BreachReport,
    Claims,
    Enrolment,
    Factors,
    KeyLine,
    OperatorLine,
    Party,
    Passkey,
    Policy,
    Provider,
    Signed,
    Standing,
)
from leadmill.access.rules import party_of, read_roles, review, span
from leadmill.access.store import acts_between, acts_of, factors_of, list_reviews, note_act

__all__ = [
    "ACTS",
    "COMMAND_LINE",
    "AccessReview",
    "Act",
    "BreachReport",
    "Claims",
    "Enrolment",
    "Factors",
    "KeyLine",
    "OperatorLine",
    "Party",
    "Passkey",
    "Policy",
    "Provider",
    "Signed",
    "Standing",
    "acts_between",
    "acts_of",
    "factors_of",
    "list_reviews",
    "note_act",
    "party_of",
    "read_roles",
    "review",
    "span",
]
