"""Whoever comes back to a hosted form: recognised by a cookie of ours, and what their page need not ask.

Used by the form's own routes. The cookie is set after an answer to a progressive form, for its source alone and under a
name that does not tell it; nobody gets one whose browser asks not to be followed (Global Privacy Control). What a page
left out stands sealed on it, so that its answer is completed by just that.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from leadmill.capture import Asking, Form, TakenAnswer, Vertical, to_ask
from leadmill.flow.returning import remember
from leadmill.identity import LeftOut, Returning, read_token, seal_token
from leadmill.interfaces.wiring import Wiring

LEFT = "_left"
"""The name under which a page carries what it did not ask."""

_PAGE = timedelta(hours=48)
"""As long as a page may stay open."""
_PATH = "/f/"


class Visit(Struct, frozen=True):
    """What a page asks. ``known`` is what is remembered of who is there, ``left`` the sealed word for the page where
    questions are left out, ``served`` when the page was; ``lead_id`` names who it is, None for nobody in particular."""

    asking: Asking
    known: Mapping[str, TakenAnswer] = {}
    lead_id: str | None = None
    left: str = ""
    served: int = 0

    @property
    def taken(self) -> list[TakenAnswer]:
        """The answers by which this page's answer is completed."""
        return [self.known[name] for name in self.asking.left]


async def visit_of(request: Request[Any, Any, Any], wiring: Wiring, form: Form, vertical: Vertical) -> Visit:
    """Who comes to the form, by the cookie, and what they are to be asked."""
    now = wiring.clock()
    token = request.cookies.get(_cookie(wiring, form), "") if form.progressive else ""
    came = read_token(wiring.kit.pen.vault, token, Returning, now) if token else None
    if came is None or came.source_id != form.source_id:
        return Visit(to_ask(form, vertical, {}, now))
    return await _visit(wiring, form, vertical, came.lead_id, now)


async def _visit(wiring: Wiring, form: Form, vertical: Vertical, lead_id: str, now: datetime) -> Visit:
    async with wiring.db.begin() as tx:
        known = await remember(tx, wiring.kit.pen, lead_id, form, wiring.rules.verticals)
    asking = to_ask(form, vertical, known, now)
    if not asking.left:
        return Visit(asking, known, lead_id)
    served = int(now.timestamp())
    until = int((now + _PAGE).timestamp())
    word = LeftOut(lead_id, form.id, form.version, list(asking.left), served, until)
    return Visit(asking, known, lead_id, seal_token(wiring.kit.pen.vault, word), served)


async def page_of(text: str, wiring: Wiring, form: Form, vertical: Vertical) -> Visit:
    """What a page had asked that is being answered: ``text`` is what it carried. What has been forgotten or corrected
    since is asked after all."""
    now = wiring.clock()
    word = read_token(wiring.kit.pen.vault, text, LeftOut, now) if form.progressive else None
    if word is None or (word.form, word.version) != (form.id, form.version):
        return Visit(to_ask(form, vertical, {}, now))
    async with wiring.db.begin() as tx:
        known = await remember(tx, wiring.kit.pen, word.lead_id, form, wiring.rules.verticals)
    # What was fresh enough when the page was served is so while it is open; what was learned since was asked anyway.
    asking = to_ask(form, vertical, known, datetime.fromtimestamp(word.served, UTC))
    left = tuple(name for name in asking.left if name in word.fields)
    later = tuple(name for name in asking.later if name not in word.fields)
    rest = tuple(name for step in form.steps for field in step.fields if (name := field.field) not in {*left, *later})
    return Visit(Asking(rest, left, later), known, word.lead_id, text, word.served)


def remembered_by(wiring: Wiring, form: Form, lead_id: str, request: Request[Any, Any, Any]) -> list[Cookie]:
    """The cookie for whoever sent this lead; none where the form or the browser wants none."""
    if form.progressive is None or request.headers.get("sec-gpc") == "1":
        return []
    span = timedelta(days=form.progressive.fresh_for)
    token = Returning(lead_id, form.source_id, int((wiring.clock() + span).timestamp()))
    return [_kept(wiring, form, seal_token(wiring.kit.pen.vault, token), int(span.total_seconds()))]


def recognised_by(wiring: Wiring, form: Form, link: str) -> list[Cookie]:
    """The cookie for whoever came by a link that we mailed; none where it has had its time or is another source's."""
    came = read_token(wiring.kit.pen.vault, link, Returning, wiring.clock()) if form.progressive else None
    if came is None or came.source_id != form.source_id:
        return []
    left = came.until - int(wiring.clock().timestamp())
    return [_kept(wiring, form, link, left)]


def nobody(wiring: Wiring, form: Form) -> list[Cookie]:
    """Takes the cookie away."""
    return [_kept(wiring, form, "", 0)]


def _cookie(wiring: Wiring, form: Form) -> str:
    return "lm_" + wiring.keyed_hash("form return cookie", form.source_id).hex()[:12]


def _kept(wiring: Wiring, form: Form, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=_cookie(wiring, form),
        value=value,
        path=_PATH,
        max_age=seconds,
        secure=wiring.secure,
        httponly=True,
        samesite="lax",
    )
