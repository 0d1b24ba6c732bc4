"""The schema as the program describes it: every table that has been imported."""

from sqlalchemy.dialects import postgresql

from leadmill.runtime.db import metadata

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def schema() -> dict[str, dict[str, str]]:
    """The columns' types by table and column, in the tables' order."""
    return {
        table.name: {
            column.name: column.type.compile(dialect=_DIALECT).partition(" COLLATE")[0].lower()
            for column in table.columns
        }
        for table in metadata.tables.values()
    }
