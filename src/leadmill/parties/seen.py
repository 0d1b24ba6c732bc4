"""Who was shown which lead, and what that comes to.

Kept by the store beside it, told by the reports of ``access``."""

from datetime import datetime

from msgspec import Struct


class LeadRead(Struct, frozen=True):
    """Somebody was shown a lead: ``reader`` is an operator's or a key's id, ``what`` the part (list, page, raw, api
    …)."""

    lead_id: str
    at: datetime
    reader: str
    what: str


class ReaderSum(Struct, frozen=True):
    """What one reader was shown in a span: how many times, of how many leads, from when to when."""

    reader: str
    what: str
    reads: int
    leads: int
    first: datetime
    last: datetime
