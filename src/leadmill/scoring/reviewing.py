"""Holding a scorecard against what became of its leads: observed conversion by points, and the weights it suggests.

Pure. Weights are log-odds of conversion for each rule given all others: logistic regression by Newton's method with a
normal prior around the card's own points (MAP estimate; Gelman et al., Bayesian Data Analysis, 16.3). A rule that fired
for few leads keeps the points it has, one that fired for many goes where they say. Nothing is changed by it: a person
takes the suggestion up, or does not.
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

import numpy as np
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.core.shares import share_interval
from leadmill.scoring.model import Scorecard
from leadmill.scoring.rules import band_of

LEAST = 30
"""Leads that converted, and leads that did not, below which nothing is suggested."""
_SPREAD = 0.5
"""The prior's standard deviation in log-odds."""
_SURE = 2.576
"""Standard errors beyond which a rule's points are said to be others: 99 in 100, since there are dozens of rules."""
_SCALE = log(2) / 15
"""Log-odds a point where the points of the past do not say: 15 points double the odds."""
_ROUNDS = 50
_MOST = 100


class Rated(Struct, frozen=True):
    """A lead whose label is known: its points, what each rule gave it, and whether it converted."""

    points: int
    fired: frozenset[str]
    converted: bool


class Share(Struct, frozen=True):
    """How many of some leads converted, with the interval that holds the true share with 95 in 100 (Wilson, 1927)."""

    says: str
    leads: int
    converted: int
    rate: float
    low: float
    high: float


class Suggestion(Struct, frozen=True):
    """What the leads say of one rule: for how many it fired, how many of these converted, the log-odds it is worth
    given the others with their standard error, and the points that makes. ``sure`` says that they are others than the
    card's with 99 in 100."""

    rule: str
    says: str
    points: int
    fired: int
    converted: int
    log_odds: float
    error: float
    suggested: int
    sure: bool


class CardReview(Struct, frozen=True):
    """A card against its leads. ``ranks`` is the chance that of two leads, one that converted and one that did not, the
    first had more points (the area under the curve); ``scale`` how many log-odds a point was worth. ``looked`` leads
    were looked at, known outcome or not; ``full`` says that there were more, and that these were the latest."""

    leads: int
    converted: int
    ranks: float
    scale: float
    bands: list[Share]
    points: list[Share]
    rules: list[Suggestion]
    thin: str = ""
    looked: int = 0
    full: bool = False

    @property
    def sure(self) -> bool:
        """Whether the leads are sure of other points for any rule."""
        return any(one.sure for one in self.rules)


