"""The desk: who is asking for a page, what that person may do, and how the answer is made.

One is made for each request by ``provide_desk`` and handed to the page. It reads the session, checks that a form came
from our own page, and renders with what every page shows. A visitor without a session is sent to sign in.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect
from msgspec import Struct

from leadmill.core.faults import BadInput, Forbidden, TooLarge
from leadmill.core.reasons import State
from leadmill.delivery.store import count_states
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads
from leadmill.interfaces.dangers import check_fresh, check_origin, danger_of
from leadmill.interfaces.pages import Pages, zone
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Operator, Right, Session, Stage, freshly_proved
from leadmill.parties.service import csrf_matches, resume_session
from leadmill.privacy import count_waiting
from leadmill.runtime.db import Tx
from leadmill.scoring.watch import count_alerts

COOKIE = "leadmill_session"
_MOST_FORM = 64 * 1024
_MOST_FIELDS = 2_000
_MOST_COUNTED = 99
_COUNTED_FOR = timedelta(seconds=5)

NOTICES = {
    "resent": ("ok", "The delivery starts again; its attempts go on below."),
    "resent_many": ("ok", "The deliveries start again."),
    "none_chosen": ("warn", "Choose at least one delivery."),
    "recorded": ("ok", "The disposition is recorded."),
    "approved": ("ok", "Approved: the lead walked on."),
    "rejected": ("ok", "Rejected: the lead ends here."),
    "overridden": ("ok", "Overridden: the lead walked on."),
    "lead_held": ("ok", "Held: it waits on the review desk, and nothing sells it meanwhile."),
    "marked": ("ok", "Marked; whoever learns from it knows."),
    "review_approve": ("ok", "Approved."),
    "review_reject": ("ok", "Rejected."),
    "review_nurture": ("ok", "Kept for later."),
    "review_snoozed": ("ok", "Skipped."),
    "review_handed": ("ok", "Handed over."),
    "review_undone": ("ok", "Taken back: you have the case again."),
    "review_unlocked": ("ok", "Unlocked: anybody may take it."),
    "review_none": ("ok", "Nothing waits that you could decide."),
    "added": ("ok", "The operator can sign in now."),
    "changed": ("ok", "Changed."),
    "review_dismissed": ("ok", "Dismissed: the card stays as it is."),
    "card_changed": ("ok", "In force: leads that come from now on are rated by it."),
    "model_placed": ("ok", "It has its place: leads that come from now on are rated so."),
    "alert_acknowledged": ("ok", "Written down: somebody has looked."),
    "ruled": ("ok", "Ruled; leads that come from now on go by it."),
    "unruled": ("ok", "Taken back; nothing was lost."),
    "corrected": ("ok", "Corrected; it outranks whatever anybody says."),
    "opted_out": ("ok", "Heard: everything under way is stopped, and those who have the person are told."),
    "opted_out_before": ("ok", "Nothing changed: all of it was closed before."),
    "listed": ("ok", "The list is taken; what is under way for its people is being stopped."),
    "doubt_settled": ("ok", "Decided."),
    "told_again": ("ok", "It is told once more."),
    "acknowledged": ("ok", "Written down: it contacts the person no more."),
    "request_taken": ("ok", "Written down; its clock runs."),
    "request_confirmed": ("ok", "Written down: it is the person who asks."),
    "request_acknowledged": ("ok", "Written down: the person knows that it has come."),
    "request_extended": ("ok", "Extended; the person is told why."),
    "request_begun": ("ok", "It is being carried out; the person is written to when it is."),
    "request_denied": ("ok", "Refused; the person is told why and what they can do."),
    "request_appealed": ("ok", "The appeal is written down; its clock runs."),
    "appeal_decided": ("ok", "Decided; the person is told."),
    "run_begun": ("ok", "A run has begun; its figures stand below once it is through."),
    "held": ("ok", "The hold stands: nothing of it goes."),
    "lifted": ("ok", "The hold is lifted."),
    "password": ("ok", "Your password is changed; every other browser is signed out."),
    "factor_added": ("ok", "It is asked for from the next sign-in on."),
    "factor_removed": ("ok", "It is taken away."),
    "signed_out": ("ok", "That browser is signed out."),
    "factors_reset": ("ok", "Their second factors are gone; they sign in with the password and set up new ones."),
    "revoked": ("ok", "The key is revoked; every process knows within a second."),
    "signed": ("ok", "The review is signed."),
    "asked_again": ("ok", "The leads are asked about once more; how far it is stands below."),
}
"""What a page says after a form was taken, by the word in its address."""

Rq = Request[Any, Any, Any]
Page = Response[Any]


class Waiting(Struct):
    """How much waits for a person, for the sidebar; counted anew every few seconds, not on every page."""

    review: str | None = None
    nurture: str | None = None
    requests: str | None = None
    dead: str | None = None
    alerts: str | None = None
    at: datetime | None = None


class Desk:
    """One request of a signed-in operator."""

    def __init__(self, request: Rq, wiring: Wiring, pages: Pages, waiting: Waiting, session: Session) -> None:
        self.request = request
        self.wiring = wiring
        self.session = session
        self.now = wiring.clock()
        self.zone = zone(request.cookies.get("tz"))
        self._pages = pages
        self._waiting = waiting

    @property
    def who(self) -> Operator:
        """The operator."""
        return self.session.operator

    @property
    def sees(self) -> bool:
        """Whether the operator may read personal values."""
        return self.may(Right.SEE_PERSONAL)

    def may(self, right: Right) -> bool:
        """Whether the operator has the right."""
        return self.who.may(right)

    def need(self, right: Right) -> None:
        """Raises Forbidden ``console.right.missing`` where the operator lacks the right."""
        if not self.may(right):
            raise Forbidden(
                "console.right.missing", f"your role, {self.who.role.value}, may not do this; ask an administrator"
            )

    @property
    def token(self) -> str:
        """The cookie by which this browser is known."""
        return str(self.request.cookies.get(COOKIE, ""))

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return address_of(self.request)

    def note(self, tx: Tx, about: str = "") -> None:
        """Write down the dangerous act that this route declares, with the other rows of the transaction."""
        found = danger_of(self.request.route_handler.opt)
        if found is None:
            raise LookupError(self.request.url.path)
        found.note(tx, self.who.id, about, self.now, self.address)

    @property
    def fresh(self) -> bool:
        """Whether the operator may do what is dangerous without being asked again."""
        return freshly_proved(self.session, self.now)

    async def form(self) -> dict[str, str]:
        """The fields of the posted form; of a repeated one the last. Raises Forbidden ``console.form.stale`` where it
        does not bring the session's secret."""
        return dict(await self.form_pairs())

    async def form_pairs(self) -> list[tuple[str, str]]:
        """The fields of the posted form in order; see :meth:`form`."""
        pairs = await read_form(self.request)
        self.check_secret(dict(pairs).get("_csrf", ""))
        return pairs

    def check_secret(self, given: str) -> None:
        """Raises Forbidden ``console.form.stale`` where ``given`` is not the session's secret."""
        if not csrf_matches(self.session, given):
            raise Forbidden("console.form.stale", "this page is from an earlier session; load it again and repeat")

    def show(self, template: str, here: str, status: int = 200, **values: Any) -> Page:
        """A page."""
        return Response(
            self._pages.render(template, **self._common(here), **values),
            media_type=MediaType.HTML,
            status_code=status,
            headers={"cache-control": "no-store"},
        )

    def part(self, template: str, **values: Any) -> str:
        """A piece of a page as text."""
        return self._pages.render(template, **self._common(""), **values)

    def back(self, path: str, done: str = "", **params: str) -> Page:
        """Go to a page after a form was taken; ``done`` is one of :data:`NOTICES`."""
        return Redirect(with_params(path, {**params, **({"done": done} if done else {})}), status_code=303)

    def _common(self, here: str) -> dict[str, Any]:
        tone, text = NOTICES.get(self.request.query_params.get("done", ""), ("", ""))
        return {
            **preferences(self.request),
            "csrf": self.session.csrf,
            "stage": self.session.stage,
            "fresh": self.fresh,
            "here": here,
            "waiting": self._waiting,
            "may": {right.value: self.may(right) for right in Right},
            "who": self.who,
            "notice": {"tone": tone, "text": text} if text else None,
            "now": self.now,
            "base_url": f"{self.request.url.scheme}://{self.request.url.netloc}",
        }


