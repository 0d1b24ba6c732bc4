"""What counts as proof of consent, and the stamp that ties an answer to the page that was served.

Pure. ``prove`` is called by the step; ``stamp_page`` and ``read_stamp`` by the pages that serve and take a hosted form.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from leadmill.capture import Form, Lead, Submission, Value
from leadmill.consent.model import Proof
from leadmill.core.faults import BadInput

KeyedHash = Callable[[str, str], bytes]
"""The vault's: a purpose and a text to a secret hash."""

_PURPOSE = "form page"
_STAMP_HOURS = 48
_TEXTS_KEPT = 256
"""Consent texts whose reading is remembered: a source shows everybody the same."""
_SKEW = timedelta(minutes=5)

_CHANNELS = {
    **dict.fromkeys(("call", "calls", "phone", "voice", "telephone", "phonecall", "dial"), "call"),
    **dict.fromkeys(("text", "texts", "sms", "txt", "mms", "textmessage", "message"), "text"),
    **dict.fromkeys(("email", "emails", "mail", "electronicmail"), "email"),
}
_SPOKEN = (
    ("call", re.compile(r"\b(?:call(?:s|ed|ing)?|(?:tele)?phone(?:d)?|dial(?:s|ed|ing|er)?)\b", re.IGNORECASE)),
    ("text", re.compile(r"\b(?:text(?:s|ed|ing)?|sms|mms)\b", re.IGNORECASE)),
    ("email", re.compile(r"\be-?mail(?:s|ed|ing)?\b", re.IGNORECASE)),
)
_NOT_LETTERS = re.compile(r"[^a-z]")

NOT_GIVEN = "The person did not agree."
NO_TEXT = "Agreement was claimed without the text that was shown."
NO_TIME = "The source did not say when; counted from the arrival."
LATER = "The time given lies after the arrival; counted from the arrival."
FROM_TEXT = "The ways of contact were read from the text."
NO_FORM = "The form's published version is not on record."
NOT_TICKED = "The box beside the text was not ticked."
BAD_TIME = "The time given could not be read."


def prove(lead: Lead, submission: Submission, form: Form | None) -> Proof:
    """The proof of consent that came with a lead.

    For a hosted submission the text, the companies and the ways of contact are those of ``form``, the form as published
    in the version that was served; what the browser claims of them counts for nothing. ``form`` is None for other
    channels, and for a version that is not on record.
    """
    return _of_form(lead, submission, form) if submission.channel == "hosted" else _of_source(lead, submission)


def _of_form(lead: Lead, submission: Submission, form: Form | None) -> Proof:
    consent = form.consent if form else None
    doubts = [NO_FORM] if form is None else []
    agreed = consent is not None and (consent.box == "none" or lead.consent.get("granted") is True)
    if consent is not None and not agreed:
        doubts.append(NOT_TICKED)
    refused = _refused(lead)
    if consent is None or not agreed:
        return Proof(kind="none", refused=refused, origin="form", certificates=_certificates(lead), doubts=doubts)
    return Proof(
        kind="written",
        text=consent.text,
        text_sha256=_digest(consent.text),
        version=consent.version,
        given_at=submission.received_at,
        url=_text(lead.context.get("landing_page")),
        sellers=list(consent.sellers),
        sellers_display="visible",
        channels=[channel for channel in consent.channels if channel not in refused],
        refused=refused,
        box_default=consent.box,
        obtained_by=consent.obtained_by or None,
        ip=_text(lead.context.get("ip")),
        user_agent=_text(lead.context.get("user_agent")),
        certificates=_certificates(lead),
        sensitive_opt_in=_listed(lead.consent.get("sensitive_opt_in")),
        origin="form",
        doubts=doubts,
    )


def _of_source(lead: Lead, submission: Submission) -> Proof:
    said = lead.consent
    text = _text(said.get("text")) or ""
    kind = _text(said.get("kind"))
    refused = _refused(lead)
    doubts: list[str] = []
    if said.get("granted") is False or kind == "none":
        doubts.append(NOT_GIVEN)
    elif kind is not None and kind not in ("written", "none"):
        doubts.append(f"The consent is said to be {kind[:20]}, not written.")
    elif not text and said.get("granted") is True:
        doubts.append(NO_TEXT)
    if doubts or not text:
        return Proof(kind="none", refused=refused, certificates=_certificates(lead), doubts=doubts)
    channels = spoken_channels(_listed(said.get("channels")))
    if not channels:
        channels = list(_spoken_in(text))
        doubts.append(FROM_TEXT)
    box, display = _text(said.get("box_default")), _text(said.get("sellers_display"))
    given, directed = _given_at(lead, submission, doubts), _listed(said.get("directed_to"))
    return Proof(
        kind="written",
        text=text,
        text_sha256=_digest(text),
        version=_text(said.get("version")),
        given_at=given,
        url=_text(said.get("url")) or _text(lead.context.get("landing_page")),
        sellers=_listed(said.get("sellers")),
        sellers_display="visible" if display == "visible" else "hyperlink" if display == "hyperlink" else None,
        channels=[channel for channel in channels if channel not in refused],
        refused=refused,
        box_default=_box(box),
        obtained_by=_text(said.get("obtained_by")),
        ip=_text(said.get("ip")) or _text(lead.context.get("ip")),
        user_agent=_text(said.get("user_agent")) or _text(lead.context.get("user_agent")),
        certificates=_certificates(lead),
        sensitive_opt_in=_listed(said.get("sensitive_opt_in")),
        doubts=doubts,
        directed_to=directed,
        directed_at=_directed_at(said, given, submission.received_at) if directed else None,
    )


