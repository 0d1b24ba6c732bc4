"""Pure rules of delivery: a lead in the buyer's own words, and when to try again.

Called by couriers (through the door), by the verbs and by the reader of specs. No clock, no input or output, no
randomness that is not an argument.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import msgspec

from leadmill.core.conversation import Blank
from leadmill.delivery.model import DeliverySpec, Parcel, Picked, Secret, Style

STYLES: dict[str, Style] = {
    "plain": "plain",
    "text": "text",
    "upper": "upper",
    "lower": "lower",
    "digits": "digits",
    "national": "national",
    "whole": "whole",
    "yes_no": "yes_no",
}
_MEDIA = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "application/xml; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
_SUFFIX = {"json": "json", "form": "txt", "xml": "xml", "csv": "csv"}
_CONTEXT = ("ip", "user_agent", "landing_page")
"""What a buyer needs of the circumstances to prove the consent; click ids and sub ids stay with us unless mapped."""
_NOT_NAME = re.compile(r"[^A-Za-z0-9_.-]|^[^A-Za-z_]")
_SIGNED = re.compile(r"[+-][\d ().,-]*\d")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Letterform(msgspec.Struct, frozen=True):
    """A parcel written down: the bytes, what they are, and the blanks that secrets fill when it is sent."""

    body: bytes
    media_type: str
    suffix: str
    blanks: tuple[Blank, ...] = ()


def write(spec: DeliverySpec, parcel: Parcel) -> Letterform:
    """The parcel in the spec's format and names, constants included."""
    secrets: dict[str, str] = {}
    content = _content(spec, parcel, secrets)
    if spec.format == "json":
        body = msgspec.json.encode(_nested(content) if spec.fields or spec.constants else content)
    elif spec.format == "xml":
        body = _xml(spec.root, _nested(content) if spec.fields or spec.constants else content)
    elif spec.format == "form":
        body = urlencode([(k, _text(v)) for k, values in _flat(content) for v in values]).encode()
    else:
        body = _csv(content)
    escape: Literal["json", "form", "xml"] = (
        "json" if spec.format == "json" else "xml" if spec.format == "xml" else "form"
    )
    blanks = tuple(Blank(token, name, escape) for token, name in secrets.items())
    return Letterform(body, _MEDIA[spec.format], _SUFFIX[spec.format], blanks)


def shape(spec: DeliverySpec, parcel: Parcel) -> dict[str, Any]:
    """The values on one level by the buyer's names, for a reader who is a person. Secrets appear as tokens only."""
    return _content(spec, parcel, {}) if spec.fields else full_flat(parcel)


def _content(spec: DeliverySpec, parcel: Parcel, secrets: dict[str, str]) -> dict[str, Any]:
    """The values by the buyer's names, still flat where the spec names them. A value that the lead lacks is left out.
    Tokens that stand for secrets are added to ``secrets`` with the names of their variables."""
    if not spec.fields:
        content = full(parcel) if spec.format in ("json", "xml") else full_flat(parcel)
    else:
        picked = ((target, pick(one, parcel)) for target, one in spec.fields.items())
        content = {target: value for target, value in picked if value is not None}
    for target, value in spec.constants.items():
        if isinstance(value, Secret):
            token = f"secret_{parcel.delivery_id}_{len(secrets)}_"  # holds an id made after the lead came
            secrets[token] = value.env
            content[target] = token
        else:
            content[target] = value
    return content


def full(parcel: Parcel) -> dict[str, Any]:
    """Everything a recipient may have, under Leadmill's own names."""
    content = {
        "lead_id": parcel.lead_id,
        "sale_id": parcel.sale_id,
        "vertical": parcel.vertical,
        "received_at": _stamp(parcel.received_at) if parcel.received_at else None,
        "price": parcel.price,
        "currency": parcel.currency if parcel.price is not None else None,
        "test": True if parcel.test else None,
        "fields": _present(parcel.fields),
        "consent": _present(parcel.consent),
        "context": _present({name: parcel.context.get(name) for name in _CONTEXT}),
    }
    return {name: value for name, value in content.items() if value is not None and value != {}}


