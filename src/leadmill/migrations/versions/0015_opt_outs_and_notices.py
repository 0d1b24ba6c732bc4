"""opt-outs and notices"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "opt_out",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(collation="C"), nullable=True),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("enforced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "opt_out_by_person", "opt_out", ["person_id"], unique=False, postgresql_where=sa.text("person_id IS NOT NULL")
    )
    op.create_index("opt_out_doubtful", "opt_out", ["id"], unique=False, postgresql_where=sa.text("state = 'review'"))
    op.create_table(
        "opt_out_lead",
        sa.Column("opt_out_id", sa.Text(collation="C"), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("opt_out_id", "lead_id"),
    )
    op.create_index("opt_out_lead_by_lead", "opt_out_lead", ["lead_id"], unique=False)
    op.create_table(
        "opt_out_notice",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("opt_out_id", sa.Text(collation="C"), nullable=False),
        sa.Column("sale_id", sa.Text(collation="C"), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("recipient", sa.Text(collation="C"), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tells", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("opt_out_id", "sale_id", name="opt_out_notice_once"),
    )
    op.create_index("opt_out_notice_by_lead", "opt_out_notice", ["lead_id"], unique=False)
    op.create_index("opt_out_notice_by_recipient", "opt_out_notice", ["recipient", "id"], unique=False)
    op.create_index(
        "opt_out_notice_open",
        "opt_out_notice",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state <> 'acknowledged'"),
    )
    op.add_column("suppression", sa.Column("opt_out_id", sa.Text(collation="C"), nullable=True))
    op.create_index(
        "suppression_by_opt_out",
        "suppression",
        ["opt_out_id", "hash"],
        unique=False,
        postgresql_where=sa.text("opt_out_id IS NOT NULL"),
    )
