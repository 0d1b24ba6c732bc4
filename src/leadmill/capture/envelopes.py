"""Bodies in the envelopes that older systems use: XML and multipart forms, beside those of :mod:`bodies`.

Called by :mod:`leadmill.capture.translating`. What comes out keeps the promises of
:func:`leadmill.capture.bodies.read_body`: bounded, clean, text that encodes.
"""

from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from leadmill.capture.bodies import MAX_BYTES, MAX_DEPTH, MAX_ENTRIES, inspect, place, read_body
from leadmill.core.faults import BadInput, TooLarge

_XML = ("application/xml", "text/xml")
_MULTIPART = "multipart/form-data"
_FORM = "application/x-www-form-urlencoded"


def read_envelope(content_type: str, body: bytes) -> dict[str, Any]:
    """A body as a dictionary: JSON, a form, XML (the root's children by name) or a multipart form (its texts).

    Raises as :func:`leadmill.capture.bodies.read_body`.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge("capture.body.too_large", "send at most 1 MiB")
    media = content_type.partition(";")[0].strip().lower()
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if media in _XML or media.endswith("+xml") or start == b"<":
        return _read_xml(body)
    if media == _MULTIPART:
        return _read_multipart(content_type, body)
    if media == _FORM and start == b"{":  # command-line clients call everything a form
        return read_body("application/json", body)
    if media not in ("", "text/plain", _FORM) and "json" not in media:
        raise BadInput("capture.body.media_type", "send a form, JSON or XML")
    return read_body(content_type, body)


def _read_xml(body: bytes) -> dict[str, Any]:
    try:
        root = SafeET.fromstring(body)
    except DefusedXmlException:
        raise BadInput("capture.body.malformed", "XML may not declare entities") from None
    except (SafeET.ParseError, ValueError, LookupError):
        raise BadInput("capture.body.malformed", "the body is not well-formed XML") from None
    found = _content(root, 1, [0])
    if not isinstance(found, dict):
        raise BadInput("capture.body.malformed", "the body holds no fields")
    inspect(found, escaped=True)
    return found


def _content(node: Element, depth: int, counted: list[int]) -> Any:
    """An element's text, or its attributes and children by name; a name that repeats gives a list."""
    children = list(node)
    if not children and not node.attrib:
        return (node.text or "").strip()
    if depth > MAX_DEPTH:
        raise BadInput("capture.body.shape", f"nest at most {MAX_DEPTH} levels")
    found: dict[str, Any] = {str(name).rpartition("}")[2]: value for name, value in node.attrib.items()}
    if not children and (node.text or "").strip():
        found["value"] = (node.text or "").strip()
    for child in children:
        counted[0] += 1
        if counted[0] > MAX_ENTRIES:
            raise BadInput("capture.body.shape", f"send at most {MAX_ENTRIES} values")
        name, value = str(child.tag).rpartition("}")[2], _content(child, depth + 1, counted)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _read_multipart(content_type: str, body: bytes) -> dict[str, Any]:
    """The text parts of a multipart form (RFC 7578). A part that is a file is refused: no lead has one."""
    boundary = _parameter(content_type, "boundary")
    if not boundary or len(boundary) > 200:
        raise BadInput("capture.body.malformed", "the multipart form names no boundary")
    parts = body.split(b"--" + boundary.encode("latin-1", "replace"))
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise BadInput("capture.body.malformed", "the multipart form is cut off")
    if len(parts) - 2 > MAX_ENTRIES:
        raise BadInput("capture.body.shape", f"send at most {MAX_ENTRIES} fields")
    found: dict[str, Any] = {}
    try:
        for part in parts[1:-1]:
            head, split, value = part.partition(b"\r\n\r\n")
            disposition = next(
                (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")), b""
            ).decode()
            name = _parameter(disposition, "name")
            if not split or not name:
                raise BadInput("capture.body.malformed", "a part of the multipart form has no name")
            if "filename=" in disposition.lower():
                raise BadInput("capture.body.shape", "a lead has no files; send texts")
            place(found, name, value.removesuffix(b"\r\n").decode())
    except UnicodeDecodeError:
        raise BadInput("capture.body.encoding", "a field is not valid UTF-8") from None
    if not found:
        raise BadInput("capture.body.malformed", "the body holds no fields")
    inspect(found, escaped=True)
    return found


def _parameter(header: str, wanted: str) -> str:
    for piece in header.split(";")[1:]:
        name, _, value = piece.partition("=")
        if name.strip().lower() == wanted:
            return value.strip().strip('"')
    return ""
