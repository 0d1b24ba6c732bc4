"""The tables of delivery: one row a leg to be handed over, one row an attempt."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

DELIVERY = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("sale_id", Id, nullable=False),
    sa.Column("leg", sa.SmallInteger, nullable=False),
    sa.Column("recipient", Id, nullable=False),
    sa.Column("courier", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # Attempts made before the delivery was last started by hand: the schedule counts from there.
    sa.Column("before_round", sa.Integer, nullable=False),
    # When the next attempt is due; while one is being made, when its maker is given up for dead.
    sa.Column("next_at", sa.DateTime(timezone=True)),
    sa.Column("code", sa.Text),
    sa.Column("buyer_ref", sa.Text),
    # The buyer's own id of the bid that the sale was made at.
    sa.Column("bid_ref", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("done_at", sa.DateTime(timezone=True)),
    sa.Index("delivery_lead", "lead_id"),
    sa.Index("delivery_sale", "sale_id"),
    sa.Index("delivery_recipient", "recipient", "id"),
    sa.Index("delivery_open", "state", "id", postgresql_where=sa.text("state IN ('retrying', 'dead', 'rejected')")),
)

ATTEMPT_MADE = sa.Table(
    "delivery_attempt",
    metadata,
    sa.Column("delivery_id", Id, primary_key=True),
    sa.Column("no", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("elapsed_ms", sa.Integer, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("request_digest", sa.LargeBinary),
    sa.Column("excerpt", sa.LargeBinary),
)
