"""Learned models by their digests."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

SCORING_MODEL = sa.Table(
    "scoring_model",
    metadata,
    sa.Column("digest", Id, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
)
"""One row a model: its files packed as :func:`leadmill.learning.pack_model` does. Never changed, and kept for as long
as a lead that it rated is to be decided again."""
