"""Boosted trees at work: LightGBM's library, called as it is, without its Python package.

That package loads scipy, and pandas and scikit-learn where they are: a second and a hundred megabytes for what a walk
needs of it, one C function. Called by :mod:`leadmill.learning.scoring`; training has the whole package.
"""

import ctypes
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadmill.core.faults import Permanent

_RAW, _CONTRIBUTIONS = 1, 3  # C_API_PREDICT_RAW_SCORE, C_API_PREDICT_CONTRIB
_FLOAT64 = 1  # C_API_DTYPE_FLOAT64
_PLAIN = b"num_threads=1 predict_disable_shape_check=false"


@cache
def _library() -> Any:
    """LightGBM's shared library. Raises :class:`Permanent` ``learning.trees.missing``."""
    spec = importlib.util.find_spec("lightgbm")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        for name in ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll", "Release/lib_lightgbm.dll"):
            path = Path(place, "lib", name)
            if path.is_file():
                try:
                    library = ctypes.CDLL(str(path))
                except OSError:
                    raise Permanent(
                        "learning.trees.missing",
                        "LightGBM does not load; on Debian it needs the package libgomp1 (apt-get install libgomp1)",
                    ) from None
                library.LGBM_GetLastError.restype = ctypes.c_char_p
                return library
    raise Permanent("learning.trees.missing", "LightGBM is not installed: pip install lightgbm")


def _check(status: int) -> None:
    if status:
        raise Permanent("learning.trees.broken", _library().LGBM_GetLastError().decode("utf-8", "replace")[:200])


class Trees:
    """Trees read from LightGBM's own text. Not for two threads at once: one buffer serves every row."""

    def __init__(self, text: bytes, features: int) -> None:
        """Raises :class:`Permanent` ``learning.trees.missing`` and ``learning.trees.broken``."""
        self._library = _library()
        self._features = features
        self._booster = ctypes.c_void_p()
        rounds = ctypes.c_int(0)
        _check(
            self._library.LGBM_BoosterLoadModelFromString(
                ctypes.c_char_p(text + b"\0"), ctypes.byref(rounds), ctypes.byref(self._booster)
            )
        )
        expected = ctypes.c_int(0)
        _check(self._library.LGBM_BoosterGetNumFeature(self._booster, ctypes.byref(expected)))
        if expected.value != features:
            raise Permanent("learning.trees.broken", f"the trees read {expected.value} features, the model {features}")
        self.row = (ctypes.c_double * features)()
        """Where a row's features are written before it is asked for."""
        self._found = (ctypes.c_double * 1)()
        self._shares = (ctypes.c_double * (features + 1))()
        self._length = ctypes.c_int64(0)
        self._raw = self._fast(_RAW)
        self._contributions = self._fast(_CONTRIBUTIONS)
        self._call = self._library.LGBM_BoosterPredictForMatSingleRowFast
        self._arguments = (self._raw, self.row, ctypes.byref(self._length), self._found)

    def _fast(self, kind: int) -> ctypes.c_void_p:
        made = ctypes.c_void_p()
        _check(
            self._library.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster, kind, 0, -1, _FLOAT64, ctypes.c_int32(self._features), _PLAIN, ctypes.byref(made)
            )
        )
        return made

    def sum_of_row(self) -> float:
        """The sum of the trees, in log-odds, for what stands in ``row``."""
        _check(self._call(*self._arguments))
        return self._found[0]

    def shares_of_row(self) -> list[float]:
        """Each feature's exact Shapley share of that sum (TreeSHAP), and the sum for nothing known as the last."""
        _check(self._call(self._contributions, self.row, ctypes.byref(self._length), self._shares))
        return list(self._shares)

    def sums(self, rows: NDArray[np.float64], threads: int) -> NDArray[np.float64]:
        """The sum of the trees for many rows."""
        return self._many(rows, _RAW, 1, threads)[:, 0]

    def shares(self, rows: NDArray[np.float64], threads: int) -> NDArray[np.float64]:
        """Shares as :meth:`shares_of_row`, a line for each row."""
        return self._many(rows, _CONTRIBUTIONS, self._features + 1, threads)

    def _many(self, rows: NDArray[np.float64], kind: int, width: int, threads: int) -> NDArray[np.float64]:
        given = np.ascontiguousarray(rows, dtype=np.float64)
        found = np.empty((len(given), width), dtype=np.float64)
        if not len(given):
            return found
        _check(
            self._library.LGBM_BoosterPredictForMat(
                self._booster,
                given.ctypes.data_as(ctypes.c_void_p),
                _FLOAT64,
                ctypes.c_int32(len(given)),
                ctypes.c_int32(self._features),
                1,
                kind,
                0,
                -1,
                f"num_threads={threads}".encode(),
                ctypes.byref(self._length),
                found.ctypes.data_as(ctypes.c_void_p),
            )
        )
        return found

    def __del__(self) -> None:
        library = getattr(self, "_library", None)
        if library is None:
            return
        for made in ("_raw", "_contributions"):
            if hasattr(self, made):
                library.LGBM_FastConfigFree(getattr(self, made))
        if self._booster.value:
            library.LGBM_BoosterFree(self._booster)
