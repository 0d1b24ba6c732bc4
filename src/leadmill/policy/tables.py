"""Opt-outs, do-not-call registries and reassigned numbers, as keyed hashes that outlive the person's data."""

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
came, ``opt_out_id`` which one it was. A ``limit`` closes nothing: it stands under a key of its own, and says that
sensitive data is used for nothing but what was asked for; ``opt_out_id`` is the person's request then. Nor does a
``sale``, which says that the person's data is not to be sold; its ``at`` is when that was last said."""

sa.Index(
    "suppression_by_opt_out",
    SUPPRESSION.c.opt_out_id,
    SUPPRESSION.c.hash,
    postgresql_where=SUPPRESSION.c.opt_out_id.is_not(None),
)

DNC_REGISTRY = sa.Table(
    "dnc_registry",
    metadata,
    sa.Column("registry", sa.Text, primary_key=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
)
"""The do-not-call registries that are here: ``federal`` or a state, the date of its version, how many numbers are on it
and when it was taken in. A registry that is being taken in keeps the date of the version before until it is whole."""

DNC_LISTED = sa.Table(
    "dnc_listed",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("registry", sa.Text, primary_key=True),
    sa.Column("as_of", sa.Date, nullable=False),
)
"""A number on a registry: ``hash`` is that of a phone in ``suppression``, ``as_of`` the last version it was on."""

REASSIGNED = sa.Table(
    "reassigned_number",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("queried_at", sa.DateTime(timezone=True), nullable=False),
)
"""What the database of reassigned numbers said last of a number: yes, no or no_data, and when it was asked."""
