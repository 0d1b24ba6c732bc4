"""“People”: whom several submissions may be from, what was ruled, and one human being over all that they sent."""

from collections.abc import Iterable
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput
from leadmill.flow.memory import open_rows
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads
from leadmill.identity import (
    HouseholdLink,
    Ruling,
    Suggestion,
    latest_rulings,
    list_suggestions,
    read_prospect,
    rule,
    tell_parts,
    unrule,
)
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import lines
from leadmill.interfaces.masks import name_of
from leadmill.interfaces.persons import last_said, leads_of
from leadmill.parties import Right
from leadmill.parties.store import list_operators, note_reads
from leadmill.runtime.db import Tx

_TOGETHER = 8
"""The most of a person's leads that are looked through for their name."""


@get("/people", include_in_schema=False)
async def people_page(desk: NamedDependency[Desk]) -> Page:
    """Who may be one, the surest first, and what was ruled lately."""
    async with desk.wiring.db.begin() as tx:
        suggestions = await list_suggestions(tx)
        rulings = await latest_rulings(tx)
        names = await _names(tx, desk, _pairs(suggestions) | _pairs(rulings))
        who = {each.id: each.name for each in await list_operators(tx)}
    return desk.show(
        "people.html",
        "people",
        suggestions=[_suggested(each, names) for each in suggestions],
        rulings=[_ruled(each, names, who) for each in rulings],
        may_rule=desk.may(Right.REVIEW),
    )


@get("/people/{person_id:str}", include_in_schema=False)
async def person_page(desk: NamedDependency[Desk], person_id: FromPath[str]) -> Page:
    """One human being: what they last said of everything, each submission, their household, who else they may be."""
    async with desk.wiring.db.begin() as tx:
        prospect = await read_prospect(tx, person_id)
        rows = await leads_of(tx, prospect)
        shown = await lines(tx, desk, rows, "person")
        opened = await open_rows(tx, desk.wiring.kit.pen, rows)
        near = _pairs(prospect.suggestions) | _pairs(prospect.household) | _pairs(prospect.rulings)
        names = await _names(tx, desk, near.union(prospect.persons))
        who = {each.id: each.name for each in await list_operators(tx)}
    return desk.show(
        "person.html",
        "people",
        person_id=person_id,
        name=next((names[each] for each in prospect.persons if names.get(each)), "Nobody's name is known"),
        persons=[(each, names.get(each, "")) for each in prospect.persons],
        known=last_said(rows, opened, desk.wiring.rules, desk.sees),
        leads=shown,
        household=[
            {
                "id": one.high if one.low in prospect.persons else one.low,
                "name": names.get(one.high if one.low in prospect.persons else one.low, ""),
                "kind": one.kind,
                "shares": one.shares,
            }
            for one in prospect.household
        ],
        suggestions=[_suggested(each, names) for each in prospect.suggestions],
        rulings=[_ruled(each, names, who) for each in reversed(prospect.rulings)],
        may_rule=desk.may(Right.REVIEW),
        masked=not desk.sees,
    )


def _pairs(each: Iterable[Suggestion | Ruling | HouseholdLink]) -> set[str]:
    return {person_id for one in each for person_id in (one.low, one.high)}


async def _names(tx: Tx, desk: Desk, person_ids: Iterable[str]) -> dict[str, str]:
    """What to call each person: the name of their latest lead that has one."""
    found = {}
    for person_id in sorted(person_ids):
        rows, _ = await list_leads(tx, LeadFilter(person_id=person_id), limit=_TOGETHER)
        opened = await open_rows(tx, desk.wiring.kit.pen, rows)
        leads = [(row.id, lead) for row in rows if (lead := opened.get(row.id)) is not None]
        named = next((each for each in leads if each[1].text("last_name")), leads[0] if leads else None)
        found[person_id] = name_of(named[1], desk.sees) if named is not None else ""
        if named is not None:
            note_reads(tx, desk.who.id, [named[0]], "name", desk.now)
    return found


def _suggested(each: Suggestion, names: dict[str, str]) -> dict[str, Any]:
    return {
        "low": each.low,
        "high": each.high,
        "low_name": names.get(each.low, ""),
        "high_name": names.get(each.high, ""),
        "says": "One lead is surely both's." if each.kind == "bridge" else f"They look alike, {each.bits:+.1f} bits.",
        "parts": tell_parts(each.parts),
        "lead_id": each.lead_id,
        "at": each.at,
    }


def _ruled(each: Ruling, names: dict[str, str], who: dict[str, str]) -> dict[str, Any]:
    return {
        "id": each.id,
        "low": each.low,
        "high": each.high,
        "low_name": names.get(each.low, ""),
        "high_name": names.get(each.high, ""),
        "says": each.says,
        "by": who.get(each.by, each.by),
        "why": each.why,
        "parts": tell_parts(each.parts),
        "at": each.at,
        "ended_at": each.ended_at,
        "ended_by": who.get(each.ended_by or "", each.ended_by),
        "ended_why": each.ended_why,
    }


@post("/people/rulings", include_in_schema=False)
async def take_ruling(desk: NamedDependency[Desk]) -> Page:
    """Rule that two persons are one, or two."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    says = fields.get("says")
    if says not in ("one", "two"):
        raise BadInput("console.ruling.unknown", "say whether they are one or two")
    one, other = fields.get("one", "").strip(), fields.get("other", "").strip()
    async with desk.wiring.db.begin() as tx:
        why = fields.get("why", "")
        await rule(
            tx, desk.wiring.mint, one, other, "one" if says == "one" else "two", by=desk.who.id, why=why, now=desk.now
        )
    return desk.back(f"/people/{one}" if fields.get("from") == "person" else "/people", "ruled")


@post("/people/rulings/{ruling_id:str}/end", include_in_schema=False)
async def take_back_ruling(desk: NamedDependency[Desk], ruling_id: FromPath[str]) -> Page:
    """Take a ruling back."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    async with desk.wiring.db.begin() as tx:
        ruling = await unrule(tx, ruling_id, by=desk.who.id, why=fields.get("why", ""), now=desk.now)
    return desk.back(f"/people/{ruling.low}" if fields.get("from") == "person" else "/people", "unruled")


ROUTES = [people_page, person_page, take_ruling, take_back_ruling]
