"""Request bodies: bytes with a content type, to a dictionary that is safe to work on.

Called by :mod:`leadmill.capture.rules` and by the interfaces. What comes out holds only strings that encode as UTF-8
and carry no control characters, finite numbers of at most 64 bits, and objects of bounded depth and size; anything
else is the caller's mistake and is refused with its place.
"""

import json
import math
from typing import Any
from urllib.parse import unquote_to_bytes

from leadmill.core.faults import BadInput, FieldFault, TooLarge

MAX_BYTES = 1 << 20
"""The largest body taken (CONTRACT: a body over 1 MiB is 413)."""
MAX_DEPTH = 12
MAX_ENTRIES = 1000
MAX_KEY = 200

_INT_LIMIT = 1 << 63
_NUMBER = "is not a finite 64-bit number"
_SIGNS = "holds a control character or half a surrogate pair"
_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_JSON_TYPES = ("application/json", "text/json", "application/x-json")
_FORM_TYPE = "application/x-www-form-urlencoded"


class _Repeated(ValueError):
    """An object names a key twice."""


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """The body as a dictionary.

    JSON (any ``+json``) and form-encoded bodies are read; where no type is given, a body that opens with a brace is
    JSON. In a form body ``fields[email]=…`` nests, ``list[]=…`` and repeated names give a list. Raises
    :class:`TooLarge` ``capture.body.too_large`` over 1 MiB and :class:`BadInput` ``capture.body.malformed``,
    ``capture.body.encoding``, ``capture.body.shape`` or ``capture.body.media_type``.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge("capture.body.too_large", "send at most 1 MiB")
    kind, charset = _media(content_type)
    start = body[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if kind in _JSON_TYPES or kind.endswith("+json") or (kind in ("", "text/plain") and start in (b"{", b"[")):
        return _read_json(body)
    if kind in ("", "text/plain", _FORM_TYPE):
        return _read_form(body, charset)
    raise BadInput("capture.body.media_type", "send application/json or application/x-www-form-urlencoded")


def _media(content_type: str) -> tuple[str, str | None]:
    kind, *params = content_type.split(";")
    for param in params:
        name, _, value = param.partition("=")
        if name.strip().lower() == "charset":
            return kind.strip().lower(), value.strip().strip('"').lower() or None
    return kind.strip().lower(), None


def _no_constant(_: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


_decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_object)


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode(json.detect_encoding(body))
    except UnicodeDecodeError as fault:
        raise BadInput("capture.body.encoding", f"the JSON is not valid UTF-8 at byte {fault.start}") from None
    try:
        found = _decoder.decode(text.removeprefix("\ufeff"))
    except _Repeated:
        raise BadInput("capture.body.shape", "an object names the same key twice") from None
    except json.JSONDecodeError as fault:
        raise BadInput("capture.body.malformed", f"not JSON at line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise BadInput("capture.body.shape", f"nest at most {MAX_DEPTH} levels") from None
    except ValueError:  # NaN, Infinity, or an integer of thousands of digits
        raise BadInput("capture.body.malformed", "a number is not finite or has too many digits") from None
    if not isinstance(found, dict):
        raise BadInput("capture.body.shape", "send one JSON object")
    # Only an escape can bring a control character or half a surrogate pair into strict JSON.
    inspect(found, escaped="\\" in text or "\x7f" in text)
    return found


def _read_form(body: bytes, charset: str | None) -> dict[str, Any]:
    pairs: list[tuple[bytes, bytes]] = []
    for part in body.strip(b"\r\n").split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
        if len(pairs) > MAX_ENTRIES:
            raise BadInput("capture.body.shape", f"send at most {MAX_ENTRIES} fields")
    declared = charset or next(
        (v.decode("ascii", "replace").lower() for n, v in pairs if n == b"_charset_" and v), "utf-8"
    )
    found: dict[str, Any] = {}
    try:
        for name_bytes, value_bytes in pairs:
            if name_bytes and name_bytes != b"_charset_":
                place(found, name_bytes.decode(declared), value_bytes.decode(declared))
    except LookupError:
        raise BadInput("capture.body.encoding", "the charset named is not known; send UTF-8") from None
    except UnicodeError:
        raise BadInput(
            "capture.body.encoding", f"a field is not valid {declared}; send UTF-8 or name the charset"
        ) from None
    if not found:
        raise BadInput("capture.body.malformed", "the body holds no fields")
    inspect(found, escaped=True)
    return found


def place(found: dict[str, Any], name: str, value: str) -> None:
    """Put one pair of a form body in its place, opening the brackets of its name."""
    head, *rest = name.replace("]", "").split("[") if name.endswith("]") and not name.startswith("[") else [name]
    if len(rest) > MAX_DEPTH:
        raise BadInput("capture.body.shape", f"nest at most {MAX_DEPTH} levels")
    as_list = bool(rest) and rest[-1] == ""
    *path, last = [head, *[step for step in rest if step != ""]]
    place = found
    for step in path:
        inner = place.setdefault(step, {})
        if not isinstance(inner, dict):
            raise BadInput("capture.body.shape", "a field is both a value and a group of fields")
        place = inner
    held = place.get(last)
    if isinstance(held, dict):
        raise BadInput("capture.body.shape", "a field is both a value and a group of fields")
    if held is None:
        place[last] = [value] if as_list else value
    else:
        place[last] = [*(held if isinstance(held, list) else [held]), value]


def inspect(root: dict[str, Any], *, escaped: bool) -> None:
    """Refuse what no later part should have to think of; ``escaped`` says that strings need looking into."""
    faults: list[FieldFault] = []
    entries = 0
    todo: list[tuple[dict[str, Any] | list[Any], str, int]] = [(root, "", 1)]
    while todo:
        node, at, depth = todo.pop()
        entries += len(node)
        if entries > MAX_ENTRIES or depth > MAX_DEPTH:
            raise BadInput(
                "capture.body.shape", f"send at most {MAX_ENTRIES} values, nested at most {MAX_DEPTH} levels"
            )
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(key, str) and (len(key) > MAX_KEY or (escaped and not _clean(key))):
                raise BadInput(
                    "capture.body.shape", f"a name has at most {MAX_KEY} characters, none a control character"
                )
            kind = type(value)
            if kind is str:
                if escaped and not _clean(value):
                    faults.append(FieldFault(f"{at}/{escape(str(key))}", "capture.field.characters", _SIGNS))
            elif kind is dict or kind is list:
                todo.append((value, f"{at}/{escape(str(key))}", depth + 1))
            elif (kind is int and not -_INT_LIMIT <= value < _INT_LIMIT) or (
                kind is float and not math.isfinite(value)
            ):
                faults.append(FieldFault(f"{at}/{escape(str(key))}", "capture.field.range", _NUMBER))
    if faults:
        raise BadInput("capture.body.values", "some values cannot be kept; see errors", faults)


def escape(key: str) -> str:
    """A key as a reference token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def _clean(text: str) -> bool:
    if text.isascii():
        return text.isprintable() or text.translate(_CONTROLS) == text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return text.translate(_CONTROLS) == text
