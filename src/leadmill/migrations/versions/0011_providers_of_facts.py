"""providers of facts"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "enrich_answer",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.Text(collation="C"), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("enrich_answer_expires", "enrich_answer", ["expires_at"], unique=False)
    op.create_table(
        "enrich_counter",
        sa.Column("scope", sa.Text(collation="C"), nullable=False),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asks", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("most_asks", sa.BigInteger(), nullable=True),
        sa.Column("most_spent", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "per", "starts"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("enrich_counter_ends", "enrich_counter", ["ends"], unique=False)
    op.create_table(
        "enrich_run",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("topics", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("vertical", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(collation="C"), nullable=False),
        sa.Column("leads", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "enrich_tally",
        sa.Column("provider", sa.Text(collation="C"), nullable=False),
        sa.Column("topic", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(collation="C"), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "topic", "at", "what"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("enrich_tally_at", "enrich_tally", ["at"], unique=False)
