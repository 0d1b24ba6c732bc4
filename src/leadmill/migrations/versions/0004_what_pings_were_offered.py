"""what pings were offered"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "market_quote",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bid", sa.Boolean(), nullable=False),
        sa.Column("used_by", sa.Text(collation="C"), nullable=True),
        sa.Column("frozen", sa.LargeBinary(), nullable=False),
        sa.Column("quote", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("market_quote_by_end", "market_quote", ["expires_at"], unique=False)
    op.create_index("market_quote_by_source", "market_quote", ["source_id", "id"], unique=False)
