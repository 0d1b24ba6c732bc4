"""What the rest of the day will bring: past days' leads that come later than now, weighted by what today shows.

Called by ``shadow`` before it solves for prices. Three things are read off today: how many leads come (the last two
hours against the same hours of past days, around the day's own ratio), of what kind (by source, vertical, place and
score), and how the score drifts. Without past days a usual day's curve stands in, and today's own leads are the
sample. Pure; moments are seconds since the plan's day began.
"""

from typing import cast

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY = 86_400.0
HOUR = 3600.0

USUAL = np.array([2, 1.5, 1, 1, 1, 1.5, 3, 5, 8, 10, 11, 11, 11, 11, 11, 11, 11, 11, 10, 10, 10, 9, 6, 4], float)
"""A consumer web day, hour by hour, where no past day tells better: quiet nights, a plateau from nine to nine."""

WINDOWS = (0.25 * HOUR, 0.5 * HOUR, 1 * HOUR, 2 * HOUR)
"""What counts as the last hours: the longest of these, or one in which the number of leads has plainly jumped."""
SURE = 4.0
MOST_OWN = 0.9
_ENOUGH = 100
SHRINK = 60.0
"""How many leads the past speaks for where the last hours speak against it."""
EXCESS, SHORTFALL = 1 * HOUR, 48 * HOUR
"""Half-lives: a rush is over soon, a drought lasts."""


class Traffic:
    """Leads in the order they came. ``at`` is when, ``traits`` what kind (one column each: source, vertical, place),
    ``score`` a number that tells quality (0 where there is none)."""

    __slots__ = ("at", "score", "traits")

    def __init__(self, at: Floats, traits: Ints, score: Floats) -> None:
        self.at = at
        self.traits = traits
        self.score = score

    def __len__(self) -> int:
        return len(self.at)


class Outlook:
    """The sample for the rest of the day: ``past`` and ``today`` name leads (rows of either traffic), each with the
    moment it is expected ``at`` and how many leads it stands for."""

    __slots__ = ("at", "lead", "own", "weight")

    def __init__(self, lead: Ints, own: npt.NDArray[np.bool_], at: Floats, weight: Floats) -> None:
        self.lead = lead
        self.own = own
        self.at = at
        self.weight = weight


def look_ahead(
    past: Traffic, days: int, today: Traffic, now: float, random: np.random.Generator, ends: float = DAY
) -> Outlook:
    """The leads expected between ``now`` and ``ends``, from ``days`` past days and today's leads so far."""
    if not days or not len(past):
        return _cold(today, now, random, ends)
    later = np.flatnonzero((past.at >= now) & (past.at < ends))
    at = past.at[later]
    weight = volume(past.at, days, today.at, now, at) / days
    weight = weight * drift(past, today, now, later)
    share = mixed(past, today, now)
    own = np.arange(len(today)) if share > 0 else np.zeros(0, np.int64)
    if not len(own) or not len(later):
        return Outlook(later, np.zeros(len(later), bool), at, weight)
    # Today's own leads stand for their share, at moments drawn as the past has them.
    total = float(weight.sum())
    copies = max(1, min(4, round(len(later) * share / len(own))))
    mine = np.tile(own, copies)
    odds = weight / total
    when = at[random.choice(len(at), len(mine), p=odds)] + random.random(len(mine))
    return Outlook(
        np.concatenate([later, mine]),
        np.concatenate([np.zeros(len(later), bool), np.ones(len(mine), bool)]),
        np.concatenate([at, np.minimum(when, ends - 1e-3)]),
        np.concatenate([weight * (1 - share), np.full(len(mine), total * share / len(mine))]),
    )


def volume(past: Floats, days: int, today: Floats, now: float, at: Floats) -> Floats:
    """How many leads will come for each that came at these later moments: the day's own ratio, and what the last
    hours say beyond it, which fades."""
    whole = (len(today) + SHRINK) / ((past < now).sum() / days + SHRINK)
    recent = 1.0
    surest = SURE
    for window in WINDOWS:
        since = max(0.0, now - window)
        expected = float(((past >= since) & (past < now)).sum()) / days * whole
        seen = float((today >= since).sum())
        sure = abs(seen - expected) / np.sqrt(expected + 1.0)
        if window == WINDOWS[-1] and recent == 1.0:
            recent = (seen + SHRINK) / (expected + SHRINK)
        elif sure > surest:
            # A jump shows best in the window that began with it.
            surest, recent = sure, (seen + 1.0) / (expected + 1.0)
    half = EXCESS if recent > 1 else SHORTFALL
    return cast(Floats, whole * (1 + (recent - 1) * 0.5 ** ((at - now) / half)))


