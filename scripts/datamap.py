"""Writes docs/data-map.md from the schema and its notes. Run after adding, changing or dropping a table or a column."""

import sys
from itertools import groupby
from pathlib import Path

import leadmill.interfaces.personal
import leadmill.main
from leadmill.privacy import KINDS_OF_DATA, columns_of, read_notes, read_terms, schema
from leadmill.runtime.packs import load_packs

HEAD = """# Data map

Every column of every table: what it holds, of whom, why and for how long. The kinds are these.

{kinds}

How long things stay follows the schedules that come with Leadmill; [retention.md](retention.md) says how a business
changes them. Where data goes depends on a business's buyers and providers: `leadmill privacy data-map --json` and the
console's page say it for yours. What is sealed of a person is read by nobody once the person is forgotten, whatever
stands here.

This page is written from the schema and `src/leadmill/privacy/datamap/columns.toml` by `python scripts/datamap.py`.
"""


def page() -> str:
    """The page."""
    assert leadmill.main.cli is not None  # with the whole program every table has been described
    assert leadmill.interfaces.personal.map_now is not None
    notes = read_notes()
    columns = columns_of(schema(), read_terms(load_packs()))
    parts = [HEAD.format(kinds="\n".join(f"- **{kind}**: {says}" for kind, says in KINDS_OF_DATA.items()))]
    for table, group in groupby(columns, key=lambda one: one.table):
        rows = list(group)
        parts.append(f"\n## {table}\n\n{notes[table].why}. Of {notes[table].whose}. Stays: {rows[0].stays}.\n\n")
        parts.append("| column | type | kind |\n| --- | --- | --- |\n")
        parts += [
            f"| `{one.name}` | {one.type} | {one.kind}{f': {one.holds}' if one.holds else ''} |\n" for one in rows
        ]
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page()) if "--show" in sys.argv else Path("docs/data-map.md").write_text(page(), encoding="utf-8")
