"""Cases, and what was decided about them. Nothing here says who the lead's person is."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

REVIEW_CASE = sa.Table(
    "review_case",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("says", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("citation", sa.Text, nullable=False),
    sa.Column("score", sa.Integer),
    sa.Column("worth", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("test", sa.Boolean, nullable=False),
    sa.Column("since", _TIME, nullable=False),
    sa.Column("due_at", _TIME, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("sampled", sa.Boolean, nullable=False),
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("holder", Id),
    sa.Column("held_until", _TIME),
    sa.Column("snoozed_until", _TIME),
    sa.Column("first_by", Id),
    sa.Column("second_by", Id),
    sa.Column("decision", sa.Text),
    sa.Column("ground", sa.Text),
    sa.Column("decided_by", Id),
    sa.Column("decided_at", _TIME),
    sa.Column("carry_at", _TIME),
    sa.Column("closed_at", _TIME),
    sa.Column("outcome", sa.Text),
    sa.Column("label", sa.Text),
    sa.Column("override", sa.Boolean, nullable=False),
    sa.Column("told_at", _TIME),
)
"""One row for each time a lead waits for a person. Found by leads that wait, so it can be made anew from them; what it
adds is who has it and what was decided."""

_OPEN = REVIEW_CASE.c.closed_at.is_(None)
sa.Index("review_case_of_lead", REVIEW_CASE.c.lead_id, unique=True, postgresql_where=_OPEN)
sa.Index("review_case_due", REVIEW_CASE.c.due_at, REVIEW_CASE.c.worth.desc(), REVIEW_CASE.c.id, postgresql_where=_OPEN)
sa.Index("review_case_by_lead", REVIEW_CASE.c.lead_id)
sa.Index("review_case_closed", REVIEW_CASE.c.closed_at, postgresql_where=REVIEW_CASE.c.closed_at.is_not(None))

REVIEW_DECISION = sa.Table(
    "review_decision",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("no", sa.Integer, nullable=False),
    sa.Column("by", Id, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("choice", sa.Text, nullable=False),
    sa.Column("ground", sa.Text, nullable=False),
    sa.Column("note", sa.LargeBinary),
    sa.Column("undone_at", _TIME),
)
"""What each person decided. ``note`` is sealed with the key of the lead's person."""

sa.Index("review_decision_of_case", REVIEW_DECISION.c.case_id, REVIEW_DECISION.c.no)
sa.Index("review_decision_by_time", REVIEW_DECISION.c.at)
