"""quality tiers of leads"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.add_column("lead", sa.Column("tier", sa.Text(), nullable=True))
    op.add_column("lead", sa.Column("suspicion", sa.SmallInteger(), nullable=True))
    # Until now every vertical had these tiers.
    op.execute(
        "UPDATE lead SET tier = CASE WHEN score >= 80 THEN 'A' WHEN score >= 60 THEN 'B' WHEN score >= 40 THEN 'C'"
        " WHEN score >= 20 THEN 'D' ELSE 'E' END WHERE score IS NOT NULL"
    )
