"""An outcome in the words of a dialect: the answer that a sender's program already knows how to read.

Called by ``interfaces.api.dialects`` with what became of a request, and by the posting page for its examples. Pure.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
from msgspec import Struct

from leadmill.capture.dialects import OUTCOMES, Dialect, Format, places_of, spoken

_MEDIA: dict[str, str] = {
    "json": "application/json",
    "xml": "application/xml; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
_PLACE = re.compile(r"\{[^{}]*\}")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STATUS = {"busy": 503, "broken": 500}
"""What is our own trouble is told by the status as well, so that a sender who only looks there tries again."""


class OneBid(Struct, frozen=True):
    """One seller that a ping would go to. ``price`` is a decimal string."""

    id: str
    seller: str
    price: str | None = None


class Said(Struct, frozen=True, kw_only=True):
    """What there is to say. ``outcome`` is one of :data:`~leadmill.capture.dialects.OUTCOMES`; ``price`` is what the
    source earns, a decimal string; ``expires_in`` is in seconds; ``now`` is in seconds since 1970. ``status`` is the
    HTTP status where it is not the dialect's to choose; ``sub1`` the sender's own mark on the lead, which only later
    answers repeat; those that begin with ``call`` say where a caller is put through, and from how many seconds on the
    call is good."""

    outcome: str
    mode: str = "direct"
    lead_id: str | None = None
    ping_id: str | None = None
    price: str | None = None
    currency: str | None = None
    code: str | None = None
    reason: str | None = None
    redirect_url: str | None = None
    expires_at: str | None = None
    expires_in: int | None = None
    bids: tuple[OneBid, ...] = ()
    now: int = 0
    status: int | None = None
    sub1: str | None = None
    call_number: str | None = None
    call_sip: str | None = None
    call_seconds: int | None = None

    @property
    def call_digits(self) -> str | None:
        """The number without its plus."""
        return self.call_number.removeprefix("+") if self.call_number else None


class Spoken(Struct, frozen=True):
    """An answer as it is sent."""

    status: int
    media_type: str
    body: bytes


def speak(dialect: Dialect, form: Format, said: Said) -> Spoken:
    """What there is to say, as the dialect says it, in the format the sender asked for."""
    template = dialect.templates[spoken(dialect.templates, said.outcome)]
    status = said.status or word(dialect, "http", said) or _STATUS.get(said.outcome, 200)
    content = filled(template, dialect, said)
    if form == "text":
        body = str(content.get("text", "")).encode()
    elif form == "xml":
        plain = {key: value for key, value in content.items() if key != "text"}
        body = xml_of(dialect.root, plain)
    else:
        plain = {key: value for key, value in content.items() if key != "text"}
        body = msgspec.json.encode({dialect.root: plain} if dialect.rooted else plain)
    return Spoken(int(status), dialect.media.get(form, _MEDIA[form]), body)


def word(dialect: Dialect, table: str, said: Said) -> str | int | None:
    """The word of a table for an outcome: for its reason's code, for the longest beginning of that code
    (``policy.``), else for the outcome or what stands in for it. None where the table has none."""
    words = dialect.words.get(table, {})
    if said.code:
        parts = said.code.split(".")
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length]) + ("." if length < len(parts) else "")
            if key in words:
                return words[key]
    outcome = said.outcome
    while outcome:
        if outcome in words:
            return words[outcome]
        outcome = OUTCOMES.get(outcome, "")
    return None


def filled(template: Mapping[str, Any], dialect: Dialect, said: Said) -> dict[str, Any]:
    """A template with what there is to say put into it."""
    return _fill(template, dialect, said, {})


def _fill(template: Mapping[str, Any], dialect: Dialect, said: Said, bid: Mapping[str, str | None]) -> dict[str, Any]:
    """A template's table, filled; what is one place and has nothing to stand in it is left out."""
    found: dict[str, Any] = {}
    for key, value in template.items():
        if key == "each":
            continue
        put = _value(value, dialect, said, bid)
        if put is not None:
            found[key] = put
    return found


def _value(value: Any, dialect: Dialect, said: Said, bid: Mapping[str, str | None]) -> Any:
    if isinstance(value, str):
        return _text(value, dialect, said, bid)
    if isinstance(value, Mapping):
        if value.get("each") == "bids":
            each = [{"bid.id": one.id, "bid.seller": one.seller, "bid.price": one.price} for one in said.bids]
            return [_fill(value, dialect, said, one) for one in each]
        return _fill(value, dialect, said, bid)
    if isinstance(value, list):
        return [put for item in value if (put := _value(item, dialect, said, bid)) is not None]
    return value


def _text(text: str, dialect: Dialect, said: Said, bid: Mapping[str, str | None]) -> Any:
    places = places_of(text)
    if not places:
        return text
    if len(places) == 1 and _PLACE.fullmatch(text):
        name, kind, default = places[0]
        found = _named(name, dialect, said, bid)
        return default if found is None else _as(kind, found)
    left = iter(places)

    def put(match: re.Match[str]) -> str:
        name, _kind, default = next(left)
        found = _named(name, dialect, said, bid)
        return str(found) if found is not None else default or ""

    return _PLACE.sub(put, text)


def _named(name: str, dialect: Dialect, said: Said, bid: Mapping[str, str | None]) -> Any:
    if name.startswith("word."):
        return word(dialect, name[5:], said)
    if name in bid:
        return bid[name]
    return len(said.bids) if name == "bids" else getattr(said, name)


def _as(kind: str, found: Any) -> Any:
    """A place's value in the kind that JSON shall show it."""
    if kind == "number":
        try:
            amount = Decimal(str(found))
        except InvalidOperation:
            return str(found)
        return int(amount) if amount == amount.to_integral_value() else float(amount)
    if kind == "whole":
        return int(Decimal(str(found)))
    if kind == "flag":
        return str(found).lower() in ("true", "1", "yes")
    return found if isinstance(found, int) else str(found)


def xml_of(root: str, content: Mapping[str, Any]) -> bytes:
    """The content as an XML document."""
    top = ET.Element(root)
    _grow(top, content)
    written: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return written


def _grow(place: ET.Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        for item in value if isinstance(value, list) else [value]:
            child = ET.SubElement(place, name)
            if isinstance(item, Mapping):
                _grow(child, item)
            else:
                plain = str(item).lower() if isinstance(item, bool) else str(item)
                child.text = _NOT_XML.sub("", plain)
