"""A certificate as a file of its own: one page that anybody can read, and prove unchanged without us. Pure.

The page holds its parts as they were hashed: the core, what was added when it was made out, the snapshot and the
recording. A seal at the end names the digest of each and of the page around them, signed with the key of the
house, the one that signs its checkpoints (Ed25519, RFC 8032). ``docs/verify_certificate.py`` checks the same in a
hundred lines of its own.
"""

import base64
import binascii
import hashlib
import html
import re
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from leadmill.consent.certificate import FORMAT, Certificate, canonical
from leadmill.core.faults import BadInput

_PART = re.compile(
    r'(<script type="application/json" id="(?P<name>core|more|replay|seal)">)(?P<data>[^<]*)(</script>)'
    r'|(<iframe id="snapshot" sandbox="" title="[^"<]*" srcdoc=")(?P<document>[^"<]*)(")'
)
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 15, 8, 1


class Contact(Struct, frozen=True):
    """A way to reach the person, as something that can be compared and not be found out: scrypt (RFC 7914; n 32768,
    r 8, p 1) under a ``salt`` of its own, both hex."""

    salt: str
    scrypt: str


class Recording(Struct, frozen=True):
    """The recording in the file: its digest as the journal has it, how many events over how many seconds. Without one,
    ``why``."""

    sha256: str = ""
    events: int = 0
    seconds: float = 0
    why: str = ""


class Journaled(Struct, frozen=True):
    """Where the journal tells of the certificate: the page of the lead by number, its hash and moment, and the digest
    of the core, where it stands there."""

    page: int
    hash: str
    at: datetime
    digest: str = ""


class More(Struct, frozen=True, kw_only=True):
    """What was added when the file was made: by which house and when, under which rules the lead was decided, what the
    journal says, what became of the recording, and whom it is about."""

    made_at: datetime
    house: str
    revision: int
    packs: str
    journal: Journaled
    recording: Recording
    contacts: dict[str, Contact] = {}


class Seal(Struct, frozen=True):
    """The end of a file: the ``manifest`` (a JSON text), the public key and the signature over the manifest's bytes,
    both base64."""

    manifest: str
    key: str
    signature: str


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """The digest (hex SHA-256) of each part; ``page`` is that of the file with its parts taken out."""

    format: str
    parts: dict[str, str]


class Paper(Struct, frozen=True):
    """A file taken apart: its parts as they were hashed, and the page around them."""

    parts: dict[str, str]
    page: str
    seal: Seal


class Flaw(Struct, frozen=True):
    """Something about a file that does not hold: in which part, and what."""

    part: str
    says: str


def snapshot_attribute(document: str) -> str:
    """A document as it stands in the file."""
    return html.escape(document, quote=True)


def sealed_page(page: str, signer: Ed25519PrivateKey) -> str:
    """A page with its seal filled in. The page holds its parts as JSON or as the source of its frame, each once, and an
    empty seal."""
    parts, around = _apart(page)
    digests = {name: _sha(data) for name, data in parts.items() if name != "seal"} | {"page": _sha(around)}
    manifest = canonical(Manifest(FORMAT, digests)).decode()
    seal = Seal(
        manifest,
        base64.b64encode(signer.public_key().public_bytes_raw()).decode(),
        base64.b64encode(signer.sign(manifest.encode())).decode(),
    )
    before, opening, after = page.rpartition('id="seal">')
    return before + opening + canonical(seal).decode() + after


def take_apart(text: str) -> Paper:
    """A file's parts. Raises :class:`BadInput` ``consent.paper.malformed`` for what is no certificate of ours."""
    parts, around = _apart(text)
    try:
        seal = msgspec.json.decode(parts.get("seal", ""), type=Seal)
    except msgspec.DecodeError:
        raise BadInput("consent.paper.malformed", "this is no certificate of consent, or its seal is gone") from None
    return Paper({name: data for name, data in parts.items() if name != "seal"}, around, seal)


def core_of(paper: Paper) -> Certificate:
    """The core of a file. Raises :class:`BadInput` ``consent.paper.malformed``."""
    found: Certificate = _read(paper, "core", Certificate)
    return found


