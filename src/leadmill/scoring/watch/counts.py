"""What is counted of a day's leads: into which bins they fell, how chances and outcomes compare, who did how well.

Pure. Added to by whoever reads leads (:mod:`leadmill.flow.overseeing`), measured by
:mod:`leadmill.scoring.watch.rules`. A day is that on which a lead was rated. Counts and sums alone are kept, and no
test needs more.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from msgspec import Struct, field

from leadmill.learning import Drifts
from leadmill.scoring.model import Foresees

CARD = "card"
"""Who decided where no model did."""
LAG_DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90)
"""Upper borders of the bins of days until a first final word."""
_EVEN = 0.01
"""How near to nought or one a chance is taken to be in a log-loss that is compared, so that no single lead decides."""
REACH = log((1 - _EVEN) / _EVEN)
"""How far two log-losses of one lead can be apart."""

Outcomes = Mapping[Foresees, bool | None]
"""What came of a lead, None where that is not known."""

Sums = list[float]
"""How many values, their sum, the sum of their squares."""


def _sums() -> Sums:
    return [0.0, 0.0, 0.0]


class ModelDay(Struct):
    """Of one model: leads by tenth of the score and by bin of each column; of leads with an outcome, by tenth, how
    many, the sum of chances, how many came out so; outcomes less chances (``gap``); the sum of log-losses."""

    score: list[int] = []
    columns: list[list[int]] = []
    tenths: list[Sums] = []
    gap: Sums = field(default_factory=_sums)
    loss: float = 0.0


class GroupDay(Struct):
    """Of leads that one model, or the card, decided about and somebody got: how many and how many of them were bad
    within the early span; how many, bad and converted at the horizon."""

    early: list[int] = field(default_factory=lambda: [0, 0])
    full: list[int] = field(default_factory=lambda: [0, 0, 0])


class LagDay(Struct):
    """Of leads that one recipient got: how many and how many it had answered for within the early span; and by days to
    its first final word, the last two being later ones and none at all."""

    early: list[int] = field(default_factory=lambda: [0, 0])
    full: list[int] = field(default_factory=lambda: [0] * (len(LAG_DAYS) + 2))


class Day(Struct):
    """All counts of one vertical's leads of a day. Models and deciders are under their digests, pairs of models under
    both with a space between."""

    leads: int = 0
    models: dict[str, ModelDay] = {}
    groups: dict[str, GroupDay] = {}
    pairs: dict[str, Sums] = {}
    lags: dict[str, LagDay] = {}


class Said(Struct, frozen=True):
    """What a model said of a lead: the chance of what it foresees."""

    digest: str
    foresees: Foresees
    chance: float


def horizon_of(card: Mapping[str, Any]) -> int | None:
    """Within how many days a model foresees something, by its card; None where that does not say."""
    data = card.get("data")
    history = data.get("history") if isinstance(data, Mapping) else None
    days = history.get("horizon_days") if isinstance(history, Mapping) else None
    return days if isinstance(days, int) else None


def add_fresh(day: Day, said: Sequence[Said], values: Mapping[str, Any] | None, drifts: Mapping[str, Drifts]) -> None:
    """Count a lead that was just rated. Without its values (its person was forgotten) only scores are counted."""
    day.leads += 1
    for one in said:
        bins = drifts.get(one.digest)
        if bins is None:
            continue
        mine = day.models.setdefault(one.digest, ModelDay())
        if not mine.score:
            mine.score = [0] * len(bins.references[0].shares)
        if not mine.columns:
            mine.columns = [[0] * len(reference.shares) for reference in bins.references[1:]]
        mine.score[bins.score_bin(one.chance)] += 1
        if values is not None:
            for counts, place in zip(mine.columns, bins.bins(values), strict=True):
                counts[place] += 1


def add_early(day: Day, decider: str, bad: bool, answered: Mapping[str, bool]) -> None:
    """Count a lead whose early span is over: whether it is known to be bad, and which recipients gave a final word."""
    counts = day.groups.setdefault(decider, GroupDay()).early
    counts[0] += 1
    counts[1] += bad
    for recipient, word in answered.items():
        lag = day.lags.setdefault(recipient, LagDay()).early
        lag[0] += 1
        lag[1] += word


def add_full(
    day: Day,
    decider: str,
    said: Sequence[Said],
    outcomes: Outcomes,
    days_to: Mapping[str, float | None],
    edges: Mapping[str, Sequence[float]],
    own: Mapping[str, tuple[int, Outcomes]] | None = None,
) -> None:
    """Count a lead whose horizon is over: what came of it, beside what each model said; ``days_to`` are the days to
    each recipient's first final word, None where it gave none; ``edges`` the borders of each model's tenths. ``own``
    are the outcomes of models that foresee something within other days than the watch's, with those days: such a model
    is held against these, and beside others of the same days only."""
    counts = day.groups.setdefault(decider, GroupDay()).full
    counts[0] += 1
    counts[1] += outcomes.get("bad") is True
    counts[2] += outcomes.get("conversion") is True
    for recipient, days in days_to.items():
        place = len(LAG_DAYS) + 1 if days is None else bisect_right(LAG_DAYS, days)
        day.lags.setdefault(recipient, LagDay()).full[place] += 1
    losses: dict[tuple[Foresees, int], list[tuple[str, float]]] = {}
    for one in sorted(said, key=lambda each: each.digest):
        within, known = (own or {}).get(one.digest, (0, outcomes))
        outcome = known.get(one.foresees)
        if outcome is None:
            continue
        _add_outcome(day.models.setdefault(one.digest, ModelDay()), one, outcome, edges.get(one.digest, _WIDE))
        losses.setdefault((one.foresees, within), []).append((one.digest, _loss(one.chance, outcome)))
    for same in losses.values():
        for number, (digest, loss) in enumerate(same):
            for other, other_loss in same[number + 1 :]:
                if other != digest:
                    _add(day.pairs.setdefault(f"{digest} {other}", _sums()), other_loss - loss)


_WIDE = tuple(step / 10 for step in range(1, 10))


def _add_outcome(mine: ModelDay, said: Said, outcome: bool, edges: Sequence[float]) -> None:
    if not mine.tenths:
        mine.tenths = [_sums() for _ in range(len(edges) + 1)]
    tenth = mine.tenths[bisect_right(edges, said.chance)]
    tenth[0] += 1
    tenth[1] += said.chance
    tenth[2] += outcome
    _add(mine.gap, outcome - said.chance)
    mine.loss += _loss(said.chance, outcome)


def _add(sums: Sums, value: float) -> None:
    sums[0] += 1
    sums[1] += value
    sums[2] += value * value


def _loss(chance: float, outcome: bool) -> float:
    kept = min(1 - _EVEN, max(_EVEN, chance))
    return -log(kept if outcome else 1 - kept)
