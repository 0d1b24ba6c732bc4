"""The market's tables: who got which lead, what is held for whom, and how much of each limit is used."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

SALE = sa.Table(
    "sale",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("leg", sa.Integer, nullable=False),
    sa.Column("deal_id", Id, nullable=False),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("order_id", Id, nullable=False),
    sa.Column("buyer_id", Id),
    sa.Column("team_id", Id),
    sa.Column("rep_id", Id),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)
"""One row a leg, or an assignment. ``at`` is the moment whose windows it counts in, the same for a whole group of
leads."""

sa.Index("sale_by_lead", SALE.c.lead_id)
sa.Index("sale_by_order", SALE.c.order_id, SALE.c.at)
sa.Index("sale_by_buyer", SALE.c.buyer_id, SALE.c.id, postgresql_where=SALE.c.buyer_id.is_not(None))
sa.Index("sale_by_team", SALE.c.team_id, SALE.c.at, postgresql_where=SALE.c.team_id.is_not(None))

MARKET_HOLD = sa.Table(
    "market_hold",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("order_id", Id, nullable=False),
    sa.Column("account", Id),
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)
"""Room set aside for a lead that may come. While it is ``held`` it counts in the windows of ``at`` as a sale would,
and the ledger holds its money under the same id."""

_HELD = MARKET_HOLD.c.state == sa.literal_column("'held'")
sa.Index("market_hold_open", MARKET_HOLD.c.expires_at, MARKET_HOLD.c.id, postgresql_where=_HELD)
sa.Index("market_hold_by_order", MARKET_HOLD.c.order_id, MARKET_HOLD.c.at, postgresql_where=_HELD)

LIMIT_USE = sa.Table(
    "limit_use",
    metadata,
    sa.Column("scope", Id, primary_key=True),
    sa.Column("per", sa.Text, primary_key=True),
    sa.Column("starts", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
    sa.Column("leads", sa.BigInteger, nullable=False),
    sa.Column("spend", sa.BigInteger, nullable=False),
    sa.Column("leads_limit", sa.BigInteger),
    sa.Column("spend_limit", sa.BigInteger),
    postgresql_with={"fillfactor": 50},
)
"""One row a window of a limited order or rep: what was sold and is held in it. The limits are those of the last lead
counted, so use above them is always a fault."""

LIMIT_LEASE = sa.Table(
    "limit_lease",
    metadata,
    sa.Column("scope", Id, primary_key=True),
    sa.Column("per", sa.Text, primary_key=True),
    sa.Column("starts", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("holder", Id, primary_key=True),
    sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
    sa.Column("granted_leads", sa.BigInteger, nullable=False),
    sa.Column("granted_spend", sa.BigInteger, nullable=False),
    sa.Column("used_leads", sa.BigInteger, nullable=False),
    sa.Column("used_spend", sa.BigInteger, nullable=False),
    sa.Column("of_leads", sa.Boolean, nullable=False),
    sa.Column("of_spend", sa.Boolean, nullable=False),
    postgresql_with={"fillfactor": 50},
)
"""The share of a window that a process sells by itself. All that was granted is counted in ``limit_use`` at once, so
what was really used is that less what is granted and unused. On a side that is not limited nothing is granted."""

sa.Index("limit_lease_by_holder", LIMIT_LEASE.c.holder)

LEASE_HOLDER = sa.Table(
    "lease_holder",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)
"""The processes that hold shares, and when each was last heard of: the shares of one that fell silent are called
in."""

MARKET_QUOTE = sa.Table(
    "market_quote",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id, nullable=False),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("bid", sa.Boolean, nullable=False),
    sa.Column("used_by", Id),
    sa.Column("frozen", sa.LargeBinary, nullable=False),
    sa.Column("quote", sa.LargeBinary, nullable=False),
)
"""What each ping was offered. Nothing in it is personal: ``frozen`` holds the names of the ping's attributes with a
keyed hash of each, enough to see later whether they are the same."""

sa.Index("market_quote_by_source", MARKET_QUOTE.c.source_id, MARKET_QUOTE.c.id)
sa.Index("market_quote_by_end", MARKET_QUOTE.c.expires_at)

MARKET_LEARNED = sa.Table(
    "market_learned",
    metadata,
    sa.Column("name", Id, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""What the market has worked out, one row a kind: the shadow prices in force, acceptance and returns, how far the
sample reaches."""

MARKET_SAMPLE = sa.Table(
    "market_sample",
    metadata,
    sa.Column("last_id", Id, primary_key=True),
    sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
    sa.Column("leads", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""Past leads as auctions saw them, some hundred a row, up to ``last_id``: moments, traits and who wanted them, nothing
personal."""

sa.Index("market_sample_by_end", MARKET_SAMPLE.c.ends)
