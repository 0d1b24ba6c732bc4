"""Learning from tables: what a row's outcome will be, how likely, and why. Knows no leads.

Takes columns of any kind with an outcome; gives a model in a folder of plain files, verified by its digest. Scoring a
row is the light part, which a walk may stand on: ``read_model`` loads neither the training libraries nor the file
readers. ``leadmill scoring`` trains; :mod:`leadmill.learning.service` has its verbs.
"""

from leadmill.learning.artefact import pack_model, read_model, unpack_model
from leadmill.learning.drifting import Drifts, drifts_of
from leadmill.learning.model import Calibration, Column, Form, Kind, Limits, Reason, Scored
from leadmill.learning.scoring import Model

__all__ = [
    "Calibration",
    "Column",
    "Drifts",
    "Form",
    "Kind",
    "Limits",
    "Model",
    "Reason",
    "Scored",
    "drifts_of",
    "pack_model",
    "read_model",
    "unpack_model",
    "unpack_model",
]
