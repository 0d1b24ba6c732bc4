"""The people that buyers have already, as hashes of hashes."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

KNOWN_PERSON = sa.Table(
    "known_person",
    metadata,
    sa.Column("mark", sa.LargeBinary, primary_key=True),
    sa.Column("buyer_id", Id, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("known_person_buyer", "buyer_id", "kind"),
)
"""``mark`` is our keyed hash over the buyer, the kind and the buyer's own hash: an unkeyed hash that a buyer sent is
nowhere to be read."""
