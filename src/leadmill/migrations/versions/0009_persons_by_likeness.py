"""persons by likeness"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "household_link",
        sa.Column("low", sa.Text(collation="C"), nullable=False),
        sa.Column("high", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shares", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("low", "high"),
    )
    op.create_index("household_link_by_high", "household_link", ["high"], unique=False)
    op.create_table(
        "person_block",
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("persons", postgresql.ARRAY(sa.Text(collation="C")), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "person_suggestion",
        sa.Column("low", sa.Text(collation="C"), nullable=False),
        sa.Column("high", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bits", sa.Double(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("low", "high"),
    )
    op.create_index("person_suggestion_by_high", "person_suggestion", ["high"], unique=False)
    op.add_column("person", sa.Column("profile", sa.LargeBinary(), nullable=True))
    op.add_column("person", sa.Column("blocks", sa.LargeBinary(), nullable=True))
    op.drop_column("person", "name")
    op.add_column("person_key", sa.Column("others", postgresql.ARRAY(sa.Text(collation="C")), nullable=True))
    op.create_index(
        "person_key_by_others",
        "person_key",
        ["others"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("others IS NOT NULL"),
    )