def more_of(paper: Paper) -> More:
    """What was added to the core. Raises :class:`BadInput` ``consent.paper.malformed``."""
    found: More = _read(paper, "more", More)
    return found


def key_of(paper: Paper) -> str:
    """The public key a file says it is signed with, hex."""
    try:
        return base64.b64decode(paper.seal.key, validate=True).hex()
    except binascii.Error:
        return ""


def flaws_of(paper: Paper, key: str = "") -> list[Flaw]:
    """Everything about a file that does not hold; nothing means that it is as it was made. With ``key`` (hex) it must
    be signed by that one. Raises :class:`BadInput` ``consent.paper.malformed``."""
    found = _signature(paper, key)
    try:
        manifest = msgspec.json.decode(paper.seal.manifest, type=Manifest)
    except msgspec.DecodeError:
        return [*found, Flaw("seal", "its list of parts cannot be read")]
    if manifest.format != FORMAT:
        found.append(Flaw("seal", f"it is a certificate of another kind, {manifest.format[:40]}"))
    here = {name: _sha(data) for name, data in paper.parts.items()} | {"page": _sha(paper.page)}
    for name in sorted(manifest.parts.keys() | here.keys()):
        if name not in here:
            found.append(Flaw(name, "it was taken out"))
        elif name not in manifest.parts:
            found.append(Flaw(name, "it was put in"))
        elif manifest.parts[name] != here[name]:
            found.append(Flaw(name, "it was changed: its digest is not the one that was signed"))
    return found or _agree(paper, here)


def contact_hash(value: str, kind: str, salt: bytes) -> Contact:
    """An e-mail address or a phone number, hashed so slowly that nobody goes through all numbers there are."""
    made = hashlib.scrypt(
        plain_contact(value, kind).encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, maxmem=1 << 26, dklen=32
    )
    return Contact(salt.hex(), made.hex())


def is_contact(value: str, kind: str, held: Contact) -> bool:
    """Whether a certificate is about this address or number."""
    return contact_hash(value, kind, bytes.fromhex(held.salt)) == held


def plain_contact(value: str, kind: str) -> str:
    """An address in lower case, or a number's digits without the country's 1."""
    if kind == "email":
        return value.strip().lower()
    digits = "".join(filter(str.isdigit, value))
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def _signature(paper: Paper, key: str) -> list[Flaw]:
    try:
        public = base64.b64decode(paper.seal.key, validate=True)
        signature = base64.b64decode(paper.seal.signature, validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, paper.seal.manifest.encode())
    except (binascii.Error, ValueError, InvalidSignature):
        return [Flaw("seal", "its signature is not that of its list of parts")]
    if key and public.hex() != key.lower():
        return [Flaw("seal", f"it is signed by {public.hex()}, which is another key")]
    return []


def _agree(paper: Paper, here: dict[str, str]) -> list[Flaw]:
    """What one part says of another."""
    core, more = core_of(paper), more_of(paper)
    text = core.disclosure.text
    checks = [
        ("core", not text or core.disclosure.text_sha256 == _sha(text), "the text's digest is not the text's"),
        (
            "snapshot",
            _sha(html.unescape(paper.parts.get("snapshot", ""))) == (core.snapshot_sha256 or _sha("")),
            "it is not the one that the core names",
        ),
        ("replay", here.get("replay", "") == more.recording.sha256, "it is not the one that the journal names"),
        ("more", more.journal.digest in ("", here["core"]), "the journal tells of another core"),
    ]
    return [Flaw(part, says) for part, holds, says in checks if not holds]


def _read(paper: Paper, name: str, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(paper.parts.get(name, ""), type=kind)
    except msgspec.DecodeError:
        raise BadInput("consent.paper.malformed", f"the part “{name}” cannot be read") from None


def _apart(text: str) -> tuple[dict[str, str], str]:
    parts: dict[str, str] = {}

    def take(found: re.Match[str]) -> str:
        name = found["name"] or "snapshot"
        if name in parts:
            raise BadInput("consent.paper.malformed", f"the part “{name}” stands there twice")
        parts[name] = found["data"] if found["name"] else found["document"]
        return "".join(found.group(1, 4) if found["name"] else found.group(5, 7))

    return parts, _PART.sub(take, text)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
