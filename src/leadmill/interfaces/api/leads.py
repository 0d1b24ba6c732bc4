"""``GET /v1/leads`` and what hangs below it: leads as programs read them.

Personal values are masked unless the key's role may see them, and every read is noted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from leadmill.capture import Lead, Value
from leadmill.core.events import Event
from leadmill.core.faults import BadInput, FieldFault, NotFound
from leadmill.core.reasons import State
from leadmill.core.verdicts import Rule
from leadmill.flow.biography import Candidate, Passage, read_biography
from leadmill.flow.examining import latest_rating
from leadmill.flow.memory import Chapter, recall_one
from leadmill.flow.model import LeadFilter, LeadRow, StepTaken
from leadmill.flow.rules import Rules
from leadmill.flow.store import list_leads, read_lead
from leadmill.identity.service import load_keys
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.ratings import RatingOut, rating_out
from leadmill.interfaces.masks import masked
from leadmill.interfaces.wiring import Wiring, amount
from leadmill.parties.store import note_reads
from leadmill.runtime.db import Tx

_DEFAULT = 50
_MOST = 200


class LeadOut(Struct, frozen=True, kw_only=True):
    """A lead as it stands. ``price`` is what it was sold for in all, a decimal string; ``reason`` the code of the
    reason that ended its walk, ``tier`` the quality tier its score fell in; ``masked`` says whether personal values in
    ``fields`` are hidden. ``fields`` is null once the person was forgotten."""

    lead_id: str
    status: str
    vertical: str
    source: str
    channel: str
    received_at: datetime
    reason: str | None
    score: int | None
    tier: str | None
    region: str | None
    price: str | None
    currency: str | None
    recipients: list[str]
    test: bool
    revision: int
    person_id: str
    import_id: str | None
    fields: dict[str, Value] | None
    masked: bool


class LeadDetail(LeadOut, frozen=True, kw_only=True):
    """A lead as it stands, with its rating; null where it was never rated."""

    rating: RatingOut | None


class LeadPage(Struct, frozen=True):
    """A page of leads, newest first; ``next_cursor`` is null at the end."""

    items: list[LeadOut]
    next_cursor: str | None


class EventOut(Struct, frozen=True):
    """Something that happened to a lead. ``data`` holds its particulars, none of them personal."""

    event: str
    at: datetime
    says: list[str]
    data: dict[str, Any]


class EventPage(Struct, frozen=True):
    """The events of a lead in order; all of them, so ``next_cursor`` is always null."""

    items: list[EventOut]
    next_cursor: str | None = None


class PassageOut(Struct, frozen=True, kw_only=True):
    """One step or event of a lead's story: what was heard and learned in sentences, the verdict with its reason, the
    rules that spoke with their citations. ``micros`` is how long judging took."""

    at: datetime
    title: str
    verdict: str | None
    code: str | None
    message: str | None
    heard: list[str]
    learned: list[str]
    rules: list[Rule]
    micros: int


class PostingOut(Struct, frozen=True):
    """Money that moved because of the lead."""

    at: datetime
    kind: str
    debit: str
    credit: str
    amount: str
    currency: str
    ref: str


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a lead went where it went. ``orders`` are those of the latest auction, or the one that was asked after;
    ``code`` is null for a winner."""

    lead_id: str
    status: str
    forgotten: bool
    steps: list[PassageOut]
    orders: list[Candidate]
    money: list[PostingOut]


@get("/v1/leads", include_in_schema=False)
async def get_leads(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """A page of leads."""
    query = request.query_params
    limit = _limit(query.get("limit"))
    narrow = read_filter(dict(query.items()))
    async with wiring.db.begin() as tx:
        rows, following = await list_leads(tx, narrow, query.get("cursor") or None, limit)
        items = await open_rows(tx, wiring, reader, rows, "api list")
    headers = {}
    if following:
        params = {key: value for key, value in query.items() if key != "cursor"} | {"cursor": following}
        headers["link"] = f'</v1/leads?{urlencode(params)}>; rel="next"'
    return answer(LeadPage(items, following), headers)


@get("/v1/leads/{lead_id:str}", include_in_schema=False)
async def get_lead(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], lead_id: FromPath[str]
) -> Response[bytes]:
    """One lead."""
    async with wiring.db.begin() as tx:
        row = await read_lead(tx, lead_id)
        if row is None:
            raise NotFound("flow.lead.unknown", "no such lead")
        [item] = await open_rows(tx, wiring, reader, [row], "api lead")
        rated = await latest_rating(tx, wiring.kit.pen, lead_id)
    rating = rating_out(*rated) if rated is not None else None
    return answer(LeadDetail(**msgspec.structs.asdict(item), rating=rating))


@get("/v1/leads/{lead_id:str}/events", include_in_schema=False)
async def get_events(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], lead_id: FromPath[str]
) -> Response[bytes]:
    """What happened to a lead."""
    async with wiring.db.begin() as tx:
        recalled = await recall_one(tx, wiring.kit.pen, lead_id)
        note_reads(tx, reader.id, [lead_id], "api events", wiring.clock())
    return answer(EventPage([_event(event, chapter) for chapter in recalled.chapters for event in chapter.events]))


