"""Deletion lists that were fetched, and their entries, as keyed hashes that are of use to nobody else."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

_TIME = sa.DateTime(timezone=True)

DROP_PULL = sa.Table(
    "drop_pull",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("done_at", _TIME),
)
"""One row a file, by the SHA-256 of it: taking it again goes on where it stopped."""

DROP_ITEM = sa.Table(
    "drop_item",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("list", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("pull_id", Id, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("done_at", _TIME),
    sa.Column("removed_at", _TIME),
    sa.Column("suppressed", sa.LargeBinary),
)
"""One row a work item, under the platform's own id. ``key`` is a keyed hash of the entry; ``suppressed`` the hash that
stands for it among suppressions, where it has one. Entries stay, found or not: whoever comes later is matched too."""

sa.Index("drop_item_by_key", DROP_ITEM.c.key)
sa.Index("drop_item_by_pull", DROP_ITEM.c.pull_id, DROP_ITEM.c.id)
