"""The data map: what every column of every table holds, of whom, why, where it goes and how long it stays.

Drawn from the schema itself and the notes of ``columns.toml`` beside it; a column without a note is a fault. Where data
goes is read from the buyers' deliveries, the providers' declarations and the cards of plug-ins.
"""

from leadmill.privacy.datamap.model import KINDS, Column, DataMap, FieldUse, Goes, TableNote
from leadmill.privacy.datamap.rules import columns_of, draw_map, leaves, read_notes, unnoted
from leadmill.privacy.datamap.store import schema

__all__ = [
    "KINDS",
    "Column",
    "DataMap",
    "FieldUse",
    "Goes",
    "TableNote",
    "columns_of",
    "draw_map",
    "leaves",
    "read_notes",
    "schema",
    "unnoted",
]