@lru_cache(_TEXTS_KEPT)
def _spoken_in(text: str) -> tuple[str, ...]:
    """The ways of contact that a consent text names."""
    return tuple(channel for channel, words in _SPOKEN if words.search(text))


def spoken_channels(words: Iterable[str]) -> list[str]:
    """Ways of contact by their one name (call, text, email), in that order; a word that names none is left out."""
    found = {_CHANNELS.get(_NOT_LETTERS.sub("", word.lower())) for word in words}
    return [channel for channel in ("call", "text", "email") if channel in found]


def read_moment(value: Value) -> datetime | None:
    """A moment as callers write it: RFC 3339, a date, or seconds or milliseconds since 1970; without an offset it is
    UTC. None where it is neither."""
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    digits = text.partition(".")[0]
    try:
        if digits.isdecimal() and digits.isascii() and len(digits) in (10, 13):
            return datetime.fromtimestamp(int(digits) / (1000 if len(digits) == 13 else 1), UTC)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _given_at(lead: Lead, submission: Submission, doubts: list[str]) -> datetime | None:
    """When consent was given. A live submission that does not say was agreed to no later than it arrived; a row of a
    file may be years old, so there it stays unknown."""
    said = lead.consent.get("given_at") or lead.context.get("captured_at")
    given = read_moment(said)
    if given is None:
        if said:
            doubts.append(BAD_TIME)
        if submission.channel == "file":
            return None
        doubts.append(NO_TIME)
        return submission.received_at
    if given > submission.received_at + _SKEW:
        doubts.append(LATER)
        return submission.received_at
    return given


def _directed_at(said: Mapping[str, Value], given: datetime | None, received_at: datetime) -> datetime | None:
    """When the person said to whom the lead is to be given: with the consent, where nothing else is said; no later than
    the lead arrived."""
    at = read_moment(said.get("directed_at"))
    return given if at is None else min(at, received_at)


def _refused(lead: Lead) -> list[str]:
    said = lead.consent
    words = _listed(said.get("refused"))
    words += [name for name in ("call", "text", "email") if said.get(f"do_not_{name}") is True]
    return spoken_channels(words)


def _certificates(lead: Lead) -> dict[str, str]:
    found = {vendor: _text(lead.consent.get(vendor)) for vendor in ("trustedform", "jornaya")}
    return {vendor: token for vendor, token in found.items() if token}


def _box(text: str | None) -> Literal["checked", "unchecked", "none"] | None:
    match text:
        case "checked":
            return "checked"
        case "unchecked":
            return "unchecked"
        case "none":
            return "none"
    return None


def _text(value: Value) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _listed(value: Value) -> list[str]:
    return [item for item in value if item] if isinstance(value, list) else []


@lru_cache(_TEXTS_KEPT)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# The stamp of a served page


class Stamp(Struct, frozen=True):
    """Which form a page showed, in which version, and when it was served (UTC)."""

    form: str
    version: str
    served_at: datetime


def stamp_page(keyed_hash: KeyedHash, form: Form, at: datetime) -> str:
    """The stamp a form's page carries, so that its answer says what was shown and cannot say anything else."""
    body = f"{form.id}~{form.version}~{int(at.timestamp())}"
    return f"{body}~{keyed_hash(_PURPOSE, body).hex()}"


def read_stamp(keyed_hash: KeyedHash, stamp: str, now: datetime) -> Stamp:
    """What a page's stamp says. Raises :class:`BadInput` ``consent.stamp.malformed`` where it is not ours and
    ``consent.stamp.expired`` after 48 hours: load the form again in both cases."""
    body, _, seal = stamp[:500].rpartition("~")
    form, _, rest = body.partition("~")
    version, _, seconds = rest.partition("~")
    good = hmac.compare_digest(keyed_hash(_PURPOSE, body).hex().encode(), seal.encode("utf-8", "replace"))
    if not good or not seconds.isdecimal():
        raise BadInput("consent.stamp.malformed", "the form was not served by this site; load it again")
    served = datetime.fromtimestamp(int(seconds), UTC)
    if not served - _SKEW <= now <= served + timedelta(hours=_STAMP_HOURS):
        raise BadInput("consent.stamp.expired", f"the form is older than {_STAMP_HOURS} hours; load it again")
    return Stamp(form, version, served)
