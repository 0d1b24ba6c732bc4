"""The table of what came of training by schedule. It holds figures of a model, and nothing of any one lead."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

SCORING_TRAINING = sa.Table(
    "scoring_training",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("retrain", sa.Text, nullable=False),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("says", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("labelled", sa.Integer, nullable=False),
)
sa.Index("scoring_training_of", SCORING_TRAINING.c.retrain, SCORING_TRAINING.c.id.desc())
