"""Opt-outs, as keyed hashes that outlive the person's data."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

SUPPRESSION = sa.Table(
    "suppression",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("opt_out_id", Id),
)
"""``hash`` is the vault's keyed hash of the normalised phone number or e-mail address; ``source`` is how the opt-out
came, ``opt_out_id`` which one it was."""

sa.Index(
    "suppression_by_opt_out",
    SUPPRESSION.c.opt_out_id,
    SUPPRESSION.c.hash,
    postgresql_where=SUPPRESSION.c.opt_out_id.is_not(None),
)
