"""The table of follow-up: one row a message. It holds neither text nor address: both are looked up when the message
is sent."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

MESSAGE = sa.Table(
    "message",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("addressee", sa.Text, nullable=False),
    sa.Column("messenger", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # When the next attempt is due; while one is being made, when its maker is given up for dead.
    sa.Column("next_at", sa.DateTime(timezone=True)),
    sa.Column("code", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("done_at", sa.DateTime(timezone=True)),
    sa.Index("message_lead", "lead_id"),
)
