"""Persons, the keyed hashes by which they are known or looked for, whom they may be, and what they lately wanted.

Nothing here says who anybody is: contact details and traits stand only as keyed hashes or sealed, and the data key is
wrapped.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

PERSON = sa.Table(
    "person",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("wrapped_key", sa.LargeBinary),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("forgotten_at", _TIME),
    sa.Column("profile", sa.LargeBinary),
    sa.Column("blocks", sa.LargeBinary),
    sa.Column("prospect", Id),
)
"""One row a person. ``wrapped_key`` is null once the person was forgotten; ``profile`` is what they have shown, sealed
with their key, and ``blocks`` the hashes of the partial keys they are found under, eight bytes each; both are null for
a person who showed nothing to compare. ``prospect`` is the lowest id of the persons who are held to be one with this
one, by people's rulings; null for who is alone."""

sa.Index("person_by_prospect", PERSON.c.prospect, postgresql_where=PERSON.c.prospect.is_not(None))

sa.Index("person_forgotten", PERSON.c.forgotten_at, postgresql_where=PERSON.c.forgotten_at.is_not(None))

PERSON_KEY = sa.Table(
    "person_key",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("added_at", _TIME, nullable=False),
    sa.Column("others", ARRAY(Id)),
)
"""Whose a keyed hash is: of the first who brought it and, where several persons share it, of ``others`` in their order.
The primary key is what makes claims exact: of two transactions that bring the same new address, the second waits for
the first. The row is locked by whoever decides about it."""

sa.Index("person_key_by_person", PERSON_KEY.c.person_id)
sa.Index(
    "person_key_by_others",
    PERSON_KEY.c.others,
    postgresql_using="gin",
    postgresql_where=PERSON_KEY.c.others.is_not(None),
)

PERSON_BLOCK = sa.Table(
    "person_block",
    metadata,
    sa.Column("hash", sa.BigInteger, primary_key=True),
    sa.Column("persons", ARRAY(Id), nullable=False),
)
"""Who shares a partial key, by its keyed hash. One row a key, so that it can be claimed and locked as a whole: of two
transactions that bring the same new person, the second waits for the first, and then finds it. A row with as many
persons as are looked at tells nobody apart; it takes no more, and is no longer locked or read."""

HOUSEHOLD_LINK = sa.Table(
    "household_link",
    metadata,
    sa.Column("low", Id, primary_key=True),
    sa.Column("high", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("shares", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
)
"""Two persons, the lower id first, who share something and are not one: ``kind`` is ``household`` where they bear one
name or live at one address, else ``shared``; ``shares`` is what made them meet: phone, e-mail or address."""

sa.Index("household_link_by_high", HOUSEHOLD_LINK.c.high)

SUGGESTION = sa.Table(
    "person_suggestion",
    metadata,
    sa.Column("low", Id, primary_key=True),
    sa.Column("high", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("bits", sa.Double, nullable=False),
    sa.Column("evidence", sa.LargeBinary, nullable=False),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("at", _TIME, nullable=False),
)
"""Two persons, the lower id first, who may be one. ``kind`` is ``bridge`` where one lead is surely both persons', and
``possible`` where they only look alike; ``bits`` and ``evidence`` (fields, levels and bits, no values) say how much;
``lead_id`` is the lead that showed it. Rows stay until somebody decides."""

sa.Index("person_suggestion_by_high", SUGGESTION.c.high)

PERSON_RULING = sa.Table(
    "person_ruling",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("low", Id, nullable=False),
    sa.Column("high", Id, nullable=False),
    sa.Column("says", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("bits", sa.Double),
    sa.Column("evidence", sa.LargeBinary, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("ended_at", _TIME),
    sa.Column("ended_by", sa.Text),
    sa.Column("ended_why", sa.Text),
)
"""What somebody ruled of two persons, the lower id first: that they are ``one`` or ``two``. ``kind``, ``bits`` and
``evidence`` are what had been suggested of them then. A ruling that was taken back is kept."""

sa.Index("person_ruling_by_low", PERSON_RULING.c.low)
sa.Index("person_ruling_by_high", PERSON_RULING.c.high)

INTEREST = sa.Table(
    "interest",
    metadata,
    sa.Column("person_id", Id, primary_key=True),
    sa.Column("vertical", sa.Text, primary_key=True),
    sa.Column("at", _TIME, primary_key=True),
    sa.Column("lead_id", Id, primary_key=True),
)
"""What a person wanted when, duplicates and tests left out: what a later lead is a duplicate of."""
