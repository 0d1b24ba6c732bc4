"""The certificate of consent: everything that is known of what a person was shown and did, as one document. Pure.

Its core is made by the step for an answer to a form of ours, and its digest stands in the journal; for other leads it
is made when somebody wants to see it, of the stored proof. It names no person: the address of the person's machine, the
browser and the answers stand in it as hashes under a secret number that is sealed with the lead.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.capture import Form, Lead, Submission
from leadmill.consent.model import Proof, Sight, Witnessed
from leadmill.consent.seen import Seen, Witness, holds, open_witness, plain_address

FORMAT = "leadmill.consent/1"
"""What a certificate says it is; another layout has another number."""

NO_SCRIPT = "The page's script did not run: where the text stood, how large and with what contrast is not known."
NO_SNAPSHOT = "There is no picture of the page."
CLAIMED = "Nobody here saw the page: all of this is what the source handed over."
NO_TEXT_SEEN = "The page showed no text to agree to."
OTHER_TEXT = "The text on the page was not the published one."
HIDDEN = "The text on the page was hidden."
LEAKS = "The page's document held an answer and is not shown."
TICKED_BEFORE = "The box was ticked when the page was loaded."


class Disclosure(Struct, frozen=True, kw_only=True):
    """What was put to the person and what they did about it; as in :class:`Proof`."""

    kind: str
    text: str
    text_sha256: str
    version: str | None
    given_at: datetime | None
    sellers: list[str]
    sellers_display: str | None
    channels: list[str]
    refused: list[str]
    box_default: str | None
    obtained_by: str | None
    sensitive_opt_in: list[str]


class Page(Struct, frozen=True, kw_only=True):
    """Where it was: the address without what may name a person, the campaign, the form and the version served."""

    url: str
    referrer: str
    campaign: dict[str, str]
    form: str | None
    form_version: str | None
    served_at: datetime | None


class Person(Struct, frozen=True, kw_only=True):
    """Who it was, as hashes (HMAC-SHA-256, hex) under the secret number: the machine's address, the browser, and all
    answers together with the ``names`` of the fields they are to."""

    ip: str | None
    user_agent: str | None
    fields: str
    names: list[str]
    gpc: bool


class Certificate(Struct, frozen=True, kw_only=True):
    """The core. ``salt`` makes its digest impossible to guess; ``unseen`` says what is not known, ``doubts`` what
    speaks against it; ``vendors`` are the certificates of others that were presented, by vendor."""

    format: str
    sight: Sight
    lead_id: str
    source_id: str
    channel: str
    received_at: datetime
    salt: str
    disclosure: Disclosure
    page: Page
    person: Person
    seen: Seen | None
    snapshot_sha256: str
    snapshot_size: int
    vendors: dict[str, str]
    unseen: list[str]
    doubts: list[str]


_CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


def witness(submission: Submission, lead: Lead, form: Form | None) -> Witnessed | None:
    """How the page was seen on which this was answered; None where it was no page of ours or nothing is kept of it."""
    found = open_witness(submission.witness)
    if found is None or not submission.session:
        return None
    doubts = [found.fault] if found.fault else []
    document = _document(found)
    if document and holds(document, lead.fields):
        doubts.append(LEAKS)
        document = ""
    faithful = _faithful(found.seen, form)
    if faithful is False:
        doubts.append(OTHER_TEXT)
    if found.seen and found.seen.shown and found.seen.shown.hidden:
        doubts.append(HIDDEN)
    if found.seen and found.seen.control and found.seen.control.default == "checked":
        doubts.append(TICKED_BEFORE)
    return Witnessed(
        served_at=found.served_at,
        seen=found.seen,
        snapshot_sha256=hashlib.sha256(document.encode()).hexdigest() if document else "",
        snapshot_size=len(document),
        faithful=faithful,
        asked=[field.field for step in form.steps for field in step.fields] if form else [],
        doubts=doubts,
    )


def certify(lead: Lead, submission: Submission, proof: Proof, seen: Witnessed | None, secret: str) -> Certificate:
    """The core of a lead's certificate. ``secret`` is the number under which its hashes are made: the session's for an
    answer to a form of ours, for other leads one of this installation's."""
    sight: Sight = "claimed" if submission.channel != "hosted" else "seen" if seen and seen.seen else "served"
    return Certificate(
        format=FORMAT,
        sight=sight,
        lead_id=lead.id,
        source_id=lead.source_id,
        channel=submission.channel,
        received_at=submission.received_at,
        salt=_hash(secret, "salt", ""),
        disclosure=Disclosure(
            kind=proof.kind,
            text=proof.text,
            text_sha256=proof.text_sha256,
            version=proof.version,
            given_at=proof.given_at,
            sellers=proof.sellers,
            sellers_display=proof.sellers_display,
            channels=proof.channels,
            refused=proof.refused,
            box_default=proof.box_default,
            obtained_by=proof.obtained_by,
            sensitive_opt_in=proof.sensitive_opt_in,
        ),
        page=Page(
            url=plain_address(proof.url or "") or (seen.seen.url if seen and seen.seen else ""),
            referrer=plain_address(submission.headers.get("referer", "")),
            campaign={name: str(lead.context[name])[:300] for name in _CAMPAIGN if lead.context.get(name)},
            form=submission.form,
            form_version=submission.form_version,
            served_at=seen.served_at if seen else None,
        ),
        person=Person(
            ip=_hash(secret, "ip", proof.ip) if proof.ip else None,
            user_agent=_hash(secret, "user agent", proof.user_agent) if proof.user_agent else None,
            fields=fields_hash(secret, lead.fields),
            names=sorted(lead.fields),
            gpc=submission.headers.get("sec-gpc") == "1" or lead.context.get("gpc") is True,
        ),
        seen=seen.seen if seen else None,
        snapshot_sha256=seen.snapshot_sha256 if seen else "",
        snapshot_size=seen.snapshot_size if seen else 0,
        vendors=dict(sorted(proof.certificates.items())),
        unseen=_unseen(sight, seen),
        doubts=[*proof.doubts, *(seen.doubts if seen else [])],
    )


