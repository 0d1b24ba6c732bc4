"""``/f/{form}``: a published form as a page, and its answer as a lead.

The page says what is agreed to and who may get in touch, in the very text that is kept as proof; it carries a stamp
that ties the answer to the version that was served. The answer goes the way of every other lead. A field that people
cannot see gives away programs that fill in everything; such an answer is kept and rejected with its reason like any
other. A small script tells how the form was filled in, in counts; the form works without it.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from leadmill.capture import (
    FILLED_HEADER,
    HONEYPOT_FIELD,
    FieldSpec,
    Form,
    FormField,
    Submission,
    Vertical,
    accept_submission,
    another_person,
    to_ask,
    unanswered,
)
from leadmill.consent import read_stamp, stamp_page
from leadmill.core.faults import BadInput, FieldFault, NotFound
from leadmill.core.reasons import State
from leadmill.flow.returning import LINK
from leadmill.interfaces.guard import policy
from leadmill.interfaces.pages import Pages
from leadmill.interfaces.portals.pacing import count_answer
from leadmill.interfaces.portals.returning import (
    LEFT,
    Visit,
    nobody,
    page_of,
    recognised_by,
    remembered_by,
    visit_of,
)
from leadmill.interfaces.portals.witnessing import NOTICES, SEEN, VISIT, evidence_of, recording_of, token_of
from leadmill.interfaces.wiring import Wiring

_CONSENT = "consent[granted]"
_STAMP = "_stamp"
_COUNT = re.compile(r"[0-9]{1,9}(\.[0-9])?|")
_TOLD = {
    **{
        f"context[{name}]": _COUNT
        for name in ("key_count", "paste_count", "fill_count", "key_gap_ms", "key_gap_spread")
    },
    "context[webdriver]": re.compile(r"yes|no|"),
    "context[time_zone]": re.compile(r"[A-Za-z0-9_+/-]{1,60}|"),
    "context[browser_language]": re.compile(r"[A-Za-z0-9-]{2,35}|"),
    "context[device_id]": re.compile(r"[0-9a-f]{32}|"),
}
"""What the form's script tells of how it was filled in and by which browser, and as what it writes it."""
_TOO_OLD = "This page was open for long. Please look through it and send it again."
_CHANGED = "The form has changed since you opened it. Please look through it and send it again."
_ANOTHER = "Please answer these questions as well, so that we take you for nobody else."
_TELLING = 3
"""Questions from which on the time they took says anything."""
_KEPT_HEADERS = ("user-agent", "referer", "sec-gpc", "accept-language")
_MOST_FIELDS = 500
_FEW = 5
"""Up to so many choices stand open; more are a list to choose from."""
_INPUTS = {"int": "number", "number": "number", "money": "number", "date": "date"}

Leaflets = Pages
"""The templates of public pages; a type of its own so that no page of the console is served from here."""


class Asked(Struct, frozen=True):
    """A question as it stands on the page."""

    name: str
    label: str
    hint: str
    required: bool
    kind: str
    input: str
    inputmode: str
    autocomplete: str
    choices: list[tuple[str, str]]
    value: str
    values: list[str]
    error: str
    max_length: int


@get("/f/{form_id:str}", include_in_schema=False)
async def form_page(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    leaflets: NamedDependency[Leaflets],
    form_id: FromPath[str],
) -> Response[Any]:
    """The form, empty or filled from the address; of who comes back, what is not known yet. A link that we mailed is
    taken for a cookie, so that it stands in no address that is passed on."""
    form, vertical = _find(wiring, form_id)
    # A visit's token is ours to give, in no address.
    given = {key: [value] for key, value in request.query_params.items() if key != VISIT}
    if LINK in given and form.progressive is not None:
        (link,) = given.pop(LINK)
        rest = urlencode(given, doseq=True)
        return Redirect(
            f"/f/{form.id}?{rest}" if rest else f"/f/{form.id}",
            status_code=303,
            headers={"cache-control": "no-store"},
            cookies=recognised_by(wiring, form, link),
        )
    visit = await visit_of(request, wiring, form, vertical)
    return _page(recording_of(request, form), wiring, leaflets, form, vertical, given, {}, visit)


