"""bids and pauses"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "ping_pause",
        sa.Column("buyer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("round_no", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("buyer_id"),
    )
    op.add_column("delivery", sa.Column("bid_ref", sa.Text(), nullable=True))
    op.create_index("lead_bidding", "lead", ["id"], unique=False, postgresql_where=sa.text("state = 'bidding'"))
