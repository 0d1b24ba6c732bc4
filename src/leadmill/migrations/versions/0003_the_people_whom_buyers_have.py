"""the people whom buyers have"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "known_person",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("buyer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_index("known_person_buyer", "known_person", ["buyer_id", "kind"], unique=False)
