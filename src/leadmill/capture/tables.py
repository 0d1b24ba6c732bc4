"""The tables of capture: sealed submissions, and imports with the rows they could not take."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

SUBMISSION = sa.Table(
    "submission",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("lead_id", Id, nullable=False),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("source_id", Id, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("submission_lead", "lead_id"),
    sa.Index("submission_person", "person_id"),
)

IMPORT_RUN = sa.Table(
    "import_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("file_digest", sa.Text, nullable=False),
    sa.Column("map_digest", sa.Text, nullable=False),
    sa.Column("source_id", Id, nullable=False),
    sa.Column("vertical", sa.Text, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("total", sa.BigInteger),
    sa.Column("next_row", sa.BigInteger, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
    sa.Column("errors_file", sa.Text),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    # What makes starting an import twice one import.
    sa.Index("import_run_once", "file_digest", "map_digest", "source_id", "vertical", unique=True),
)

IMPORT_BLOCK = sa.Table(
    "import_block",
    metadata,
    sa.Column("import_id", Id, primary_key=True),
    sa.Column("block", sa.BigInteger, primary_key=True),
    sa.Column("taken", sa.BigInteger, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
)
"""Which rows of a file were taken, written with their leads: the blocks may be taken by several processes at once."""

IMPORT_FAULT = sa.Table(
    "import_fault",
    metadata,
    sa.Column("import_id", Id, primary_key=True),
    sa.Column("line", sa.BigInteger, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)
