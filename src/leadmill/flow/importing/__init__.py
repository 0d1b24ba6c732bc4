"""Files of leads through the whole walk, block by block, exactly once.

Called by ``leadmill import`` and by the worker for files uploaded in the console. Takes a file and its map, gives a
summary. A block's leads, its faults and how much of it is taken are one transaction: stopped at any point and started
again, a file goes on where it was, and no row is taken twice, by however many processes.

- ``model``: a portion of a file, its summary, who else may walk portions.
- ``runs``: beginning, ending and summing up; ``handing``: who gets which portion; ``walking``: a portion's walk.
"""

from leadmill.flow.importing.model import Hand, HandLost, Portion, Row, Summary, Work
from leadmill.flow.importing.runs import begin_import, fail_import, import_file
from leadmill.flow.importing.walking import walk_portions

__all__ = [
    "Hand",
    "HandLost",
    "Portion",
    "Row",
    "Summary",
    "Work",
    "begin_import",
    "fail_import",
    "import_file",
    "walk_portions",
]