async def provide_desk(
    request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages], waiting: NamedDependency[Waiting]
) -> Desk:
    """The desk of a request. Raises Unauthenticated where nobody is signed in."""
    return await _desk(request, wiring, pages, waiting, ("open",))


async def provide_newcomer(
    request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages], waiting: NamedDependency[Waiting]
) -> Desk:
    """The desk at which second factors are set up: also for those whom their role lets no further without one."""
    return await _desk(request, wiring, pages, waiting, ("open", "enrol"))


async def provide_halfway(
    request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages], waiting: NamedDependency[Waiting]
) -> Desk:
    """The desk at which a second factor is shown."""
    return await _desk(request, wiring, pages, waiting, ("factor",))


async def provide_anybody(
    request: Rq, wiring: NamedDependency[Wiring], pages: NamedDependency[Pages], waiting: NamedDependency[Waiting]
) -> Desk:
    """The desk from which one signs out, however far one came."""
    return await _desk(request, wiring, pages, waiting, ("open", "factor", "enrol"))


async def _desk(request: Rq, wiring: Wiring, pages: Pages, waiting: Waiting, stages: tuple[Stage, ...]) -> Desk:
    now = wiring.clock()
    async with wiring.db.begin() as tx:
        session = await resume_session(tx, wiring.keyed_hash, request.cookies.get(COOKIE, ""), now, stages)
        if session.stage == "open" and (waiting.at is None or now - waiting.at > _COUNTED_FOR):
            waiting.at = now
            for state in (State.REVIEW, State.NURTURE):
                rows, more = await list_leads(tx, LeadFilter(state=state), limit=_MOST_COUNTED)
                setattr(waiting, state.value, f"{len(rows)}{'+' if more else ''}" if rows else None)
            asked = await count_waiting(tx, _MOST_COUNTED)
            waiting.requests = f"{asked}{'+' if asked == _MOST_COUNTED else ''}" if asked else None
            dead = (await count_states(tx)).get("dead", 0)
            waiting.dead = f"{dead:,}" if dead else None
            alerts = sum((await count_alerts(tx)).values())
            waiting.alerts = f"{alerts:,}" if alerts else None
    desk = Desk(request, wiring, pages, waiting, session)
    found = danger_of(request.route_handler.opt)
    if found is not None:
        if found.right is not None:
            desk.need(found.right)
        check_fresh(session, now)
    return desk


