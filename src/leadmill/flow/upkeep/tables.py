"""When leads were looked at once more by a schedule."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

LEAD_LOOK = sa.Table(
    "lead_look",
    metadata,
    sa.Column("lead_id", Id, primary_key=True),
    sa.Column("schedule", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Index("lead_look_by_schedule", "schedule", "at"),
)
"""The last look at each lead: how many facts it changed, and its cost in millionths."""
