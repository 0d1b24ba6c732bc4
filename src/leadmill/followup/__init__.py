"""Follow-up: tells the person that the lead arrived, and the recipient that it is there.

Takes the outcome of a walk and gives a ``Followups``: messages to be sent by jobs. Decides whether a message may go
and what it says; channels are plug-ins (entry points ``leadmill.messengers``).
"""

from leadmill.followup.model import (
    SEND,
    Followups,
    Letter,
    MessageFailed,
    MessageRetrying,
    MessageSent,
    Messenger,
    PlannedMessage,
    Sending,
    SendOutcome,
)

__all__ = [
    "SEND",
    "Followups",
    "Letter",
    "MessageFailed",
    "MessageRetrying",
    "MessageSent",
    "Messenger",
    "PlannedMessage",
    "SendOutcome",
    "Sending",
]