@post("/f/{form_id:str}", include_in_schema=False, status_code=200)
async def take_form(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    leaflets: NamedDependency[Leaflets],
    form_id: FromPath[str],
) -> Response[Any]:
    """Take an answer: back to the form with what is missing, or on to the thanks. Raises Throttled
    ``portals.form.throttled``."""
    form, vertical = _find(wiring, form_id)
    body = await request.body()
    now, recording = wiring.clock(), recording_of(request, form)
    given: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadInput("portals.form.malformed", f"a form has at most {_MOST_FIELDS} fields") from None
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    try:
        stamp = read_stamp(wiring.keyed_hash, given.get(_STAMP, [""])[-1], now)
    except BadInput:
        visit = await visit_of(request, wiring, form, vertical)
        return _page(recording, wiring, leaflets, form, vertical, given, {}, visit, _TOO_OLD)
    if stamp.form != form.id or stamp.version != form.version:
        visit = await visit_of(request, wiring, form, vertical)
        return _page(recording, wiring, leaflets, form, vertical, given, {}, visit, _CHANGED)
    visit = await page_of(given.get(LEFT, [""])[-1], wiring, form, vertical)
    body, answers = _parts(body)
    session, seen = evidence_of(wiring, form, given, stamp.served_at, now)
    timed = not visit.asking.left or len(visit.asking.asked) >= _TELLING
    submission = Submission(
        id=wiring.mint("sub", now),
        source_id=form.source_id,
        channel="hosted",
        received_at=now,
        content_type="application/x-www-form-urlencoded",
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        headers={name: request.headers[name][:1000] for name in _KEPT_HEADERS if name in request.headers}
        | ({FILLED_HEADER: f"{max(0.0, (now - stamp.served_at).total_seconds()):.1f}"} if timed else {}),
        remote_ip=request.client.host if request.client else None,
        # Pressing the button twice is one enquiry, however long one waited in between; of who was asked little, the
        # same few answers at another time are another.
        idempotency_key=hashlib.sha256(answers + _told_apart(visit)).hexdigest(),
        form=form.id,
        form_version=stamp.version,
        vertical=form.vertical,
        taken=visit.taken,
        session=session,
        witness=seen,
    )
    said = {name: values[-1].strip() for name, values in given.items()}
    if another_person(form, vertical, visit.known, said, now):
        everything = Visit(to_ask(form, vertical, {}, now))
        answer = _page(recording, wiring, leaflets, form, vertical, given, {}, everything, _ANOTHER)
        answer.cookies = nobody(wiring, form)
        return answer
    faults = _faults(wiring, form, submission, given)
    if faults:
        # Whoever corrects an answer has been at it since the first page.
        return _page(recording, wiring, leaflets, form, vertical, given, faults, visit, stamp=given[_STAMP][-1])
    async with wiring.db.begin() as tx:
        await count_answer(tx, wiring, request)
    settled = await wiring.take(submission)
    known = settled.state is not State.REJECTED
    return Redirect(
        form.redirect_url or f"/f/{form.id}/thanks",
        status_code=303,
        cookies=remembered_by(wiring, form, settled.lead_id, request) if known else [],
    )


@post("/f/{form_id:str}/anew", include_in_schema=False, status_code=200)
async def begin_anew(wiring: NamedDependency[Wiring], form_id: FromPath[str]) -> Response[Any]:
    """For whoever is not the one who is remembered: the whole form."""
    form, _ = _find(wiring, form_id)
    return Redirect(f"/f/{form.id}", status_code=303, cookies=nobody(wiring, form))


@get("/f/{form_id:str}/thanks", include_in_schema=False)
async def thanks_page(
    wiring: NamedDependency[Wiring], leaflets: NamedDependency[Leaflets], form_id: FromPath[str]
) -> Response[str]:
    """What one sees after sending."""
    form, _ = _find(wiring, form_id)
    headers = {"content-security-policy": policy(framed_by=form.embed_on)}
    return Response(leaflets.render("thanks.html", form=form), media_type=MediaType.HTML, headers=headers)


@get("/f/{form_id:str}/accent.css", include_in_schema=False, sync_to_thread=False)
def accent_sheet(wiring: NamedDependency[Wiring], form_id: FromPath[str]) -> Response[str]:
    """The one colour that a form brings, and black or white on it, whichever reads better."""
    form, _ = _find(wiring, form_id)
    accent = form.accent or "#3f4ec4"
    sheet = f":root{{--accent:{accent};--on-accent:{ink_on(accent)}}}"
    return Response(sheet, media_type="text/css", headers={"cache-control": "public, max-age=300"})


@get("/embed.js", include_in_schema=False, sync_to_thread=False)
def embed_script(leaflets: NamedDependency[Leaflets]) -> Redirect:
    """The script that puts a form into a page of a publisher's, at an address that stays."""
    return Redirect(leaflets.asset("embed.js"), headers={"cache-control": "public, max-age=300"})


