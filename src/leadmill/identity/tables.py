"""Persons, the keyed hashes by which they are known, and what they lately wanted.

Nothing here says who anybody is: contact details stand only as keyed hashes, and the data key is wrapped.
"""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

PERSON = sa.Table(
    "person",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("wrapped_key", sa.LargeBinary),
    sa.Column("name", sa.LargeBinary),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("forgotten_at", sa.DateTime(timezone=True)),
)
"""One row a person. ``wrapped_key`` is null once the person was forgotten; ``name`` is the keyed hash of the name they
first came with."""

PERSON_KEY = sa.Table(
    "person_key",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
)
"""Whose a keyed hash is. The primary key is what makes claims exact: of two transactions that bring the same new
address, the second waits for the first."""

sa.Index("person_key_by_person", PERSON_KEY.c.person_id)

INTEREST = sa.Table(
    "interest",
    metadata,
    sa.Column("person_id", Id, primary_key=True),
    sa.Column("vertical", sa.Text, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("lead_id", Id, primary_key=True),
)
"""What a person wanted when, duplicates and tests left out: what a later lead is a duplicate of."""
