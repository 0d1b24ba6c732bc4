"""Scorecards: reading them from packs, and rating by them.

Pure. A card is compiled once and rates any number of leads; every point of a score has a rule behind it that says so in
words.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from leadmill.capture import Lead
from leadmill.core.predicates import Value, compile_predicate, parse
from leadmill.core.reading import Table
from leadmill.facts import Dossier
from leadmill.fraud import Suspicion, values_of
from leadmill.runtime.packs import Packs
from leadmill.scoring.model import Contribution, Path, PointsRule, ReviewRule, Score, Scorecard

FILE = "scorecard.toml"
_CODE = "scoring.card.malformed"
_BANDS = ((80, "A"), (60, "B"), (40, "C"), (20, "D"))
_MOST = 100

Values = dict[str, Value]
Rater = Callable[[Values, datetime], Score]
"""Rates a lead by what predicates see of it; sets ``score`` there."""


# Reading


def read_scorecards(packs: Packs) -> dict[str, Scorecard]:
    """The scorecard of each vertical pack that has one. Raises :class:`BadInput` with the place of what is wrong."""
    return {name: read_card(pack.files[FILE], name) for name, pack in packs.verticals.items() if FILE in pack.files}


def read_card(raw: Mapping[str, Any], vertical: str) -> Scorecard:
    """A card as decoded from TOML::

        [card]
        version = 1
        start = 50

        [paths]
        sell_from = 40
        nurture_from = 10

        [[groups]]
        id = "contact"
        cap = 20

        [[points]]
        id = "phone-agrees"
        when = [{ field = "agree.phone_state", eq = true }]
        points = 5
        says = "The phone's area code is in the same state."
        group = "contact"

        [[review]]
        id = "bill-unlikely"
        when = [{ field = "monthly_bill", gt = 5000 }]
        says = "A bill this high is likely a slip."

    Raises :class:`BadInput` ``scoring.card.malformed`` (``config.predicate.malformed`` for a condition) with the place:
    unknown keys, rules of one id, groups that are not declared, thresholds in the wrong order.
    """
    where = f"{vertical}/{FILE}"
    top = Table(raw, where, _CODE)
    card = Table(top.value("card", {}), f"{where}, card", _CODE)
    paths = Table(top.value("paths", {}), f"{where}, paths", _CODE)
    start = card.whole("start", 50, 0, _MOST)
    version = card.whole("version", 0)
    sell_from = paths.whole("sell_from", 0, 0, _MOST + 1)
    nurture_from = paths.whole("nurture_from", 0, 0, _MOST + 1)
    if nurture_from > sell_from:
        paths.refuse(f"must not be over sell_from ({sell_from})", "nurture_from")
    groups = _groups(top, where)
    seen: set[str] = set()
    points = tuple(_points(item, where, groups, seen) for item in top.tables("points"))
    review = tuple(_review(item, where, seen) for item in top.tables("review"))
    for table in (card, paths, top):
        table.close()
    digest = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return Scorecard(
        vertical=vertical,
        version=version,
        start=start,
        sell_from=sell_from,
        nurture_from=nurture_from,
        points=points,
        groups=groups,
        review=review,
        digest=digest,
    )


def _groups(top: Table, where: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in top.tables("groups"):
        table = Table(item, f"{where}, groups", _CODE)
        name = table.name()
        if name in found:
            table.refuse(f"'{name}' is declared twice", "id")
        found[name] = table.whole("cap", ..., 0, _MOST)
        table.close()
    return found


def _named(raw: object, where: str, kind: str, seen: set[str]) -> tuple[Table, str, Any]:
    table = Table(raw, f"{where}, {kind}", _CODE)
    name = table.name()
    if name in seen:
        table.refuse(f"'{name}' is declared twice", "id")
    seen.add(name)
    return table, name, parse(table.value("when"), f"{where}, {kind} {name}, when")


def _points(raw: object, where: str, groups: Mapping[str, int], seen: set[str]) -> PointsRule:
    table, name, when = _named(raw, where, "points", seen)
    group = table.text("group", "") or None
    if group is not None and group not in groups:
        table.refuse(f"there is no group '{group}'", "group")
    rule = PointsRule(name, when, table.whole("points", ..., -_MOST, _MOST), table.text("says"), group)
    table.close()
    return rule


def _review(raw: object, where: str, seen: set[str]) -> ReviewRule:
    table, name, when = _named(raw, where, "review", seen)
    rule = ReviewRule(name, when, table.text("says"))
    table.close()
    return rule


# Rating


def band_of(points: int) -> str:
    """The letter for a score: A from 80, B from 60, C from 40, D from 20, else E."""
    return next((letter for least, letter in _BANDS if points >= least), "E")


def compile_card(card: Scorecard) -> Rater:
    """The card as a function of what predicates see and the moment of the decision."""
    rules = [
        (compile_predicate(rule.when), rule.points, rule.group, Contribution(rule.id, rule.points, rule.says))
        for rule in card.points
    ]
    reviews = [(compile_predicate(rule.when), rule.id) for rule in card.review]
    groups = card.groups

    def rate(values: Values, now: datetime) -> Score:
        total = card.start
        given: list[Contribution] = []
        sums: dict[str, int] = {}
        for holds, worth, group, contribution in rules:
            if holds(values, now):
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
        points = max(0, min(_MOST, total))
        values["score"] = points
        review = [rule for holds, rule in reviews if holds(values, now)]
        return Score(
            points=points,
            band=band_of(points),
            path=_path(card, points, review),
            start=card.start,
            contributions=given,
            review=review,
            card=card.digest,
        )

    return rate


def _path(card: Scorecard, points: int, review: list[str]) -> Path:
    if points < card.nurture_from:
        return "reject"
    if review:
        return "review"
    return "sell" if points >= card.sell_from else "nurture"


# Seeing


def see(lead: Lead, dossier: Dossier, suspicion: Suspicion | None = None) -> Values:
    """What predicates see of a lead before it is rated.

    Facts stand beside the fields under their own names (``email.free``). ``state``, ``zip`` and ``country`` appear in
    their normal form; ``state``, ``city`` and ``county`` left out are taken from the ZIP, ``age`` from the date of
    birth. A lead that nobody has suspected yet, a ping say, is presumed to be in order.
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
    values |= values_of(suspicion or _UNSUSPECTED)
    return values


_UNSUSPECTED = Suspicion()
_NORMAL = (("state", "state.code"), ("zip", "zip.code"), ("country", "country.code"))
_DERIVED = (("state", "zip.state"), ("city", "zip.city"), ("county", "zip.county"), ("age", "person.age"))
