"""ways in"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "access_act",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(collation="C"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(collation="C"), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
    )
    op.create_index("access_act_by_time", "access_act", ["at"], unique=False)
    op.create_index("access_act_by_who", "access_act", ["who", "what", "at"], unique=False)
    op.create_table(
        "access_review",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(collation="C"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("operators", sa.Integer(), nullable=False),
        sa.Column("keys", sa.Integer(), nullable=False),
        sa.Column("remarks", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "ceremony",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "outside_identity",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operator.id"],
        ),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("operator_id", sa.Text(collation="C"), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operator.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential"),
    )
    op.create_index("passkey_operator", "passkey", ["operator_id"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("operator_id", sa.Text(collation="C"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operator.id"],
        ),
        sa.PrimaryKeyConstraint("operator_id", "hash"),
    )
    op.create_table(
        "second_factor",
        sa.Column("operator_id", sa.Text(collation="C"), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operator.id"],
        ),
        sa.PrimaryKeyConstraint("operator_id"),
    )
    op.add_column("api_key", sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=True))
    op.add_column("api_key", sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("api_key", sa.Column("per_minute", sa.Integer(), server_default="0", nullable=False))
    op.add_column("api_key", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_key", sa.Column("successor", sa.Text(collation="C"), nullable=True))
    # Nobody can say how the present sessions were begun; whoever has one signs in again.
    op.execute("DELETE FROM session")
    op.add_column("session", sa.Column("id", sa.Text(collation="C"), nullable=False))
    op.add_column("session", sa.Column("stage", sa.Text(), nullable=False))
    op.add_column("session", sa.Column("method", sa.Text(), nullable=False))
    op.add_column("session", sa.Column("address", sa.Text(), nullable=False))
    op.add_column("session", sa.Column("agent", sa.Text(), nullable=False))
    op.add_column("session", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
