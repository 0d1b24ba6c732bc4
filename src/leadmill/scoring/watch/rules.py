"""What daily counts say of models at work: how far they drifted, whether chances still hold, who does better.

Pure. Called after each count (:mod:`leadmill.flow.overseeing`). Nothing is called changed that is not both large and
sure: sure by tests that may be looked at daily (:mod:`leadmill.learning.sequential`), whose chance of a false alarm
over the whole life of a model is shared among the columns, pairs or groups that are tested.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import exp, log
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.core.shares import share_interval
from leadmill.learning import (
    Drifts,
    Reference,
    either_way,
    mean_interval,
    psi,
    psi_by_chance,
    rates_evidence,
    shift_evidence,
    since_each_day,
    whenever,
)
from leadmill.scoring.models import DECIDING, ModelRecord
from leadmill.scoring.watch.counts import REACH, Day, GroupDay, ModelDay, horizon_of
from leadmill.scoring.watch.model import (
    Bin,
    Calibrated,
    Compared,
    Group,
    Rate,
    Shift,
    Tenth,
    Watched,
    WatchedVertical,
    WatchTerms,
)
from leadmill.scoring.watch.reporting import lags_of

Floats = NDArray[np.float64]
Days = Sequence[tuple[date, Day]]

_MOVING = 0.1
_MOST_EVIDENCE = 1e12


class Standing(Struct, frozen=True):
    """A model at work: its record, the first day it was heard on, since when it decides (None where it does not), the
    bins of its card and what the card says of the rows held back."""

    record: ModelRecord
    since: date
    decides_since: date | None
    drifts: Drifts | None
    card: Mapping[str, Any]


def decides(record: ModelRecord) -> bool:
    """Whether a model decides about leads."""
    return record.runs and record.state in DECIDING


def measure(
    terms: WatchTerms, standing: Sequence[Standing], days: Mapping[date, Day], before: WatchedVertical | None = None
) -> WatchedVertical:
    """All that is measured of a vertical; ``before`` is what was measured last."""
    every = sorted(days.items())
    began = _began(every, before)
    return WatchedVertical(
        vertical=terms.vertical,
        terms=terms,
        upto=every[-1][0] if every else None,
        models=[_watched(terms, one, every) for one in standing],
        groups=groups_of(terms, standing, every, began),
        compared=_compared(terms, standing, every),
        lags=lags_of(terms, every, number_of(began, every)),
        days=[(day, counts.leads) for day, counts in every],
        began=began,
    )


def _began(every: Days, before: WatchedVertical | None) -> date | None:
    known = [every[0][0]] if every else []
    if before is not None:
        known += [before.began] if before.began is not None else [day for day, _ in before.days[:1]]
    return min(known, default=None)


def _watched(terms: WatchTerms, one: Standing, every: Days) -> Watched:
    record = one.record
    mine = [(day, found) for day, each in every if (found := each.models.get(record.digest)) is not None]
    heard = [(day, found) for day, found in mine if found.score]
    shifts = _shifts(terms, one, heard)
    return Watched(
        model=record.id,
        digest=record.digest,
        vertical=record.vertical,
        state=record.state,
        foresees=record.foresees,
        first=heard[0][0] if heard else None,
        last=heard[-1][0] if heard else None,
        leads=sum(sum(found.score) for _, found in heard),
        score=shifts[0] if shifts else None,
        columns=sorted(shifts[1:], key=lambda shift: (-shift.psi + shift.chance, shift.name)),
        calibration=_calibrated(terms, one, [(day, found) for day, found in mine if found.tenths]),
        why_not="" if one.drifts is not None else "its card does not say what its training data looked like",
        horizon=horizon_of(one.card) or terms.horizon,
    )


# Drift


def _shifts(terms: WatchTerms, one: Standing, heard: Sequence[tuple[date, ModelDay]]) -> list[Shift]:
    if one.drifts is None or not heard:
        return []
    references = one.drifts.references
    number = number_of(one.since, heard)
    recent = heard[-1][0] - timedelta(days=terms.span)
    late = np.array([day > recent for day, _ in heard])
    limit = log(len(references) / terms.alpha)
    found = []
    for place, reference in enumerate(references):
        bins = len(reference.shares)
        # Without its values a lead counts in no column; of another release's card a day may have other bins.
        lines = [
            each.score if place == 0 else (each.columns[place - 1] if len(each.columns) >= place else [])
            for _, each in heard
        ]
        daily = np.array([line if len(line) == bins else [0] * bins for line in lines], dtype=float)
        quiet = reference.name in terms.quiet or reference.name.partition(":")[0] in terms.quiet
        found.append(_shift(terms, reference, daily, late, one.drifts.rows, number, limit, quiet))
    return found


def _shift(
    terms: WatchTerms,
    reference: Reference,
    daily: Floats,
    late: NDArray[np.bool_],
    rows: int,
    number: int,
    limit: float,
    quiet: bool,
) -> Shift:
    shares = np.array(reference.shares)
    now = daily[late].sum(axis=0)
    leads = int(now.sum())
    index, chance = psi(now, shares, rows), psi_by_chance(len(shares), leads, rows)
    evidence = whenever(shift_evidence(since_each_day(daily), shares, rows), number)
    sure, beyond = evidence >= limit, index - chance
    drifted = sure and beyond >= terms.psi
    few = leads < terms.least
    return Shift(
        name=reference.name,
        rows=leads,
        psi=index,
        chance=chance,
        e_value=_told(evidence),
        sure=sure,
        state="few" if few else "drifted" if drifted else "moving" if sure and beyond >= _MOVING else "steady",
        bins=[
            Bin(says, float(then), count / leads if leads else 0.0, int(count))
            for says, then, count in zip(reference.says, shares.tolist(), now.tolist(), strict=True)
        ],
        quiet=quiet,
    )


def number_of(first: date | None, kept: Sequence[tuple[date, Any]]) -> int:
    """Which beginning of a test the first kept day is, where the test began ``first``. Without that the oldest kept
    beginning would weigh as much as all others, anew every day that one before it is let go of."""
    return max((kept[0][0] - first).days, 0) + 1 if kept and first is not None else 1


def _told(evidence: float) -> float:
    return min(exp(min(evidence, 60.0)), _MOST_EVIDENCE)


# Calibration


def _calibrated(terms: WatchTerms, one: Standing, mine: Sequence[tuple[date, ModelDay]]) -> Calibrated | None:
    if not mine:
        return None
    recent = mine[-1][0] - timedelta(days=terms.span)
    late = [found for day, found in mine if day > recent]
    sums = np.array([found.gap for found in late]).sum(axis=0)
    rows = int(sums[0])
    low, high = mean_interval(sums, terms.alpha)
    evidence = whenever(
        either_way(since_each_day(np.array([found.gap for _, found in mine])), 0.0), number_of(one.since, mine)
    )
    now = _tenths(late, one.drifts.edges if one.drifts is not None else ())
    held = one.card.get("holdout", {})
    figures = held.get("figures", {}) if isinstance(held, Mapping) else {}
    return Calibrated(
        rows=rows,
        events=int(sum(each[2] for found in late for each in found.tenths)),
        gap=float(sums[1] / rows) if rows else 0.0,
        gap_low=low,
        gap_high=high,
        error=sum(each.rows * abs(each.expected - each.observed) for each in now) / max(rows, 1),
        error_then=float(figures["ece"]) if "ece" in figures else None,
        e_value=_told(evidence),
        sure=evidence >= log(1 / terms.alpha),
        now=now,
        then=_then(held),
        log_loss=sum(found.loss for found in late) / rows if rows else None,
    )


def _tenths(late: Sequence[ModelDay], edges: Sequence[float]) -> list[Tenth]:
    parts = max(len(found.tenths) for found in late)
    borders = [0.0, *edges, 1.0] if len(edges) + 1 == parts else [step / parts for step in range(parts + 1)]
    found = []
    for place in range(parts):
        rows, chances, events = (
            sum(each.tenths[place][part] for each in late if len(each.tenths) == parts) for part in range(3)
        )
        if rows:
            low, high = share_interval(events, rows)
            ends = borders[place], borders[place + 1]
            found.append(Tenth(*ends, int(rows), chances / rows, events / rows, low, high))
    return found


def _then(held: Any) -> list[Tenth]:
    bands = held.get("calibration", ()) if isinstance(held, Mapping) else ()
    found = []
    for band in bands:
        rows, rate = int(band["rows"]), float(band["rate"])
        low, high = share_interval(rate * rows, rows)
        found.append(Tenth(float(band["low"]), float(band["high"]), rows, float(band["score"]), rate, low, high))
    return found


# Who does better


def _compared(terms: WatchTerms, standing: Sequence[Standing], every: Days) -> list[Compared]:
    names = {one.record.digest: one.record for one in standing}
    pairs: dict[str, Floats] = {}
    for _, day in every:
        for pair, sums in day.pairs.items():
            pairs[pair] = pairs.get(pair, np.zeros(3)) + np.array(sums)
    known = {pair: sums for pair, sums in pairs.items() if all(digest in names for digest in pair.split())}
    found = []
    for pair, whole in sorted(known.items()):
        first, second = (names[digest] for digest in pair.split())
        low, high = mean_interval(whole, terms.alpha / len(known), REACH)
        difference = float(whole[1] / whole[0])
        if _RANK[second.state] > _RANK[first.state]:
            first, second, difference, low, high = second, first, -difference, -high, -low
        better = "model" if low > 0 else "other" if high < 0 else "open"
        told = Compared(first.id, second.id, int(whole[0]), difference, low, high, better)  # type: ignore[arg-type]
        found.append(told)
    return found


_RANK = {"champion": 3, "challenger": 2, "shadow": 1, "candidate": 0}


def groups_of(terms: WatchTerms, standing: Sequence[Standing], every: Days, began: date | None = None) -> list[Group]:
    """How the leads did that each model, or the card, decided about; ``began`` is the first day ever counted."""
    names = {one.record.digest: one.record.id for one in standing}
    sinces = {one.record.digest: one.since for one in standing}
    deciders = sorted({decider for _, day in every for decider in day.groups})
    limit = log(4 * max(len(deciders), 1) / terms.alpha)
    found = []
    for decider in deciders:
        early, full = _sum_of(every, decider)
        since = sinces.get(decider, began)
        late = [(day, counts) for day, counts in every if since is None or day >= since]
        number = number_of(since, late)
        early_mine, early_others = _beside(late, decider, "early", 1)
        mine, others = _beside(late, decider, "full", 2)
        told = {
            "bad": (_evident(early_mine, early_others, number), _evident(early_others, early_mine, number)),
            "converted": (_evident(others, mine, number), _evident(mine, others, number)),
        }
        found.append(
            Group(
                decider=names.get(decider, decider),
                digest=decider if decider in names else "",
                early=rate_of(early[1], early[0]),
                bad=rate_of(full[1], full[0]),
                converted=rate_of(full[2], full[0]),
                worse=[name for name, (worse, _) in told.items() if worse >= limit],
                better=[name for name, (_, better) in told.items() if better >= limit],
            )
        )
    return found


def _sum_of(every: Days, decider: str) -> tuple[list[int], list[int]]:
    mine = [day.groups[decider] for _, day in every if decider in day.groups]
    early = [sum(each.early[part] for each in mine) for part in range(2)]
    return early, [sum(each.full[part] for each in mine) for part in range(3)]


def _beside(every: Days, decider: str, stage: str, part: int) -> tuple[Floats, Floats]:
    """Day by day how many leads of one decider, and how many did; and the same of all others."""
    none = GroupDay()
    mine, others = [], []
    for _, day in every:
        own = getattr(day.groups.get(decider, none), stage)
        rest = [getattr(each, stage) for name, each in day.groups.items() if name != decider]
        mine.append([own[0], own[part]])
        others.append([sum(each[0] for each in rest), sum(each[part] for each in rest)])
    return np.array(mine, dtype=float).reshape(-1, 2), np.array(others, dtype=float).reshape(-1, 2)


def _evident(mine: Floats, others: Floats, number: int) -> float:
    # Days on which only one of them had leads would be held against the other days of the other.
    both = (mine[:, :1] > 0) & (others[:, :1] > 0)
    if not both.any():
        return 0.0
    return whenever(rates_evidence(since_each_day(mine * both), since_each_day(others * both), 0.0), number)


def rate_of(count: int, rows: int) -> Rate:
    """A share with its interval."""
    return Rate(rows, count, count / rows if rows else 0.0, *share_interval(count, rows))


# Bounds


def broken(terms: WatchTerms, one: Standing, days: Mapping[date, Day]) -> str:
    """Which bound a model that decides has certainly broken since it does, in words; nothing where it has none."""
    bounds, since = terms.roll_back, one.decides_since
    if bounds is None or since is None or not decides(one.record) or not bounds.bounds:
        return ""
    every = sorted(days.items())
    late = [(day, counts) for day, counts in every if day >= since]
    limit, number = log(bounds.bounds / terms.alpha), number_of(since, late)
    if bounds.gap is not None:
        own = one.record.digest
        gaps = [(day, found.gap) for day, each in late if (found := each.models.get(own)) and found.gap[0]]
        sums = np.array([gap for _, gap in gaps]).reshape(-1, 3)
        whole = sums.sum(axis=0)
        told = number_of(since, gaps)
        if whole[0] >= terms.least and whenever(either_way(since_each_day(sums), bounds.gap), told) >= limit:
            says = f"what came out is {whole[1] / whole[0]:+.3f} from what it said over {whole[0]:.0f} leads"
            return f"{says}, for sure more than {bounds.gap:g}"
    if bounds.bad_over is not None:
        mine, others, whom = _against(terms, one, every, since, "early", 1)
        if _enough(terms, mine, others) and _sure(mine, others, bounds.bad_over, limit, number):
            return f"{_rates(mine, others, whom)} are bad, for sure more than {bounds.bad_over:g} above"
    if bounds.conversion_under is not None:
        mine, others, whom = _against(terms, one, every, since, "full", 2)
        if _enough(terms, mine, others) and _sure(others, mine, bounds.conversion_under, limit, number):
            return f"{_rates(mine, others, whom)} converted, for sure more than {bounds.conversion_under:g} below"
    return ""


def _against(
    terms: WatchTerms, one: Standing, every: Days, since: date, stage: str, part: int
) -> tuple[Floats, Floats, str]:
    """How a model's leads did day by day, beside those of others on the same days; where there are too few of these,
    beside all before it decided."""
    late = [(day, counts) for day, counts in every if day >= since]
    mine, others = _beside(late, one.record.digest, stage, part)
    both = (mine[:, :1] > 0) & (others[:, :1] > 0)
    if (others * both)[:, 0].sum() >= terms.least:
        return since_each_day(mine * both), since_each_day(others * both), "of the others' on the same days"
    before = [(day, counts) for day, counts in every if day < since]
    _, earlier = _beside(before, one.record.digest, stage, part)
    return since_each_day(mine), np.repeat(earlier.sum(axis=0)[None, :], len(mine), axis=0), "before it decided"


def _enough(terms: WatchTerms, mine: Floats, others: Floats) -> bool:
    return len(mine) > 0 and mine[0, 0] >= terms.least and others[0, 0] >= terms.least


def _sure(higher: Floats, lower: Floats, over: float, limit: float, number: int) -> bool:
    return whenever(rates_evidence(higher, lower, over), number) >= limit


def _rates(mine: Floats, others: Floats, whom: str) -> str:
    return f"{mine[0, 1] / mine[0, 0]:.1%} of its leads against {others[0, 1] / others[0, 0]:.1%} {whom}"
