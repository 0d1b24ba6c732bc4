"""Legal holds, and the runs of the retention schedules."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

RETENTION_HOLD = sa.Table(
    "retention_hold",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("subject", Id, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("lifted_at", _TIME),
    sa.Column("lifted_by", sa.Text),
    sa.Column("lifted_why", sa.Text),
)
"""One row a legal hold; ``subject`` is a lead or a person. A hold that was lifted is kept."""

sa.Index("retention_hold_by_subject", RETENTION_HOLD.c.subject, postgresql_where=RETENTION_HOLD.c.lifted_at.is_(None))

RETENTION_RUN = sa.Table(
    "retention_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("dry", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("day", sa.Date, unique=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("tallies", sa.LargeBinary, nullable=False),
    sa.Column("ended_at", _TIME),
)
"""One row a run: how far it is and what it found by schedule (JSON, figures alone). ``day`` is what makes the run of a
day one."""
