"""Record linkage: which records are one person's (or one company's), and how sure that is. Knows no leads.

Takes fields of known kinds; gives levels, weights in bits and, for whole files, clusters. One record against few
others is the scalar part (``prepare``, ``compare``, ``weigh``), which real-time identity stands on; ``consumers()`` and
``census()`` are the model and the name tables to begin with. ``resolve`` tells a whole file's records apart and learns
the model from them.
"""

from leadmill.linkage.consumers import census, consumers
from leadmill.linkage.model import (
    MISSING,
    Bundle,
    Comparison,
    Echo,
    Field,
    Frequencies,
    Kind,
    Level,
    Levels,
    Model,
    Part,
    Swap,
    Weight,
)
from leadmill.linkage.plain import plain, prepare
from leadmill.linkage.resolving import THRESHOLD, Clusters, resolve
from leadmill.linkage.shortnames import canonical_names
from leadmill.linkage.weighing import compare, weigh, weigh_levels
from leadmill.linkage.wording import tell_model

__all__ = [
    "MISSING",
    "THRESHOLD",
    "Bundle",
    "Clusters",
    "Comparison",
    "Echo",
    "Field",
    "Frequencies",
    "Kind",
    "Level",
    "Levels",
    "Model",
    "Part",
    "Swap",
    "Weight",
    "canonical_names",
    "census",
    "compare",
    "consumers",
    "plain",
    "prepare",
    "resolve",
    "tell_model",
    "weigh",
    "weigh_levels",
]
