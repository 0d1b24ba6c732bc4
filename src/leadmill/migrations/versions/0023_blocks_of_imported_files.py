"""blocks of imported files"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_table(
        "import_block",
        sa.Column("import_id", sa.Text(collation="C"), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "block"),
    )
    # An import that was stopped goes on where it was: blocks of 200 rows, all counts with the first.
    op.execute(
        "INSERT INTO import_block SELECT r.id, b, least(200, r.next_row - b * 200),"
        " CASE WHEN b = 0 THEN r.counts ELSE '{}' END"
        " FROM import_run r, generate_series(0, (r.next_row - 1) / 200) b WHERE r.state <> 'done' AND r.next_row > 0"
    )
