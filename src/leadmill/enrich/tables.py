"""What was asked and spent, what providers answered lately, how good they are, and leads looked at once more."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

COUNTER = sa.Table(
    "enrich_counter",
    metadata,
    sa.Column("scope", Id, primary_key=True),
    sa.Column("per", sa.Text, primary_key=True),
    sa.Column("starts", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
    sa.Column("asks", sa.BigInteger, nullable=False),
    sa.Column("spent", sa.BigInteger, nullable=False),
    sa.Column("most_asks", sa.BigInteger),
    sa.Column("most_spent", sa.BigInteger),
    sa.Index("enrich_counter_ends", "ends"),
    postgresql_with={"fillfactor": 50},
)
"""Requests and money (millionths) of a provider (``provider linecheck``) or a chain (``chain phones``) in a window.
Guarded: neither ever exceeds its most, which stands in the row so that one statement can both look and count."""

ANSWER = sa.Table(
    "enrich_answer",
    metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("provider", Id, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("enrich_answer_expires", "expires_at"),
)
"""Answers that are remembered. ``key`` is a keyed hash of the provider, the topic and what was told; the facts are
sealed under a key that follows from the same, so that whoever asks something else cannot open them."""

TALLY = sa.Table(
    "enrich_tally",
    metadata,
    sa.Column("provider", Id, primary_key=True),
    sa.Column("topic", sa.Text(collation="C"), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("what", sa.Text(collation="C"), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index("enrich_tally_at", "at"),
    postgresql_with={"fillfactor": 70},
)
"""How often what happened with a provider in an hour. ``what`` is of a closed set, see ``tally``."""

RUN = sa.Table(
    "enrich_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("topics", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("vertical", sa.Text),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("after", Id, nullable=False),
    sa.Column("leads", sa.BigInteger, nullable=False),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
)
"""Leads of a span looked at once more: ``after`` is the last one done, so that a run goes on where it stopped."""
