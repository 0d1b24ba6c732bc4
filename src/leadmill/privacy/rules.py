"""Pure rules of consumer requests: which clock runs, how sure we are of who asks, what that suffices for, the token of
a letter. No clock, no store.

The clocks themselves are law and stand in the packs (:class:`~leadmill.policy.Deadlines`); how sure one must be is
California's, the only state that counts it (11 CCR 7060 to 7063), and is used for everybody.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from leadmill.core.faults import NotFound, Permanent
from leadmill.policy import Deadlines, Due
from leadmill.privacy.model import LEVELS, WAITING, DeletionCertificate, Kind, Level, PrivacyRequest
from leadmill.runtime.tokens import bytes_of, token_of

NEEDS: Mapping[Kind, Level] = {
    "know": "reasonable",
    "delete": "reasonable",
    "correct": "high",
    "opt_out": "none",
    "limit": "none",
}
"""How sure one must be before a request is carried out. Opting out and limiting are never verified (11 CCR 7026(d),
7027(e)). To a reasonable degree, a request to know is answered with categories alone."""

LINK_HOLDS = timedelta(days=14)
"""How long the link of a letter can confirm a request."""

SOON = timedelta(days=10)
"""How long before its end a clock counts as near."""

PER_ADDRESS = (30, timedelta(hours=1))
"""Forms that one network address may send in a time: an office or a household has one address."""

PER_CONTACT = (6, timedelta(hours=24))
"""Forms that may name one e-mail address or phone number in a time, so that nobody's mailbox is filled by others."""


# Clocks


class Clocks(Struct, frozen=True):
    """By when a request must be confirmed and answered."""

    confirm: Due
    answer: Due


def clocks_of(deadlines: Deadlines, kind: Kind, home: str, received_at: datetime) -> Clocks:
    """The clocks of a request. Where the state asks for no confirmation, the earliest that any state asks for is the
    house's own.

    Raises Permanent ``privacy.clock.missing`` where the packs in force set no term at all.
    """
    confirm = deadlines.due("confirm", home, received_at) or deadlines.due("confirm", "", received_at)
    answer = deadlines.due(_STEP.get(kind, "answer"), home, received_at)
    if confirm is None or answer is None:
        raise Permanent("privacy.clock.missing", "no law pack in force says by when requests are owed an answer")
    return Clocks(confirm, answer)


_STEP = {"opt_out": "opt_out", "limit": "limit"}


def step_of(kind: Kind) -> str:
    """The step of the law packs by which a request of this kind is answered."""
    return _STEP.get(kind, "answer")


def next_due(request: PrivacyRequest) -> datetime | None:
    """The moment before which something is owed; None where nothing is any more."""
    if request.state not in WAITING:
        return None
    if request.state == "appealed":
        return request.appeal_due_at
    return request.answer_due_at if request.acknowledged_at else min(request.confirm_due_at, request.answer_due_at)


def last_day(until: datetime) -> date:
    """The last local day of a clock that runs until a moment, as a person reads it: a clock ends at midnight in one of
    the zones of the United States or in UTC, so half a day before is that day in all of them."""
    return (until - timedelta(hours=12)).date()


Pressure = Literal["over", "soon", "fine", "none"]


def pressure(request: PrivacyRequest, now: datetime) -> Pressure:
    """How near the next step's end is."""
    due = next_due(request)
    if due is None:
        return "none"
    return "over" if due <= now else "soon" if due - now <= SOON else "fine"


def in_time(request: PrivacyRequest) -> bool | None:
    """Whether a request was answered before its clock ran out; None while it waits."""
    ended = request.decided_at
    return None if ended is None else ended < request.answer_due_at


# Who asks


