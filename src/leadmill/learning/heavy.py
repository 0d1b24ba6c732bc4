"""Libraries that only training loads: scipy and LightGBM's package, a second and a hundred megabytes between them.

scipy's linear algebra splits even vectors of a few dozen numbers over all processors and waits for them: a fit of the
additive model took forty times as long so. It is told to use one, which it only hears before it is loaded.
"""

import importlib
import os
from typing import Any

from leadmill.core.faults import Permanent

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "1")


def scipy(part: str) -> Any:
    """A part of scipy."""
    os.environ.setdefault(*_ONE_THREAD)
    return importlib.import_module(f"scipy.{part}")


def lightgbm() -> Any:
    """LightGBM's package. Raises :class:`Permanent` ``learning.trees.missing``."""
    os.environ.setdefault(*_ONE_THREAD)
    try:
        return importlib.import_module("lightgbm")
    except (ImportError, OSError):
        raise Permanent(
            "learning.trees.missing",
            "LightGBM does not load: pip install lightgbm; on Debian also apt-get install libgomp1",
        ) from None
