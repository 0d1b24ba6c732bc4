"""what people rule about persons"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "person_ruling",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("low", sa.Text(collation="C"), nullable=False),
        sa.Column("high", sa.Text(collation="C"), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("bits", sa.Double(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("person_ruling_by_high", "person_ruling", ["high"], unique=False)
    op.create_index("person_ruling_by_low", "person_ruling", ["low"], unique=False)
    op.add_column("person", sa.Column("prospect", sa.Text(collation="C"), nullable=True))
    op.create_index(
        "person_by_prospect", "person", ["prospect"], unique=False, postgresql_where=sa.text("prospect IS NOT NULL")
    )
