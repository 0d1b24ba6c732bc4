"""What is counted and told of models at work."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_Moment = sa.DateTime(timezone=True)

SCORING_DAY = sa.Table(
    "scoring_day",
    metadata,
    sa.Column("vertical", Id, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""One row a vertical and day: its :class:`~leadmill.scoring.watch.counts.Day`. Let go of once no test looks at it."""

SCORING_MARK = sa.Table(
    "scoring_mark",
    metadata,
    sa.Column("vertical", Id, primary_key=True),
    sa.Column("stage", Id, primary_key=True),
    sa.Column("last_id", Id, nullable=False),
    sa.Column("at", _Moment, nullable=False),
)
"""How far a vertical's leads are counted, by stage: fresh, early, full. Locked by whoever counts on."""

SCORING_WATCH = sa.Table(
    "scoring_watch",
    metadata,
    sa.Column("vertical", Id, primary_key=True),
    sa.Column("at", _Moment, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""What was last measured of a vertical, made anew from the days after each count."""

SCORING_ALERT = sa.Table(
    "scoring_alert",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("vertical", Id, nullable=False),
    sa.Column("kind", Id, nullable=False),
    sa.Column("model", Id, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("severity", Id, nullable=False),
    sa.Column("says", sa.Text, nullable=False),
    sa.Column("since", _Moment, nullable=False),
    sa.Column("seen", _Moment, nullable=False),
    sa.Column("ended", _Moment, nullable=True),
    sa.Column("acknowledged", _Moment, nullable=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("to", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Index("scoring_alert_since", "since"),
    sa.Index(
        "scoring_alert_standing",
        "vertical",
        "kind",
        "model",
        "subject",
        unique=True,
        postgresql_where=sa.text("ended IS NULL"),
    ),
)
"""One row an alert. Of one that tells of a roll-back, ``to`` is what decides since and ``revision`` which change of the
records it was; nothing and 0 of all others."""
