"""A past lead as an auction saw it: what the sample of past leads is made of.

Written by the pricing job, read when prices are solved. Nothing here is personal.
"""

from datetime import datetime

from msgspec import Struct


class Seen(Struct, frozen=True, array_like=True):
    """A past lead: when it was received, what kind it was, and the orders that wanted it with what they would have
    paid alone and for a leg (minor units, None where not so)."""

    at: datetime
    source: str
    vertical: str
    region: str
    score: int | None
    uses: list[tuple[str, int | None, int | None]]
