"""Reviews of cards that come by themselves, and wait for a person.

Decides when a card is held against what became of its leads, and keeps what that found until somebody took the
suggested card up or dismissed it with a reason. Takes a ``CardReview``; gives a ``KeptReview``. Nothing changes a
card by itself.
"""

from leadmill.scoring.periodic.model import KIND, CardReviewTerms, KeptReview, Standing
from leadmill.scoring.periodic.rules import due, kept_of, read_card_review, suggested_tables
from leadmill.scoring.periodic.service import close_taken_up
from leadmill.scoring.periodic.store import (
    close_review,
    find_review,
    keep_review,
    last_reviews,
    reviews_of_card,
    waiting_reviews,
)

__all__ = [
    "KIND",
    "CardReviewTerms",
    "KeptReview",
    "Standing",
    "close_review",
    "close_taken_up",
    "due",
    "find_review",
    "keep_review",
    "kept_of",
    "last_reviews",
    "read_card_review",
    "reviews_of_card",
    "suggested_tables",
    "waiting_reviews",
]
