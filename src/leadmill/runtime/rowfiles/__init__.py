"""Files of rows, read one by one: CSV, XLSX, JSON lines and Parquet, in constant memory.

Has never heard of leads: ``capture`` reads files of leads through it, ``leadmill resolve`` any table of persons. What
kind of file it is, its encoding and its delimiter are found out from its bytes, never from its name. A row that cannot
be read comes out as a :class:`RowFault` with its line and what to do; the rest of the file goes on. A file that cannot
be read at all raises ``BadInput`` before the first row. The codes began with the files of leads and are named after
them; a code never changes.
"""

from leadmill.runtime.rowfiles.model import Layout, Opened, RowFault, Shape
from leadmill.runtime.rowfiles.reading import count_rows, digest_file, open_rows
from leadmill.runtime.rowfiles.shape import shape_of
from leadmill.runtime.rowfiles.whole import Sheet, Tick, leaves_of, read_whole, text_of

__all__ = [
    "Layout",
    "Opened",
    "RowFault",
    "Shape",
    "Sheet",
    "Tick",
    "count_rows",
    "digest_file",
    "leaves_of",
    "open_rows",
    "read_whole",
    "shape_of",
    "text_of",
]
