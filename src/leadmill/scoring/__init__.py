"""Scoring: what a lead is worth pursuing, with the reasons.

Decides whether a lead is sold, handed to the sales team, nurtured, looked at by a person or dropped. Takes the ``Lead``
with its ``Dossier``; gives a ``Score`` through the step ``Rate``: by the scorecard of the vertical's pack
(``read_scorecards``) or of the house (``read_record``), or by a learned model that the house set over it
(``read_model_record``, ``Panel``), whose ``Opinions`` stand beside. ``seen`` is the one mapping of names to values that
predicates are asked of. ``label_of`` says what became of a lead, as a label to learn from.
"""

from leadmill.scoring.bounds import NO_BOUNDS, Bounds, read_bounds
from leadmill.scoring.cards import ADJUSTMENT, read_adjustment, read_card, read_record, read_scorecards
from leadmill.scoring.cards import KIND as CARD_KIND
from leadmill.scoring.labels import (
    HORIZON,
    TARGETS,
    Heard,
    Label,
    Looked,
    Outcome,
    Posted,
    Target,
    What,
    acceptance_of,
    label_of,
    review_of,
)
from leadmill.scoring.model import (
    NEVER,
    TIERS,
    Adjustment,
    CardRecord,
    Contribution,
    Fade,
    Foreseen,
    Foresees,
    Opinion,
    Opinions,
    Path,
    PointsRule,
    ReviewRule,
    SalesRule,
    Score,
    Scorecard,
    Seen,
    Tiers,
)
from leadmill.scoring.models import DECIDING, FORESEES, STATES, ModelRecord, Panel, Voter, crowded, read_model_record
from leadmill.scoring.models import KIND as MODEL_KIND
from leadmill.scoring.periodic import KIND as REVIEW_KIND
from leadmill.scoring.periodic import (
    CardReviewTerms,
    KeptReview,
    Standing,
    close_review,
    close_taken_up,
    find_review,
    keep_review,
    last_reviews,
    read_card_review,
    reviews_of_card,
    suggested_tables,
    waiting_reviews,
)
from leadmill.scoring.periodic import due as review_due
from leadmill.scoring.periodic import kept_of as kept_review
from leadmill.scoring.reviewing import CardReview, Rated, Share, Suggestion, odds_words, review_card, suggested_card
from leadmill.scoring.rules import band_of, see
from leadmill.scoring.step import NO_PANELS, Rate, Tried, seen
from leadmill.scoring.store import keep_model, model_bodies

__all__ = [
    "ADJUSTMENT",
    "CARD_KIND",
    "DECIDING",
    "FORESEES",
    "HORIZON",
    "MODEL_KIND",
    "NEVER",
    "NO_BOUNDS",
    "NO_PANELS",
    "REVIEW_KIND",
    "STATES",
    "TARGETS",
    "TIERS",
    "Adjustment",
    "Bounds",
    "CardRecord",
    "CardReview",
    "CardReviewTerms",
    "Contribution",
    "Fade",
    "Foreseen",
    "Foresees",
    "Heard",
    "KeptReview",
    "Label",
    "Looked",
    "ModelRecord",
    "Opinion",
    "Opinions",
    "Outcome",
    "Panel",
    "Path",
    "PointsRule",
    "Posted",
    "Rate",
    "Rated",
    "ReviewRule",
    "SalesRule",
    "Score",
    "Scorecard",
    "Seen",
    "Share",
    "Standing",
    "Suggestion",
    "Target",
    "Tiers",
    "Tried",
    "Voter",
    "What",
    "acceptance_of",
    "band_of",
    "close_review",
    "close_taken_up",
    "crowded",
    "find_review",
    "keep_model",
    "keep_review",
    "kept_review",
    "label_of",
    "last_reviews",
    "model_bodies",
    "odds_words",
    "read_adjustment",
    "read_bounds",
    "read_card",
    "read_card_review",
    "read_model_record",
    "read_record",
    "read_scorecards",
    "review_card",
    "review_due",
    "review_of",
    "reviews_of_card",
    "see",
    "seen",
    "suggested_card",
    "suggested_tables",
    "waiting_reviews",
]
