"""Run by Alembic for every command; the connection comes with the configuration, made by ``runtime.migrate``."""

from alembic import context

from leadmill.runtime.db import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
