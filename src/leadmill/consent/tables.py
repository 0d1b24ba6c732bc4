"""The tables of consent: recordings of visits, while they come in and once they belong to a lead."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

VISIT = sa.Table(
    "consent_visit",
    metadata,
    sa.Column("session", sa.Text(collation="C"), primary_key=True),
    sa.Column("form_id", sa.Text, nullable=False),
    sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("chunks", sa.Integer, nullable=False),
    sa.Index("consent_visit_until", "until"),
)
"""Visits under way. Their chunks are sealed with a key of the visit's own, which goes with the row."""

CHUNK = sa.Table(
    "consent_chunk",
    metadata,
    sa.Column("session", sa.Text(collation="C"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

REPLAY = sa.Table(
    "consent_replay",
    metadata,
    sa.Column("lead_id", Id, primary_key=True),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("consent_replay_person", "person_id"),
)
"""Recordings of leads, sealed with the person's key; the digest is that of the events, as the journal has it."""
