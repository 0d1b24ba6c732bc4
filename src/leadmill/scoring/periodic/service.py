"""What is done with reviews that wait."""

from datetime import datetime

from leadmill.runtime.db import Tx
from leadmill.scoring.model import Scorecard
from leadmill.scoring.periodic.rules import suggested_digest
from leadmill.scoring.periodic.store import close_review, waiting_reviews


async def close_taken_up(tx: Tx, card: Scorecard, by: str, at: datetime, why: str) -> None:
    """Close the review whose suggestion was put in force by another way, from its trial: the very card it suggests."""
    for one in await waiting_reviews(tx):
        if one.vertical == card.vertical and suggested_digest(one) == card.digest:
            await close_review(tx, one.id, "accepted", by, at, why)
