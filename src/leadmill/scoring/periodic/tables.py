"""The table of reviews that were made of cards. It holds figures by rule, and nothing of any one lead."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

SCORING_REVIEW = sa.Table(
    "scoring_review",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("since", _TIME, nullable=False),
    sa.Column("horizon", sa.Integer, nullable=False),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("found", sa.LargeBinary, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("by", sa.Text),
    sa.Column("decided_at", _TIME),
    sa.Column("why", sa.Text, nullable=False),
)

sa.Index("scoring_review_of_vertical", SCORING_REVIEW.c.vertical, SCORING_REVIEW.c.id.desc())
sa.Index(
    "scoring_review_waiting",
    SCORING_REVIEW.c.vertical,
    unique=True,
    postgresql_where=SCORING_REVIEW.c.standing == sa.literal_column("'waiting'"),
)
"""Of one card one suggestion waits."""
