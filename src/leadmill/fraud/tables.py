"""Sightings by keyed hash, what was returned, how fast sources send, and what became of signals.

Nothing here says who anybody is. What many leads would write at once is written beside and folded together by the
worker: rows of ``fraud_spill``, ``fraud_pace`` and ``fraud_news`` are only ever added.
"""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

FRAUD_MARK = sa.Table(
    "fraud_mark",
    metadata,
    sa.Column("mark", sa.LargeBinary, primary_key=True),
    sa.Column("seen", sa.LargeBinary, nullable=False),
    sa.Column("keep", sa.Integer, nullable=False),
    sa.Column("expires_at", _TIME, nullable=False),
)
"""One row a mark. ``seen`` holds its last sightings, at least ``keep`` of them if there were as many, as the records of
``fraud/records.py`` in the order in which they were counted. The row is the lock: whoever appends to it sees all that
was appended before."""

FRAUD_SPILL = sa.Table(
    "fraud_spill",
    metadata,
    sa.Column("mark", sa.LargeBinary, nullable=False),
    sa.Column("seen", sa.LargeBinary, nullable=False),
    sa.Column("keep", sa.Integer, nullable=False),
    sa.Column("expires_at", _TIME, nullable=False),
)
"""Sightings of marks over every limit, for which nobody waits."""

FRAUD_BURN = sa.Table(
    "fraud_burn",
    metadata,
    sa.Column("mark", sa.LargeBinary, primary_key=True),
    sa.Column("lead_id", Id, primary_key=True),
    sa.Column("at", _TIME, nullable=False),
)
"""The marks of returned leads."""

FRAUD_RETURN = sa.Table(
    "fraud_return",
    metadata,
    sa.Column("lead_id", Id, primary_key=True),
    sa.Column("at", _TIME, nullable=False),
)
"""The leads that came back and are counted so: each once, whoever says it."""

FRAUD_PACE = sa.Table(
    "fraud_pace",
    metadata,
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("leads", sa.Integer, nullable=False),
    sa.Column("level", sa.SmallInteger, nullable=False),
    sa.Index("fraud_pace_by_time", "at"),
)
"""How many leads a source sent in the minute (``level`` 0 as written, 1 folded) or the hour (2) that begins ``at``."""

_COUNTS = ("seen", "held", "rejected", "sold", "returned")

FRAUD_NEWS = sa.Table(
    "fraud_news",
    metadata,
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in _COUNTS),
)
"""What is to be added to ``fraud_tally``."""

FRAUD_TALLY = sa.Table(
    "fraud_tally",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("vertical", sa.Text, primary_key=True),
    sa.Column("source_id", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
)
"""What became of the leads received on a day on which a signal was raised; the code is empty for all leads."""

FRAUD_STANDING = sa.Table(
    "fraud_standing",
    metadata,
    sa.Column("vertical", sa.Text, primary_key=True),
    sa.Column("source_id", sa.Text, primary_key=True),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("sold", sa.BigInteger, nullable=False),
    sa.Column("returned", sa.BigInteger, nullable=False),
    sa.Column("share", sa.Integer, nullable=False),
    sa.Column("low", sa.Integer, nullable=False),
    sa.Column("high", sa.Integer, nullable=False),
    sa.Column("turned", sa.Text),
    sa.Column("since", sa.Date),
    sa.Column("evidence", sa.BigInteger, nullable=False),
)
"""What is believed of each source, as the worker last found it; shares in hundredths of a per cent."""
