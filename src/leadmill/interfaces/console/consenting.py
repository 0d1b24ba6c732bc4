"""A lead's certificate of consent: what is known of what the person was shown and did, the page as they saw it, and the
recording of their visit.

The page's document and the recording come from a browser that is not ours. They are shown in frames of their own: the
document without scripts, forms or anything from elsewhere; the recording by a player of ours that plays it in such a
frame. Each look is noted.
"""

from typing import Any

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import NotFound
from leadmill.flow.certifying import Made, make_certificate, replay_events
from leadmill.flow.memory import recall_one
from leadmill.interfaces.certificates import SIGHTS, acts_of, groups_of, marks_of, more_about, paper_of
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.dangers import danger
from leadmill.interfaces.guard import policy
from leadmill.interfaces.masks import name_of
from leadmill.parties import Right
from leadmill.parties.store import note_reads
from leadmill.runtime.checkpoints import signing_key

_FRAMED = {"x-frame-options": "SAMEORIGIN", "cache-control": "no-store"}
_DOCUMENT = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'; base-uri 'none'"
)
"""What a snapshot may do: be drawn."""

_PLAYER = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; font-src 'self' data:;"
    " connect-src 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""What the player's page may do. rrweb writes the recorded styles into the frame that it plays in, hence styles;
nothing but our player runs."""


@get("/leads/{lead_id:str}/consent", include_in_schema=False)
async def consent_page(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """The certificate."""
    made = await _certificate(desk, lead_id, "certificate")
    shown: dict[str, Any] = {"id": lead_id, "made": made, "person": "Consent"}
    if made is not None:
        more = more_about(made, "", desk.now)
        shown |= {
            "person": name_of(made.lead, desk.sees),
            "core": made.core,
            "sight": SIGHTS[made.core.sight],
            "groups": groups_of(made.core, more.recording),
            "marks": marks_of(made.core, more, made.digest),
            "acts": acts_of(made.core),
            "recorded": bool(more.recording.sha256),
        }
    page = desk.show("consent.html", "leads", **shown)
    page.headers["content-security-policy"] = f"{policy()}; frame-src 'self'"
    return page


@get("/leads/{lead_id:str}/consent/snapshot", include_in_schema=False)
async def snapshot(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Response[str]:
    """The page as it was when it was sent, without its answers."""
    made = await _certificate(desk, lead_id, "snapshot")
    if made is None or not made.document:
        raise NotFound("console.snapshot.none", "there is no picture of this page")
    return Response(made.document, media_type=MediaType.HTML, headers={**_FRAMED, "content-security-policy": _DOCUMENT})


@get("/leads/{lead_id:str}/consent/replay", include_in_schema=False)
async def player(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """The player of the recording, which fetches it by itself."""
    page = desk.show("replay.html", "leads", id=lead_id)
    page.headers.update({**_FRAMED, "content-security-policy": _PLAYER})
    return page


@get("/leads/{lead_id:str}/consent/events", include_in_schema=False)
async def events(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Response[bytes]:
    """The recording, as a JSON list of events."""
    async with desk.wiring.db.begin() as tx:
        recalled = await recall_one(tx, desk.wiring.kit.pen, lead_id)
        found = await replay_events(tx, desk.wiring.kit.pen, recalled.row)
        note_reads(tx, desk.who.id, [lead_id], "consent recording", desk.now)
    if found is None:
        raise NotFound("console.replay.none", "there is no recording of this visit")
    return Response(found, media_type=MediaType.JSON, headers={"cache-control": "no-store"})


@get(
    "/leads/{lead_id:str}/consent/certificate",
    include_in_schema=False,
    opt=danger("exported", Right.SEE_PERSONAL),
)
async def download(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Response[bytes]:
    """The certificate as a file of its own, signed."""
    wiring = desk.wiring
    async with wiring.db.begin() as tx:
        made = await make_certificate(tx, wiring.kit.pen, lead_id)
        found = await replay_events(tx, wiring.kit.pen, made.row)
        key = await signing_key(tx, wiring.kit.pen.vault, desk.now)
        note_reads(tx, desk.who.id, [lead_id], "consent certificate export", desk.now)
        desk.note(tx, lead_id)
    url = desk.request.url
    more = more_about(made, f"{url.scheme}://{url.netloc}", desk.now, wiring.random)
    return Response(
        paper_of(made, found, more, key),
        media_type="application/octet-stream",
        headers={
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="consent-{made.row.id}.html"',
        },
    )


async def _certificate(desk: Desk, lead_id: str, what: str) -> Made | None:
    """The certificate, None where there is none. Raises NotFound ``flow.lead.unknown``."""
    async with desk.wiring.db.begin() as tx:
        note_reads(tx, desk.who.id, [lead_id], f"consent {what}", desk.now)
        try:
            return await make_certificate(tx, desk.wiring.kit.pen, lead_id)
        except NotFound as fault:
            if fault.code != "flow.certificate.none":
                raise
            return None


ROUTES = [consent_page, snapshot, player, events, download]