def full_flat(parcel: Parcel) -> dict[str, Any]:
    """The same on one level: fields under their own names, consent behind ``consent_``."""
    content = full(parcel)
    consent = {f"consent_{name}": value for name, value in content.pop("consent", {}).items()}
    context: dict[str, Any] = content.pop("context", {})
    fields: dict[str, Any] = content.pop("fields", {})
    return context | fields | consent | content


def pick(one: Picked, parcel: Parcel) -> Any:
    """The value a mapping names, translated and shaped; its default, or None, where the lead has none."""
    value = find(one.source, parcel)
    if value is None or value == "" or value == []:
        return one.default
    if one.values:
        value = one.values.get(_text(value), one.default if one.default is not None else value)
    return _styled(value, one.style)


def find(source: str, parcel: Parcel) -> Any:
    """The value behind a source name: a field, or one of ``consent.``, ``context.``, ``lead.`` and ``sale.``."""
    group, dot, name = source.partition(".")
    if not dot:
        return parcel.fields.get(source)
    if group == "fields":
        return parcel.fields.get(name)
    if group == "consent":
        return parcel.consent.get(name)
    if group == "context":
        return parcel.context.get(name)
    if group == "lead":
        known: Mapping[str, Any] = {
            "id": parcel.lead_id,
            "vertical": parcel.vertical,
            "received_at": _stamp(parcel.received_at) if parcel.received_at else None,
            "test": parcel.test,
        }
        return known.get(name)
    sale: Mapping[str, Any] = {
        "id": parcel.sale_id,
        "price": parcel.price,
        "currency": parcel.currency,
        "recipient": parcel.recipient,
        "at": _stamp(parcel.created_at),
    }
    return sale.get(name)


def next_wait(retries: tuple[int, ...], tried: int, jitter: float, after: float | None = None) -> float | None:
    """Seconds until the next attempt after ``tried`` attempts, None where the schedule is spent. ``jitter`` from 0
    to 1 spreads the wait by a fifth either way; ``after`` is what the other side asked for at least, heeded up to a
    day."""
    if tried > len(retries):
        return None
    wait = retries[tried - 1] * (0.8 + 0.4 * jitter)
    return max(wait, min(after, 86_400.0)) if after is not None else wait


def _styled(value: Any, style: Style) -> Any:
    if style == "plain":
        return value
    text = _text(value)
    if style == "upper":
        return text.upper()
    if style == "lower":
        return text.lower()
    if style == "digits":
        return "".join(sign for sign in text if sign.isdecimal())
    if style == "national":  # a number of the North American plan without its country code
        digits = "".join(sign for sign in text if sign.isdecimal())
        return digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    if style == "whole":
        return _whole(text)
    if style == "yes_no":
        return "yes" if text.lower() in ("true", "yes", "1", "y") else "no"
    return text


def _whole(text: str) -> int | str:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return text


def _text(value: Any) -> str:
    """A value as forms, XML and CSV write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return "" if value is None else str(value)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != "" and value != []}


def _nested(content: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as groups within groups."""
    root: dict[str, Any] = {}
    for target, value in content.items():
        *path, last = target.split(".")
        place = root
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return root


def _flat(content: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for name, value in content.items():
        yield name, list(value) if isinstance(value, list | tuple) else [value]


def _xml(root: str, content: Mapping[str, Any]) -> bytes:
    top = ET.Element(root)
    _grow(top, content)
    written: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return written


def _grow(place: ET.Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        if name.startswith("@"):
            place.set(name[1:], _NOT_XML.sub("", _text(value)))
            continue
        for item in value if isinstance(value, list | tuple) else [value]:
            child = ET.SubElement(place, _NOT_NAME.sub("_", name))
            if isinstance(item, Mapping):
                _grow(child, item)
            else:
                child.text = _NOT_XML.sub("", _text(item))


def _csv(content: Mapping[str, Any]) -> bytes:
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(content)
    sheet.writerow(_cell(_text(value)) for value in content.values())
    return out.getvalue().encode()


def _cell(text: str) -> str:
    """A cell that a spreadsheet will not run: a formula's first sign is made harmless, a number's sign and a phone
    number's plus stay."""
    if text[:1] in ("=", "@", "\t", "\r") or (text[:1] in ("+", "-") and not _SIGNED.fullmatch(text)):
        return "'" + text
    return text
