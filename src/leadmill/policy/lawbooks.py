"""Law packs read: from the TOML of a pack to rules, licences, provisions and terms.

Called by ``flow`` and by the law engine. A pack may spread its tables over several files; all but ``pack.toml`` and
``replies.toml`` are read. Nothing is dropped: a key that nobody knows is refused with its place.
"""

from collections.abc import Mapping
from typing import Any

from leadmill.core.predicates import parse
from leadmill.core.reading import Table
from leadmill.policy.calendars import read_holiday
from leadmill.policy.model import ACTIONS, Law, LawRule, LicenceRule, Switch, Term
from leadmill.policy.places import is_zone, read_zones
from leadmill.policy.provisions import READERS, Provision
from leadmill.runtime.packs import Pack

_CODE = "packs.law.malformed"
_STATUS = ("in_force", "pending", "waived", "vacated")
_APART = ("pack.toml", "replies.toml")


def law_of(pack: Pack) -> Law:
    """The law that a pack holds. Raises BadInput ``packs.law.malformed`` naming the rule and the key."""
    tables: dict[str, Any] = {}
    for name in sorted(pack.files):
        if name not in _APART:
            for key, value in pack.files[name].items():
                tables[key] = [*tables.get(key, []), *value] if isinstance(value, list) else value
    return read_law(pack.name, pack.digest, pack.file("pack.toml"), tables)


def read_law(name: str, digest: str, pack: Mapping[str, Any], tables: Mapping[str, Any]) -> Law:
    """A law pack from its ``pack.toml`` and its tables. Raises BadInput naming the rule and the key."""
    where = f"law {name}"
    table = Table(tables, where, _CODE)
    rules = tuple(_read_rule(raw, where) for raw in table.tables("rule"))
    licences = tuple(_read_licence(raw, where) for raw in table.tables("licence"))
    provisions: list[Provision] = []
    for kind, read in READERS.items():
        for raw in table.tables(kind):
            inner = Table(raw, where, _CODE)
            provisions.append(read(inner))
            inner.close()
    terms = tuple(_read_term(raw, where) for raw in table.tables("term"))
    holidays = []
    for raw in table.tables("holiday"):
        inner = Table(raw, f"{where}, holiday", _CODE)
        holidays.append(read_holiday(inner))
        inner.close()
    zones = table.value("zones", {})
    clocks = read_zones(zones, table.inner(zones, "zones"))
    of_zip = table.value("zip_zones", {})
    better = read_zones(of_zip, table.inner(of_zip, "zip_zones"))
    everywhere = table.texts("everywhere", ())
    for zone in everywhere:
        if not is_zone(zone):
            table.refuse(f'"{zone}" is no time zone', "everywhere")
    table.close()
    return Law(
        name, str(pack.get("title", name)), digest, rules, licences, tuple(provisions), terms, tuple(holidays), clocks,
        everywhere, better,
    )  # fmt: skip


def _read_rule(raw: object, where: str) -> LawRule:
    table = Table(raw, where, _CODE)
    table.where = f"{where}, rule {table.text('id')}"
    when = table.tables("when")
    parse(when, f"{table.where}, when")
    actions = table.texts("actions", ())
    for action in actions:
        if action not in ACTIONS:
            table.refuse(f"'{action}' is no action; known: {', '.join(ACTIONS)}", "actions")
    scope: Any = None if actions and not table.has("scope") else table.choice("scope", ("lead", "channel", "recipient"))
    decision: Any = table.choice("decision", ("deny", "review", "allow") if actions else ("deny", "review"), "deny")
    stops: Any = table.choice("stops", ("denied", "suppressed", "consent"), "denied")
    status: Any = table.choice("status", _STATUS, "in_force")
    rule = LawRule(
        id=table.text("id"),
        citation=table.text("citation"),
        scope=scope,
        decision=decision,
        says=table.text("says"),
        when=tuple(when),
        channels=table.texts("channels", ()),
        verticals=table.texts("verticals", ()),
        states=table.texts("states", ()),
        in_house=table.flag("in_house", False),
        stops=stops,
        status=status,
        effective_from=table.day("effective_from", None),
        effective_to=table.day("effective_to", None),
        actions=actions,
        reached=table.texts("reached", ()),
        absent=table.texts("absent", ()),
        reason=table.text("reason", ""),
        also=table.texts("also", ()),
        obligations=table.texts("obligations", ()),
        switches=tuple(_read_switch(one, table) for one in table.tables("switches")),
        zone=_zone(table),
    )
    if actions and not rule.reason:
        table.refuse("is missing", "reason")
    table.value("examples", None)
    table.close()
    return rule


def _zone(table: Table) -> str | None:
    name = table.text("zone", "")
    if name and not is_zone(name):
        table.refuse("is no time zone", "zone")
    return name or None


def _read_switch(raw: object, outer: Table) -> Switch:
    table = outer.inner(raw, "switches")
    day = table.day("from")
    status: Any = table.choice("status", _STATUS)
    if day is None:
        table.refuse("is missing", "from")
    table.close()
    return Switch(day, status)


def _read_licence(raw: object, where: str) -> LicenceRule:
    table = Table(raw, where, _CODE)
    place: Any = table.choice("place", ("home", "property"), "home")
    rule = LicenceRule(
        id=table.text("id"),
        citation=table.text("citation"),
        verticals=table.texts("verticals"),
        kinds=table.texts("kinds"),
        says=table.text("says"),
        states=table.texts("states", ()),
        effective_from=table.day("effective_from", None),
        classes=table.texts("classes", ()),
        lines=table.texts("lines", ()),
        place=place,
        fresh_hours=table.whole("fresh_hours", 0),
        cases=table.flag("cases", True),
    )
    table.value("examples", None)
    table.close()
    return rule


def _read_term(raw: object, where: str) -> Term:
    table = Table(raw, where, _CODE)
    table.where = f"{where}, term {table.text('name')}"
    term = Term(table.text("name"), table.text("says"), parse(table.tables("when"), table.where))
    table.close()
    return term
