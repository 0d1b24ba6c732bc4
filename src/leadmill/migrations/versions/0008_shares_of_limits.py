"""shares of limits"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "account_lease",
        sa.Column("account", sa.Text(collation="C"), nullable=False),
        sa.Column("holder", sa.Text(collation="C"), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "holder"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("account_lease_by_holder", "account_lease", ["holder"], unique=False)
    op.create_table(
        "lease_holder",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "limit_lease",
        sa.Column("scope", sa.Text(collation="C"), nullable=False),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.Text(collation="C"), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_leads", sa.BigInteger(), nullable=False),
        sa.Column("granted_spend", sa.BigInteger(), nullable=False),
        sa.Column("used_leads", sa.BigInteger(), nullable=False),
        sa.Column("used_spend", sa.BigInteger(), nullable=False),
        sa.Column("of_leads", sa.Boolean(), nullable=False),
        sa.Column("of_spend", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "per", "starts", "holder"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("limit_lease_by_holder", "limit_lease", ["holder"], unique=False)
