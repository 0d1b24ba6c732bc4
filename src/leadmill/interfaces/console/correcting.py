"""Putting something right about a lead: what can be corrected, what was, and whose word counts, on the lead's page."""

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.capture import Lead
from leadmill.facts import Dossier
from leadmill.flow.aside import correct_lead, look_up
from leadmill.flow.rules import Rules
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.telling import Group
from leadmill.interfaces.pages import words
from leadmill.parties import Right

_WINS = {"authority": "counts by authority", "correction": "corrected by a person"}


def correctable(lead: Lead | None, dossier: Dossier | None, rules: Rules) -> list[tuple[str, str]]:
    """The names that may be corrected, each with what a person reads: the vertical's fields, then what is known."""
    if lead is None:
        return []
    vertical = rules.verticals.get(lead.vertical)
    specs = vertical.fields if vertical else {}
    found = [(name, spec.title or words(name)) for name, spec in specs.items()]
    return found + [(key, words(key.replace(".", " "))) for key in sorted(dossier.by_key if dossier else {})]


def with_wins(groups: list[Group], dossier: Dossier | None) -> list[Group]:
    """The groups of a lead's page, with a word beside each fact that counts by more than being the surest."""
    if dossier is None or not dossier.wins:
        return groups
    won = {key: _WINS.get(win.by, "") for key, win in dossier.wins.items()}
    return [
        msgspec.structs.replace(
            group,
            facts=[
                msgspec.structs.replace(fact, provenance=f"{dossier.by_key[fact.key].source}, {won[fact.key]}")
                if fact.key in won
                else fact
                for fact in group.facts
            ],
        )
        for group in groups
    ]


@post("/leads/{lead_id:str}/correct", include_in_schema=False)
async def take_correction(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """Put something right about a lead."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    given = {fields.get("name", ""): fields.get("value", "")}
    kit = desk.wiring.kit
    looked = await look_up(kit, lead_id, given)
    async with desk.wiring.db.begin() as tx:
        await correct_lead(tx, kit, lead_id, given, desk.who.id, fields.get("why", ""), desk.now, looked)
    return desk.back(f"/leads/{lead_id}", "corrected")


ROUTES = [take_correction]
