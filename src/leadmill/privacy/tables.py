"""Requests, what happened to them, what is kept of somebody who was deleted, and how often forms were sent.

Nothing here says who anybody is: contact details stand as keyed hashes, all else sealed under keys that can be let go
of.
"""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

PRIVACY_REQUEST = sa.Table(
    "privacy_request",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("home", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("agent", sa.Boolean, nullable=False),
    sa.Column("received_at", _TIME, nullable=False),
    sa.Column("confirm_due_at", _TIME, nullable=False),
    sa.Column("answer_due_at", _TIME, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("citation", sa.Text, nullable=False),
    sa.Column("packs", sa.Text, nullable=False),
    sa.Column("due_at", _TIME),
    sa.Column("person_id", Id),
    sa.Column("email", sa.LargeBinary),
    sa.Column("phone", sa.LargeBinary),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("wrapped_key", sa.LargeBinary),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("acknowledged_at", _TIME),
    sa.Column("confirmed_at", _TIME),
    sa.Column("extended_at", _TIME),
    sa.Column("decided_at", _TIME),
    sa.Column("decided_by", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("ground", sa.Text),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("certificate", sa.LargeBinary),
    sa.Column("appealed_at", _TIME),
    sa.Column("appeal_due_at", _TIME),
    sa.Column("appeal_decided_at", _TIME),
    sa.Column("appeal_granted", sa.Boolean),
)
"""One row a request. ``home`` is the state where the person says they live, empty where nobody asked. ``email`` and
``phone`` are keyed hashes. ``sealed`` (what they wrote) and ``answer`` open with ``wrapped_key``, the request's own;
once that is null the record still says what was asked and when it was answered. ``rule``, ``citation`` and ``packs``
(the packs' digest) say by which law the clocks were set; ``ground`` is why it was refused. ``certificate`` is what a
deletion did, and holds nothing personal."""

sa.Index("privacy_request_due", PRIVACY_REQUEST.c.due_at, postgresql_where=PRIVACY_REQUEST.c.due_at.is_not(None))
sa.Index("privacy_request_by_state", PRIVACY_REQUEST.c.state, PRIVACY_REQUEST.c.id)
sa.Index(
    "privacy_request_by_person", PRIVACY_REQUEST.c.person_id, postgresql_where=PRIVACY_REQUEST.c.person_id.is_not(None)
)

PRIVACY_NOTE = sa.Table(
    "privacy_note",
    metadata,
    sa.Column("request_id", Id, primary_key=True),
    sa.Column("no", sa.Integer, primary_key=True),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("note", sa.LargeBinary),
)
"""What happened to a request, in order. ``note`` is what somebody wrote about it, sealed with the request's key."""

PRIVACY_RETAINED = sa.Table(
    "privacy_retained",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("request_id", Id, nullable=False),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("until", _TIME, nullable=False),
    sa.Column("wrapped_key", sa.LargeBinary),
    sa.Column("sealed", sa.LargeBinary),
    sa.UniqueConstraint("request_id", "lead_id", "basis", name="privacy_retained_once"),
)
"""The least proof that the law has one keep of somebody who was deleted, each under a key of its own: ``basis`` names
the ground, ``until`` when it ends."""

sa.Index(
    "privacy_retained_until", PRIVACY_RETAINED.c.until, postgresql_where=PRIVACY_RETAINED.c.wrapped_key.is_not(None)
)

PRIVACY_TRY = sa.Table(
    "privacy_try",
    metadata,
    sa.Column("subject", sa.LargeBinary, primary_key=True),
    sa.Column("since", _TIME, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
)
"""How many forms came from a network address, or named a contact detail, both as keyed hashes, since a moment."""
