"""Opt-outs, the leads they bear on, and who was told of them. What they suppress stands with policy, as hashes."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

OPT_OUT = sa.Table(
    "opt_out",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("received_at", _TIME, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("person_id", Id),
    sa.Column("lead_id", Id),
    sa.Column("verdict", sa.Text),
    sa.Column("words", sa.LargeBinary),
    sa.Column("enforced_at", _TIME),
    sa.Column("ended_at", _TIME),
    sa.Column("ended_by", sa.Text),
)
"""One row an opt-out: when it was said and when we heard it, how it came, what it closes, by whose hand. ``words`` are
the person's own, sealed with their key; ``entries`` how many hashes it suppresses; ``enforced_at`` when everything
under way had been stopped; ``ended_at`` when a person decided about a doubtful one."""

sa.Index("opt_out_doubtful", OPT_OUT.c.id, postgresql_where=OPT_OUT.c.state == "review")
sa.Index("opt_out_by_person", OPT_OUT.c.person_id, postgresql_where=OPT_OUT.c.person_id.is_not(None))

OPT_OUT_LEAD = sa.Table(
    "opt_out_lead",
    metadata,
    sa.Column("opt_out_id", Id, primary_key=True),
    sa.Column("lead_id", Id, primary_key=True),
)
"""The leads that an opt-out was carried out on. The key is what makes that happen once."""

sa.Index("opt_out_lead_by_lead", OPT_OUT_LEAD.c.lead_id)

NOTICE = sa.Table(
    "opt_out_notice",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("opt_out_id", Id, nullable=False),
    sa.Column("sale_id", Id, nullable=False),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("recipient", Id, nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tells", sa.Integer, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("told_at", _TIME),
    sa.Column("acknowledged_at", _TIME),
    sa.Column("matter", sa.Text, nullable=False, server_default="opted_out"),
    sa.Column("fields", sa.ARRAY(sa.Text)),
    sa.UniqueConstraint("opt_out_id", "sale_id", name="opt_out_notice_once"),
)
"""One row for each recipient who has, or may have, a lead of somebody who opted out, or whose request it has to follow
(``matter``; ``opt_out_id`` is the request's id then, ``fields`` what was corrected). ``tells`` counts how often it was
told, ``code`` is how the last telling ended."""

sa.Index("opt_out_notice_by_lead", NOTICE.c.lead_id)
sa.Index("opt_out_notice_by_recipient", NOTICE.c.recipient, NOTICE.c.id)
sa.Index("opt_out_notice_open", NOTICE.c.id, postgresql_where=NOTICE.c.state != "acknowledged")