def plain_fact(text: str) -> str:
    """A fact as it is compared: letters and digits alone, in lower case."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def agreeing(told: Mapping[str, str], known: Iterable[Mapping[str, object]]) -> list[str]:
    """Which of the facts that somebody told agree with what one of their leads says, by name."""
    leads = list(known)
    found = []
    for name, value in sorted(told.items()):
        said = _compared(name, value)
        if said and any(said == _compared(name, str(lead.get(name) or "")) for lead in leads):
            found.append(name)
    return found


def _compared(name: str, text: str) -> str:
    plain = plain_fact(text)
    if name == "zip":
        return plain[:5]
    return plain[-10:] if name == "phone" else plain


def level_of(*, link: bool, known: bool, matches: int, declared: bool) -> tuple[Level, int]:
    """How sure one is, and by how many points. A letter's link that was followed proves the mailbox, and that it is
    the one we know is a second point; each further fact that agrees is one more. Two points are reasonable; three, with
    a declaration under penalty of perjury, are high (11 CCR 7062(b), (c)). Somebody of whom nothing is known can only
    be told so."""
    if not link:
        return "none", 0
    points = 1 + known + (matches if known else 0)
    if points >= 3 and declared:
        return "high", points
    return "reasonable", points


def suffices(kind: Kind, level: Level) -> bool:
    """Whether one is sure enough to carry the request out."""
    return LEVELS.index(level) >= LEVELS.index(NEEDS[kind])


def sees_pieces(level: Level) -> bool:
    """Whether an answer may show the very data that is held, and not its categories alone."""
    return level == "high"


# Tokens


class Ticket(Struct, frozen=True, array_like=True):
    """What a link carries, sealed: the request, and whether it came in a letter to the person. Only a letter's link
    confirms, reads an answer or appeals; the one on the page that was answered shows where the request stands."""

    request_id: str
    letter: bool


KeyedHash = Callable[[str, str], bytes]
Seal = Callable[[bytes, bytes, str], bytes]
"""``vault.seal`` and ``vault.open``: key, bytes, context."""

_PURPOSE = "privacy request link"


def _key(keyed_hash: KeyedHash) -> bytes:
    return keyed_hash(_PURPOSE, "first half") + keyed_hash(_PURPOSE, "second half")


def seal_ticket(keyed_hash: KeyedHash, seal: Seal, ticket: Ticket) -> str:
    """The token of a link. It tells nothing to whoever sees it and cannot be made by anybody else."""
    sealed = seal(_key(keyed_hash), msgspec.msgpack.encode(ticket), _PURPOSE)
    return token_of(sealed)


def open_ticket(keyed_hash: KeyedHash, unseal: Seal, token: str) -> Ticket:
    """What a token carries. Raises NotFound ``privacy.token.unknown`` for one that is not ours or was changed."""
    try:
        return msgspec.msgpack.decode(unseal(_key(keyed_hash), bytes_of(token), _PURPOSE), type=Ticket)
    except (ValueError, msgspec.DecodeError, Permanent):
        raise NotFound("privacy.token.unknown", "this link is not one of ours, or not whole") from None


# Certificates


def certified(made: DeletionCertificate) -> DeletionCertificate:
    """The certificate with its digest: SHA-256 over its JSON (keys in order, no blanks) while digest, signature and key
    are empty."""
    bare = msgspec.structs.replace(made, digest="", signature="", key="")
    digest = hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()
    return msgspec.structs.replace(made, digest=digest)


def sign(made: DeletionCertificate, signer: Ed25519PrivateKey) -> DeletionCertificate:
    """The certificate with its digest, signed."""
    whole = certified(made)
    return msgspec.structs.replace(
        whole,
        signature=base64.b64encode(signer.sign(whole.digest.encode())).decode(),
        key=base64.b64encode(signer.public_key().public_bytes_raw()).decode(),
    )


def holds(made: DeletionCertificate) -> bool:
    """Whether a certificate is as it was written, by its digest and its signature."""
    if certified(made).digest != made.digest:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(made.key))
        key.verify(base64.b64decode(made.signature), made.digest.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
