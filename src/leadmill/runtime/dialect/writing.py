"""Writes values in another system's own words: its names, its format, its way of putting a value.

Called by whoever composes a delivery or a ping, which say where a value comes from. Pure. Secrets are never written:
a token stands for each until the request is sent.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import msgspec

from leadmill.core.conversation import Blank
from leadmill.runtime.dialect.model import Dialect, Picked, Secret, Style

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
_NOT_NAME = re.compile(r"[^A-Za-z0-9_.-]|^[^A-Za-z_]")
_SIGNED = re.compile(r"[+-][\d ().,-]*\d")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Letterform(msgspec.Struct, frozen=True):
    """A message written down: the bytes, what they are, and the blanks that secrets fill when it is sent."""

    body: bytes
    media_type: str
    suffix: str
    blanks: tuple[Blank, ...] = ()


Find = Callable[[str], Any]
"""The value behind a source name; None where there is none."""


def write(spec: Dialect, content: Mapping[str, Any], blanks: Mapping[str, str]) -> Letterform:
    """The content in the spec's format. ``blanks`` are the tokens in it by the names of the secrets' variables."""
    if spec.format == "json":
        body = msgspec.json.encode(_nested(content) if spec.fields or spec.constants else content)
    elif spec.format == "xml":
        body = _xml(spec.root, _nested(content) if spec.fields or spec.constants else content)
    elif spec.format == "form":
        body = urlencode([(k, as_text(v)) for k, values in _flat(content) for v in values]).encode()
    else:
        body = _csv(content)
    escape: Literal["json", "form", "xml"] = (
        "json" if spec.format == "json" else "xml" if spec.format == "xml" else "form"
    )
    told = tuple(Blank(token, name, escape) for token, name in blanks.items())
    return Letterform(body, _MEDIA[spec.format], _SUFFIX[spec.format], told)


def content_of(
    spec: Dialect, find: Find, whole: Callable[[], Mapping[str, Any]], seed: str, secrets: dict[str, str]
) -> dict[str, Any]:
    """The values by the other side's names, still flat where the spec names them; ``whole`` gives everything for a
    spec that names none. A value that is lacking is left out. Tokens that stand for secrets hold ``seed``, an id that
    whoever gave the values cannot have known, and are added to ``secrets`` with the names of their variables."""
    if spec.fields:
        picked = ((target, pick(one, find)) for target, one in spec.fields.items())
        content = {target: value for target, value in picked if value is not None}
    else:
        content = dict(whole())
    for target, value in spec.constants.items():
        if isinstance(value, Secret):
            token = f"secret_{seed}_{len(secrets)}_"
            secrets[token] = value.env
            content[target] = token
        else:
            content[target] = value
    return content


def pick(one: Picked, find: Find) -> Any:
    """The value a mapping names, translated and shaped; its default, or None, where there is none."""
    value = find(one.source)
    if value is None or value == "" or value == []:
        return one.default
    if one.then is not None:
        return one.then
    if one.values:
        value = one.values.get(as_text(value), one.default if one.default is not None else value)
        if value == "":  # a translation to nothing leaves the value out
            return None
    return _styled(value, one.style)


def _styled(value: Any, style: Style) -> Any:
    if style == "plain":
        return value
    text = as_text(value)
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


def as_text(value: Any) -> str:
    """A value as forms, XML and CSV write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(as_text(item) for item in value)
    return "" if value is None else str(value)


def stamp(at: datetime) -> str:
    """A moment as it is written to others: ISO 8601 in UTC, whole seconds."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """What there is of these values."""
    return {name: value for name, value in values.items() if value is not None and value != "" and value != []}


def _nested(content: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as groups within groups."""
    if not any("." in target for target in content):
        return dict(content)
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
            place.set(name[1:], _NOT_XML.sub("", as_text(value)))
            continue
        for item in value if isinstance(value, list | tuple) else [value]:
            child = ET.SubElement(place, _NOT_NAME.sub("_", name))
            if isinstance(item, Mapping):
                _grow(child, item)
            else:
                child.text = _NOT_XML.sub("", as_text(item))


def _csv(content: Mapping[str, Any]) -> bytes:
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(content)
    sheet.writerow(_cell(as_text(value)) for value in content.values())
    return out.getvalue().encode()


def _cell(text: str) -> str:
    """A cell that a spreadsheet will not run: a formula's first sign is made harmless, a number's sign and a phone
    number's plus stay."""
    if text[:1] in ("=", "@", "\t", "\r") or (text[:1] in ("+", "-") and not _SIGNED.fullmatch(text)):
        return "'" + text
    return text
