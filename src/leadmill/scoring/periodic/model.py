"""A review of a card that is kept, and how often one is made."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from leadmill.scoring.reviewing import CardReview

KIND = "card_review"
"""The kind of the records that say how often."""

Standing = Literal["waiting", "bears_out", "thin", "accepted", "dismissed", "replaced"]
"""``waiting``: other points are suggested, and nobody has decided. ``bears_out``: the leads bear the card out.
``thin``: too few outcomes to say. ``accepted``, ``dismissed``: a person decided. ``replaced``: a later review took its
place."""


class CardReviewTerms(Struct, frozen=True, kw_only=True):
    """How often a vertical's card is held against what became of its leads: every ``every``, over the leads of the last
    ``span`` whose outcome is known ``horizon`` days after they were rated. At most ``most`` leads, the latest, are
    looked at. ``retired`` ends it."""

    vertical: str
    every: str = "30d"
    span: str = "12mo"
    horizon: int = 60
    most: int = 20_000
    retired: bool = False


class KeptReview(Struct, frozen=True, kw_only=True):
    """One review as it was made. ``card`` is the digest of the card that was reviewed, ``text`` the suggested card as a
    file declares it (empty where none is suggested); ``by``, ``decided_at`` and ``why`` say who took it up or dismissed
    it."""

    id: str
    vertical: str
    at: datetime
    since: datetime
    horizon: int
    card: str
    standing: Standing
    found: CardReview
    text: str = ""
    by: str | None = None
    decided_at: datetime | None = None
    why: str = ""