def review_card(card: Scorecard, rated: Sequence[Rated]) -> CardReview:
    """Hold a card against leads whose labels are known. With too few nothing is suggested, and ``thin`` says so."""
    won = sum(one.converted for one in rated)
    bands = [
        _share(f"band {tier}", [one for one in rated if band_of(one.points, card.tiers) == tier])
        for tier, _ in card.tiers
    ]
    steps = [
        _share(f"{low} to {min(_MOST, low + 9)}", [one for one in rated if min(one.points, 99) // 10 * 10 == low])
        for low in range(90, -1, -10)
    ]
    thin = ""
    if min(won, len(rated) - won) < LEAST:
        thin = (
            f"{won:,} of {len(rated):,} leads with a known outcome converted; weights are suggested from {LEAST} that "
            f"did and {LEAST} that did not"
        )
    scale = _scale(rated) if not thin else _SCALE
    return CardReview(
        leads=len(rated),
        converted=won,
        ranks=_ranks(rated),
        scale=scale,
        bands=[one for one in bands if one.leads],
        points=[one for one in steps if one.leads],
        rules=_suggest(card, rated, scale, bool(thin)),
        thin=thin,
    )


def _share(says: str, rated: Sequence[Rated]) -> Share:
    won, n = sum(one.converted for one in rated), len(rated)
    low, high = share_interval(won, n)
    return Share(says, n, won, won / n if n else 0.0, low, high)


def _ranks(rated: Sequence[Rated]) -> float:
    """The area under the curve by the sum of ranks (Mann and Whitney, 1947), ties counting half."""
    counts: dict[int, list[int]] = {}
    for one in rated:
        counts.setdefault(one.points, [0, 0])[one.converted] += 1
    below = pairs = won = lost = 0.0
    for points in sorted(counts):
        no, yes = counts[points]
        pairs += yes * (below + no / 2)
        below, won, lost = below + no, won + yes, lost + no
    return pairs / (won * lost) if won and lost else 0.5


def _scale(rated: Sequence[Rated]) -> float:
    """Log-odds a point, from the points of the past alone; never 0 or less, by which no points could be told."""
    points = np.array([[one.points] for one in rated], dtype=float)
    weights, _ = _fit(points, np.array([one.converted for one in rated], dtype=float), np.array([_SCALE]), _SCALE)
    return float(max(weights[0], _SCALE / 4))


def _suggest(card: Scorecard, rated: Sequence[Rated], scale: float, thin: bool) -> list[Suggestion]:
    rules = card.points
    labels = np.array([one.converted for one in rated], dtype=float)
    fired = np.array([[rule.id in one.fired for rule in rules] for one in rated], dtype=float)
    prior = np.array([rule.points * scale for rule in rules])
    if thin or not rules:
        weights, errors = prior, np.full(len(rules), _SPREAD)
    else:
        weights, errors = _fit(fired, labels, prior, _SPREAD)
    found = []
    for place, rule in enumerate(rules):
        count = int(fired[:, place].sum()) if len(rated) else 0
        won = int((fired[:, place] * labels).sum()) if len(rated) else 0
        suggested = max(-_MOST, min(_MOST, round(float(weights[place]) / scale)))
        sure = not thin and abs(weights[place] - prior[place]) > _SURE * errors[place] and suggested != rule.points
        found.append(
            Suggestion(
                rule=rule.id,
                says=rule.says,
                points=rule.points,
                fired=count,
                converted=won,
                log_odds=round(float(weights[place]), 4),
                error=round(float(errors[place]), 4),
                suggested=suggested if sure else rule.points,
                sure=bool(sure),
            )
        )
    return found


def _fit(features: Any, labels: Any, prior: Any, spread: float) -> tuple[Any, Any]:
    """Weights and their standard errors; the intercept has no prior."""
    rows, width = features.shape
    middle = features.mean(axis=0)
    table = np.hstack([features - middle, np.ones((rows, 1))])
    centre = np.append(prior, 0.0)
    precision = np.append(np.full(width, 1 / spread**2), 0.0)
    share = min(max(labels.mean(), 1e-6), 1 - 1e-6)
    weights = np.append(prior, log(share / (1 - share)))
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (labels - chance) - precision * (weights - centre)
        curve = (table * (chance * (1 - chance))[:, None]).T @ table + np.diag(precision)
        step = np.linalg.solve(curve, slope)
        weights = weights + np.clip(step, -5, 5)
        if float(np.abs(step).max()) < 1e-9:
            break
    errors = np.sqrt(np.diag(np.linalg.inv(curve)))
    return weights[:width], errors[:width]


def suggested_card(raw: Mapping[str, Any], review: CardReview) -> dict[str, Any]:
    """The card's tables with the points that the leads are sure of, as the next version. Raises BadInput
    ``scoring.review.nothing`` where they are sure of none."""
    others = {one.rule: one.suggested for one in review.rules if one.sure}
    if not others:
        says = review.thin or "the leads bear the card out: no rule's points are surely others"
        raise BadInput("scoring.review.nothing", says)
    points = [{**rule, "points": others.get(rule["id"], rule["points"])} for rule in raw.get("points", [])]
    card = {**raw.get("card", {}), "version": raw.get("card", {}).get("version", 0) + 1}
    return {**raw, "card": card, "points": points}


def odds_words(log_odds: float) -> str:
    """Log-odds as a person reads them: what they do to the odds."""
    return f"× {exp(log_odds):.2f}"
