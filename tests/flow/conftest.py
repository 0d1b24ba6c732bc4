"""The wired house and the world around it."""

from tests.journeys.house import buyers, house, kept_reference, mailbox

__all__ = ["buyers", "house", "kept_reference", "mailbox"]
