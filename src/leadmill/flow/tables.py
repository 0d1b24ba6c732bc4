"""The lead as it stands, and the answers kept for repeated requests."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

LEAD = sa.Table(
    "lead",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("score", sa.Integer),
    sa.Column("region", sa.Text),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("price", sa.BigInteger),
    sa.Column("currency", sa.Text),
    sa.Column("recipient", sa.Text),
    sa.Column("test", sa.Boolean, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("import_id", Id),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("tier", sa.Text),
    sa.Column("suspicion", sa.SmallInteger),
)
"""One row a lead: a projection of its journal. Ids sort by time, so every list is an index read backwards. ``tier`` is
the quality tier its score fell in, ``suspicion`` how much of 100 spoke against it."""

sa.Index("lead_by_state", LEAD.c.state, LEAD.c.id)
sa.Index("lead_by_vertical", LEAD.c.vertical, LEAD.c.id)
sa.Index("lead_by_source", LEAD.c.source_id, LEAD.c.id)
sa.Index("lead_by_person", LEAD.c.person_id, LEAD.c.id)
sa.Index("lead_by_import", LEAD.c.import_id, LEAD.c.id, postgresql_where=LEAD.c.import_id.is_not(None))

PING_BUCKET = sa.Table(
    "ping_bucket",
    metadata,
    sa.Column("source_id", sa.Text, primary_key=True),
    sa.Column("level", sa.Double, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    postgresql_with={"fillfactor": 50},
)
"""How many pings a source might send at ``at``, shares of a ping included; it fills as time goes by."""

TRIAL = sa.Table(
    "trial",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("by", Id, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("result", sa.LargeBinary),
    sa.Column("fault", sa.Text),
)
"""A change tried on recorded leads: the file as it was typed, how far it is, and what it found."""

sa.Index("lead_bidding", LEAD.c.id, postgresql_where=LEAD.c.state == "bidding")

PING_PAUSE = sa.Table(
    "ping_pause",
    metadata,
    sa.Column("buyer_id", Id, primary_key=True),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("round_no", sa.Integer, nullable=False),
)
"""Buyers whose pings are paused because their service kept failing."""

REPEAT = sa.Table(
    "repeat_request",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)
"""What was answered to an ``Idempotency-Key``: ``scope`` is the caller and the route, ``digest`` the body's."""
