"""How fast recipients say what became of leads, and which of them no longer do. Pure; called by ``rules``."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadmill.learning import rates_evidence, whenever
from leadmill.scoring.watch.counts import LAG_DAYS, Day, LagDay
from leadmill.scoring.watch.model import Lag, WatchTerms

Floats = NDArray[np.float64]

_SILENT = 0.1
_SLOWER = 0.5


def lags_of(terms: WatchTerms, every: Sequence[tuple[date, Day]], number: int = 1) -> list[Lag]:
    """Every recipient that got leads, by name; the first day that is kept is the ``number``-th ever."""
    names = sorted({name for _, day in every for name in day.lags})
    none = LagDay()
    return [
        _lag(terms, name, [(day, counts.lags.get(name, none)) for day, counts in every], len(names), number)
        for name in names
    ]


def _lag(terms: WatchTerms, name: str, days: Sequence[tuple[date, LagDay]], among: int, number: int) -> Lag:
    full = np.array([each.full for _, each in days]).sum(axis=0)
    leads, answered = int(full.sum()), full[:-1]
    early = np.array([each.early for _, each in days], dtype=float)
    seen = [day for day, each in days if each.early[0]]
    recent = seen[-1] - timedelta(days=terms.span) if seen else date.min
    late = np.array([day > recent for day, _ in days])
    now, before = early[late].sum(axis=0), early[~late].sum(axis=0)
    return Lag(
        recipient=name,
        leads=leads,
        median=_quantile(answered, 0.5),
        ninetieth=_quantile(answered, 0.9),
        silent=float(full[-1] / leads) if leads else 0.0,
        early_before=float(before[1] / before[0]) if before[0] else None,
        early_now=float(now[1] / now[0]) if now[0] else None,
        early_rows=int(now[0]),
        state=_state(terms, early, now, before, among, number),
    )


def _state(
    terms: WatchTerms, early: Floats, now: Floats, before: Floats, among: int, number: int
) -> Literal["few", "steady", "slower", "silent"]:
    if before[0] < _least(terms) or now[0] < _least(terms):
        return "few"
    if not before[1] or now[1] / now[0] > _SLOWER * before[1] / before[0]:
        return "steady"
    upto = np.cumsum(early, axis=0) - early
    since = early.sum(axis=0) - upto
    if whenever(rates_evidence(upto, since), number) < log(among / terms.alpha):
        return "steady"
    return "silent" if now[1] / now[0] <= _SILENT * before[1] / before[0] else "slower"


def _least(terms: WatchTerms) -> float:
    """One recipient of many gets few leads."""
    return max(20.0, terms.least / 10)


def _quantile(counts: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", part: float) -> float | None:
    """The days by which so many had answered, even within a bin; those beyond the last count as its border."""
    whole = counts.sum()
    if not whole:
        return None
    wanted, low = part * whole, 0.0
    for count, high in zip(counts.tolist(), (*LAG_DAYS, LAG_DAYS[-1]), strict=True):
        if wanted <= count:
            return float(low + (high - low) * (wanted / count))
        wanted -= count
        low = float(high)
    return low
