"""Scorecards as people write them: in a vertical's pack, or in a record of the house's that takes its place.

Pure. A card is refused whole, with the place of what is wrong in it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from leadmill.core.predicates import parse
from leadmill.core.reading import Table
from leadmill.runtime.packs import Packs
from leadmill.scoring.model import (
    NEVER,
    TIERS,
    Adjustment,
    CardRecord,
    Fade,
    PointsRule,
    ReviewRule,
    SalesRule,
    Scorecard,
    Tiers,
)

FILE = "scorecard.toml"
KIND = "scorecard"
"""The kind of the records."""
ADJUSTMENT = "adjustment"
"""The kind of the records that are laid over cards and models."""
PARTS = ("card", "paths", "tiers", "groups", "points", "review", "sales")
"""The tables of a card; what stands beside them in a record is about the record."""

_CODE = "scoring.card.malformed"
_MOST = 100
_LONGEST_FADE = 3650
_MOST_WORDS = 500
_MOST_TIERS = 9
_TIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")


def read_scorecards(packs: Packs) -> dict[str, Scorecard]:
    """The scorecard of each vertical pack that has one. Raises :class:`BadInput` with the place of what is wrong."""
    return {name: read_card(pack.files[FILE], name) for name, pack in packs.verticals.items() if FILE in pack.files}


def read_record(raw: Mapping[str, Any]) -> CardRecord:
    """A ``[[scorecard]]`` as declared: a card in the place of its vertical's own, or, where it is ``retired``, the
    pack's again. Raises as :func:`read_card`."""
    table = Table(raw, f"{KIND} {raw.get('vertical', '')}", _CODE)
    vertical = table.text("vertical")
    why = table.text("why", "")
    if len(why) > _MOST_WORDS:
        table.refuse(f"use at most {_MOST_WORDS} characters", "why")
    retired = table.flag("retired", False)
    parts = {name: table.value(name) for name in PARTS if table.has(name)}
    table.close()
    if retired:
        return CardRecord(vertical, None)
    if not parts:
        table.refuse("is missing", "card")
    card = read_card(parts, vertical, table.where)
    return CardRecord(vertical, msgspec.structs.replace(card, own=True, why=why))


def read_adjustment(raw: Mapping[str, Any]) -> Adjustment:
    """An ``[[adjustment]]`` as declared. Raises :class:`BadInput` ``scoring.adjustment.malformed``."""
    table = Table(raw, f"{ADJUSTMENT} {raw.get('id', '')}", "scoring.adjustment.malformed")
    name = table.name()
    starts, ends = table.day("from", None), table.day("until", None)
    if starts is not None and ends is not None and ends <= starts:
        table.refuse("must be after from", "until")
    points = table.whole("points", ..., -_MOST, _MOST)
    if not points:
        table.refuse("must not be 0", "points")
    found = Adjustment(
        id=name,
        vertical=table.text("vertical"),
        points=points,
        says=table.text("says"),
        when=parse(table.value("when", []), f"{table.where}, when"),
        starts=starts,
        ends=ends,
        why=table.text("why", ""),
        retired=table.flag("retired", False),
    )
    table.close()
    return found


