"""Opt-outs, as keyed hashes that outlive the person's data."""

import sqlalchemy as sa

from leadmill.runtime.db import metadata

SUPPRESSION = sa.Table(
    "suppression",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
)
"""``hash`` is the vault's keyed hash of the normalised phone number or e-mail address."""
