"""What the script of a hosted form tells of its page at the moment of sending. Pure.

Read by the page that takes the answer, packed into its submission and opened again by the step. It comes from a
browser, so nothing in it is believed further than it goes: it is bounded, read strictly, and stands in the certificate
beside what the server knows by itself. It holds no answer: fields have names here, and moments, never values.
"""

import re
import zlib
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from msgspec import Meta, Struct

MOST_TOLD = 400_000
"""The longest text, in characters, that a form's script may tell; a page of ours is about a tenth of it."""

_Pixels = Annotated[float, Meta(ge=-1e6, le=1e6)]
_Line = Annotated[str, Meta(max_length=300)]
_Long = Annotated[str, Meta(max_length=4_000)]
_Address = Annotated[str, Meta(max_length=4_000)]
_Millis = Annotated[int, Meta(ge=0, le=200_000_000)]
_Box = Literal["checked", "unchecked", "none"]


class Place(Struct, frozen=True):
    """Where something stands on the page: pixels of style from its upper left corner."""

    x: _Pixels
    y: _Pixels
    width: _Pixels
    height: _Pixels


class Control(Struct, frozen=True):
    """What one agreed by: a box to tick, or the button itself. ``default`` is how a box stood before the person touched
    it, ``state`` how it stood at sending. ``kept`` says that the page was loaded with the person's own tick, from the
    page before, which had to be corrected."""

    kind: Literal["checkbox", "button"]
    default: _Box
    state: _Box
    place: Place | None = None
    kept: bool = False


class Shown(Struct, frozen=True, kw_only=True):
    """The consent text as the browser drew it: its words and those about the companies, where, in which size (pixels)
    and weight, ink and ground as ``#rrggbb``, their contrast (WCAG 2.2; None where a picture lies behind), for how many
    milliseconds it was in view whole, whether it was hidden, and whether it stood above the button."""

    text: _Long
    sellers: _Long = ""
    place: Place
    font_px: Annotated[float, Meta(ge=0, le=1_000)]
    font_weight: Annotated[int, Meta(ge=0, le=1_000)]
    ink: Annotated[str, Meta(max_length=40)]
    ground: Annotated[str, Meta(max_length=40)]
    contrast: Annotated[float, Meta(ge=1, le=21)] | None
    visible_ms: _Millis
    hidden: bool
    above_button: bool


class Act(Struct, frozen=True, array_like=True):
    """Something the person did: milliseconds since the page was loaded, what, and on which field."""

    ms: _Millis
    what: Literal["focus", "leave", "type", "paste", "fill", "answer", "tick", "untick", "submit"]
    where: Annotated[str, Meta(max_length=100)] = ""


class Recorded(Struct, frozen=True, kw_only=True):
    """How the recording of the visit came about, in milliseconds since the page was loaded: when its notice stood on
    the page, when the person chose, when the recorder was loaded. ``notice`` is what the notice said. ``earlier`` says
    that the choice was made on the page before, which had to be corrected."""

    mode: Literal["notice", "ask"]
    notice: _Long
    shown_ms: _Millis | None = None
    chosen_ms: _Millis | None = None
    accepted: bool | None = None
    loaded_ms: _Millis | None = None
    stopped: bool = False
    earlier: bool = False


class Seen(Struct, frozen=True, kw_only=True):
    """A page at the moment of sending, as its browser had it. ``began_at`` is the browser's own clock at load;
    ``sent_ms`` how long after that the form was sent. ``width`` and ``height`` are the window's, ``scale`` its pixels
    to a pixel of style. ``gpc`` is the wish not to be followed (Global Privacy Control)."""

    began_at: datetime
    sent_ms: _Millis
    url: _Address
    referrer: _Address = ""
    title: _Line = ""
    time_zone: Annotated[str, Meta(max_length=60)] = ""
    language: Annotated[str, Meta(max_length=40)] = ""
    scheme: Literal["light", "dark"] = "light"
    width: Annotated[int, Meta(ge=0, le=100_000)]
    height: Annotated[int, Meta(ge=0, le=100_000)]
    scale: Annotated[float, Meta(ge=0, le=100)] = 1
    gpc: bool = False
    control: Control | None = None
    shown: Shown | None = None
    button: Place | None = None
    acts: Annotated[list[Act], Meta(max_length=500)] = []
    recorded: Recorded | None = None


class Told(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the script writes into the form: the page, and the page's document with the answers left out."""

    seen: Seen
    snapshot: str = ""


class Witness(Struct, frozen=True, kw_only=True):
    """What is known of how a page was seen. ``seen`` is None where its script did not run or wrote what cannot be read
    (``fault``); ``snapshot`` is the document, compressed."""

    served_at: datetime
    seen: Seen | None = None
    snapshot: bytes = b""
    fault: str = ""

    def document(self) -> str:
        """The document with the answers left out; empty where there is none."""
        return unpack(self.snapshot).decode("utf-8", "replace") if self.snapshot else ""


UNREADABLE = "What the page's script told could not be read."
TOO_LONG = "The page's document was too long to be kept."

_told = msgspec.json.Decoder(Told)
_witness = msgspec.msgpack.Decoder(Witness)
_encode = msgspec.msgpack.Encoder().encode


def pack_witness(served_at: datetime, told: str) -> bytes:
    """What is kept of a visit with its submission; ``told`` is what the page's script wrote, empty where it did not
    run."""
    if not told:
        return _encode(Witness(served_at=served_at))
    if len(told) > MOST_TOLD:
        return _encode(Witness(served_at=served_at, fault=TOO_LONG))
    try:
        found = _told.decode(told)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return _encode(Witness(served_at=served_at, fault=UNREADABLE))
    seen = msgspec.structs.replace(
        found.seen, url=plain_address(found.seen.url), referrer=plain_address(found.seen.referrer)
    )
    snapshot = zlib.compress(found.snapshot.encode("utf-8", "replace"), 6) if found.snapshot else b""
    return _encode(Witness(served_at=served_at, seen=seen, snapshot=snapshot))


def open_witness(packed: bytes) -> Witness | None:
    """What :func:`pack_witness` packed; None for what it did not."""
    try:
        return _witness.decode(packed) if packed else None
    except msgspec.DecodeError:
        return None


def unpack(packed: bytes, most: int = 4 * MOST_TOLD) -> bytes:
    """Compressed bytes in full. Raises :class:`ValueError` for what is not compressed or becomes longer than ``most``
    bytes."""
    opener = zlib.decompressobj()
    try:
        plain = opener.decompress(packed, most)
    except zlib.error as fault:
        raise ValueError("not compressed") from fault
    if opener.unconsumed_tail or not opener.eof:
        raise ValueError("longer than is allowed")
    return plain


_KEPT_PARAMETER = re.compile(r"utm_[a-z_]{1,30}")


def plain_address(url: str) -> str:
    """An address without what may name a person: of its parameters the campaign's alone, no fragment, no user."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    kept = [(name, value) for name, value in parse_qsl(parts.query) if _KEPT_PARAMETER.fullmatch(name)]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{parts.scheme}://{host}{port}{parts.path}{query}"


def holds(document: str, values: dict[str, Any]) -> bool:
    """Whether a document that should hold no answer holds the person's address, number or street after all."""
    text = document.casefold()
    for name in ("email", "phone", "street", "full_name"):
        value = values.get(name)
        if isinstance(value, str) and len(value) >= 6 and value.casefold() in text:
            return True
    phone = "".join(filter(str.isdigit, str(values.get("phone") or "")))[-10:]
    return len(phone) == 10 and phone in text
