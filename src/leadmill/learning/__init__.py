"""Learning from tables: what a row's outcome will be, how likely, and why. Knows no leads.

Takes columns of any kind with an outcome; gives a model in a folder of plain files, verified by its digest. Scoring a
row is the light part, which a walk may stand on: ``read_model`` loads neither the training libraries nor the file
readers. Whether later rows are still like those it learned from, ``drifts_of``, ``psi`` and the tests that may be
looked at whenever say. ``leadmill scoring`` trains; :mod:`leadmill.learning.service` has its verbs.
"""

from leadmill.learning.artefact import free, pack_model, read_model, unpack_model
from leadmill.learning.drifting import Drifts, Reference, drifts_of, psi, psi_by_chance
from leadmill.learning.model import Calibration, Column, Form, Kind, Limits, Reason, Scored
from leadmill.learning.scoring import Model
from leadmill.learning.sequential import (
    either_way,
    mean_interval,
    rates_evidence,
    shift_evidence,
    since_each_day,
    whenever,
)

__all__ = [
    "Calibration",
    "Column",
    "Drifts",
    "Form",
    "Kind",
    "Limits",
    "Model",
    "Reason",
    "Reference",
    "Scored",
    "drifts_of",
    "either_way",
    "free",
    "mean_interval",
    "pack_model",
    "psi",
    "psi_by_chance",
    "rates_evidence",
    "read_model",
    "shift_evidence",
    "since_each_day",
    "unpack_model",
    "whenever",
]
