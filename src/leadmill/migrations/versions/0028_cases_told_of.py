"""cases told of"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.add_column("review_case", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
