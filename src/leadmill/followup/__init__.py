"""Follow-up: tells the person that the lead arrived, and the recipient that it is there.

Takes the outcome of a walk and gives a ``Followups``: messages to be sent by jobs. Decides whether a message may go
and what it says; channels are plug-ins (entry points ``leadmill.messengers``).
"""

from leadmill.followup.model import (
    SEND,
    Followups,
    Letter,
    Message,
    MessageDeferred,
    MessageFailed,
    MessageRetrying,
    MessageSent,
    Messenger,
    PlannedMessage,
    Sending,
    SendOutcome,
    Template,
    Templates,
)
from leadmill.followup.service import (
    compose_letter,
    defer_sending,
    plan_sending,
    read_sent,
    read_templates,
    settle_sending,
    stop_messages,
)
from leadmill.followup.step import Plan
from leadmill.followup.store import keep_followups, messages_of, sent_lately

__all__ = [
    "SEND",
    "Followups",
    "Letter",
    "Message",
    "MessageDeferred",
    "MessageFailed",
    "MessageRetrying",
    "MessageSent",
    "Messenger",
    "Plan",
    "PlannedMessage",
    "SendOutcome",
    "Sending",
    "Template",
    "Templates",
    "compose_letter",
    "defer_sending",
    "keep_followups",
    "messages_of",
    "plan_sending",
    "read_sent",
    "read_templates",
    "sent_lately",
    "settle_sending",
    "stop_messages",
]
