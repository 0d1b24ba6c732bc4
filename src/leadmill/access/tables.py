"""Tables of second factors, of ceremonies under way, of sign-ins elsewhere, and of who did what about access.

Secrets of code apps are sealed under a data key of their own, recovery codes are keyed hashes. What is written down of
acts stays when the operator goes: it names ids and no person."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_Time = sa.DateTime(timezone=True)

SECOND_FACTOR = sa.Table(
    "second_factor",
    metadata,
    sa.Column("operator_id", Id, sa.ForeignKey("operator.id"), primary_key=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("confirmed_at", _Time),
    sa.Column("last_step", sa.BigInteger, nullable=False),
)
"""The code app of an operator: its secret, and the time step of the latest code that was used."""

RECOVERY_CODE = sa.Table(
    "recovery_code",
    metadata,
    sa.Column("operator_id", Id, sa.ForeignKey("operator.id"), primary_key=True),
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("used_at", _Time),
)

PASSKEY = sa.Table(
    "passkey",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("operator_id", Id, sa.ForeignKey("operator.id"), nullable=False),
    sa.Column("credential", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("used_at", _Time),
    sa.Column("backed_up", sa.Boolean, nullable=False),
    sa.Index("passkey_operator", "operator_id"),
)

CEREMONY = sa.Table(
    "ceremony",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", _Time, nullable=False),
)
"""What a browser has to bring back to finish what it began: the challenge of a passkey, the errand to another house.
Found by the keyed hash of the browser's cookie, taken once."""

OUTSIDE_IDENTITY = sa.Table(
    "outside_identity",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("operator_id", Id, sa.ForeignKey("operator.id"), nullable=False),
    sa.Column("created_at", _Time, nullable=False),
)

ACCESS_ACT = sa.Table(
    "access_act",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", _Time, nullable=False),
    sa.Column("who", Id, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("about", Id, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Index("access_act_by_time", "at"),
    sa.Index("access_act_by_who", "who", "what", "at"),
)
"""One row an act; it is under seal (``flow.audit``), so the id sorts by time."""

ACCESS_REVIEW = sa.Table(
    "access_review",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", _Time, nullable=False),
    sa.Column("by", Id, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("operators", sa.Integer, nullable=False),
    sa.Column("keys", sa.Integer, nullable=False),
    sa.Column("remarks", sa.Integer, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
)
"""``document`` is the review as it was signed, in JSON; ``digest`` its SHA-256."""
