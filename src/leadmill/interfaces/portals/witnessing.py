"""What a hosted form's page carries and brings back as evidence: the visit's token, what its script saw, and pieces of
a recording.

Used by the form's own routes. The token is made anew for every page that is opened, and stays while an answer is being
corrected. Whatever is wrong with evidence keeps nobody from sending: the certificate then knows less, and says so.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.capture import Form
from leadmill.consent import Visit, pack_witness, read_chunk, read_visit, visit_token
from leadmill.consent.service import keep_chunk
from leadmill.core.faults import BadInput, NotFound
from leadmill.interfaces.portals.pacing import count_piece
from leadmill.interfaces.wiring import Wiring

VISIT = "_visit"
"""The name under which a page carries its visit's token."""

SEEN = "_seen"
"""The name under which its script writes what it saw."""

_SHOWS = (
    "The recording shows the page, what you click and how you scroll, not what you type or choose. It is kept with your"
    " request and deleted with it."
)
NOTICES = {
    "ask": f"May we record this page while you fill it in, as proof of what you agree to? {_SHOWS}",
    "notice": f"While you fill it in, this page is recorded as proof of what you agree to. {_SHOWS}",
}
"""What is said before anything is recorded, by how the form is set."""


def token_of(wiring: Wiring, form: Form, given: Mapping[str, list[str]]) -> str:
    """The token for a page: the one that it had, else a new one."""
    now = wiring.clock()
    held = given.get(VISIT, [""])[-1]
    if held and read_visit(wiring.keyed_hash, held, form.id, now) is not None:
        return held
    return visit_token(wiring.keyed_hash, Visit(wiring.random(16).hex(), form.id, now))


def recording_of(request: Request[Any, Any, Any], form: Form) -> str:
    """How a page is recorded: as the form says, but nobody unasked whose browser asks not to be followed (Global
    Privacy Control)."""
    return "ask" if form.replay == "notice" and request.headers.get("sec-gpc") == "1" else form.replay


def evidence_of(
    wiring: Wiring, form: Form, given: Mapping[str, list[str]], served_at: datetime, now: datetime
) -> tuple[str, bytes]:
    """The secret name of the visit and what is known of how its page was seen. Without a token of ours nothing is
    known; then the visit has a name that nobody knew before."""
    visit = read_visit(wiring.keyed_hash, given.get(VISIT, [""])[-1], form.id, now)
    if visit is None:
        return wiring.random(16).hex(), pack_witness(served_at, "")
    return visit.session, pack_witness(visit.served_at, given.get(SEEN, [""])[-1])


@post("/f/{form_id:str}/visit", include_in_schema=False, status_code=204)
async def take_piece(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], form_id: FromPath[str]) -> None:
    """Take a piece of a recording. Raises BadInput ``consent.replay.malformed`` and ``consent.visit.unknown``, TooLarge
    ``consent.replay.too_large``, Throttled ``consent.replay.throttled``, and NotFound ``portals.form.unknown`` where
    nothing is to be recorded."""
    form = wiring.rules.forms.get(form_id)
    if form is None or form.replay == "off":
        raise NotFound("portals.form.unknown", "there is no such form, or it is not recorded")
    body = await request.body()
    chunk = read_chunk(body)
    now = wiring.clock()
    visit = read_visit(wiring.keyed_hash, chunk.visit, form.id, now)
    if visit is None:
        raise BadInput("consent.visit.unknown", "this is no visit of ours, or its time is over")
    async with wiring.db.begin() as tx:
        await count_piece(tx, wiring, request, len(body))
        await keep_chunk(tx, wiring.kit.pen.vault, visit, chunk, now)


ROUTES = [take_piece]