def canonical(document: Any) -> bytes:
    """A document's bytes as its digest is taken of them: JSON, keys in order, and no ``<``, so that it can stand in a
    page as it is."""
    return without_tags(msgspec.json.encode(document, order="sorted"))


def without_tags(text: bytes) -> bytes:
    """JSON that means the same and opens no tag."""
    return text.replace(b"<", b"\\u003c")


def digest_of(certificate: Certificate) -> str:
    """The hex SHA-256 of a certificate's core."""
    return hashlib.sha256(canonical(certificate)).hexdigest()


def fields_hash(secret: str, fields: Mapping[str, Any]) -> str:
    """All answers as one hash under the secret number."""
    return _hash(secret, "fields", msgspec.json.encode(dict(fields), order="sorted").decode())


def _hash(secret: str, purpose: str, text: str) -> str:
    return hmac.digest(secret.encode(), f"{purpose}\n{text}".encode(), "sha256").hex()


def _document(found: Witness) -> str:
    try:
        return found.document()
    except ValueError:
        return ""


def _faithful(seen: Seen | None, form: Form | None) -> bool | None:
    if seen is None or form is None or form.consent is None:
        return None
    if seen.shown is None:
        return False
    missing = [name for name in form.consent.sellers if name not in seen.shown.sellers + seen.shown.text]
    return _words(seen.shown.text) == _words(form.consent.text) and not missing


def _words(text: str) -> list[str]:
    return text.split()


def _unseen(sight: Sight, seen: Witnessed | None) -> list[str]:
    if sight == "claimed":
        return [CLAIMED]
    found = []
    if seen is None or seen.seen is None:
        found.append(NO_SCRIPT)
    elif seen.seen.shown is None:
        found.append(NO_TEXT_SEEN)
    if seen is None or not seen.snapshot_sha256:
        found.append(NO_SNAPSHOT)
    return found