def _event(event: Event, chapter: Chapter) -> EventOut:
    says = list(event.tell())
    learned: list[Any] = []
    if isinstance(event, StepTaken):
        # What a step learned lies encoded in the event; what of it is personal is not shown here.
        station = next(each for each in chapter.stations if each.event is event)
        learned = [msgspec.to_builtins(item) for item in station.learned if not item.personal]
        event = msgspec.structs.replace(event, learned=[])
    data = msgspec.to_builtins(event)
    if learned:
        data["learned"] = learned
    return EventOut(data.pop("event"), event.at, says, data)


@get("/v1/leads/{lead_id:str}/explain", include_in_schema=False)
async def get_explanation(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    lead_id: FromPath[str],
) -> Response[bytes]:
    """A lead's whole story; with ``order``, of all orders only why this one did not get it, named or not."""
    order = request.query_params.get("order")
    async with wiring.db.begin() as tx:
        story = await read_biography(tx, wiring.kit.pen, lead_id)
        orders = story.candidates
        if order:
            orders = [await wiring.ask_after(tx, lead_id, order)]
        note_reads(tx, reader.id, [lead_id], "api explain", wiring.clock())
    return answer(
        Explanation(
            lead_id=lead_id,
            status=story.lead.state.value,
            forgotten=story.forgotten,
            steps=[_passage(item) for item in story.passages],
            orders=orders,
            money=[
                PostingOut(
                    each.at, each.kind, each.debit, each.credit, each.amount.decimal(), each.amount.currency, each.ref
                )
                for each in story.money
            ],
        )
    )


def _passage(item: Passage) -> PassageOut:
    return PassageOut(
        at=item.at,
        title=item.title,
        verdict=item.verdict,
        code=item.code,
        message=item.message,
        heard=item.heard,
        learned=item.learned,
        rules=item.rules,
        micros=item.micros,
    )


async def open_rows(tx: Tx, wiring: Wiring, reader: Reader, rows: Sequence[LeadRow], what: str) -> list[LeadOut]:
    """The rows, opened with their persons' keys, masked for the reader and noted as read."""
    pen, rules = wiring.kit.pen, wiring.rules
    await load_keys(tx, pen.vault, pen.keys, {row.person_id for row in rows})
    note_reads(tx, reader.id, [row.id for row in rows], what, wiring.clock())
    return [
        lead_out(row, pen.open_lead(row) if pen.keys.has(row.person_id) else None, reader.sees, rules) for row in rows
    ]


def lead_out(row: LeadRow, lead: Lead | None, sees: bool, rules: Rules) -> LeadOut:
    """A lead as a reader who ``sees`` personal values, or does not, gets it."""
    fields: dict[str, Value] | None = None
    if lead is not None:
        vertical = rules.verticals.get(lead.vertical)
        fields = dict(lead.fields) if sees else masked(lead.fields, vertical.fields if vertical else {})
    return LeadOut(
        lead_id=row.id,
        status=row.state.value,
        vertical=row.vertical,
        source=row.source_id,
        channel=row.channel,
        received_at=row.received_at,
        reason=row.reason,
        score=row.score,
        tier=row.tier,
        region=row.region,
        price=amount(row.price, row.currency),
        currency=row.currency,
        recipients=(row.recipient or "").split(),
        test=row.test,
        revision=row.revision,
        person_id=row.person_id,
        import_id=row.import_id,
        fields=fields,
        masked=not sees,
    )


_Points = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]


class _Asked(Struct, kw_only=True):
    """The parameters of a list, as they are decoded from an address."""

    status: State | None = None
    vertical: str | None = None
    source: str | None = None
    recipient: str | None = None
    person_id: str | None = None
    import_id: str | None = None
    test: bool | None = None
    min_score: _Points | None = None
    max_score: _Points | None = None
    tier: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def read_filter(given: dict[str, str]) -> LeadFilter:
    """The filter of an address. Raises BadInput ``api.query.invalid`` with the parameter at fault."""
    known = {key: value for key, value in given.items() if key in _Asked.__struct_fields__}
    faults = []
    for name, value in known.items():
        try:
            msgspec.convert({name: value}, _Asked, strict=False)
        except msgspec.ValidationError as fault:
            faults.append(FieldFault(f"/{name}", "api.query.invalid", str(fault).partition(" - at")[0]))
    if faults:
        raise BadInput("api.query.invalid", "see errors", faults)
    asked = msgspec.convert(known, _Asked, strict=False)
    for name in ("since", "until"):
        moment = getattr(asked, name)
        if moment is None:
            continue
        # A moment at either end of the calendar does not exist in every time zone.
        if moment.tzinfo is None or not 1 < moment.year < 9999:
            says = "write a time with its offset, such as 2026-03-04T15:00:00Z"
            raise BadInput("api.query.invalid", "see errors", [FieldFault(f"/{name}", "api.query.invalid", says)])
    return LeadFilter(
        state=asked.status,
        vertical=asked.vertical,
        source_id=asked.source,
        recipient=asked.recipient,
        person_id=asked.person_id,
        import_id=asked.import_id,
        test=asked.test,
        min_score=asked.min_score,
        max_score=asked.max_score,
        tier=asked.tier,
        since=asked.since,
        until=asked.until,
    )


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MOST:
        raise BadInput(
            "api.query.invalid",
            "see errors",
            [FieldFault("/limit", "api.query.invalid", f"a number from 1 to {_MOST}")],
        )
    return int(text)


def answer(value: Struct, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A JSON answer that nobody keeps."""
    return Response(
        msgspec.json.encode(value),
        media_type="application/json",
        headers={"cache-control": "no-store", **(headers or {})},
    )


ROUTES = [get_leads, get_lead, get_events, get_explanation]