def drift(past: Traffic, today: Traffic, now: float, later: Ints) -> Floats:
    """Weights that tilt later leads by score as today's scores have moved, hour by hour, against the past's: by
    exp(δ(t)·(score − mean)/variance), which shifts a normal law by δ. Each hour keeps its weight."""
    weight = np.ones(len(later))
    if len(today) < _ENOUGH or not len(later):
        return weight
    hour = (past.at // HOUR).astype(np.int64)
    count = np.bincount(hour, minlength=48).astype(float)
    mean = np.bincount(hour, past.score, minlength=48) / np.maximum(count, 1)
    spread = float(np.var(past.score - mean[hour]))
    if spread <= 0:
        return weight
    beyond = today.score - mean[(today.at // HOUR).astype(np.int64)]
    when = today.at / HOUR
    centre = float(when.mean())
    moved = when - centre
    across = float((moved**2).sum())
    level = float(beyond.mean())
    slope = float((beyond * moved).sum()) / across if across > 0 else 0.0
    level *= _believed(level, spread / len(today) + spread / max((past.at < now).sum(), 1))
    slope *= _believed(slope, spread / max(across, 1e-9))
    if level == 0.0 and slope == 0.0:
        return weight
    at = past.at[later] / HOUR
    shift = np.clip(level + slope * (at - centre), -1.5 * spread**0.5, 1.5 * spread**0.5)
    soon = hour[later]
    weight = np.exp(shift * (past.score[later] - mean[soon]) / spread)
    kept = np.bincount(soon, minlength=48) / np.maximum(np.bincount(soon, weight, minlength=48), 1e-9)
    return cast(Floats, weight * kept[soon])


def _believed(estimate: float, variance: float) -> float:
    """How much of an estimate to believe: none of it within three times its noise, nearly all far beyond."""
    square = estimate * estimate / variance if variance > 0 else 0.0
    return max(0.0, 1.0 - 9.0 / square) if square > 9.0 else 0.0


def mixed(past: Traffic, today: Traffic, now: float) -> float:
    """The share of the sample that today's own leads should be: 0 where both halves of today look like the past, and
    the more the surer both differ from it in the same way."""
    count = len(today)
    if count < _ENOUGH:
        return 0.0
    cut = count // 2
    turn = today.at[cut]
    first, second = past.at < turn, (past.at >= turn) & (past.at < now)
    surest = 0.0
    for trait in range(today.traits.shape[1]):
        kinds = int(max(past.traits[:, trait].max(initial=0), today.traits[:, trait].max(initial=0))) + 1
        usual = np.bincount(past.traits[:, trait], minlength=kinds) + 0.5
        usual = usual / usual.sum()
        apart: list[Floats] = []
        noise = 1.0
        for then, mine in ((first, slice(0, cut)), (second, slice(cut, count))):
            here = np.bincount(today.traits[mine, trait], minlength=kinds)
            there = np.bincount(past.traits[then, trait], minlength=kinds)
            apart.append(here / max(here.sum(), 1) - (there + usual) / (there.sum() + 1))
            noise *= 1 / max(here.sum(), 1) + 1 / (there.sum() + 1)
        same = float((apart[0] * apart[1] / usual).sum())
        surest = max(surest, same / np.sqrt(noise * ((1 - usual) ** 2).sum()))
    return float(np.clip(1 - 3 / surest, 0, MOST_OWN)) if surest > 3 else 0.0


def _cold(today: Traffic, now: float, random: np.random.Generator, ends: float) -> Outlook:
    curve = np.concatenate([[0.0], np.cumsum(USUAL / USUAL.sum())])
    hours = np.arange(25) * HOUR
    gone = float(np.interp(now, hours, curve))
    count = len(today)
    if not count:
        nothing = np.zeros(0)
        return Outlook(np.zeros(0, np.int64), np.zeros(0, bool), nothing, nothing)
    left = max(float(np.interp(ends, hours, curve)) - gone, 0.0)
    # The curve is only usual: what it says of the night is believed in proportion to what was seen.
    total = count / max(gone, 0.02) * left
    copies = max(1, min(20, round(3000 / count)))
    lead = np.tile(np.arange(count), copies)
    at = np.interp(gone + random.random(len(lead)) * left, curve, hours)
    return Outlook(lead, np.ones(len(lead), bool), at, np.full(len(lead), total / len(lead)))
