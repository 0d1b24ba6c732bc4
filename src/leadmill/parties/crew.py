"""Reads the people of an in-house team: areas, capacity, skills, hours.

Called by ``rules`` for the parts of a ``[[team]]`` table.
"""

import re
from collections.abc import Mapping
from typing import Any

from leadmill.core.hours import Schedule, read_schedule
from leadmill.core.predicates import All, encode, parse
from leadmill.core.reading import Table, nearest
from leadmill.parties.model import Rep, Team

EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,190}")
"""What an e-mail address looks like, near enough to send to."""


def read_where(table: Table) -> tuple[dict[str, Any], ...]:
    pred = parse(table.value("where", []), f"{table.where}, where")
    return tuple(encode(part) for part in (pred.parts if isinstance(pred, All) else (pred,)))


def read_rep(raw: object, where: str) -> Rep:
    table = Table(raw, where)
    rep = Rep(
        id=table.name(),
        email=read_mailbox(table, "email"),
        name=table.text("name", ""),
        zips=table.texts("zips", ()),
        capacity=table.whole("capacity") if table.has("capacity") else None,
        products=table.texts("products", ()),
        skills=table.texts("skills", ()),
        hours=read_hours(table),
    )
    table.close()
    for zips in rep.zips:
        if "*" in zips[:-1]:
            table.refuse("'*' may only stand at the end, as in 94*", "zips")
    return rep


def read_mailbox(table: Table, key: str) -> str:
    """An e-mail address."""
    found = table.text(key)
    if not EMAIL.fullmatch(found) or not found.isprintable():
        table.refuse("must be an e-mail address", key)
    return found


def read_hours(table: Table) -> Schedule | None:
    """``hours = { tz, open }``: when a rep works."""
    if not table.has("hours"):
        return None
    part = Table(table.value("hours"), f"{table.where}, hours")
    return read_schedule(part, "is empty, so the rep would never work; leave the rep out instead")


def read_needs(table: Table) -> dict[str, tuple[dict[str, Any], ...]]:
    """``needs``: the conditions under which a lead needs a rep with a skill, by skill."""
    raw = table.value("needs", {})
    if not isinstance(raw, Mapping):
        table.refuse("must be a table of skills with their conditions", "needs")
    found = {}
    for skill, conditions in raw.items():
        held = parse(conditions, f"{table.where}, needs.{skill}")
        parts = held.parts if isinstance(held, All) else (held,)
        if not parts:
            table.refuse("needs conditions, or every lead would need it", f"needs.{skill}")
        found[str(skill)] = tuple(encode(part) for part in parts)
    return found


def check_skills(table: Table, team: Team) -> None:
    """Refuse a need that no rep meets, and a skill that nothing needs."""
    held = {skill for rep in team.reps for skill in rep.skills}
    for skill in team.needs:
        if skill not in held:
            table.refuse(f"no rep has the skill '{skill}'; {nearest(skill, held)}", "needs")
    for rep in team.reps:
        for skill in rep.skills:
            if skill not in team.needs:
                table.refuse(f"nothing needs the skill '{skill}' of {rep.id}; {nearest(skill, team.needs)}", "reps")
