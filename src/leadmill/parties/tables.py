"""Tables of the callers: API keys, operators, sessions, the counters that slow down guessing, who read
which lead.

Sources, buyers and teams are configuration documents and have no table here. Keys and session tokens are stored as
keyed hashes alone, passwords as Argon2 hashes, the subjects of throttling as keyed hashes."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_Time = sa.DateTime(timezone=True)

API_KEY = sa.Table(
    "api_key",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("id", Id, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("owner", Id, nullable=False),
    sa.Column("role", sa.Text),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("declared", sa.Boolean, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("expires_at", _Time),
    sa.Column("revoked_at", _Time),
    sa.Column("scopes", sa.ARRAY(sa.Text)),
    sa.Column("masked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("per_minute", sa.Integer, nullable=False, server_default="0"),
    sa.Column("seen_at", _Time),
    sa.Column("successor", Id),
    sa.Index("api_key_owner", "kind", "owner"),
)
"""``declared`` keys come from configuration, of which an owner has one; others were made in the console. ``scopes``
null is no narrowing, ``per_minute`` 0 any number of calls, ``seen_at`` the last use to a minute or two, ``successor``
the key that takes this one's place."""

KEY_RING = sa.Table(
    "key_ring",
    metadata,
    sa.Column("name", Id, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""One row: a number that grows with every change of a key, so that a copy in memory knows when it is stale."""

OPERATOR = sa.Table(
    "operator",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
)

SESSION = sa.Table(
    "session",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("operator_id", Id, sa.ForeignKey("operator.id"), nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("created_at", _Time, nullable=False),
    sa.Column("seen_at", _Time, nullable=False),
    sa.Column("expires_at", _Time, nullable=False),
    sa.Column("id", Id, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("proved_at", _Time),
    sa.Index("session_operator", "operator_id"),
)
"""``stage`` says how far the browser is let in; ``address`` and ``agent`` are the operator's own, for the list in which
operators know their browsers again; the row goes when the session is over."""

SIGN_IN_TRY = sa.Table(
    "sign_in_try",
    metadata,
    sa.Column("subject", sa.LargeBinary, primary_key=True),
    sa.Column("since", _Time, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
)
"""Tries of one account or address since the beginning of its present window."""

LEAD_READ = sa.Table(
    "lead_read",
    metadata,
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("at", _Time, nullable=False),
    sa.Column("reader", Id, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Index("lead_read_by_lead", "lead_id", "at"),
    sa.Index("lead_read_by_reader", "reader", "at"),
)
"""One row each time somebody was shown a lead: ``reader`` is an operator or an API key, ``what`` the part that was
read."""
