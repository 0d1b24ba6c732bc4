"""leads by vertical"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the version before to this one."""
    op.create_index("lead_by_vertical", "lead", ["vertical", "id"], unique=False)
