"""The proof of what happened, beside the journal: rows under seal, signed checkpoints, and the file that shows both.

``covers`` says which rows are sealed, ``keeping`` has the worker seal and sign, ``export`` writes the file that a third
party checks without us (``docs/verify_offline.py``).
"""

from leadmill.flow.audit.covers import COVERS
from leadmill.flow.audit.export import Exported, export
from leadmill.flow.audit.keeping import keep_proof
from leadmill.flow.audit.store import Handed, handed_of

__all__ = ["COVERS", "Exported", "Handed", "export", "handed_of", "keep_proof"]
