"""Hosted forms as configured: ``[[form]]`` tables read strictly, and what an answer to a form still lacks.

``read_form`` is called by the configuration and by the book of rules, ``unanswered`` by the page that takes the answer.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from leadmill.capture.formed import Form, FormConsent, FormField, FormStep, Progressive
from leadmill.capture.mapping import vertical_called, vertical_names
from leadmill.capture.model import Mapped, Vertical
from leadmill.core.faults import BadInput, FieldFault
from leadmill.core.reading import Table, nearest

CHANNELS = ("call", "text", "email")

_MOST_DAYS = 400
"""Browsers keep nothing longer."""


def read_form(raw: Mapping[str, Any], verticals: Mapping[str, Vertical]) -> Form:
    """A form as configured; its ``version`` is the digest of everything in it, so that any change makes another
    version.

    Raises :class:`BadInput` ``config.record.malformed``, with the nearest known key, field or vertical.
    """
    table = Table(raw, f"form {raw.get('id', '?')}")
    name = table.name()
    vertical = verticals[_vertical(table, verticals)]
    form = Form(
        id=name,
        vertical=vertical.name,
        source_id=table.text("source"),
        title=table.text("title"),
        steps=tuple(
            _step(one, vertical, f"{table.where}, steps[{place}]") for place, one in enumerate(table.tables("steps"))
        ),
        consent=_consent(table) if table.has("consent") else None,
        intro=table.text("intro", ""),
        submit=table.text("submit", "Send"),
        thanks=table.text("thanks", "Thank you. We have received your request."),
        redirect_url=_url(table, "redirect_url"),
        accent=_colour(table),
        progressive=_progressive(table),
        replay=cast(Literal["off", "notice", "ask"], table.choice("replay", ("off", "notice", "ask"), "off")),
        embed_on=_origins(table),
    )
    if not form.steps:
        table.refuse("needs at least one step with fields", "steps")
    asked = [field.field for step in form.steps for field in step.fields]
    if twice := next((field for field in asked if asked.count(field) > 1), None):
        table.refuse(f"asks for '{twice}' twice", "steps")
    if not {"email", "phone"} & set(asked):
        table.refuse("asks for neither email nor phone, so nobody could answer the person", "steps")
    if form.progressive is not None:
        for name in form.progressive.always:
            if name not in asked:
                table.refuse(f"the form does not ask for '{name}'; {nearest(name, asked)}", "always")
    elif any(field.fresh_for is not None for step in form.steps for field in step.fields):
        table.refuse("holds only where progressive = true", "steps")
    table.close()
    return msgspec.structs.replace(form, version=_digest(form))


def unanswered(form: Form, mapped: Mapped) -> list[FieldFault]:
    """The required questions of a form without an answer. An unticked consent box is none: agreeing to be contacted is
    never a condition of an enquiry."""
    return [
        FieldFault(f"/fields/{field.field}", "capture.field.required", "please answer this")
        for step in form.steps
        for field in step.fields
        if field.required and mapped.fields.get(field.field) in (None, "", [])
    ]


def _vertical(table: Table, verticals: Mapping[str, Vertical]) -> str:
    try:
        return vertical_called(table.text("vertical"), vertical_names(verticals))
    except BadInput as fault:
        table.refuse(fault.detail, "vertical")


def _step(raw: object, vertical: Vertical, where: str) -> FormStep:
    table = Table(raw, where)
    fields = table.value("fields")
    if not isinstance(fields, list) or not fields:
        table.refuse("must be a list of fields", "fields")
    step = FormStep(
        title=table.text("title", ""),
        fields=tuple(_field(one, vertical, f"{where}.fields[{place}]") for place, one in enumerate(fields)),
    )
    table.close()
    return step


def _field(raw: object, vertical: Vertical, where: str) -> FormField:
    table = Table({"field": raw} if isinstance(raw, str) else raw, where)
    name = table.text("field")
    if name not in vertical.fields:
        table.refuse(f"the vertical {vertical.name} has no field '{name}'; {nearest(name, vertical.fields)}", "field")
    field = FormField(
        field=name,
        label=table.text("label", vertical.fields[name].title),
        required=table.flag("required", vertical.fields[name].required),
        hint=table.text("hint", vertical.fields[name].hint),
        fresh_for=table.whole("fresh_for", least=0, most=_MOST_DAYS) if table.has("fresh_for") else None,
    )
    table.close()
    return field


def _progressive(form: Table) -> Progressive | None:
    keys = ("always", "ask", "fresh_for")
    if not form.flag("progressive", False):
        for key in keys:
            if form.has(key):
                form.refuse("holds only where progressive = true", key)
        return None
    return Progressive(
        always=form.texts("always", ()),
        ask=form.whole("ask", least=1, most=100) if form.has("ask") else None,
        fresh_for=form.whole("fresh_for", 90, least=1, most=_MOST_DAYS),
    )


def _consent(form: Table) -> FormConsent:
    table = Table(form.value("consent"), f"{form.where}, consent")
    channels = table.texts("channels", CHANNELS)
    for channel in channels:
        if channel not in CHANNELS:
            table.refuse(f"'{channel}' is no way of contact; {nearest(channel, CHANNELS)}", "channels")
    text = table.text("text")
    consent = FormConsent(
        version=table.text("version", hashlib.sha256(text.encode()).hexdigest()[:12]),
        text=text,
        sellers=table.texts("sellers", ()),
        channels=channels,
        obtained_by=table.text("obtained_by", ""),
        box=cast(Literal["unchecked", "none"], table.choice("box", ("unchecked", "none"), "unchecked")),
    )
    table.close()
    return consent


def _url(table: Table, key: str) -> str | None:
    if not table.has(key):
        return None
    url = table.text(key)
    if not url.startswith(("https://", "http://", "/")):
        table.refuse("must begin with https://, http:// or /", key)
    return url


def _origins(table: Table) -> tuple[str, ...]:
    """Where the form may be embedded. Whoever may show it in a frame may lay something over it: each is named."""
    origins: tuple[str, ...] = table.texts("embed_on", ())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            table.refuse(f"'{origin}' must be an origin such as https://www.acme.example, without a path", "embed_on")
    return origins


_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?")


def _colour(table: Table) -> str | None:
    if not table.has("accent"):
        return None
    accent = table.text("accent")
    if len(accent) != 7 or accent[0] != "#" or not all(sign in "0123456789abcdefABCDEF" for sign in accent[1:]):
        table.refuse("must be a colour such as #3f4ec4", "accent")
    return accent


def _digest(form: Form) -> str:
    plain = msgspec.to_builtins(form)
    # What a form does not use is no part of it: forms published before there was any keep their versions.
    if plain["progressive"] is None:
        del plain["progressive"]
    if plain["replay"] == "off":
        del plain["replay"]
    if not plain["embed_on"]:
        del plain["embed_on"]
    for field in (field for step in plain["steps"] for field in step["fields"]):
        if field["fresh_for"] is None:
            del field["fresh_for"]
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:16]
