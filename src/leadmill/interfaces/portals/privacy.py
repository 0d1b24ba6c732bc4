"""``/privacy``: what somebody may ask of us, and where a request of theirs stands.

The pages work without a name, a password or a script. They say the same whether anybody knows the person or not: a
request is confirmed, and its answer read, by the link in a letter to the address that was named. Who only looks at a
link changes nothing, since mail programs and scanners look at every link. Forms are counted by network address and by
the contact detail they name, in the store, so that all processes count together.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound
from leadmill.flow.rights import FACTS, Plea, appeal_request, confirm_by_link, homes, take_request
from leadmill.interfaces.portals.form import Leaflets
from leadmill.interfaces.portals.standing import STATES, Shown, show
from leadmill.interfaces.wiring import Wiring
from leadmill.optouts import contact_of
from leadmill.policy import Deadlines
from leadmill.privacy import (
    KINDS,
    MOST_WORDS,
    PER_ADDRESS,
    PER_CONTACT,
    PrivacyRequest,
    Statement,
    Ticket,
    count_pace,
    find_request,
    notes_of,
    open_answer,
    open_ticket,
    seal_ticket,
)

_NO_STORE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
"""The address of a request is its key: no page it leads to may learn it."""

_MOST_FORM = 32 * 1024
_CHANGES = ("first_name", "last_name", "email", "phone", "address", "city", "state", "zip", "date_of_birth")
_FIELDS = ("request", "name", "email", "phone", "home", *FACTS, "declared", "words", "agent", "permission")
_ALL = (*_FIELDS, *(f"right_{each}" for each in _CHANGES))

Rq = Request[Any, Any, Any]


class Ask(Struct, frozen=True):
    """A kind of request as the page words it: the tab, the heading, what it does, the button."""

    tab: str
    title: str
    says: str
    button: str


ASKS: dict[str, Ask] = {
    "opt_out": Ask(
        "Contact me no more",
        "Hear no more from us",
        "Name the e-mail address, the phone number, or both, that nobody is to use or sell any more. It counts at once"
        " and for good. You need no account.",
        "Contact me no more",
    ),
    "know": Ask(
        "Know",
        "Know what we hold about you",
        "We tell you what we hold, where it is from, what for, and by name who got it from us.",
        "Ask for what you hold",
    ),
    "delete": Ask(
        "Delete",
        "Have it deleted",
        "We delete what we hold about you, so that nobody can read it any more, and tell those who got it from us.",
        "Ask for deletion",
    ),
    "correct": Ask(
        "Correct",
        "Put something right",
        "Write what is right beside whatever is wrong, and leave the rest empty.",
        "Ask for correction",
    ),
    "limit": Ask(
        "Limit",
        "Limit sensitive data",
        "What is sensitive, such as health or finances, is then used for nothing but what you asked for, and handed to"
        " nobody else. It counts at once.",
        "Limit its use",
    ),
}


@get("/privacy", include_in_schema=False, sync_to_thread=False)
def privacy_page(request: Rq, wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets]) -> Response[str]:
    """The form of one kind of request; all kinds are one step away."""
    return _form(wiring, leaflets, request.query_params.get("request", "opt_out"), {}, {})


@post("/privacy", include_in_schema=False, status_code=200)
async def take_privacy(
    request: Rq, wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets]
) -> Response[str]:
    """Take a request; the answer is the same whether we know the person or not."""
    given = _read(await request.body())
    kind = given.get("request") or "opt_out"
    address = request.client.host if request.client else ""
    wait = await _pace(wiring, [f"address {address}"], PER_ADDRESS)
    hashed = wiring.keyed_hash
    found = (contact_of(hashed, given[name]) for name in ("email", "phone") if given.get(name))
    wait = max(wait, await _pace(wiring, [f"contact {one.hash.hex()}" for one in found if one], PER_CONTACT))
    if wait:
        return _too_many(leaflets, wait)
    if not given.get("email") and not given.get("phone"):
        return _form(wiring, leaflets, kind, given, {"email": "Write an e-mail address, a phone number, or both"}, 422)
    told = Statement(
        name=given.get("name", ""),
        email=given.get("email", ""),
        phone=given.get("phone", ""),
        facts={name: given[name] for name in FACTS if given.get(name)},
        changes={name: given[f"right_{name}"] for name in _CHANGES if given.get(f"right_{name}")},
        words=given.get("words", ""),
        agent=given.get("agent", ""),
        permission=given.get("permission", ""),
        declared=given.get("declared") == "yes",
    )
    plea = Plea(kind=kind, channel="web", by="the privacy page", home=given.get("home", ""), told=told)
    try:
        async with wiring.db.begin() as tx:
            taken = await take_request(tx, wiring.kit, plea, wiring.clock())
    except BadInput as fault:
        if fault.code != "privacy.request.malformed":
            raise
        errors = {each.pointer.removeprefix("/"): each.detail[:1].upper() + each.detail[1:] for each in fault.errors}
        return _form(wiring, leaflets, kind, given, errors, 422)
    vault = wiring.kit.pen.vault
    token = seal_ticket(vault.keyed_hash, vault.seal, Ticket(taken.request.id, letter=False))
    return _page(leaflets, "privacy_done.html", request=taken.request, token=token, mailed=bool(told.email))


@get("/privacy/r/{token:str}", include_in_schema=False)
async def request_page(
    wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets], token: FromPath[str]
) -> Response[str]:
    """Where a request stands. Looking at it changes nothing."""
    return await _standing(wiring, leaflets, token)


@post("/privacy/r/{token:str}", include_in_schema=False, status_code=200)
async def take_step(
    request: Rq, wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets], token: FromPath[str]
) -> Response[str]:
    """Confirm a request, or appeal against its refusal: with the link of a letter alone."""
    given = _read(await request.body(), ("step", "words"))
    ticket = _ticket(wiring, token)
    if ticket is None or not ticket.letter:
        return _unknown(leaflets)
    address = request.client.host if request.client else ""
    wait = await _pace(wiring, [f"address {address}"], PER_ADDRESS)
    if wait:
        return _too_many(leaflets, wait)
    wrong = ""
    try:
        async with wiring.db.begin() as tx:
            now = wiring.clock()
            if given.get("step") == "appeal":
                words = given.get("words", "")[:MOST_WORDS]
                await appeal_request(tx, wiring.kit, ticket.request_id, words, "the person", now)
            else:
                await confirm_by_link(tx, wiring.kit, ticket.request_id, now)
    except (Conflict, Forbidden) as fault:
        wrong = fault.detail[:1].upper() + fault.detail[1:] + "."
    except NotFound:
        return _unknown(leaflets)
    return await _standing(wiring, leaflets, token, wrong)


@get("/privacy/r/{token:str}/{name:str}", include_in_schema=False)
async def request_file(
    wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets], token: FromPath[str], name: FromPath[str]
) -> Response[Any]:
    """``answer.json``, all of an answer for programs, and ``certificate.json``, what a deletion did."""
    found = await _find(wiring, token)
    body: bytes | None = None
    if found is not None and found[0].letter:
        if name == "answer.json":
            body = open_answer(wiring.kit.pen.vault, found[1])
        elif name == "certificate.json":
            body = found[1].certificate
    if body is None or found is None:
        return _unknown(leaflets)
    shown = f'attachment; filename="{found[1].id}-{name}"'
    return Response(body, media_type="application/json", headers={**_NO_STORE, "content-disposition": shown})


async def _find(wiring: Wiring, token: str) -> tuple[Ticket, PrivacyRequest] | None:
    ticket = _ticket(wiring, token)
    if ticket is None:
        return None
    async with wiring.db.begin() as tx:
        found = await find_request(tx, ticket.request_id)
    return (ticket, found) if found is not None else None


async def _standing(wiring: Wiring, leaflets: Leaflets, token: str, wrong: str = "") -> Response[str]:
    found = await _find(wiring, token)
    if found is None:
        return _unknown(leaflets)
    ticket, one = found
    async with wiring.db.begin() as tx:
        notes = await notes_of(tx, one.id)
    appeals = Deadlines(wiring.rules.laws.values()).due("appeal", one.home, wiring.clock()) if one.home else None
    shown: Shown = show(wiring.kit.pen.vault, one, notes, ticket.letter, appeals is not None, wiring.clock())
    return _page(leaflets, "privacy_request.html", 409 if wrong else 200, one=shown, token=token, wrong=wrong)


async def _pace(wiring: Wiring, subjects: list[str], pace: Any) -> float:
    """Count a form of each; the seconds to wait. The count stands whatever comes of the form."""
    if not subjects:
        return 0.0
    async with wiring.db.begin() as tx:
        waits = [await count_pace(tx, wiring.keyed_hash, each, pace, wiring.clock()) for each in sorted(subjects)]
    return max(waits)


def _read(body: bytes, names: tuple[str, ...] = _ALL) -> dict[str, str]:
    """The fields of a form of ours. Raises BadInput ``portals.form.malformed``."""
    if len(body) > _MOST_FORM:
        raise BadInput("portals.form.malformed", "send less in one form")
    try:
        pairs = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=80))
    except ValueError:
        raise BadInput("portals.form.malformed", "a form here has fewer fields") from None
    return {name: pairs[name].replace("\0", "").strip() for name in names if name in pairs}


def _ticket(wiring: Wiring, token: str) -> Ticket | None:
    vault = wiring.kit.pen.vault
    try:
        return open_ticket(vault.keyed_hash, vault.open, token)
    except NotFound:
        return None


def _form(
    wiring: Wiring,
    leaflets: Leaflets,
    kind: str,
    given: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response[str]:
    kind = kind if kind in KINDS else "opt_out"
    places = [(code, STATES.get(code, code)) for code in homes(wiring.rules)]
    return _page(
        leaflets,
        "privacy.html",
        status,
        kind=kind,
        ask=ASKS[kind],
        asks=ASKS,
        given=given,
        errors=errors,
        places=sorted(places, key=lambda place: (place[0] == "ELSEWHERE", place[1])),
        changes=[(name, name.replace("_", " ").capitalize().replace("Zip", "ZIP code")) for name in _CHANGES],
    )


def _too_many(leaflets: Leaflets, wait: float) -> Response[str]:
    minutes = -(-int(wait) // 60)
    text = f"Too many requests came from here or named this contact. Please try again in {minutes} minutes."
    answer = _page(leaflets, "left.html", 429, title="Please wait a little", text=text)
    answer.headers["retry-after"] = str(int(wait) + 1)
    return answer


def _unknown(leaflets: Leaflets) -> Response[str]:
    text = "Please use the whole address as it stands in our letter, or make a request on our privacy page."
    return _page(leaflets, "left.html", 404, title="This link is not whole", text=text)


def _page(leaflets: Leaflets, template: str, status: int = 200, **values: Any) -> Response[str]:
    html = leaflets.render(template, **values)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=dict(_NO_STORE))


ROUTES = [privacy_page, take_privacy, request_page, take_step, request_file]
