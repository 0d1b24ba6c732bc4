"""``GET /v1/people/{person_id}``: one human being over many submissions, and how they are found.

For operators' keys. Personal values are masked unless the role may see them, and each lead that is shown is noted as
read. Whom one looks for stands in a body and never in an address.
"""

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from leadmill.capture import Value
from leadmill.flow.memory import open_rows
from leadmill.identity import HouseholdLink, Prospect, Ruling, Suggestion, find_persons, read_prospect, tell_parts
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import read_json
from leadmill.interfaces.api.describing import path_parameter, ref, responses
from leadmill.interfaces.api.forgetting import PATHS as FORGETTING_PATHS
from leadmill.interfaces.api.forgetting import ForgetIn, ForgottenOut, forget_person
from leadmill.interfaces.api.leads import LeadOut, answer, lead_out
from leadmill.interfaces.persons import last_said, leads_of
from leadmill.interfaces.wiring import Wiring
from leadmill.parties.store import note_reads


class SaidOut(Struct, frozen=True):
    """What they said last of a field, with which lead and when; ``others`` is how many other values they ever gave."""

    field: str
    value: Value
    lead_id: str
    at: datetime
    others: int


class TieOut(Struct, frozen=True):
    """Another person who shares something (phone, email, address) and is not this one: of the household, or not."""

    person_id: str
    kind: str
    shares: str


class MaybeOut(Struct, frozen=True):
    """Another person who may be this one: a lead is surely both's (``bridge``), or they look alike (``possible``) by so
    many bits; ``says`` is what these are made of, without values."""

    person_id: str
    kind: str
    bits: float
    says: str
    lead_id: str
    at: datetime


class RulingOut(Struct, frozen=True, kw_only=True):
    """That somebody ruled two persons to be ``one`` or ``two``, and perhaps took it back."""

    ruling_id: str
    persons: list[str]
    says: str
    by: str
    why: str
    at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None


class PersonOut(Struct, frozen=True, kw_only=True):
    """One human being as far as we know. ``persons`` are the ids held to be one, this one among them; ``leads`` are
    theirs, the newest first, at most 50; ``known`` is what these say, empty once the person was forgotten."""

    person_id: str
    persons: list[str]
    known: list[SaidOut]
    leads: list[LeadOut]
    household: list[TieOut]
    possible: list[MaybeOut]
    rulings: list[RulingOut]
    masked: bool


class SearchIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to look for: an e-mail address or a phone number, whole; of a number without its country, where it is."""

    contact: Annotated[str, Meta(min_length=3, max_length=320)]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "US"


class FoundOut(Struct, frozen=True):
    """Someone with this address or number. ``persons`` are all ids held to be one with theirs."""

    person_id: str
    persons: list[str]


class FoundPage(Struct, frozen=True):
    """Everybody with this address or number, the first who brought it first; nobody where it is neither."""

    items: list[FoundOut]
    next_cursor: str | None = None


@get("/v1/people/{person_id:str}", include_in_schema=False)
async def get_person(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], person_id: FromPath[str]
) -> Response[bytes]:
    """One human being."""
    rules = wiring.rules
    async with wiring.db.begin() as tx:
        prospect = await read_prospect(tx, person_id)
        rows = await leads_of(tx, prospect)
        opened = await open_rows(tx, wiring.kit.pen, rows)
        note_reads(tx, reader.id, [row.id for row in rows], "api person", wiring.clock())
    said = last_said(rows, opened, rules, reader.sees)
    inside = {*prospect.persons}
    return answer(
        PersonOut(
            person_id=person_id,
            persons=list(prospect.persons),
            known=[SaidOut(one.name, one.value, one.lead_id, one.at, one.others) for one in said],
            leads=[lead_out(row, opened[row.id], reader.sees, rules) for row in rows],
            household=[TieOut(_other(one, inside), one.kind, one.shares) for one in prospect.household],
            possible=[_maybe(one, inside) for one in prospect.suggestions],
            rulings=[_ruling(one) for one in prospect.rulings],
            masked=not reader.sees,
        )
    )


@post("/v1/people/search", include_in_schema=False, status_code=200)
async def search_people(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """Who has exactly this address or number."""
    given, _ = await read_json(request, SearchIn)
    found: list[Prospect] = []
    async with wiring.db.begin() as tx:
        ids = await find_persons(tx, wiring.keyed_hash, given.contact, given.country)
        for person_id in ids:
            found.append(await read_prospect(tx, person_id))
            rows = await leads_of(tx, found[-1])
            note_reads(tx, reader.id, [row.id for row in rows[:1]], "api search", wiring.clock())
    return answer(FoundPage([FoundOut(ident, list(one.persons)) for ident, one in zip(ids, found, strict=True)]))


def _other(one: HouseholdLink | Suggestion, inside: set[str]) -> str:
    return one.high if one.low in inside else one.low


def _maybe(one: Suggestion, inside: set[str]) -> MaybeOut:
    return MaybeOut(_other(one, inside), one.kind, round(one.bits, 2), tell_parts(one.parts), one.lead_id, one.at)


def _ruling(one: Ruling) -> RulingOut:
    return RulingOut(
        ruling_id=one.id,
        persons=[one.low, one.high],
        says=one.says,
        by=one.by,
        why=one.why,
        at=one.at,
        ended_at=one.ended_at,
        ended_by=one.ended_by,
        ended_why=one.ended_why,
    )


PATHS: dict[str, Any] = {
    **FORGETTING_PATHS,
    "/v1/people/{person_id}": {
        "get": {
            "operationId": "readPerson",
            "tags": ["People"],
            "summary": "Read a person",
            "description": "One human being over all they sent: what they said last of each field, their leads, who"
            " lives with them, who else they may be, and what was ruled. Personal values are masked unless the role may"
            " see them; each lead shown is noted as read.",
            "security": [{"key": []}, {"session": []}],
            "parameters": [path_parameter("person_id", "The person's id, as a lead names it.")],
            "responses": responses(200, "The person.", "PersonOut", 400, 401, 403, 404, 503),
        }
    },
    "/v1/people/search": {
        "post": {
            "operationId": "findPeople",
            "tags": ["People"],
            "summary": "Find people by address or number",
            "description": "By an e-mail address or a phone number, whole and exact, through the keyed hash. It stands"
            " in the body, because addresses are logged on the way.",
            "security": [{"key": []}, {"session": []}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": ref("SearchIn"), "example": {"contact": "ana.ruiz@example.com"}}
                },
            },
            "responses": responses(200, "Who was found.", "FoundPage", 400, 401, 403, 408, 413, 415, 422, 503),
        }
    },
}

TYPES = (PersonOut, SearchIn, FoundPage, ForgetIn, ForgottenOut)
"""What the routes take and give."""

ROUTES = [get_person, search_people, forget_person]
