"""what comes back from addresses and numbers"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "hygiene_seen",
        sa.Column("point", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("lead_source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("point", "digest"),
    )
    op.create_index("hygiene_seen_by_lead", "hygiene_seen", ["lead_id"], unique=False)
    op.create_index("hygiene_seen_by_time", "hygiene_seen", ["heard_at"], unique=False)
    op.create_table(
        "lead_look",
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lead_id"),
    )
    op.create_index("lead_look_by_schedule", "lead_look", ["schedule", "at"], unique=False)
