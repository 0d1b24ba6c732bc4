"""acts under seal"""

import secrets

import sqlalchemy as sa
from alembic import op

from leadmill.core.ids import make_id

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.add_column("access_act", sa.Column("id", sa.Text(collation="C"), nullable=True))
    # Acts that were written down before get an id of their moment, as they would have had.
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT ctid::text AS place, at FROM access_act ORDER BY at")).all()
    for place, at in rows:
        connection.execute(
            sa.text("UPDATE access_act SET id = :id WHERE ctid = CAST(:place AS tid) AND id IS NULL"),
            {"id": make_id("act", at, secrets.randbits(74)), "place": place},
        )
    op.alter_column("access_act", "id", nullable=False)
    op.create_primary_key("access_act_pkey", "access_act", ["id"])
