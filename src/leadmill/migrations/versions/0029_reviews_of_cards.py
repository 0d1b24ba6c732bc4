"""reviews of cards"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "scoring_review",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("found", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "scoring_review_of_vertical", "scoring_review", ["vertical", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "scoring_review_waiting",
        "scoring_review",
        ["vertical"],
        unique=True,
        postgresql_where=sa.text("standing = 'waiting'"),
    )