def ink_on(colour: str) -> str:
    """Black or white, whichever has the higher contrast on ``#rrggbb`` (WCAG 2.2, relative luminance)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#101214"


def _find(wiring: Wiring, form_id: str) -> tuple[Form, Vertical]:
    rules = wiring.rules
    form = rules.forms.get(form_id)
    vertical = rules.verticals.get(form.vertical) if form else None
    source = rules.roster.sources.get(form.source_id) if form else None
    if form is None or vertical is None or source is None or source.retired:
        raise NotFound("portals.form.unknown", "there is no such form, or it was taken down")
    return form, vertical


def _told_apart(visit: Visit) -> bytes:
    return f"\n{visit.lead_id} {visit.served}".encode() if visit.left else b""


def _faults(wiring: Wiring, form: Form, submission: Submission, given: Mapping[str, list[str]]) -> dict[str, str]:
    """What is wrong, by field, in words for the person who filled it in."""
    try:
        mapped = accept_submission(submission, wiring.rules.lexicon, (form.vertical,))
    except BadInput as fault:
        taken = {item.name for item in submission.taken}
        blank = [
            field.field
            for step in form.steps
            for field in step.fields
            if field.required
            and field.field not in taken
            and not any(value.strip() for value in given.get(field.field, []))
        ]
        wrong = {_name(each): each.detail for each in fault.errors} or {"": fault.detail}
        return {**dict.fromkeys(blank, "please answer this"), **wrong}
    found = {_name(each): each.detail for each in unanswered(form, mapped)}
    asked = {field.field for step in form.steps for field in step.fields}
    email, phone = mapped.fields.get("email"), mapped.fields.get("phone")
    if not email and not phone and not found:
        found["email" if "email" in asked else "phone"] = "leave us a way to answer you"
    return found


def _parts(body: bytes) -> tuple[bytes, bytes]:
    """What is kept of a body, and the person's own answers in it. The stamp is ours, and what the script did not write
    as it does is left out: nobody is to be held up by what they cannot see."""
    kept: list[bytes] = []
    answers: list[bytes] = []
    for part in body.split(b"&"):
        name, _, value = (unquote_plus(text) for text in part.decode("utf-8", "replace").partition("="))
        if name in (_STAMP, LEFT, VISIT, SEEN) or (name in _TOLD and not _TOLD[name].fullmatch(value)):
            continue
        kept.append(part)
        if name not in _TOLD:
            answers.append(part)
    return b"&".join(kept), b"&".join(answers)


def _name(fault: FieldFault) -> str:
    return fault.pointer.rpartition("/")[2]


def _page(
    recording: str,
    wiring: Wiring,
    leaflets: Pages,
    form: Form,
    vertical: Vertical,
    given: Mapping[str, list[str]],
    faults: Mapping[str, str],
    visit: Visit,
    notice: str = "",
    stamp: str = "",
) -> Response[str]:
    # What was answered or is wrong stands there, whatever else is asked.
    shown = {*visit.asking.asked, *faults} | (
        {name for name in given if any(given[name])} if _STAMP in given else set()
    )
    steps = [
        {
            "title": step.title,
            "fields": [
                _asked(field, vertical.fields[field.field], given, faults)
                for field in step.fields
                if field.field in shown
            ],
        }
        for step in form.steps
        if any(field.field in shown for field in step.fields)
    ]
    listed = [(field.field, field.label) for step in form.steps for field in step.fields if field.field in faults]
    html = leaflets.render(
        "form.html",
        form=form,
        steps=steps,
        left=visit.left,
        left_name=LEFT,
        stamp=stamp or stamp_page(wiring.keyed_hash, form, wiring.clock()),
        tells=[(name, _tellable(given, name)) for name in _TOLD],
        agreed=bool(given.get(_CONSENT)) and bool(given.get(_STAMP)),
        faults=[(name, label, faults[name]) for name, label in listed],
        other=[says for name, says in faults.items() if name not in dict(listed)],
        first=listed[0][0] if listed else "",
        notice=notice,
        honeypot=HONEYPOT_FIELD,
        carried=[(VISIT, token_of(wiring, form, given)), (SEEN, "")],
        replay=recording,
        replay_says=NOTICES.get(recording, ""),
        consent_name=_CONSENT,
    )
    return Response(
        html,
        media_type=MediaType.HTML,
        status_code=422 if faults else 200,
        headers={
            "cache-control": "no-store",
            "content-security-policy": policy(_origin(form.redirect_url), form.embed_on),
        },
    )


def _tellable(given: Mapping[str, list[str]], name: str) -> str:
    """What the script told before an answer had to be corrected: it goes on counting from there."""
    value = given.get(name, [""])[-1]
    return value if _STAMP in given and _TOLD[name].fullmatch(value) else ""


def _origin(url: str | None) -> str:
    """The origin of an absolute address, nothing for a path of ours."""
    if not url or url.startswith("/"):
        return ""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _asked(field: FormField, spec: FieldSpec, given: Mapping[str, list[str]], faults: Mapping[str, str]) -> Asked:
    choices = [(choice.value, choice.label) for choice in spec.choices]
    if spec.type == "bool":
        choices = [("yes", "Yes"), ("no", "No")]
    kind = "text"
    if choices:
        kind = "checks" if spec.type == "list" else "radios" if len(choices) <= _FEW else "select"
    elif spec.max_length > 1000:
        kind = "area"
    name = field.field
    return Asked(
        name=name,
        label=field.label or spec.title,
        # What a vertical notes beside a field is meant for programs; a form has words of its own.
        hint=field.hint if field.hint != spec.hint else "",
        required=field.required,
        kind=kind,
        input={"email": "email", "phone": "tel"}.get(name, _INPUTS.get(spec.type, "text")),
        inputmode="numeric"
        if name == "zip" or spec.type == "int"
        else "decimal"
        if spec.type in ("money", "number")
        else "",
        autocomplete=spec.autocomplete or "",
        choices=choices,
        value=given.get(name, [""])[-1][:1000],
        values=given.get(name, []),
        error=faults.get(name, ""),
        max_length=spec.max_length,
    )


ROUTES = [form_page, take_form, begin_anew, thanks_page, accent_sheet, embed_script]
