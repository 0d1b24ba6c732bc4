"""The table of outcomes: one row a report; nothing is overwritten but the mark of the latest word."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

OUTCOME = sa.Table(
    "outcome",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("lead_id", Id, nullable=False),
    # Empty where the report is about the lead as a whole: a key column cannot be unknown.
    sa.Column("sale_id", Id, nullable=False),
    sa.Column("reporter", Id, nullable=False),
    sa.Column("disposition", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("value", sa.BigInteger),
    sa.Column("currency", sa.Text),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("replaces", Id),
    # Which correction of that moment it is: with the columns before, what makes a repeated report harmless.
    sa.Column("round_no", sa.SmallInteger, nullable=False),
    sa.Column("note", sa.LargeBinary),
    sa.UniqueConstraint("lead_id", "sale_id", "reporter", "at", "round_no", name="outcome_once"),
)