def read_card(raw: Mapping[str, Any], vertical: str, where: str = "") -> Scorecard:
    """A card as decoded from TOML::

        [card]
        version = 1
        start = 50

        [paths]
        sell_from = 40
        nurture_from = 10
        sales_from = 90

        [tiers]
        gold = 75
        silver = 40
        bronze = 0

        [[groups]]
        id = "contact"
        cap = 20

        [[points]]
        id = "phone-agrees"
        when = [{ field = "agree.phone_state", eq = true }]
        points = 5
        says = "The phone's area code is in the same state."
        group = "contact"

        [[points]]
        id = "visited"
        when = [{ field = "context.visits", gte = 3 }]
        points = 8
        says = "came back several times"
        fades = { since = "context.last_visit_at", half_life = 7 }

        [[review]]
        id = "bill-unlikely"
        when = [{ field = "monthly_bill", gt = 5000 }]
        says = "A bill this high is likely a slip."

        [[sales]]
        id = "asked-for-a-call"
        when = [{ field = "demo_requested", eq = true }]
        says = "Asked to be shown the product."

    Raises :class:`BadInput` ``scoring.card.malformed`` (``config.predicate.malformed`` for a condition) with the place:
    unknown keys, rules of one id, groups that are not declared, thresholds in the wrong order, tiers that leave a score
    without one.
    """
    where = where or f"{vertical}/{FILE}"
    top = Table(raw, where, _CODE)
    card = Table(top.value("card", {}), f"{where}, card", _CODE)
    paths = Table(top.value("paths", {}), f"{where}, paths", _CODE)
    start = card.whole("start", 50, 0, _MOST)
    version = card.whole("version", 0)
    sell_from = paths.whole("sell_from", 0, 0, NEVER)
    nurture_from = paths.whole("nurture_from", 0, 0, NEVER)
    sales_from = paths.whole("sales_from", NEVER, 0, NEVER)
    if nurture_from > sell_from:
        paths.refuse(f"must not be over sell_from ({sell_from})", "nurture_from")
    if sales_from < sell_from:
        paths.refuse(f"must not be under sell_from ({sell_from})", "sales_from")
    groups, tiers = _groups(top, where), _tiers(top, where)
    seen: set[str] = set()
    points = tuple(_points(item, where, groups, seen) for item in top.tables("points"))
    review = tuple(ReviewRule(*_spoken(item, where, "review", seen)) for item in top.tables("review"))
    sales = tuple(SalesRule(*_spoken(item, where, "sales", seen)) for item in top.tables("sales"))
    for table in (card, paths, top):
        table.close()
    return Scorecard(
        vertical=vertical,
        version=version,
        start=start,
        sell_from=sell_from,
        nurture_from=nurture_from,
        points=points,
        groups=groups,
        review=review,
        digest=hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:16],
        sales_from=sales_from,
        sales=sales,
        tiers=tiers,
    )


def _tiers(top: Table, where: str) -> Tiers:
    if not top.has("tiers"):
        return TIERS
    raw = top.value("tiers")
    table = Table(raw, f"{where}, tiers", _CODE)
    names = list(raw) if isinstance(raw, Mapping) else []
    if not 1 <= len(names) <= _MOST_TIERS:
        table.refuse(f"name 1 to {_MOST_TIERS} tiers, each with the points from which it holds")
    for name in names:
        if not _TIER.fullmatch(name):
            table.refuse("use a word of at most 20 letters, digits, - or _", name)
    found = sorted(((name, table.whole(name, ..., 0, _MOST)) for name in names), key=lambda item: -item[1])
    table.close()
    if found[-1][1] != 0:
        table.refuse("the lowest tier must hold from 0, so that every score has one", found[-1][0])
    if len({least for _, least in found}) < len(found):
        table.refuse("two tiers hold from the same points")
    return tuple(found)


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
    fades = _fade(Table(table.value("fades"), f"{where}, points {name}, fades", _CODE)) if table.has("fades") else None
    rule = PointsRule(name, when, table.whole("points", ..., -_MOST, _MOST), table.text("says"), group, fades)
    table.close()
    return rule


def _fade(table: Table) -> Fade:
    found = Fade(table.text("since"), _days(table, "half_life", _LONGEST_FADE), _days(table, "per_day", _MOST))
    if not found.half_life and not found.per_day:
        table.refuse("say half_life, in days, or per_day, in points")
    table.close()
    return found


def _days(table: Table, key: str, most: int) -> float:
    found = table.value(key, 0)
    given = table.has(key)
    if isinstance(found, bool) or not isinstance(found, int | float) or (given and not 0 < found <= most):
        table.refuse(f"must be a number over 0, at most {most}", key)
    return float(found)


def _spoken(raw: object, where: str, kind: str, seen: set[str]) -> tuple[str, Any, str]:
    table, name, when = _named(raw, where, kind, seen)
    says = table.text("says")
    table.close()
    return name, when, says
