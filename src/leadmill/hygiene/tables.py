"""What came back from contact points. Nothing here says who anybody is: a point is a keyed hash."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

HYGIENE_SEEN = sa.Table(
    "hygiene_seen",
    metadata,
    sa.Column("point", sa.LargeBinary, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("heard_at", _TIME, nullable=False),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("lead_source", sa.Text, nullable=False),
    sa.Index("hygiene_seen_by_time", "heard_at"),
    sa.Index("hygiene_seen_by_lead", "lead_id"),
)
"""One row an observation. The digest is of who told what of which event, so that what is told twice stands once."""
