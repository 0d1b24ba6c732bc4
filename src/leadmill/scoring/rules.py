"""Rating by scorecards, and what conditions see of a lead.

Pure. A card is compiled once and rates any number of leads; every point of a score has a rule behind it that says so in
words.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from leadmill.capture import Lead
from leadmill.core.predicates import Check, Value, compile_predicate
from leadmill.core.spans import moment
from leadmill.facts import Dossier
from leadmill.fraud import Suspicion, values_of
from leadmill.scoring.model import TIERS, Adjustment, Contribution, Fade, Path, Score, Scorecard, Tiers

_MOST = 100
_DAY = 86_400

Values = dict[str, Value]
Rater = Callable[[Values, datetime], Score]
"""Rates a lead by what predicates see of it; sets ``score`` and ``tier`` there."""


def band_of(points: int, tiers: Tiers = TIERS) -> str:
    """The quality tier of a score; where a vertical names none A from 80, B from 60, C from 40, D from 20, else E."""
    for name, least in tiers:
        if points >= least:
            return name
    return tiers[-1][0]


def compile_card(card: Scorecard) -> Rater:
    """The card as a function of what predicates see and the moment of the decision."""
    rules = [
        (
            compile_predicate(rule.when),
            rule.points,
            rule.group,
            Contribution(rule.id, rule.points, rule.says),
            rule.fades,
        )
        for rule in card.points
    ]
    groups = card.groups
    finish = compile_paths(card)

    def rate(values: Values, now: datetime) -> Score:
        total = card.start
        given: list[Contribution] = []
        sums: dict[str, int] = {}
        for holds, worth, group, contribution, fades in rules:
            if holds(values, now):
                if fades is not None:
                    worth, contribution = _faded(contribution, fades, values, now)
                    if not worth:
                        continue
                given.append(contribution)
                total += worth
                if group is not None:
                    sums[group] = sums.get(group, 0) + worth
        for group, worth in sums.items():
            cap = groups[group]
            if not -cap <= worth <= cap:
                over = (cap if worth > 0 else -cap) - worth
                given.append(Contribution(f"{group}.cap", over, f"“{group}” counts for at most {cap} points"))
                total += over
        return finish(values, now, max(0, min(_MOST, total)), card.start, given)

    return rate


Finish = Callable[[Values, datetime, int, int, list[Contribution]], Score]
"""Makes the score of points: from what they began and what made them."""


def compile_paths(card: Scorecard) -> Finish:
    """Where points lead to by a card's thresholds, reviews and ways to the sales team, wherever the points come
    from."""
    reviews = [(compile_predicate(rule.when), rule.id) for rule in card.review]
    hot = [compile_predicate(rule.when) for rule in card.sales]
    laid_over = [(compile_predicate(one.when), one) for one in card.adjustments]
    tiers = card.tiers

    def path(values: Values, now: datetime, points: int, review: list[str]) -> Path:
        if points < card.nurture_from:
            return "reject"
        if review:
            return "review"
        if points < card.sell_from:
            return "nurture"
        if points >= card.sales_from:
            return "sales"
        for holds in hot:
            if holds(values, now):
                return "sales"
        return "sell"

    def finish(values: Values, now: datetime, points: int, start: int, given: list[Contribution]) -> Score:
        if laid_over:
            points = _adjusted(points, given, laid_over, values, now)
        values["score"] = points
        tier = values["tier"] = band_of(points, tiers)
        review = [rule for holds, rule in reviews if holds(values, now)] if reviews else []
        return Score(
            points=points,
            band=tier,
            path=path(values, now, points, review),
            start=start,
            contributions=given,
            review=review,
            card=card.digest,
        )

    return finish


def _adjusted(
    points: int,
    given: list[Contribution],
    laid_over: Sequence[tuple[Check, Adjustment]],
    values: Values,
    now: datetime,
) -> int:
    """The points with what counts today laid over them, each told like a rule's; conditions see ``score`` as it was
    before any of it."""
    values["score"], today = points, now.astimezone(UTC).date()
    for holds, one in laid_over:
        in_time = (one.starts is None or today >= one.starts) and (one.ends is None or today < one.ends)
        if in_time and holds(values, now):
            after = max(0, min(_MOST, points + one.points))
            if after != points:
                given.append(Contribution(f"adjustment.{one.id}", after - points, one.says))
            points = after
    return points


def _faded(whole: Contribution, fades: Fade, values: Mapping[str, Value], now: datetime) -> tuple[int, Contribution]:
    said = values.get(fades.since)
    since = moment(said) if isinstance(said, str) else None
    if since is None:
        return whole.points, whole
    days = max(0.0, (now - since).total_seconds() / _DAY)
    worth = remaining(whole.points, days, fades)
    if worth == whole.points:
        return worth, whole
    return worth, msgspec.structs.replace(whole, points=worth, says=f"{whole.says} ({_ago(days)} ago: fading)")


def remaining(points: int, days: float, fades: Fade) -> int:
    """What is left of points after so many days: halved every half-life, less so many a day, never past 0, rounded to
    the nearest (halves away from 0)."""
    left = float(abs(points))
    if fades.half_life:
        left *= 0.5 ** (days / fades.half_life)
    left = max(0.0, left - fades.per_day * days)
    return int(left + 0.5) * (1 if points > 0 else -1)


def _ago(days: float) -> str:
    if days < 2:
        return f"{int(days * 24)} hours"
    return f"{int(days)} days"


# Seeing


def see(lead: Lead, dossier: Dossier, suspicion: Suspicion | None = None, ages: Iterable[str] = ()) -> Values:
    """What predicates see of a lead before it is rated.

    Facts stand beside the fields under their own names (``email.free``). ``state``, ``zip`` and ``country`` appear in
    their normal form; ``state``, ``city`` and ``county`` left out are taken from the ZIP, ``age`` from the date of
    birth. A lead that nobody has suspected yet, a ping say, is presumed to be in order. ``ages`` are keys of facts
    whose time of observation is seen too, as ``fact.<key>``.
    """
    facts = dossier.values
    values: Values = {**lead.fields, **facts}
    for name, key in _NORMAL:
        if key in facts and name in values:
            values[name] = facts[key]
    for name, key in _DERIVED:
        if key in facts and values.get(name) in (None, ""):
            values[name] = facts[key]
    for name, value in lead.context.items():
        values[f"context.{name}"] = value
    values["source"] = lead.source_id
    values["vertical"] = lead.vertical
    values["received_at"] = lead.received_at.isoformat()
    values |= values_of(suspicion or _UNSUSPECTED)
    for key in ages:
        fact = dossier.by_key.get(key)
        at = (fact.observed_at or dossier.at) if fact is not None and fact.value is not None else None
        if at is not None:
            values[f"fact.{key}"] = at.isoformat()
    return values


_UNSUSPECTED = Suspicion()
_NORMAL = (("state", "state.code"), ("zip", "zip.code"), ("country", "country.code"))
_DERIVED = (("state", "zip.state"), ("city", "zip.city"), ("county", "zip.county"), ("age", "person.age"))