def address_of(request: Rq) -> str:
    """Where a request comes from: the caller, or what a trusted proxy says of the caller."""
    return request.client.host if request.client else ""


async def read_form(request: Rq) -> list[tuple[str, str]]:
    """A form-encoded body of ours, at most 64 KiB; nothing of another site's making. Raises Forbidden
    ``console.form.foreign``, TooLarge ``console.form.too_large``, BadInput ``console.form.malformed``."""
    check_origin(request.headers)
    body = await request.body()
    if len(body) > _MOST_FORM:
        raise TooLarge("console.form.too_large", "send less in one form")
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadInput("console.form.malformed", f"a form here has at most {_MOST_FIELDS} fields") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise BadInput("console.form.malformed", "a field holds a NUL character; leave it out")
    return pairs


def preferences(request: Rq) -> dict[str, Any]:
    """What a reader chose for this browser: theme, zone, whether single keys act."""
    theme = request.cookies.get("theme")
    return {
        "theme": theme if theme in ("light", "dark") else None,
        "keys_on": request.cookies.get("keys") != "off",
        "zone": zone(request.cookies.get("tz")),
    }


def kept(name: str, value: str, wiring: Wiring, max_age: int | None, http_only: bool = True) -> Cookie:
    """A cookie of ours; ``max_age`` 0 takes it away."""
    return Cookie(
        key=name, value=value, path="/", max_age=max_age, secure=wiring.secure, httponly=http_only, samesite="lax"
    )


def with_params(path: str, params: Mapping[str, str]) -> str:
    """A path of ours with parameters added."""
    if not params:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(params)}"


def own_path(path: str, otherwise: str = "/leads") -> str:
    """A path to go back to if it is one of ours, never another site's address."""
    # Browsers read a backslash as a slash and leave out tabs and line breaks: what has any of them is none of ours.
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain else otherwise
